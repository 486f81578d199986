"""One run of counting: every source read by its kind, batch by batch into the store."""

import datetime as dt
import shutil
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.kernel.problems import Problem
from tocsin.kernel.time import now
from tocsin.sift import nftcounters, sources
from tocsin.sift.blockstore import BlockStore, Count, Reading
from tocsin.sift.hits import parquet
from tocsin.sift.hits.columns import recognised
from tocsin.sift.hits.names import Wanted, kind_of
from tocsin.sift.hits.pieces import Piece
from tocsin.sift.hits.staging import Staging, Taken, quoted
from tocsin.sift.hits.waiting import Digest, Item, Waiting, bare, joined, source_id
from tocsin.sift.regions import Hasher, Known
from tocsin.sift.rejects import Rejects
from tocsin.sift.sources import Source, Stream, Unreadable
from tocsin.sift.stamps import Clock
from tocsin.sift.values import Balance, Region
from tocsin.wire import framestream

if TYPE_CHECKING:
    import polars as pl

    from tocsin.sift.hits import rows
    from tocsin.sift.lines import Block

LARGEST_READING = 256 << 20
BATCH_ROWS = 16_000_000  # what a kill may have to be counted again
TEXT, NUMBERS, PARQUET = "text", "parquet with clients as numbers", "parquet"
AHEAD = 64  # files whose digests are being worked out
_CHUNK = 1 << 20

See = Callable[[int], None]


@dataclass(frozen=True)
class How:
    """How sources are read: what settles their times, which columns mean what, are clients counted?"""

    machine: str | None = None
    year: int | None = None
    tz: str | None = None
    mapping: dict[str, str] | None = None
    with_clients: bool = True
    tells: bool = True  # whether there is an exchange to be told


class Counting:
    """Counts any number of sources into a store; `balance` and `connections` say what was there."""

    def __init__(
        self,
        how: How,
        store: BlockStore,
        wanted: Wanted,
        rejects: Path | None = None,
        see: See = lambda _: None,
    ) -> None:
        self.how, self.store, self._wanted, self._see = how, store, wanted, see
        self.balance = Balance()
        self.rejects = Rejects(rejects, self.balance)
        self.known = Known(store.regions())
        self.elsewhere = self.connections = 0
        self._staging: Staging | None = None
        self._waiting = Waiting()
        self._beside = ThreadPoolExecutor(1)  # digests of files, while DuckDB reads them
        self._begun: deque[Digest] = deque()

    @property
    def staging(self) -> Staging:
        """DuckDB, started when it is first needed."""
        if self._staging is None:
            self._staging = Staging(self.store.pieces, self._wanted.find)
        return self._staging

    def read(self, paths: Sequence[Path]) -> None:
        """Read everything under the paths; what cannot be read is counted and kept with its reason."""
        for found in sources.find(map(str, paths)):
            try:
                members = list(found.members())
            except Unreadable as why:
                self.rejects.add(found.path, 0, str(why))
                continue
            for source in members:
                self._read_or_reject(source)
            self._see(_size(found.path))
        self.commit()
        self._beside.shutdown()
        self.rejects.close()

    def settle(self) -> None:
        """Bring the tallies of every day up to date that had hits with clients."""
        days = self.store.pieces.unsettled()
        for day in days if self.how.tells else ():
            self.store.know_clients(self._clients(day))
        if days:
            self.staging.settle(days)

    def commit(self) -> None:
        """Let everything that waits count: all of it in one transaction, or nothing."""
        waiting, self._waiting = self._waiting, Waiting()
        placed: list[Piece] = []
        counts = list(waiting.counts)
        groups: defaultdict[tuple[int, str], list[Item]] = defaultdict(list)
        for item in waiting.items:
            groups[item.log, item.make].append(item)
        for items in groups.values():
            for taken in self._take(items, waiting):
                placed += taken.pieces
        if placed:
            self.connections += self.staging.total(placed)
        if placed and self.how.tells:
            logs, values = self.store.pieces.logs(), self.store.pieces.values()
            counts += [
                Count(logs[log], kind_of(values[indicator]), values[indicator], hour, hits)
                for log, indicator, hour, hits in self.staging.hits(placed)
            ]
        self.connections += sum(count.hits for count in waiting.counts)
        whole = [digest.region() for alike in waiting.digests.values() for digest in alike]
        for region in whole:
            self.known.add(region)
        self.store.keep([*waiting.regions, *whole], counts, waiting.readings, placed)
        for file in waiting.files:
            shutil.rmtree(file.parent, ignore_errors=True)

    def _take(self, items: Sequence[Item], waiting: Waiting) -> Iterator[Taken]:
        """Take relations at once, or one by one where a file among them breaks off in the middle."""
        import duckdb

        relation = items[0].relation
        if len(items) > 1:
            relation = f"({' UNION ALL '.join(bare(item.relation) for item in items)})"
        try:
            if self.how.with_clients:
                taken = self.staging.take(relation, items[0].log, joined([item.span for item in items]))
            else:
                taken = self.staging.take_hits(relation, items[0].log, once=items[0].make != TEXT)
        except duckdb.OutOfMemoryException as error:
            raise Problem(
                "there is not enough memory to count this", hint="name fewer files at once"
            ) from error
        except duckdb.Error:
            if items[0].make == TEXT:
                raise
            if len(items) > 1:
                for item in items:
                    yield from self._take([item], waiting)
                return
            self.rejects.add(items[0].path, 0, parquet.DAMAGED)
            if items[0].digest:
                waiting.digests[items[0].digest.key].remove(items[0].digest)
            return
        self.elsewhere += taken.elsewhere
        if items[0].make != TEXT:  # those were counted when they were read
            self.balance.observed += taken.observed
            self.balance.noise += taken.elsewhere
        yield taken

    def _clients(self, day: int) -> list[Count]:
        logs, values = self.store.pieces.logs(), self.store.pieces.values()
        return [
            Count(logs[log], kind_of(values[indicator]), values[indicator], hour, 0, clients)
            for log, indicator, hour, clients in self.staging.clients(day)
        ]

    def _read_or_reject(self, source: Source) -> None:
        try:
            with source.open() as stream:
                self._read(source, stream)
                if stream.trouble:
                    raise Unreadable(stream.trouble)
        except (Unreadable, OSError) as why:
            self.rejects.add(source.path, 0, str(why))

    def _read(self, source: Source, stream: Stream) -> None:
        start = stream.peek()
        if start.startswith(parquet.MAGIC):  # what reads text takes its time to load
            self._read_parquet(source, stream)
            return
        if framestream.looks_like(start):
            self._read_tap(source, stream)
            return
        from tocsin.sift.hits import rows

        if not start.strip():
            raise Unreadable("empty")
        if nftcounters.looks_like(start):
            self._read_counters(source, sources.read_whole(stream, LARGEST_READING))
        elif b"\0" in start:
            raise Unreadable("binary: neither dnstap nor a Parquet file")
        elif export := rows.export_of(start, self.how.mapping):
            self._read_rows(source, stream, export)
        elif self.how.mapping or rows.is_export(start):
            raise Unreadable("no column says when, or what was blocked: name them with --map")
        else:
            self._read_log(source, stream)

    def _read_log(self, source: Source, stream: Stream) -> None:
        from tocsin.sift.rpzlogs import Hits

        hits = Hits(
            self.balance, lambda number, reason, raw: self.rejects.add(source.path, number, reason, raw)
        )
        clock = self._clock(source)
        log = self._log(source)

        def take(block: "Block") -> None:
            hits.read(block, clock, self._wanted.names)
            self._hold(hits.frames, log)
            hits.frames = []

        self._each_block(source, stream, take)
        self.elsewhere += hits.elsewhere

    def _read_tap(self, source: Source, stream: Stream) -> None:
        from tocsin.sift.hits.dnstap import GROWING, Tap

        known, _ = self.known.prefix(source, in_lines=False) if source.is_file else (0, 0)
        log = self._log(source)

        def reject(number: int, reason: str, raw: bytes) -> None:
            self.rejects.add(source.path, number, reason, raw)

        is_growing = now().timestamp() - (source.changed_at() or 0) < GROWING
        tap = Tap(self.balance, reject, self._wanted.names, known, is_growing=is_growing)
        region = tap.read(stream, lambda frame: self._hold([frame], log))
        self.elsewhere += tap.elsewhere
        self._remember([region])
        self._commit_if_many()

    def _read_rows(self, source: Source, stream: Stream, export: "rows.Export") -> None:
        from tocsin.sift.hits import rows

        clock, log = self._clock(source), self._log(source)

        def reject(number: int, reason: str, raw: bytes) -> None:
            self.rejects.add(source.path, number, reason, raw)

        def take(block: "Block") -> None:
            if block.first == 1 and export.has_header:
                self.balance.noise += 1
                block = rows.without_first(block)
            read, said = export.columns(block, reject)
            frame, noise = rows.hits_of(block, read, said, clock, self._wanted.find, reject)
            self.balance.observed += int(frame["hits"].sum())
            self.balance.noise += noise
            self.elsewhere += noise
            self._hold([frame], log)

        self._each_block(source, stream, take)

    def _each_block(self, source: Source, stream: Stream, take: Callable[["Block"], None]) -> None:
        """Hand over the lines that were not counted before, and remember the stretch they make."""
        from tocsin.sift.blocks import blocks

        first, hasher = 1, Hasher()
        if source.is_file:
            skipped, lines = self.known.prefix(source)
            # Hashed again, so that a log which is read every minute stays one stretch, not one a minute.
            while skipped > 0 and (data := stream.read(min(skipped, _CHUNK))):
                hasher.update(data)
                skipped -= len(data)
            self.balance.duplicate += lines
            first += lines

        def reject(number: int, reason: str, raw: bytes) -> None:
            self.rejects.add(source.path, number, reason, raw)

        for block in blocks(stream, first, hasher.update, reject):
            take(block)
        self._remember(hasher.regions())
        self._commit_if_many()

    def _read_parquet(self, source: Source, stream: Stream) -> None:
        path = source.path if source.is_file and not source.archive and _is_bare(source.path) else ""
        if not path:
            aside = self.store.pieces.aside() / "unpacked.parquet"
            with aside.open("wb") as copy:
                while data := stream.read(_CHUNK):
                    copy.write(data)
            path = str(aside)
            self._waiting.files.append(aside)
        digest = self._digest(Path(path))
        kinds = parquet.columns_of(self.staging.db, path)
        fields = recognised(kinds, self.how.mapping)
        if not fields:
            raise Unreadable("a Parquet file without a time or an indicator: name its columns with --map")
        if self._is_known(digest):
            self.balance.duplicate += parquet.rows_of(self.staging.db, path)
            return
        surveyed = parquet.survey(self.staging.db, path, fields, kinds, self.how.tz)
        for number, reason, raw in surveyed.kept:
            self.rejects.add(source.path, number, reason, raw)
        for reason, count in surveyed.rejected.items():
            more = count - sum(kept_reason == reason for _, kept_reason, _ in surveyed.kept)
            self.balance.rejected += more
            self.balance.reasons[reason] += more
        self.balance.noise += surveyed.noise
        self.elsewhere += surveyed.noise
        self._waiting.digests.setdefault(digest.key, []).append(digest)
        make = NUMBERS if kinds.get(fields.get("client", "")) == "UINTEGER" else PARQUET
        if surveyed.span.rows:
            rows_, log = surveyed.span.rows, self._log(source)
            self._waiting.items.append(
                Item(source.path, surveyed.relation, log, make, rows_, surveyed.span, digest)
            )
        self._commit_if_many()

    def _read_counters(self, source: Source, content: bytes) -> None:
        """What grew since the last reading belongs to the hour of this one; a smaller number began anew."""
        self.balance.observed += 1
        read_at = source.changed_at() or now().timestamp()
        name = source_id("nftables", self.how.machine)
        packets = nftcounters.read(content)
        before, last_at = self.store.last_reading(name)
        for earlier in self._waiting.readings:
            before, last_at = dict(earlier.packets), earlier.read_at
        if read_at < last_at:
            self.balance.observed -= 1
            raise Unreadable("a reading that is older than one counted before")
        hour = int(read_at) // 3600 * 3600
        for value, count in packets.items():
            grown = count - before.get(value, 0) if count >= before.get(value, 0) else count
            if grown and (self._wanted.addresses is None or value in self._wanted.addresses):
                self._waiting.counts.append(Count(name, "address", value, hour, grown))
            else:
                self.elsewhere += grown
        self._waiting.readings.append(Reading(name, packets, read_at))

    def _hold(self, frames: Iterable["pl.DataFrame"], log: int) -> None:
        """Put hits read from text aside, as a file that DuckDB takes later."""
        import polars as pl

        from tocsin.sift.hits import rows

        whole = [frame for frame in frames if len(frame)]
        if not whole:
            return
        file = self.store.pieces.aside() / "read.parquet"
        frame = pl.concat(whole).select(list(rows.SCHEMA))
        frame.write_parquet(file, compression="uncompressed")
        self._waiting.files.append(file)
        relation = f"(SELECT * FROM read_parquet('{quoted(file)}'))"
        self._waiting.items.append(Item("", relation, log, TEXT, len(frame)))

    def _digest(self, path: Path) -> Digest:
        """Begin a file's digest; not too many at once, because each holds its file open."""
        if len(self._begun) >= AHEAD:
            self._begun.popleft().wait()
        self._begun.append(digest := Digest(path, self._beside))
        return digest

    def _is_known(self, digest: Digest) -> bool:
        """Whether exactly this file was counted before, or waits; only what begins alike is waited for."""
        head, length = digest.key
        alike = [other.region() for other in self._waiting.digests.get(digest.key, ())]
        alike += [region for region in self.known.begun(head) if region.length == length]
        return bool(alike) and digest.region() in alike

    def _remember(self, regions: Iterable[Region]) -> None:
        for region in regions:
            self.known.add(region)
            self._waiting.regions.append(region)

    def _commit_if_many(self) -> None:
        most = (
            BATCH_ROWS if self.how.with_clients else 2 * BATCH_ROWS
        )  # without clients there is less to hold
        if sum(item.rows for item in self._waiting.items) >= most:
            self.commit()

    def _clock(self, source: Source) -> Clock:
        changed_at = source.changed_at()
        not_after = now() if changed_at is None else dt.datetime.fromtimestamp(changed_at, dt.UTC)
        return Clock(not_after, year=self.how.year, tz=self.how.tz)

    def _log(self, source: Source) -> int:
        return self.store.pieces.log(source_id(source.path, self.how.machine))


def _is_bare(path: str) -> bool:
    with Path(path).open("rb") as file:
        return file.read(len(parquet.MAGIC)) == parquet.MAGIC


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
