"""The lists that members' networks read, each written and signed once for each number.

Everybody's, and those of each community: `names.rpz` and, of the community with the slug `ports`,
`ports.names.rpz`.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from django.conf import settings

from tocsin.access.communities import communities_of
from tocsin.access.models import Community
from tocsin.access.policy import Actor
from tocsin.journal import keys
from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import NotFound
from tocsin.kernel.time import rfc3339
from tocsin.proof.lists import sign_statement
from tocsin.sharing.models import ListHead
from tocsin.sharing.publishing import head_key
from tocsin.sharing.queries import (
    Listed,
    ListVersion,
    changed_since,
    counted_by_class,
    last_end,
    list_version,
    shared_until,
)
from tocsin.wire import nft, rpz
from tocsin.wire.lists import CHANGES, ListStatement, changes, class_line

Rows = list[Listed]
NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)  # the date of a list that nothing was ever on
MOST_CHANGES = 20_000  # who lacks more is better served by the whole list
REMEMBERED = 64  # dates since which this process told what changed


@dataclass(frozen=True)
class ListForm:
    """One list in one form: what it lists, how it is written, and as what it is served."""

    kind: str
    media: str
    write: Callable[[Rows, ListVersion, str], Iterable[str]]  # the last: a community's slug, or nothing


@dataclass(frozen=True)
class NamedList:
    """A list by its file name: its form, and whose it is (None: everybody's)."""

    name: str
    form: ListForm
    community: Community | None = None

    @property
    def key(self) -> str:
        """Under which its number is counted."""
        return head_key(self.community, self.form.kind)


@dataclass(frozen=True)
class WrittenList:
    """A list, or what changed on it, as it is served, and the signed statement about it in canonical JSON."""

    number: int
    date: dt.datetime
    body: bytes
    statement: bytes
    media: str


def plain(rows: Rows, version: ListVersion, circle: str) -> Iterator[str]:
    """One value a line, those of one class behind a comment that names it."""
    yield f"# Tocsin list {version.number}\n"
    for kind, listed in by_class(rows):
        yield class_line("#", kind)
        for one in listed:
            yield one.value + "\n"


def by_class(rows: Rows) -> Iterator[tuple[str, Iterator[Listed]]]:
    """What stands on a list, class by class."""
    return groupby(rows, key=attrgetter("attack_kind"))


def sets(rows: Rows, version: ListVersion, circle: str) -> Iterator[str]:
    """As nftables sets."""
    groups = ((kind, ((one.value, one.until) for one in listed)) for kind, listed in by_class(rows))
    return nft.ruleset(groups, version.number, version.changed_at, circle)


def zone(rows: Rows, version: ListVersion, circle: str) -> Iterator[str]:
    """As a response policy zone that answers NXDOMAIN; what a reader does otherwise is its own to say."""
    groups = ((kind, rpz.NXDOMAIN, (one.value for one in listed)) for kind, listed in by_class(rows))
    return rpz.zone(groups, version.number)


LISTS: dict[str, ListForm] = {
    "addresses.nft": ListForm("address", "text/plain; charset=utf-8", sets),
    "addresses.txt": ListForm("address", "text/plain; charset=utf-8", plain),
    "names.rpz": ListForm("name", "text/dns; charset=utf-8", zone),
    "names.txt": ListForm("name", "text/plain; charset=utf-8", plain),
}

_written: dict[str, WrittenList] = {}
_counted: dict[str, tuple[tuple[int, dt.datetime], dict[str, int]]] = {}
_changes: dict[tuple[str, dt.datetime, bool], WrittenList] = {}


def named(actor: Actor, name: str) -> NamedList:
    """The list of that file name, where this actor may read it. Raises NotFound."""
    if name in LISTS:
        return NamedList(name, LISTS[name])
    slug, _, rest = name.partition(".")
    community = communities_of(actor).filter(slug=slug).first() if rest in LISTS else None
    if community is None:
        raise NotFound(f"there is no list {name[:60]}", hint=f"choose of {', '.join(LISTS)}")
    return NamedList(name, LISTS[rest], community)


def names_of(community: Community | None, kind: str) -> list[str]:
    """The file names of an audience's lists of that kind."""
    slug = f"{community.slug}." if community is not None else ""
    return [slug + name for name, form in LISTS.items() if form.kind == kind]


def number_of(one: NamedList) -> int:
    """The number that a list has now: one question, however long the list."""
    return head_of(one)[0]


def head_of(one: NamedList) -> tuple[int, dt.datetime]:
    """Number and date of a list."""
    return ListHead.objects.filter(pk=one.key).values_list("number", "changed_at").first() or (0, NEVER)


def written(one: NamedList) -> WrittenList:
    """The list as it stands now, from memory where this process wrote that number before.

    What is on it depends on its number alone: values are judged by the instant of its last change, and what
    expires since then goes with the next number, at the worker's sweep.
    """
    kept = _written.get(one.name)
    while kept is None or (kept.number, kept.date) != head_of(one):
        version = list_version(one.form.kind, one.community)
        rows = shared_until(one.form.kind, version.changed_at, one.community)
        kept = write(one, version, rows)
        _written[one.name] = kept
    return kept


def by_class_now(kind: str) -> dict[str, int]:
    """How many values of a kind everybody's list has for each class; counted once for each number."""
    head = ListHead.objects.filter(pk=kind).values_list("number", "changed_at").first() or (0, NEVER)
    kept = _counted.get(kind)
    if kept is None or kept[0] != head:
        kept = _counted[kind] = head, counted_by_class(kind, head[1])
    return kept[1]


def write(one: NamedList, version: ListVersion, rows: Rows) -> WrittenList:
    """Write and sign one version of a list."""
    circle = one.community.slug if one.community is not None else ""
    body = "".join(one.form.write(rows, version, circle)).encode()
    return signed(one.name, version, max((row.until for row in rows), default=None), body, one.form.media)


def written_since(one: NamedList, since: dt.datetime, *, classes: bool = False) -> WrittenList:
    """What changed on everybody's list of names since a number of that date; the whole where that is better.

    With `classes`, the class of what came is told, too, for readers that know it. Three questions, however
    long the list: so that one name more costs a network of a hundred thousand names one line. What many ask
    for is written and signed once.
    """
    name, kind = one.name, one.form.kind
    if kind != "name" or one.community is not None:
        return written(one)
    kept = _changes.get((name, since, classes))
    while kept is None or (kept.number, kept.date) != head_of(one):
        head = head_of(one)
        found = changed_since(kind, since, head[1], MOST_CHANGES) if since <= head[1] else None
        if found is None:
            return written(one)
        version = list_version(kind)
        if (version.number, version.changed_at or NEVER) != head:
            continue  # it changed meanwhile
        body = "".join(changes(*found, classes=classes)).encode()
        kept = signed(name, version, last_end(kind, head[1]), body, CHANGES, since)
        if len(_changes) >= REMEMBERED:
            _changes.clear()
        _changes[name, since, classes] = kept
    return kept


def signed(
    name: str,
    version: ListVersion,
    ends: dt.datetime | None,
    body: bytes,
    media: str,
    since: dt.datetime | None = None,
) -> WrittenList:
    """These bytes with the exchange's signed statement about them."""
    date = version.changed_at or NEVER
    statement = ListStatement(
        origin=settings.ORIGIN,
        name=name,
        number=version.number,
        date=rfc3339(date),
        expires=rfc3339(ends or date),
        count=version.count,
        sha256=sha256_hex(body),
        key_id="",
        since=rfc3339(since) if since is not None else "",
    )
    known = canonical_bytes(sign_statement(keys.private_key(), statement))
    return WrittenList(version.number, date, body, known, media)
