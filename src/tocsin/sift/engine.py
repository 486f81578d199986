"""`sift`: from paths to attacks. One engine for files, folders, compressed copies and standard input."""

import datetime as dt
import gc
import ipaddress
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import BadInput, Problem
from tocsin.kernel.time import now, rfc3339
from tocsin.sift import formats, sources, stamps
from tocsin.sift.findings import Finding
from tocsin.sift.piles import Piles
from tocsin.sift.readers import ndjson
from tocsin.sift.regions import Hasher, Known
from tocsin.sift.rejects import Rejects
from tocsin.sift.rulebook import Rulebook, Ruleset, ruleset
from tocsin.sift.sources import Source, Stream, Unreadable
from tocsin.sift.tally import Tally
from tocsin.sift.unrecognised import Unrecognised
from tocsin.sift.values import Balance, Input, Observation, Region, Sifted, Span
from tocsin.sift.values import Source as LogSource

if TYPE_CHECKING:
    from tocsin.sift.logs import LogReader

_NO_EVIDENCE = {
    "empty": "empty",
    "binary": "binary: no log, mail or report",
    "unknown": "no log, mail or report of a kind that is known",
}
UNKNOWN_TARGET = "unknown"
FAULT = "fault in the reader: "
OUT_OF_TIME = "noise: a time before 1970 or after 9999"
_NEVER_SET = dt.datetime(1980, 1, 1, tzinfo=dt.UTC).timestamp()  # files that say they are older have no clock
LARGEST_DOCUMENT = 64 << 20


@dataclass(frozen=True)
class Progress:
    """How far a run is: bytes read, and how many that was of what lies on disk (packed, maybe)."""

    read: int
    of_disk: int


@dataclass(frozen=True)
class Options:
    """How to sift.

    `networks` are the provider's own (CIDR); `year` and `tz` settle times that do not name theirs; `target`
    stands for a log's host where its lines name none; `known` are regions sifted before; `rejects` is where
    to keep what is rejected, `unrecognised` the folder for mails that no reader knows; `progress` is told how
    far it is; `observations` gets every observation at the end, in order, one source after another;
    `mapping` says what the records of all sources mean.
    """

    networks: tuple[str, ...] = ()
    year: int | None = None
    tz: str | None = None
    known: Sequence[Region] = ()
    rejects: Path | None = None
    unrecognised: Path | None = None
    target: str = UNKNOWN_TARGET
    progress: Callable[["Progress"], None] | None = None
    observations: Callable[[Iterable[Observation]], None] | None = None
    mapping: Rulebook | None = None


def sift(paths: Sequence[str], options: Options | None = None, rejects: Rejects | None = None) -> Sifted:
    """Read everything under the paths and say what attacks it shows.

    Nothing that a source holds stops the run: what cannot be read is counted and kept with its reason. Raises
    BadInput for options that make no sense.
    """
    with rare_collections():
        run = Run(options or Options(), rejects=rejects)
        for source in sources.find(map(str, paths)):
            run.read(source)
        return run.finish()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Attacks hold no cycles: looking for some every few hundred objects costs half of the time of a feed."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Run:
    """One run over any number of sources."""

    def __init__(
        self,
        options: Options,
        *,
        piles: Piles | None = None,
        rejects: Rejects | None = None,
        rules: Ruleset | None = None,
        known: Known | None = None,
    ) -> None:
        _check(options)
        self.options = options
        self.started = time.monotonic()
        self.rejects = rejects or Rejects(options.rejects, Balance())
        self.balance = self.rejects.balance
        self.rules = rules or ruleset(options.mapping)
        self.tally = Tally(self.rules, options.networks, piles)
        self.known = known or Known(options.known)
        self.unrecognised = Unrecognised(options.unrecognised)
        self.logs: list[LogSource] = []
        self._lines_read = 0
        self._bytes_read = self._packed = 0
        self._stream: Stream | None = None
        self._log_reader: LogReader | None = None
        self._found: list[Observation] = []
        self._inputs: list[tuple[str, int, int, int]] = []
        self._broken_off: set[str] = set()

    def read(self, source: Source) -> None:
        """Read one source to its end, whatever it is; of an archive, every file in it."""
        try:
            for member in source.members():
                self._read_one(member)
        except Unreadable as why:
            self.reject(source, 0, str(why))
            self._inputs.append((source.path, 0, 0, 1))

    def _read_one(self, source: Source) -> None:
        self.tally.begin_source()
        before = self._lines_read, self.balance.duplicate, self.balance.rejected
        remembered = len(self.known.added)
        try:
            with source.open() as stream:
                self._stream = stream
                self._read(source, stream)
                self._packed += stream.packed_bytes
                if stream.trouble:
                    self.reject(source, 0, stream.trouble)
        except Unreadable as why:
            self._break_off(source, remembered, str(why))
        except OSError as error:
            self._break_off(source, remembered, (error.strerror or "cannot be read").lower())
        except BaseException as fault:
            self._break_off(source, remembered, fault_of(fault))
        read, duplicate, rejected = before
        self._inputs.append(
            (
                source.path,
                self._lines_read - read,
                self.balance.duplicate - duplicate,
                self.balance.rejected - rejected,
            )
        )

    def _break_off(self, source: Source, remembered: int, reason: str) -> None:
        """A source cannot be read to its end: what was found in it stays, and it may be read again."""
        self.reject_whole(source, reason)
        self._broken_off.add(source.path)
        del self.known.added[remembered:]

    def add(
        self, path: str, finding: Finding, numbers: list[int], text: bytes, lines: int | None = None
    ) -> None:
        """A reader found evidence: `text` are its lines' bytes, each ended by a newline.

        `lines` says how many they are where `numbers` name only the first of them.
        """
        if not 0 <= finding.first <= finding.last <= stamps.LATEST:
            self.balance.reasons[OUT_OF_TIME] += len(numbers) if lines is None else lines
            return
        self.tally.add(finding, path, numbers, text, lines)
        if self.options.observations:
            self._found.append(
                Observation(
                    path=path,
                    line=numbers[0] if numbers else 1,
                    kind=finding.kind,
                    origin=finding.origin,
                    target=finding.target,
                    service=finding.service,
                    seen_at=rfc3339(dt.datetime.fromtimestamp(finding.first, dt.UTC)),
                    count=finding.count,
                    rule=finding.reader or finding.why,
                )
            )

    def count(self, lines: int) -> None:
        """So many lines were read that are neither rejected nor duplicates."""
        self._lines_read += lines

    def seen_before(self, regions: list[Region], lines: int) -> bool:
        """Whether exactly this was sifted before, by its regions; then its lines are duplicates."""
        if self.known.has_all(regions):
            self.balance.duplicate += lines
            self.balance.reasons["seen before"] += lines
            return True
        for region in regions:
            self.known.add(region)
        return False

    def reject(self, source: Source, number: int, reason: str, raw: bytes = b"") -> None:
        """One line of a source cannot be read; it is counted and kept with its reason."""
        self.rejects.add(source.path, number, reason, raw)

    def reject_whole(self, source: Source, reason: str) -> None:
        """A source cannot be read: it is kept line by line where it stands nowhere else."""
        if source.only_copy:
            for number, line in enumerate(source.only_copy.splitlines(), start=source.first_line):
                self.reject(source, number, reason, line)
        else:
            self.reject(source, 0, reason)

    def keep_unrecognised(self, mail: bytes) -> None:
        """No reader knows this mail: its text stays at the desk, for a person and for a later reader."""
        self.unrecognised.keep(mail)

    def see(self, data: bytes) -> None:
        """So many more bytes were read (unpacked): for the progress line."""
        self._bytes_read += len(data)
        if self.options.progress and self._stream:
            self.options.progress(Progress(self._bytes_read, self._packed + self._stream.packed_bytes))

    def clock(self, source: Source) -> stamps.Clock:
        """Settles times of a source that leave year or zone open."""
        changed_at = source.changed_at()
        is_known = changed_at is not None and _NEVER_SET <= changed_at <= stamps.LATEST
        not_after = dt.datetime.fromtimestamp(changed_at, dt.UTC) if is_known and changed_at else now()
        return stamps.Clock(not_after, year=self.options.year, tz=self.options.tz)

    def take_count(self) -> int:
        """How many lines were read, and not rejected, since this was last asked."""
        count, self._lines_read = self._lines_read, 0
        return count

    def forget(self) -> None:
        """For a run without end: let go what only its end would tell."""
        self._inputs.clear()
        self.balance.reasons.clear()
        self.tally.forget()

    def close(self) -> None:
        """Stop the threads, close the files."""
        if self._log_reader:
            self._log_reader.close()
        self.rejects.close()

    def finish(self) -> Sifted:
        """Judge what was read."""
        self.close()
        for what, lines in self.tally.relayed.items():
            self.balance.reasons[f"noise: the origin is {what}"] += lines
        attacks = self.tally.attacks()
        self.balance.observed = self.tally.observed.total()
        inputs = [self._input(*told) for told in self._inputs]
        self.balance.noise = self._lines_read - self.balance.observed
        if self.options.observations:
            self.options.observations(self._observations())
        return Sifted(
            attacks=attacks,
            balance=self.balance,
            sources=self.logs,
            regions=self.known.added,
            campaign_count=self.tally.campaign_count,
            origin_count=self.tally.origin_count,
            inputs=inputs,
            rejected_file=self.rejects.file,
            seconds=time.monotonic() - self.started,
        )

    def _input(self, path: str, read: int, duplicate: int, rejected: int) -> Input:
        """What became of one input. One that was broken off may have been counted to less than was found."""
        observed = self.tally.observed.pop(path, 0)
        uncounted = max(observed - read, 0) if path in self._broken_off else 0
        self._lines_read += uncounted
        return Input(path, observed, read + uncounted - observed, duplicate, rejected)

    def _read(self, source: Source, stream: Stream) -> None:
        start = stream.peek()
        if stream.trouble and not start.strip():
            raise Unreadable(stream.trouble)
        start = source.head or start
        if reader := formats.reader_of(start, self.options.mapping):
            reader.read(self, source, stream)
            return
        kind = sources.recognise(start)
        if not source.is_whole:  # every line of it is taken, or rejected, by itself
            if kind == "json" and ndjson.is_plain(start):
                ndjson.read(self, source, stream)
                return
            kind = "log" if source.is_lines or kind in _NO_EVIDENCE else kind
        if kind in _NO_EVIDENCE:
            raise Unreadable(_NO_EVIDENCE[kind])
        if kind in ("mail", "mbox", "json"):
            from tocsin.sift import documents  # not for logs: they need no reader of reports

            documents.read(self, source.path, kind, sources.read_whole(stream, LARGEST_DOCUMENT))
            return
        self._read_log(source, kind, stream, self.skip_known(source, stream))

    def marked(self, head: bytes) -> list[Rulebook]:
        """The rulebooks of which records seem to stand in JSON that begins so; a mapping is asked alone."""
        if self.options.mapping:
            return [self.options.mapping]
        return self.rules.marked(head)

    def skip_known(self, source: Source, stream: Stream) -> int:
        """Leave out what was sifted before at the start of a file; gives the number of the next line."""
        if not source.is_file:
            return source.first_line
        skipped, lines = self.known.prefix(source)
        stream.skip(skipped)
        self.balance.duplicate += lines
        if lines:
            self.balance.reasons["seen before"] += lines
        return 1 + lines

    def remember(self, source: Source, hasher: Hasher) -> None:
        """What a hasher saw of a source was sifted: it counts once, wherever it is met again."""
        for region in hasher.regions() if source.is_whole else ():
            self.known.add(region)

    def keep_log(self, source: Source, span: Span, clock: stamps.Clock, log_type: str = "") -> None:
        """A source is a log of which a provider may say that it is held: for the inventory.

        Where `log_type` is not given, the service's rulebook says it.
        """
        if span.first is None or span.last is None:
            return
        self.logs.append(
            LogSource(
                source_id=source_id(source.path),
                path=source.path,
                log_type=log_type or self.rules.log_type(span.service),
                period_from=dt.datetime.fromtimestamp(span.first, dt.UTC),
                period_to=dt.datetime.fromtimestamp(span.last, dt.UTC),
                time_zone=clock.zone_name if span.zone_open else "UTC",
                clock_error_ms=None,
                fields_present=("timestamp", "origin", "host", "service"),
            )
        )

    def _read_log(self, source: Source, kind: sources.Kind, stream: Stream, first: int) -> None:
        hasher = Hasher()

        def see(data: bytes) -> None:
            hasher.update(data)
            self.see(data)

        clock = self.clock(source)
        span = self.log_reader().read(source.path, kind, stream, first, clock, self.options.target, see)
        self.count(span.lines)
        self.remember(source, hasher)
        self.keep_log(source, span, clock)

    def log_reader(self) -> "LogReader":
        """The reader of logs, made when the first log turns up: Polars takes its time to load."""
        if self._log_reader is None:
            from tocsin.sift.logs import LogReader

            keep_rows = self.options.observations is not None
            self._log_reader = LogReader(self.rules, self.tally, self.rejects, keep_rows=keep_rows)
        return self._log_reader

    def _observations(self) -> Iterator[Observation]:
        if self._log_reader:
            yield from self._log_reader.observations()
        yield from self._found


def source_id(path: str) -> str:
    """A name for a log that outlives its rotation and does not give its path away."""
    whole = Path(path).absolute()
    stem = re.sub(r"(?:[.-]\d+)?(?:\.gz)?$", "", whole.name)
    return "source_" + sha256_hex(str(whole.parent / stem).encode())[:16]


def fault_of(fault: BaseException) -> str:
    """The reason for which a source is left when its reader fails; raises what must not be caught.

    A panic in Polars is no Exception. `TOCSIN_TRACEBACK=1` raises every fault, for whoever mends it.
    """
    is_panic = type(fault).__name__ == "PanicException"
    if isinstance(fault, Problem) or not (isinstance(fault, Exception) or is_panic):
        raise fault
    if os.environ.get("TOCSIN_TRACEBACK") == "1":
        raise fault
    return FAULT + type(fault).__name__


def _check(options: Options) -> None:
    for network in options.networks:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            raise BadInput(
                f"not a network: {network}", hint="write it as 203.0.113.0/24 or 2001:db8::/32"
            ) from error
    if options.year is not None and not 1970 <= options.year <= 9998:
        raise BadInput(f"not a year: {options.year}")
    stamps.zone(options.tz)
