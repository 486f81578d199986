"""What was read and waits to be sent, what was sent, and what could not be read: one small database.

A document is taken whole or not at all, together with the stamp by which it is known: after a kill it is
either here or read again, and sending again what was sent changes nothing at the exchange.
"""

import datetime as dt
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal, cast

import msgspec

from tocsin.kernel.problems import Conflict
from tocsin.kernel.time import now, parse_rfc3339, rfc3339
from tocsin.sift.spool import spool_folder
from tocsin.sift.sqlite import alone, transaction
from tocsin.sift.upstreams.values import Context, Document, Entry
from tocsin.wire import said
from tocsin.wire.stix import stamp, to_milliseconds

SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
  source TEXT NOT NULL, name TEXT NOT NULL, stamp TEXT NOT NULL, PRIMARY KEY (source, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entry (
  stix_id TEXT PRIMARY KEY, version TEXT NOT NULL, source TEXT NOT NULL, document TEXT NOT NULL,
  kind TEXT NOT NULL, value TEXT NOT NULL, upstream TEXT NOT NULL,
  over INTEGER NOT NULL, body BLOB) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_document ON entry (source, document);
CREATE INDEX IF NOT EXISTS entry_waiting ON entry (stix_id) WHERE body IS NOT NULL;
CREATE TABLE IF NOT EXISTS reject (
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, source TEXT NOT NULL, document TEXT NOT NULL,
  context BLOB NOT NULL, raw BLOB NOT NULL, reason TEXT NOT NULL);
"""
ENDED_HERE = 2  # over because it went missing, and not because its author said so
SECOND = dt.timedelta(seconds=1)
KEEP = """INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (stix_id) DO UPDATE SET version = excluded.version, source = excluded.source,
  document = excluded.document, kind = excluded.kind, value = excluded.value, upstream = excluded.upstream,
  over = excluded.over, body = excluded.body"""


class ImportBusy(Conflict):
    """Another import for this exchange is running."""

    slug = "import-busy"
    hint = "wait until it ends; what it did not finish is finished by the next run"


@dataclass
class Taken:
    """What came of documents: new words, later versions, ends, those known already; what stays here."""

    new: int = 0
    renewed: int = 0
    over: int = 0
    known: int = 0
    left: int = 0
    malformed: int = 0


@dataclass(frozen=True)
class Reject:
    """One malformed entry as it was kept."""

    number: int
    source: str
    document: str
    context: Context
    raw: bytes
    reason: str


class Store:
    """The imports for one exchange."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.db = sqlite3.connect(folder / "imports.sqlite3", isolation_level=None, timeout=30)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.executescript(SCHEMA)

    def shadow(self) -> "Store":
        """A copy in memory, to try something without a trace."""
        copy = Store.__new__(Store)
        copy.folder, copy.db = self.folder, sqlite3.connect(":memory:", isolation_level=None)
        self.db.backup(copy.db)
        return copy

    def stamp(self, source: str, document: str) -> str:
        """By what a document was last known; empty for one that never came."""
        row = self.db.execute(
            "SELECT stamp FROM document WHERE source = ? AND name = ?", (source, document)
        ).fetchone()
        return str(row[0]) if row else ""

    def take(self, source: str, context: Context, document: Document) -> Taken:
        """Keep a document: what may leave waits to be sent, what is malformed is kept with its reason."""
        taken = Taken()
        with transaction(self.db):
            for entry in document.entries:
                self._take(source, document.name, entry, taken)
            if document.is_whole and not document.is_broken:
                self._end_missing(source, document, taken)
            if not document.is_page:  # what was malformed in it before is mended, or comes again
                self.db.execute(
                    "DELETE FROM reject WHERE source = ? AND document = ?", (source, document.name)
                )
            for left in document.left:
                taken.left += not left.is_malformed
                taken.malformed += left.is_malformed
                if left.is_malformed:
                    self._reject(source, document.name, context, left.raw, left.reason)
            if not document.is_broken:
                self.db.execute(
                    "INSERT OR REPLACE INTO document VALUES (?, ?, ?)",
                    (source, document.name, document.stamp),
                )
        return taken

    def _take(self, source: str, document: str, entry: Entry, taken: Taken) -> None:
        row = self.db.execute(
            "SELECT version, over FROM entry WHERE stix_id = ?", (entry.stix_id,)
        ).fetchone()
        if row is None and entry.is_over:
            taken.left += 1  # nothing to take back
            return
        if row is not None and parse_rfc3339(row[0]) >= entry.version:
            if row[1] != ENDED_HERE or entry.is_over:
                taken.known += 1
                return
            entry = said_again(entry, max(to_milliseconds(now()), parse_rfc3339(row[0]) + SECOND))
        if entry.is_over:
            taken.over += 1
        elif row is None:
            taken.new += 1
        else:
            taken.renewed += 1
        self._keep(source, document, entry)

    def _keep(self, source: str, document: str, entry: Entry, over: int | None = None) -> None:
        row = (
            entry.stix_id, rfc3339(entry.version), source, document, entry.kind, entry.value, entry.upstream,
            int(entry.is_over) if over is None else over, entry.body,
        )  # fmt: skip
        self.db.execute(KEEP, row)

    def _end_missing(self, source: str, document: Document, taken: Taken) -> None:
        """What this document said before and says no longer is taken back."""
        there = {entry.stix_id for entry in document.entries}
        rows = self.db.execute(
            "SELECT stix_id, version, kind, value, upstream FROM entry"
            " WHERE source = ? AND document = ? AND over = 0",
            (source, document.name),
        ).fetchall()
        for stix_id, version, kind, value, upstream in rows:
            if stix_id not in there and value:
                at = max(to_milliseconds(now()), parse_rfc3339(version) + SECOND)
                self._keep(source, document.name, ended(stix_id, at, kind, value, upstream), ENDED_HERE)
                taken.over += 1

    def _reject(self, source: str, document: str, context: Context, raw: bytes, reason: str) -> None:
        digest = sha256(b"\n".join((source.encode(), document.encode(), raw))).hexdigest()
        self.db.execute(
            "INSERT INTO reject (digest, source, document, context, raw, reason) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET reason = excluded.reason, context = excluded.context",
            (digest, source, document, msgspec.json.encode(context), raw, reason),
        )

    def waiting(self, limit: int) -> list[tuple[str, str, bytes]]:
        """Identifier, version and bytes of up to `limit` entries that were not sent."""
        return self.db.execute(
            "SELECT stix_id, version, body FROM entry WHERE body IS NOT NULL ORDER BY stix_id LIMIT ?",
            (limit,),
        ).fetchall()

    def count_waiting(self) -> int:
        """How many entries were not sent."""
        return int(self.db.execute("SELECT count(*) FROM entry WHERE body IS NOT NULL").fetchone()[0])

    def settle(self, sent: Iterable[tuple[str, str, bytes]], refused: dict[str, str]) -> None:
        """The exchange has answered for these; what it refused is kept with its reason."""
        with transaction(self.db):
            for stix_id, version, body in sent:
                if stix_id in refused:  # forgotten here, so that it is new again when it is replayed
                    context = Context("stix", is_own=True)
                    self._reject("the exchange", stix_id, context, body, refused[stix_id])
                    self.db.execute("DELETE FROM entry WHERE stix_id = ? AND version = ?", (stix_id, version))
                self.db.execute(
                    "UPDATE entry SET body = NULL WHERE stix_id = ? AND version = ?", (stix_id, version)
                )

    def rejects(self) -> list[Reject]:
        """What is malformed, the oldest first."""
        rows = self.db.execute("SELECT id, source, document, context, raw, reason FROM reject ORDER BY id")
        return [
            Reject(number, source, document, msgspec.json.decode(context, type=Context), bytes(raw), reason)
            for number, source, document, context, raw, reason in rows
        ]

    def mended(self, reject: Reject, document: Document) -> Taken:
        """A malformed entry could be read after all: what it says waits to be sent."""
        taken = Taken()
        with transaction(self.db):
            for entry in document.entries:
                self._take(reject.source, reject.document, entry, taken)
            taken.left += len(document.left)
            self.db.execute("DELETE FROM reject WHERE id = ?", (reject.number,))
        return taken

    def forget(self, rejects: Sequence[Reject]) -> None:
        """These will never be read."""
        with transaction(self.db):
            self.db.executemany("DELETE FROM reject WHERE id = ?", [(one.number,) for one in rejects])


def ended(stix_id: str, at: dt.datetime, kind: str, value: str, upstream: str) -> Entry:
    """The version of an entry by which it is taken back."""
    number = stix_id.partition("--")[2]
    word = said.Word(
        cast(Literal["address", "name"], kind),
        value,
        uuid.UUID(number),
        at,
        upstream=upstream,
        is_over=True,
    )
    return Entry(stix_id, at, said.body(word), kind, value, upstream, is_over=True)


def said_again(entry: Entry, at: dt.datetime) -> Entry:
    """The version of an entry that had gone missing, and is there again as it was."""
    known = {**msgspec.json.decode(entry.body), "modified": stamp(at)}
    return replace(entry, version=at, body=msgspec.json.encode(known))


@contextmanager
def opened(exchange: str) -> Iterator[Store]:
    """The imports for the exchange at this URL, this process's alone. Raises ImportBusy."""
    folder = spool_folder(exchange)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(folder / "import.lock", ImportBusy()):
        store = Store(folder)
        try:
            yield store
        finally:
            store.db.close()
