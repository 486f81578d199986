"""What the edge tool remembers of lists and blocks: one SQLite file per exchange, beside the reports' spool.

The last good copy of each list, every value that ever stood on one, the stretches of logs that were counted,
which pieces of hits count (`hits.pieces`), and the tallies with what the exchange was told of each. Counts
and the stretches they come from are written in one transaction, so that a kill at any point loses nothing and
counts nothing twice.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tocsin.kernel.problems import Conflict
from tocsin.sift.hits import pieces
from tocsin.sift.home import edge_home
from tocsin.sift.spool import spool_folder
from tocsin.sift.sqlite import alone, transaction
from tocsin.sift.values import Region

SCHEMA = """
CREATE TABLE IF NOT EXISTS list (
  name TEXT PRIMARY KEY, number INTEGER NOT NULL, etag TEXT NOT NULL, statement BLOB NOT NULL,
  body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS change (
  name TEXT NOT NULL, number INTEGER NOT NULL, etag TEXT NOT NULL, statement BLOB NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY (name, number));
CREATE TABLE IF NOT EXISTS listed (
  kind TEXT NOT NULL, value TEXT NOT NULL, wild INTEGER NOT NULL, PRIMARY KEY (kind, value)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS region (sha256 TEXT PRIMARY KEY, head TEXT NOT NULL, length INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS counter (
  source_id TEXT NOT NULL, value TEXT NOT NULL, packets INTEGER NOT NULL, read_at REAL NOT NULL,
  PRIMARY KEY (source_id, value)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tally (
  source_id TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, hour INTEGER NOT NULL,
  hits INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0, clients INTEGER,
  PRIMARY KEY (source_id, kind, value, hour)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tally_waiting ON tally (source_id, hour, kind, value) WHERE hits > told;
CREATE TABLE IF NOT EXISTS owed (reload TEXT PRIMARY KEY);
"""
# One log that is read every minute grows a stretch a minute; copies of it are younger than the last thousand.
STRETCHES = 1_000
FORGET = (
    "DELETE FROM region WHERE head = ? AND length <"
    " (SELECT min(length) FROM (SELECT length FROM region WHERE head = ? ORDER BY length DESC LIMIT ?))"
)
REMEMBER = (
    "INSERT INTO listed VALUES (?, ?, ?)"
    " ON CONFLICT (kind, value) DO UPDATE SET wild = max(wild, excluded.wild)"
)
LEAVE_OFF = "UPDATE tally SET told = ? WHERE source_id = ? AND kind = ? AND value = ? AND hour = ?"


class TallyBusy(Conflict):
    """Another `tocsin tally` to this exchange is running."""

    slug = "tally-busy"
    hint = "wait until it ends; what it did not send is sent by the next run"


@dataclass(frozen=True)
class KeptList:
    """The last good copy of a list, or what changed on it since the number before, as it was signed."""

    number: int
    etag: str
    statement: bytes
    body: bytes


@dataclass(frozen=True, order=True)
class Count:
    """Hits of one value in one hour (its start, seconds since 1970), as one log shows them.

    `clients` are the different ones behind them, None where that is not known.
    """

    source_id: str
    kind: str
    value: str
    hour: int
    hits: int
    clients: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Reading:
    """One reading of a firewall's counters: packets by address at an instant (POSIX seconds)."""

    source_id: str
    packets: Mapping[str, int]
    read_at: float


class BlockStore:
    """The store for one exchange; with none (`""`), for counting that tells nobody."""

    def __init__(self, exchange: str) -> None:
        self.folder = spool_folder(exchange) if exchange else edge_home() / "tally"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.db = sqlite3.connect(self.folder / "blocks.sqlite3", isolation_level=None, timeout=30)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        if self.db.execute("SELECT 1 FROM sqlite_master").fetchone():
            self.db.executescript(SCHEMA + pieces.SCHEMA)
        else:  # at once: each table by itself would wait for the disk
            self.db.executescript(f"BEGIN IMMEDIATE; {SCHEMA}{pieces.SCHEMA} COMMIT")
        if "clients" not in {row[1] for row in self.db.execute("PRAGMA table_info(tally)")}:
            self.db.execute(
                "ALTER TABLE tally ADD COLUMN clients INTEGER"
            )  # a store of before they were counted
        self.pieces = pieces.Pieces(self.folder, self.db)

    def shadow(self, folder: Path) -> "BlockStore":
        """A copy that can be written to without a trace: new pieces go to `folder`, the rest to memory."""
        copy = BlockStore.__new__(BlockStore)
        copy.folder, copy.db = folder, sqlite3.connect(":memory:", isolation_level=None)
        self.db.backup(copy.db)
        copy.pieces = pieces.Pieces(folder, copy.db, below=self.pieces)
        return copy

    def fetch_list(self, name: str) -> KeptList | None:
        """The last good copy of a list, None where there never was one."""
        row = self.db.execute(
            "SELECT number, etag, statement, body FROM list WHERE name = ?", (name,)
        ).fetchone()
        return KeptList(*row) if row else None

    def changes(self, name: str) -> list[KeptList]:
        """What changed on a list since that copy, in order."""
        rows = self.db.execute(
            "SELECT number, etag, statement, body FROM change WHERE name = ? ORDER BY number", (name,)
        )
        return [KeptList(*row) for row in rows]

    def newest(self, name: str) -> int:
        """The newest number of a list that was seen, whole or by its changes; 0 for never."""
        numbers = self.db.execute(
            "SELECT number FROM list WHERE name = ? UNION ALL SELECT number FROM change WHERE name = ?",
            (name, name),
        )
        return max((number for (number,) in numbers), default=0)

    def keep_list(self, name: str, kept: KeptList, values: Iterable[tuple[str, str, bool]]) -> None:
        """Replace the copy of a list, and remember its values: (kind, value, are its subdomains meant?)."""
        with transaction(self.db):
            self.db.execute(
                "INSERT OR REPLACE INTO list VALUES (?, ?, ?, ?, ?)",
                (name, kept.number, kept.etag, kept.statement, kept.body),
            )
            self.db.execute("DELETE FROM change WHERE name = ? AND number <= ?", (name, kept.number))
            self.db.executemany(REMEMBER, values)

    def keep_change(self, name: str, kept: KeptList, values: Iterable[tuple[str, str, bool]]) -> None:
        """Put what changed on a list behind its copy, and remember the values that came onto it."""
        with transaction(self.db):
            self.db.execute(
                "INSERT OR REPLACE INTO change VALUES (?, ?, ?, ?, ?)",
                (name, kept.number, kept.etag, kept.statement, kept.body),
            )
            self.db.executemany(REMEMBER, values)

    def listed(self, kind: str) -> dict[str, bool]:
        """Every value of a kind that ever stood on a list, and whether its subdomains did."""
        rows = self.db.execute("SELECT value, wild FROM listed WHERE kind = ?", (kind,))
        return {value: bool(wild) for value, wild in rows}

    def owe(self, reload: str) -> None:
        """Note a command that must run before a written list counts as loaded."""
        self.db.execute("INSERT OR IGNORE INTO owed VALUES (?)", (reload,))

    def owes(self, reload: str) -> bool:
        """Whether that command did not succeed since the last write."""
        return self.db.execute("SELECT 1 FROM owed WHERE reload = ?", (reload,)).fetchone() is not None

    def paid(self, reload: str) -> None:
        """The command ran."""
        self.db.execute("DELETE FROM owed WHERE reload = ?", (reload,))

    def regions(self) -> list[Region]:
        """Every stretch of logs that was counted before."""
        rows = self.db.execute("SELECT head, length, sha256 FROM region ORDER BY length DESC")
        return [Region(*row) for row in rows]

    def last_reading(self, source_id: str) -> tuple[dict[str, int], float]:
        """The packets of the last reading of a firewall's counters, and when that was; 0 for never."""
        rows = self.db.execute(
            "SELECT value, packets, read_at FROM counter WHERE source_id = ?", (source_id,)
        ).fetchall()
        return {value: packets for value, packets, _ in rows}, max((row[2] for row in rows), default=0.0)

    def keep(
        self,
        regions: Iterable[Region],
        counts: Iterable[Count],
        readings: Iterable[Reading] = (),
        placed: Iterable[pieces.Piece] = (),
    ) -> None:
        """Write one batch whole; `counts` are added to what the same logs showed before."""
        with transaction(self.db):
            self.pieces.name(placed)
            for region in regions:
                self.db.execute(
                    "INSERT OR IGNORE INTO region (head, length, sha256) VALUES (?, ?, ?)",
                    (region.head, region.length, region.sha256),
                )
                self.db.execute(FORGET, (region.head, region.head, STRETCHES))
            self.db.executemany(
                "INSERT INTO tally (source_id, kind, value, hour, hits) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (source_id, kind, value, hour) DO UPDATE SET hits = hits + excluded.hits",
                [(c.source_id, c.kind, c.value, c.hour, c.hits) for c in counts],
            )
            for reading in readings:
                self.db.execute("DELETE FROM counter WHERE source_id = ?", (reading.source_id,))
                self.db.executemany(
                    "INSERT INTO counter VALUES (?, ?, ?, ?)",
                    [
                        (reading.source_id, v, packets, reading.read_at)
                        for v, packets in reading.packets.items()
                    ],
                )

    def know_clients(self, counts: Iterable[Count]) -> None:
        """So many different clients stand behind what a log showed; the hits in `counts` do not matter."""
        with transaction(self.db):
            self.db.executemany(
                "UPDATE tally SET clients = ?"
                " WHERE source_id = ? AND kind = ? AND value = ? AND hour = ? AND clients IS NOT ?",
                [(c.clients, c.source_id, c.kind, c.value, c.hour, c.clients) for c in counts],
            )

    def pending(self, limit: int) -> list[Count]:
        """Up to `limit` tallies of one log that the exchange was not told in full, in a stable order."""
        rows = self.db.execute(
            "SELECT source_id, kind, value, hour, hits, clients FROM tally WHERE hits > told AND source_id ="
            " (SELECT min(source_id) FROM tally WHERE hits > told) ORDER BY hour, kind, value LIMIT ?",
            (limit,),
        )
        return [Count(*row) for row in rows]

    def waiting(self) -> int:
        """How many tallies the exchange was not told in full."""
        return int(self.db.execute("SELECT count(*) FROM tally WHERE hits > told").fetchone()[0])

    def settle(self, told: Iterable[Count]) -> None:
        """The exchange took these."""
        with transaction(self.db):
            self.db.executemany(LEAVE_OFF, [(c.hits, c.source_id, c.kind, c.value, c.hour) for c in told])


@contextmanager
def opened(exchange: str) -> Iterator[BlockStore]:
    """The store for one exchange. Writing a list needs no more: SQLite orders two that do."""
    store = BlockStore(exchange)
    try:
        yield store
    finally:
        store.db.close()


@contextmanager
def opened_alone(exchange: str) -> Iterator[BlockStore]:
    """The same, with no other counting beside until the block ends. Raises TallyBusy."""
    with opened(exchange) as store, alone(store.folder / "tally.lock", TallyBusy()):
        yield store
