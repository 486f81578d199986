"""What `tocsin watch` must not lose: how far each source was read, the sums of open days, what was rejected.

It is written in one transaction with the attacks and the reports that follow from it, so that after a kill at
any point every line counts once: either it was read and counted, or it will be read again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from tocsin.sift.regions import Known, region_of
from tocsin.sift.spool import Spool
from tocsin.sift.sqlite import transaction
from tocsin.sift.values import Attack, Region, Source
from tocsin.wire.report import Report

FORGOTTEN_AFTER = 35 * 86_400  # seconds: a sum that did not grow for so long is closed
A_DAY = 86_400  # the most that passes between two steps, whatever the clock says
SCHEMA = """
CREATE TABLE IF NOT EXISTS live_place (name TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS live_pile (name TEXT PRIMARY KEY, touched_at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS live_pile_touched ON live_pile (touched_at);
CREATE TABLE IF NOT EXISTS live_source (source_id TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS live_count (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


@dataclass
class Step:
    """What one commit writes at an age (seconds that were watched): places, packed piles, and what follows;
    `also` writes more in the same transaction.
    """

    at: int
    places: Mapping[str, bytes]
    piles: Iterable[tuple[str, bytes]] = ()
    sources: Iterable[Source] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    attacks: Iterable[Attack] = ()
    reports: Iterable[Report] = ()
    rejected: Iterable[tuple[str, int, str, bytes]] = ()
    regions: Iterable[Region] = ()
    also: Callable[[], None] = lambda: None


def aged(counts: dict[str, int], now: int) -> int:
    """How old a watch is, in seconds; kept among its counts with the time (POSIX) that this was last asked.

    A clock that jumps makes it a day older at most, and never younger: no sum is closed by a wrong clock.
    """
    passed = now - counts.get("at", now)
    counts["at"] = now
    counts["age"] = counts.get("age", 0) + min(max(passed, 0), A_DAY)
    return counts["age"]


class LiveState:
    """The tables of `tocsin watch` in a spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        spool.db.executescript(SCHEMA)

    def places(self) -> dict[str, bytes]:
        """How far each source was read."""
        return dict(self._spool.db.execute("SELECT name, body FROM live_place").fetchall())

    def piles(self, most: int) -> Iterator[bytes]:
        """The packed sums that were touched last."""
        rows = self._spool.db.execute("SELECT body FROM live_pile ORDER BY touched_at DESC LIMIT ?", (most,))
        yield from (bytes(body) for (body,) in rows)

    def pile(self, name: str) -> bytes | None:
        """One packed sum, by name."""
        row = self._spool.db.execute("SELECT body FROM live_pile WHERE name = ?", (name,)).fetchone()
        return bytes(row[0]) if row else None

    def sources(self) -> list[Source]:
        """Every log that was followed, with the period that was seen of it."""
        rows = self._spool.db.execute("SELECT body FROM live_source").fetchall()
        return [msgspec.msgpack.decode(body, type=Source) for (body,) in rows]

    def counts(self) -> dict[str, int]:
        """How many lines were read, and what became of those that are no longer in the sums."""
        return dict(self._spool.db.execute("SELECT name, value FROM live_count").fetchall())

    def keep(self, step: Step) -> None:
        """Write one step whole."""
        db = self._spool.db
        with transaction(db):
            db.executemany("INSERT OR REPLACE INTO live_place VALUES (?, ?)", step.places.items())
            db.executemany(
                "INSERT OR REPLACE INTO live_pile VALUES (?, ?, ?)",
                [(name, step.at, body) for name, body in step.piles],
            )
            db.execute("DELETE FROM live_pile WHERE touched_at < ?", (step.at - FORGOTTEN_AFTER,))
            db.executemany(
                "INSERT OR REPLACE INTO live_source VALUES (?, ?)",
                [(source.source_id, msgspec.msgpack.encode(source)) for source in step.sources],
            )
            db.executemany("INSERT OR REPLACE INTO live_count VALUES (?, ?)", step.counts.items())
            self._spool.add(step.regions, step.attacks, step.reports, step.rejected)
            step.also()


class KeptRegions(Known):
    """The regions that a spool knows, asked for one by one: in memory are only those not yet written down."""

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self._spool = spool

    def has_bytes(self, content: bytes) -> bool:
        """Whether exactly these bytes were sifted before; remembers them if not."""
        return self._is_kept(region_of(content)) or super().has_bytes(content)

    def has_all(self, regions: Iterable[Region]) -> bool:
        """Whether every one of these was sifted before; not so for none."""
        found = list(regions)
        return bool(found) and all(self._is_kept(region) or super().has_all([region]) for region in found)

    def take(self) -> list[Region]:
        """Those that were added since this was last asked: to be written down at once."""
        added = self.added
        super().__init__()
        return added

    def _is_kept(self, region: Region) -> bool:
        row = self._spool.db.execute(
            "SELECT length FROM region WHERE sha256 = ?", (region.sha256,)
        ).fetchone()
        return row is not None and row[0] == region.length
