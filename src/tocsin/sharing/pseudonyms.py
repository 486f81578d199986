"""Pseudonyms: what those who must judge words read in place of a member, for some days, in one audience.

HMAC-SHA-256 (RFC 2104) of the member under the key of the epoch, so no table says whose a pseudonym is, no
member can compute one, and nothing links those of two epochs or two audiences. When an epoch's key is
destroyed, its pseudonyms stay sealed for ever. Members read none of them (docs/decisions/0021).
"""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db.models import Count, Q

from tocsin.access.models import Community, Member, Role
from tocsin.access.policy import Actor, may
from tocsin.journal.acts import act
from tocsin.kernel.hashing import sha256
from tocsin.kernel.time import now, rfc3339
from tocsin.sharing.hiding import DEFAULTS, EPOCH
from tocsin.sharing.models import Assertion, Epoch
from tocsin.sharing.queries import visible_to
from tocsin.store import fence

DESTROYED = "sharing:epoch:destroyed"
LENGTH = 10  # characters of base 32: 50 bits


@dataclass(frozen=True)
class Source:
    """One source of an indicator, by pseudonym; `others` are its other words of that epoch and audience.

    `refused` of them a person refused. `community` is empty where it was said to everybody.
    """

    pseudonym: str
    community: str
    community_id: str
    last_said_on: dt.date
    others: int
    refused: int


def may_read(actor: Actor) -> bool:
    """Those who judge words or open sources read pseudonyms, unless they also belong to a member."""
    return may(actor, "source.review") and is_neutral(actor)


def is_neutral(actor: Actor) -> bool:
    """Has this person no role at any member? A competitor's employee takes no part, whatever they are."""
    if actor.person is None:
        return False
    return not Role.objects.filter(person=actor.person, member__isnull=False).exists()


def sources_of(actor: Actor, indicator_id: str) -> tuple[Source, ...]:
    """The sources of one indicator, by pseudonym; nothing for who may not read them.

    A word of an epoch whose key is destroyed is told by nobody's name any more, and left out.
    """
    if not may_read(actor):
        return ()
    seen = visible_to(actor).filter(indicator_id=indicator_id)
    words = Assertion.objects.filter(indicator__in=seen, withdrawn_at=None, is_heard=True)
    said: dict[tuple[int, int | None, dt.date], Assertion] = {}
    for word in words.select_related("member", "community").order_by("asserted_at", "pk"):
        said[word.member_id, word.community_id, start_of(word.asserted_at)] = word
    found = []
    with fence.lifted():
        for (_, _, starts_on), word in said.items():
            key = key_of(starts_on)
            if key is None:
                continue
            others, refused = _others(word, starts_on)
            community = word.community
            found.append(
                Source(
                    pseudonym=pseudonym_of(key, word.member, community),
                    community=community.name if community is not None else "",
                    community_id=community.community_id if community is not None else "",
                    last_said_on=word.asserted_at.date(),
                    others=others,
                    refused=refused,
                )
            )
    return tuple(sorted(found, key=lambda one: (one.last_said_on, one.pseudonym)))


def start_of(at: dt.datetime) -> dt.date:
    """The first day (UTC) of the epoch of an instant."""
    days = DEFAULTS.pseudonym.epoch_days
    return (EPOCH + (at - EPOCH) // dt.timedelta(days=days) * dt.timedelta(days=days)).date()


def key_of(starts_on: dt.date) -> bytes | None:
    """The key of an epoch, made on first use; None where it is destroyed, or too old to be made."""
    found = Epoch.objects.filter(starts_on=starts_on).first()
    if found is None and not _is_over(starts_on, now()):
        sealed = _box().encrypt(secrets.token_bytes(32)).decode("ascii")
        with act():
            found, _ = Epoch.objects.get_or_create(starts_on=starts_on, defaults={"key": sealed})
    if found is None or not found.key:
        return None
    try:
        return _box().decrypt(found.key.encode())
    except InvalidToken:  # the exchange's own key is another one now
        return None


def pseudonym_of(key: bytes, member: Member, community: Community | None) -> str:
    """What stands for a member in one audience and epoch: `k3wqz-m7rta`."""
    audience = community.community_id if community is not None else "everybody"
    digest = hmac.new(key, f"tocsin source {audience} {member.member_id}".encode(), hashlib.sha256).digest()
    text = base64.b32encode(digest).decode("ascii").lower()[:LENGTH]
    return f"{text[:5]}-{text[5:]}"


def member_of(pseudonym: str, starts_on: dt.date, community: Community | None) -> Member | None:
    """Whose pseudonym it was, found by trying every member; None for nobody's, or once the key is gone."""
    key = key_of(starts_on)
    if key is None:
        return None
    for member in Member.objects.order_by("pk"):
        if hmac.compare_digest(pseudonym_of(key, member, community).encode(), pseudonym.encode()):
            return member
    return None


def sweep_epochs(at: dt.datetime | None = None) -> int:
    """Destroy the keys of epochs that have been kept long enough; gives how many."""
    at = at or now()
    over = [one for one in Epoch.objects.exclude(key="") if _is_over(one.starts_on, at)]
    if not over:
        return 0
    with act() as recorded:
        for one in over:
            one.key, one.destroyed_at = "", at
            one.save(update_fields=["key", "destroyed_at"])
            recorded.record(DESTROYED, f"epoch_{one.starts_on.isoformat()}", {"at": rfc3339(at)})
    return len(over)


def _is_over(starts_on: dt.date, at: dt.datetime) -> bool:
    kept = DEFAULTS.pseudonym.epoch_days + DEFAULTS.pseudonym.kept_days
    return starts_on + dt.timedelta(days=kept) <= at.astimezone(dt.UTC).date()


def _others(word: Assertion, starts_on: dt.date) -> tuple[int, int]:
    """The other indicators of which its member spoke in the same epoch and audience, and those refused."""
    start = dt.datetime.combine(starts_on, dt.time(), dt.UTC)
    end = start + dt.timedelta(days=DEFAULTS.pseudonym.epoch_days)
    said = Assertion.objects.filter(
        member=word.member_id,
        community=word.community_id,
        withdrawn_at=None,
        is_heard=True,
        asserted_at__gte=start,
        asserted_at__lt=end,
    ).exclude(indicator=word.indicator_id)
    counted = said.aggregate(
        others=Count("indicator", distinct=True),
        refused=Count("indicator", distinct=True, filter=Q(indicator__basis="refused")),
    )
    return counted["others"], counted["refused"]


def _box() -> Fernet:
    """Seals keys under the exchange's own, so that a copy of the database opens nothing."""
    return Fernet(base64.urlsafe_b64encode(sha256(f"tocsin pseudonyms {settings.SECRET_KEY}".encode())))
