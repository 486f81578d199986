"""What the edge tool has seen, told and been answered: one SQLite file per exchange.

Everything that one run of `tocsin report` learns is written in one transaction before anything is sent, so
that a kill at any point loses nothing and repeats nothing: known regions are not sifted again, and a report
stays pending until its receipt is stored.
"""

import datetime as dt
import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tocsin.kernel.problems import Conflict, Problem
from tocsin.kernel.time import now
from tocsin.sift.home import edge_home
from tocsin.sift.sqlite import alone, transaction
from tocsin.sift.values import Attack, Region
from tocsin.wire.report import Receipt, Report

SCHEMA = """
CREATE TABLE IF NOT EXISTS region (sha256 TEXT PRIMARY KEY, head TEXT NOT NULL, length INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS attack (attack_id TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS source (
  source_id TEXT PRIMARY KEY, kept_days INTEGER, clock_error_ms INTEGER, confirmed_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
  attack_id TEXT PRIMARY KEY, body BLOB NOT NULL, state TEXT NOT NULL, fault TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS outbox_state ON outbox (state);
CREATE TABLE IF NOT EXISTS receipt (report_id TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS rejected (
  id INTEGER PRIMARY KEY, path TEXT NOT NULL, line INTEGER NOT NULL, reason TEXT NOT NULL, raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# Tables whose rows are let go, by the UTC day on which they were written last.
DATED = """
CREATE INDEX IF NOT EXISTS attack_kept ON attack (kept_on);
CREATE INDEX IF NOT EXISTS receipt_kept ON receipt (kept_on);
"""


NOWHERE = "watch"  # the name of the spool of a watch that reports to nobody
KEPT_DAYS = 400  # for which an attack that grows no more, and the second copy of its receipt, are kept
MOST_REJECTED = 200_000  # lines that are kept to be replayed; older ones go
Rejected = tuple[str, int, str, bytes]


class SpoolBusy(Conflict):
    """Another `tocsin report` to this exchange is running."""

    slug = "spool-busy"
    hint = "wait until it ends; what it did not send is sent by the next run"


class SpoolFault(Problem):
    """What is to be reported cannot be kept."""

    slug = "spool-fault"
    hint = "make room and run it again: what was kept before is whole, and nothing was half done"


@dataclass(frozen=True)
class Confirmation:
    """What a person said once about a log: how long it is kept, how wrong its clock may be."""

    kept_days: int | None
    clock_error_ms: int | None


class Spool:
    """The spool for one exchange; open it with `opened`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.receipts = folder / "receipts"
        self.receipts.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.db = sqlite3.connect(folder / "spool.sqlite3", isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.executescript(SCHEMA)
        for table in ("attack", "receipt"):
            if "kept_on" not in (row[1] for row in self.db.execute(f"PRAGMA table_info({table})")):
                self.db.execute(f"ALTER TABLE {table} ADD COLUMN kept_on TEXT NOT NULL DEFAULT '{today()}'")
        self.db.executescript(DATED)

    def regions(self) -> list[Region]:
        """Every stretch of evidence that was sifted before."""
        rows = self.db.execute("SELECT head, length, sha256 FROM region ORDER BY length DESC")
        return [Region(*row) for row in rows]

    def attack(self, attack_id: str) -> Attack | None:
        """The cumulative state of one attack, None where it is new."""
        row = self.db.execute("SELECT body FROM attack WHERE attack_id = ?", (attack_id,)).fetchone()
        return msgspec.json.decode(row[0], type=Attack) if row else None

    def confirmation(self, source_id: str) -> Confirmation | None:
        """What was confirmed about a source, None where nobody did yet."""
        found = self.db.execute(
            "SELECT kept_days, clock_error_ms FROM source WHERE source_id = ?", (source_id,)
        ).fetchone()
        return Confirmation(*found) if found else None

    def confirm(self, source_id: str, said: Confirmation, at: str) -> None:
        """Remember what a person confirmed, once per source; a later word replaces it."""
        self.db.execute(
            "INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?)",
            (source_id, said.kept_days, said.clock_error_ms, at),
        )

    def keep(
        self,
        regions: Iterable[Region],
        attacks: Iterable[Attack],
        reports: Iterable[Report],
        rejected: Iterable[Rejected] = (),
    ) -> None:
        """Write one run's result whole: regions, cumulative attacks, reports to be sent, rejected lines."""
        with transaction(self.db):
            self.add(regions, attacks, reports, rejected)

    def add(
        self,
        regions: Iterable[Region],
        attacks: Iterable[Attack],
        reports: Iterable[Report],
        rejected: Iterable[Rejected] = (),
    ) -> None:
        """The same, within a transaction of the caller's."""
        self.db.executemany(
            "INSERT OR IGNORE INTO region (head, length, sha256) VALUES (?, ?, ?)",
            [(r.head, r.length, r.sha256) for r in regions],
        )
        self.db.executemany(
            "INSERT OR REPLACE INTO attack VALUES (?, ?, ?)",
            [(a.attack_id, msgspec.json.encode(a), today()) for a in attacks],
        )
        self.db.executemany(
            "INSERT INTO outbox (attack_id, body, state) VALUES (?, ?, 'pending')"
            " ON CONFLICT (attack_id) DO UPDATE SET body = excluded.body, state = 'pending', fault = ''",
            [(r.attack_id, msgspec.json.encode(r)) for r in reports],
        )
        added = self.db.executemany(
            "INSERT INTO rejected (path, line, reason, raw) VALUES (?, ?, ?, ?)", rejected
        )
        if added.rowcount > 0:
            self.db.execute(
                "DELETE FROM rejected WHERE id <= (SELECT max(id) FROM rejected) - ?", (MOST_REJECTED,)
            )

    def rejected(self) -> list[tuple[int, str, int, str, bytes]]:
        """What could not be read and waits to be replayed: number, path, line, reason, raw bytes."""
        return self.db.execute("SELECT id, path, line, reason, raw FROM rejected ORDER BY id").fetchall()

    def replace_rejected(
        self,
        read: Iterable[int],
        attacks: Iterable[Attack],
        reports: Iterable[Report],
        still: Iterable[Rejected],
    ) -> None:
        """Take out rejected lines (by number) that were read again, with what they show and what is left."""
        with transaction(self.db):
            self.db.executemany("DELETE FROM rejected WHERE id = ?", [(number,) for number in read])
            self.add((), attacks, reports, still)

    def pending(self, limit: int) -> list[tuple[str, bytes]]:
        """Up to `limit` reports without a receipt, as (attack id, exact bytes), in a stable order."""
        rows = self.db.execute(
            "SELECT attack_id, body FROM outbox WHERE state = 'pending' ORDER BY attack_id LIMIT ?", (limit,)
        )
        return [(row[0], bytes(row[1])) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many reports are `pending`, `sent` and `refused`."""
        found = dict(self.db.execute("SELECT state, count(*) FROM outbox GROUP BY state").fetchall())
        return {state: found.get(state, 0) for state in ("pending", "sent", "refused")}

    def waiting(self) -> int:
        """How many reports are pending."""
        return int(self.db.execute("SELECT count(*) FROM outbox WHERE state = 'pending'").fetchone()[0])

    def settle(self, sent: dict[str, Receipt], refused: dict[str, str]) -> None:
        """Store the answers of one batch: receipts and refusals, by attack id."""
        with transaction(self.db):
            for receipt in sent.values():
                self.db.execute(
                    "INSERT OR REPLACE INTO receipt VALUES (?, ?, ?)",
                    (receipt.report_id, msgspec.json.encode(receipt), today()),
                )
            self.db.executemany("UPDATE outbox SET state = 'sent' WHERE attack_id = ?", [(a,) for a in sent])
            self.db.executemany(
                "UPDATE outbox SET state = 'refused', fault = ? WHERE attack_id = ?",
                [(fault, attack) for attack, fault in refused.items()],
            )
        for receipt in sent.values():
            self._write_receipt(receipt.report_id, msgspec.json.encode(receipt))

    def restore_receipts(self) -> None:
        """Write the receipt files that a kill or a loss of power left out since the spool was opened last."""
        since = self.setting("opened_on", "")
        rows = self.db.execute("SELECT report_id, body FROM receipt WHERE kept_on >= ?", (since,))
        for report_id, body in rows.fetchall():
            if not (self.receipts / f"{report_id}.json").exists():
                self._write_receipt(report_id, bytes(body))
        self.db.execute("UPDATE setting SET value = ? WHERE name = 'opened_on'", (today(),))

    def let_go(self) -> None:
        """Forget what was written last 400 days ago, but for attacks that still wait to be sent.

        Receipts stay as files. An attack that is met again later begins anew, which takes nothing from the
        exchange: it keeps the highest count.
        """
        first = (dt.date.fromisoformat(today()) - dt.timedelta(days=KEPT_DAYS)).isoformat()
        over = (
            "SELECT attack_id FROM attack WHERE kept_on < ? AND attack_id NOT IN"
            " (SELECT attack_id FROM outbox WHERE state = 'pending')"
        )
        with transaction(self.db):
            self.db.execute(f"DELETE FROM outbox WHERE attack_id IN ({over})", (first,))  # noqa: S608
            self.db.execute(f"DELETE FROM attack WHERE attack_id IN ({over})", (first,))  # noqa: S608
            self.db.execute("DELETE FROM receipt WHERE kept_on < ?", (first,))

    def setting(self, name: str, default: str | None = None) -> str | None:
        """A small remembered value; where missing and a default is given, that is stored first."""
        if default is not None:
            self.db.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (name, default))
        row = self.db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def _write_receipt(self, report_id: str, body: bytes) -> None:
        file = self.receipts / f"{report_id}.json"
        part = file.with_suffix(".part")
        with _room(self.folder):
            part.write_bytes(msgspec.json.format(body, indent=2) + b"\n")
            part.replace(file)


def spool_folder(exchange: str) -> Path:
    """Where the spool for the exchange at this URL lies."""
    return edge_home() / "spool" / hashlib.sha256(exchange.rstrip("/").encode()).hexdigest()[:16]


def today() -> str:
    """The UTC day, as it is kept."""
    return now().date().isoformat()


@contextmanager
def opened(exchange: str) -> Iterator[Spool]:
    """The spool for one exchange, this process's alone until the block ends.

    Raises SpoolBusy, and SpoolFault where it cannot be written: a full disk, mostly.
    """
    folder = spool_folder(exchange)
    with _room(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(folder / "lock", SpoolBusy()):
        try:
            spool = Spool(folder)
            try:
                spool.restore_receipts()
                spool.let_go()
                yield spool
            finally:
                spool.db.close()
        except sqlite3.OperationalError as error:
            raise SpoolFault(f"{folder} cannot be written: {error}") from error


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        raise SpoolFault(f"{folder} cannot be written: {reason}") from error
