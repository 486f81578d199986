"""The same request twice is done once: `Idempotency-Key`, kept with its answer for a day.

The row that claims a name is inserted first, in the transaction of the act itself: a duplicate that comes
at the same time waits for it at the unique index (or SQLite's one writer) and then gets the same answer. What
was refused is not kept, because nothing was done.
"""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

from django.db import IntegrityError

from tocsin.access.models import Answered, ApiKey
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, Problem
from tocsin.kernel.time import now

KEPT_FOR = dt.timedelta(hours=24)
NAME = re.compile(r"[!-~]{1,64}")
SWEPT = 5_000  # rows that one run forgets


class AnotherRequest(Problem):
    """This Idempotency-Key was used for another request."""

    slug = "another-request"
    status = 422
    exit_code = 2
    hint = "use a fresh key for each act, and the same one only to send exactly the same again"


@dataclass(frozen=True)
class Answer:
    """What a request was answered: a status, an entity tag ("" for none) and a body."""

    status: int
    etag: str
    body: bytes


def once(
    key: ApiKey, name: str, digest: bytes, do: Callable[[], Answer], at: dt.datetime | None = None
) -> tuple[Answer, bool]:
    """Do it and keep the answer, or give the answer that was kept; says whether it was done already.

    `digest` is of all that makes the request what it is. Raises BadInput for a name that is none,
    AnotherRequest, and whatever `do` raises.
    """
    at = at or now()
    if not NAME.fullmatch(name):
        raise BadInput("an Idempotency-Key has 1 to 64 visible characters", hint="a random UUID will do")
    kept = _kept(key, name, digest, at)
    if kept is not None:
        return kept, True
    try:
        with act():
            Answered.objects.filter(key=key, name=name, at__lte=at - KEPT_FOR).delete()
            row = Answered.objects.create(key=key, name=name, digest=digest, at=at)
            answer = do()
            row.status, row.etag, row.body = answer.status, answer.etag, answer.body
            row.save(update_fields=["status", "etag", "body"])
    except IntegrityError:
        kept = _kept(key, name, digest, at)
        if kept is None:  # something else was there twice
            raise
        return kept, True
    return answer, False


def forget_old(at: dt.datetime | None = None) -> int:
    """Delete what is older than a day, some thousands at a time; gives how many."""
    old = Answered.objects.filter(at__lte=(at or now()) - KEPT_FOR)
    pks = list(old.order_by("at").values_list("pk", flat=True)[:SWEPT])
    if pks:
        with act():
            Answered.objects.filter(pk__in=pks).delete()
    return len(pks)


def _kept(key: ApiKey, name: str, digest: bytes, at: dt.datetime) -> Answer | None:
    row = Answered.objects.filter(key=key, name=name, at__gt=at - KEPT_FOR).first()
    if row is None:
        return None
    if bytes(row.digest) != digest:
        raise AnotherRequest()
    return Answer(row.status, row.etag, bytes(row.body))
