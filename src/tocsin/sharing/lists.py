"""The lists that members' networks read, each written and signed once for each number."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings

from tocsin.journal import keys
from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import NotFound
from tocsin.kernel.time import rfc3339
from tocsin.proof.lists import sign_statement
from tocsin.sharing.models import ListHead
from tocsin.sharing.queries import ListVersion, list_version, shared_until
from tocsin.wire import nft, rpz
from tocsin.wire.lists import ListStatement

Rows = list[tuple[str, dt.datetime]]
NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)  # the date of a list that nothing was ever on


@dataclass(frozen=True)
class ListForm:
    """One list in one form: what it lists, how it is written, and as what it is served."""

    kind: str
    media: str
    write: Callable[[Rows, ListVersion], Iterable[str]]


@dataclass(frozen=True)
class WrittenList:
    """A list as it is served, and the signed statement about it in canonical JSON."""

    number: int
    date: dt.datetime
    body: bytes
    statement: bytes


def plain(rows: Rows, version: ListVersion) -> Iterator[str]:
    """One value a line."""
    yield f"# Tocsin list {version.number}\n"
    for value, _ in rows:
        yield value + "\n"


LISTS: dict[str, ListForm] = {
    "addresses.nft": ListForm(
        "address", "text/plain; charset=utf-8", lambda rows, v: nft.ruleset(rows, v.number, v.changed_at)
    ),
    "addresses.txt": ListForm("address", "text/plain; charset=utf-8", plain),
    "names.rpz": ListForm(
        "name", "text/dns; charset=utf-8", lambda rows, v: rpz.zone((name for name, _ in rows), v.number)
    ),
    "names.txt": ListForm("name", "text/plain; charset=utf-8", plain),
}

_written: dict[str, WrittenList] = {}


def form_of(name: str) -> ListForm:
    """The list of that file name. Raises NotFound."""
    if name not in LISTS:
        raise NotFound(f"there is no list {name[:40]}", hint=f"choose of {', '.join(LISTS)}")
    return LISTS[name]


def number_of(name: str) -> int:
    """The number that a list has now: one question, however long the list. Raises NotFound."""
    return head_of(form_of(name).kind)[0]


def head_of(kind: str) -> tuple[int, dt.datetime]:
    """Number and date of the lists of one kind."""
    return ListHead.objects.filter(pk=kind).values_list("number", "changed_at").first() or (0, NEVER)


def written(name: str) -> WrittenList:
    """The list as it stands now, from memory where this process wrote that number before.

    What is on it depends on its number alone: values are judged by the instant of its last change, and what
    expires since then goes with the next number, at the worker's sweep. Raises NotFound.
    """
    form = form_of(name)
    kept = _written.get(name)
    while kept is None or (kept.number, kept.date) != head_of(form.kind):
        version = list_version(form.kind)
        kept = write(name, form, version, shared_until(form.kind, version.changed_at))
        _written[name] = kept
    return kept


def write(name: str, form: ListForm, version: ListVersion, rows: Rows) -> WrittenList:
    """Write and sign one version of a list."""
    body = "".join(form.write(rows, version)).encode()
    date = version.changed_at or NEVER
    statement = ListStatement(
        origin=settings.ORIGIN,
        name=name,
        number=version.number,
        date=rfc3339(date),
        expires=rfc3339(max((until for _, until in rows), default=date)),
        count=len(rows),
        sha256=sha256_hex(body),
        key_id="",
    )
    signed = sign_statement(keys.private_key(), statement)
    return WrittenList(version.number, date, body, canonical_bytes(signed))
