"""What is read of an upstream feed: documents, and in each the words that may leave and what stays here."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

import msgspec

from tocsin.wire import said
from tocsin.wire.stix import to_milliseconds
from tocsin.wire.stix_in import STAYS

LIVES = {"address": dt.timedelta(days=7), "name": dt.timedelta(days=30)}  # as long as a word stands
LONGEST_UPSTREAM = 60
NOBODYS = "nobody is named who says so: give --upstream NAME, or --own for your own word"
OLD = "older than a word stands"


@dataclass(frozen=True, slots=True)
class Entry:
    """One indicator as it would be sent: identifier, version, bytes; kind and value where it has just one."""

    stix_id: str
    version: dt.datetime
    body: bytes
    kind: str
    value: str
    upstream: str
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """What is not sent, and why; `raw` is enough to read it again, where it is malformed."""

    reason: str
    raw: bytes = b""
    is_malformed: bool = False


@dataclass
class Document:
    """One event, page or file; `stamp` is what it is known by, `is_whole` that what is missing is over.

    A document that could not be read is `is_broken`: it is tried again by the next run. `is_page`: others of
    the same name follow, and none replaces another.
    """

    name: str
    stamp: str
    entries: list[Entry] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    is_whole: bool = False
    is_broken: bool = False
    is_page: bool = False


class Context(msgspec.Struct, frozen=True):
    """How a source is read, kept with what is malformed: `upstream` names whoever is not named by itself."""

    form: str
    upstream: str = ""
    is_own: bool = False
    tlp: str = ""
    mapping: dict[str, str] = {}
    days: int | None = None

    def is_old(self, kind: str, at: dt.datetime, now: dt.datetime) -> bool:
        """Has it been said too long ago to be said now?"""
        life = dt.timedelta(days=self.days) if self.days is not None else LIVES[kind]
        return at < now - life


class Source(Protocol):
    """A feed: what it is called in the store, how it is read, and its documents that changed."""

    name: str
    context: Context

    def documents(self, known: Callable[[str], str]) -> Iterator[Document]:
        """Those of which `known` (a document's last stamp) is out of date."""
        ...


def judged(word: said.Word, context: Context, now: dt.datetime, raw: bytes) -> Entry | Left:
    """A word as it may leave, or why it stays."""
    if word.tlp in STAYS:
        return Left(f"TLP:{word.tlp.upper()} does not leave this organisation")
    if not word.upstream and not context.is_own:
        return Left(NOBODYS, raw, is_malformed=True)
    if not word.is_over and context.is_old(word.kind, word.at, now):
        return Left(OLD)
    return Entry(
        word.stix_id,
        to_milliseconds(word.at),
        said.body(word),
        word.kind,
        word.value,
        word.upstream,
        word.is_over,
    )


def digest_of(body: bytes) -> str:
    """By which a file is known."""
    return sha256(body).hexdigest()
