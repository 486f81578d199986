"""The exchange's list of names in memory, kept current by what changed on it, each piece signed.

The first time the whole list is fetched; from then on only what changed since the number that is here, so
that a hundred thousand names cost no more than the one that is new. What was fetched is kept before use.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import msgspec

from tocsin.kernel.problems import NotGenuine
from tocsin.kernel.time import now, parse_rfc3339
from tocsin.sift import calling, listed, zones
from tocsin.sift.blockstore import BlockStore
from tocsin.sift.listed import NAMES
from tocsin.wire.lists import ListStatement, read_changes

MOST_CHANGES = 5_000  # kept behind one copy; then the whole list is fetched once
TIMEOUT = 10.0  # seconds for an answer that tells what changed
_owner = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{1,63}")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Fresh:
    """A newer number: what left the list, and what came onto it or is listed for another class now.

    None: the list is another one as a whole.
    """

    number: int
    gone: list[str] | None
    come: list[str] | None


class NameList:
    """What stands on the list, as far as this machine knows."""

    def __init__(self, store: BlockStore, zone: str, say: Say) -> None:
        self.store, self.say = store, say
        self.longest = 253 - len(zone) - 1
        self.names: dict[str, str] = {}  # each with the class for which it is listed; empty: not known
        self.odd: set[str] = set()  # on the list, and left out of the zone
        self.statement: ListStatement | None = None
        self.etag = ""
        self.behind = 0  # changes since the kept copy
        self.recall()
        self.is_classless = bool(self.names) and not any(self.names.values())  # of before lists told classes

    @property
    def number(self) -> int:
        """The list's number; 0: there is none yet."""
        return self.statement.number if self.statement else 0

    @property
    def has_expired(self) -> bool:
        """Whether the last of its values has come to its end: then nothing may stay refused."""
        said = self.statement
        return said is not None and bool(said.count) and parse_rfc3339(said.expires) <= now()

    def recall(self) -> None:
        """Read what was kept: the last whole copy, and what changed since."""
        kept = self.store.fetch_list(NAMES)
        if kept is None:
            return
        self.odd = set()
        found = listed.values(NAMES, kept.body.decode())
        self.names = {one.value: one.attack_kind for one in found if self._fits(one.value)}
        self.statement, self.etag = msgspec.json.decode(kept.statement, type=ListStatement), kept.etag
        changes = self.store.changes(NAMES)
        for change in changes:
            self._apply(*read_changes(change.body.decode()))
            self.statement, self.etag = msgspec.json.decode(change.statement, type=ListStatement), change.etag
        self.behind = len(changes)

    def follow(self, client: httpx.Client, origin: str, public: bytes) -> Fresh | None:
        """Look whether the exchange has a newer number; None where it has not.

        Raises Unreachable, NotGenuine, NotSignedIn.
        """
        if self.store.newest(NAMES) > self.number:  # `tocsin zone` was quicker
            self.recall()
            return Fresh(self.number, None, None)
        if self.is_classless:
            self.is_classless, before = False, self.statement
            whole = self._whole(client, origin, public)
            return None if self.statement == before else whole
        if self.statement is None or self.behind >= MOST_CHANGES:
            return self._whole(client, origin, public)
        since = self.statement.date
        known = {"If-None-Match": self.etag}
        where = f"/lists/{NAMES}"
        asked = {"since": since, "classes": "true"}
        answer = calling.ask(lambda: client.get(where, params=asked, headers=known, timeout=TIMEOUT), ())
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return None
        statement, kept = zones.genuine(self.store, answer, origin, public, NAMES, since)
        if not statement.since:
            self.store.keep_list(NAMES, kept, (one[:3] for one in listed.values(NAMES, answer.text)))
            self.recall()
            return Fresh(self.number, None, None)
        try:
            gone, come = read_changes(answer.text)
        except ValueError as error:
            raise NotGenuine(f"{NAMES} {statement.number}: {error}") from None
        self.store.keep_change(NAMES, kept, (("name", name, False) for name, _ in come))
        left, came = self._apply(gone, come)
        self.statement, self.etag, self.behind = statement, kept.etag, self.behind + 1
        if len(self.names) + len(self.odd) != statement.count:
            self.say(f"list {statement.number} does not add up to {statement.count:,}: it is fetched whole")
            return self._whole(client, origin, public)
        return Fresh(statement.number, left, came)

    def _whole(self, client: httpx.Client, origin: str, public: bytes) -> Fresh:
        zones.refresh(self.store, client, origin, public, NAMES)
        self.recall()
        return Fresh(self.number, None, None)

    def _apply(self, gone: list[str], come: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
        """Change the names; gives what left, and what came or changed its class."""
        self.odd.difference_update(gone)
        left = [name for name in gone if self.names.pop(name, None) is not None]
        came = {name: kind for name, kind in come if self.names.get(name) != kind and self._fits(name)}
        self.names.update(came)
        return left, list(came)

    def _fits(self, name: str) -> bool:
        """Whether it is a host name that there is room for below the zone's own (RFC 1035 section 2.3.4)."""
        if len(name) <= self.longest and _owner.fullmatch(name):
            return True
        self.odd.add(name)
        self.say(f"{name[:60]!r} is left out: it cannot stand in a zone")
        return False
