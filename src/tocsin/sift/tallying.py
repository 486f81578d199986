"""Counting blocks: what resolvers and firewalls stopped becomes hourly tallies, and these are sent."""

import datetime as dt
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import httpx
import msgspec

from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import NotSignedIn, Unreachable
from tocsin.kernel.time import now, rfc3339
from tocsin.sift import calling, nftcounters, sources, zones
from tocsin.sift.blocks import blocks
from tocsin.sift.blockstore import BlockStore, Count, Reading, opened_alone
from tocsin.sift.regions import Hasher, Known
from tocsin.sift.rejects import Rejects
from tocsin.sift.rpzlogs import Hits, Listed
from tocsin.sift.sources import STDIN, Source, Stream, Unreadable
from tocsin.sift.stamps import Clock
from tocsin.sift.values import Balance
from tocsin.wire.tally import Tally, TallyAnswer, TallyBatch

BATCH = 5_000
LARGEST_READING = 256 << 20

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What one run of `tocsin tally` was asked to do."""

    url: str
    machine: str | None = None
    year: int | None = None
    tz: str | None = None


class Result(msgspec.Struct, frozen=True):
    """What became of one run: connections counted in it, tallies taken and not, and what still waits.

    `elsewhere` are blocks by other policies than the exchange's lists: they stay here.
    """

    connections: int
    elsewhere: int
    sent: int
    unknown: int
    waiting: int
    rejected: int
    fault: str = ""

    @property
    def sentence(self) -> str:
        """The run in one line."""
        told = f"{self.sent} hourly tallies sent" if self.sent else "nothing new to tell"
        return f"{self.connections:,} connections stopped, {told}"


@dataclass
class Counting:
    """One run over any number of logs and readings."""

    plan: Plan
    store: BlockStore
    names: Listed
    addresses: frozenset[str] | None
    rejects_file: Path | None = None
    balance: Balance = field(default_factory=Balance)
    counts: list[Count] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    elsewhere: int = 0

    def __post_init__(self) -> None:
        self.known = Known(self.store.regions())
        self.rejects = Rejects(self.rejects_file, self.balance)

    def read(self, paths: Sequence[Path]) -> None:
        """Read everything under the paths; what cannot be read is counted and kept with its reason."""
        for source in sources.find(map(str, paths)):
            try:
                with source.open() as stream:
                    self._read(source, stream)
                    if stream.trouble:
                        raise Unreadable(stream.trouble)
            except (Unreadable, OSError) as why:
                self.rejects.add(source.path, 0, str(why))
        self.rejects.close()

    def _read(self, source: Source, stream: Stream) -> None:
        start = stream.peek()
        if not start.strip():
            raise Unreadable("empty")
        if nftcounters.looks_like(start):
            self._read_counters(source, sources.read_whole(stream, LARGEST_READING))
        elif b"\0" in start:
            raise Unreadable("binary: no log of a resolver")
        else:
            self._read_log(source, stream)

    def _read_log(self, source: Source, stream: Stream) -> None:
        first, hasher = 1, Hasher()
        if source.is_file:
            skipped, lines = self.known.prefix(source)
            # Hashed again, so that a log which is read every minute stays one stretch, not one a minute.
            while skipped > 0 and (data := stream.read(min(skipped, 1 << 20))):
                hasher.update(data)
                skipped -= len(data)
            self.balance.duplicate += lines
            first += lines
        changed_at = source.changed_at()
        not_after = now() if changed_at is None else dt.datetime.fromtimestamp(changed_at, dt.UTC)
        clock = Clock(not_after, year=self.plan.year, tz=self.plan.tz)

        def reject(number: int, reason: str, raw: bytes) -> None:
            self.rejects.add(source.path, number, reason, raw)

        hits = Hits(self.balance, reject)
        for block in blocks(stream, first, hasher.update, reject):
            hits.read(block, clock, self.names)
        for region in hasher.regions():
            self.known.add(region)
        name = source_id(source.path, self.plan.machine)
        self.counts += [Count(name, "name", value, hour, n) for (value, hour), n in hits.counts.items()]
        self.elsewhere += hits.elsewhere

    def _read_counters(self, source: Source, content: bytes) -> None:
        """What grew since the last reading belongs to the hour of this one; a smaller number began anew."""
        self.balance.observed += 1
        read_at = source.changed_at() or now().timestamp()
        name = source_id("nftables", self.plan.machine)
        packets = nftcounters.read(content)
        before, last_at = self.store.last_reading(name)
        for earlier in self.readings:
            before, last_at = dict(earlier.packets), earlier.read_at
        if read_at < last_at:
            raise Unreadable("a reading that is older than one counted before")
        hour = int(read_at) // 3600 * 3600
        for value, count in packets.items():
            grown = count - before.get(value, 0) if count >= before.get(value, 0) else count
            if grown and (self.addresses is None or value in self.addresses):
                self.counts.append(Count(name, "address", value, hour, grown))
            else:
                self.elsewhere += grown
        self.readings.append(Reading(name, packets, read_at))


def preview(paths: Sequence[Path], plan: Plan, say: Say) -> Iterator[str]:
    """The exact bytes that would leave, one log a line; nothing is sent, fetched or remembered."""
    with opened_alone(plan.url) as store:
        names, addresses = store.listed("name"), store.listed("address")
        if names or addresses:
            run = Counting(plan, store, _listed(names), frozenset(addresses))
        else:
            say("no list is known here, so that every policy is counted: run tocsin zone first")
            run = Counting(plan, store, Listed(None), None)
        run.read(paths)
        before = [
            replace(count, hits=store.hits(count)) for count in {replace(c, hits=0) for c in run.counts}
        ]
        for batch in batches(sorted(run.counts + before)):
            yield msgspec.json.encode(batch).decode()


def tally(paths: Sequence[Path], plan: Plan, key: str, say: Say) -> Result:
    """Count what `paths` show of the exchange's lists, write it to the store, send what waits there."""
    with opened_alone(plan.url) as store:
        fault = _refresh(store, plan, key, say)
        names, addresses = store.listed("name"), store.listed("address")
        if paths and not (names or addresses):
            say("no value ever stood on a list of the exchange: nothing can be counted yet")
        run = Counting(plan, store, _listed(names), frozenset(addresses), store.folder / "tally-rejected")
        run.read(paths if names or addresses else ())
        store.keep(run.known.added, run.counts, run.readings)
        if paths:
            balance = run.balance
            say(
                f"{balance.read:,} lines: {balance.observed:,} blocks, {balance.noise:,} noise, "
                f"{balance.duplicate:,} duplicate, {balance.rejected:,} rejected"
            )
        sent, unknown = 0, 0
        if not fault:
            sent, unknown, fault = _send(store, plan, key)
        return Result(
            connections=sum(count.hits for count in run.counts),
            elsewhere=run.elsewhere,
            sent=sent,
            unknown=unknown,
            waiting=store.waiting(),
            rejected=run.balance.rejected,
            fault=fault,
        )


def batches(counts: Sequence[Count]) -> Iterator[TallyBatch]:
    """Counts as they travel, log by log; `counts` are sorted, and equal keys in them are added up."""
    for name, of_log in groupby(counts, key=lambda count: count.source_id):
        told = []
        for (kind, value, hour), same in groupby(of_log, key=lambda c: (c.kind, c.value, c.hour)):
            start = rfc3339(dt.datetime.fromtimestamp(hour, dt.UTC))
            told.append(Tally(kind, value, start, sum(count.hits for count in same)))
        yield TallyBatch(name, told)


def source_id(path: str, machine: str | None) -> str:
    """A name for a log that outlives its rotation and gives neither its path nor its machine away."""
    if path not in {STDIN, "nftables"}:
        whole = Path(path).absolute()
        path = str(whole.parent / re.sub(r"(?:[.-]\d+)?(?:\.gz)?$", "", whole.name))
    return "source_" + sha256_hex(f"{machine or platform.node()} {path}".encode())[:16]


def _listed(names: dict[str, bool]) -> Listed:
    return Listed(names, (name for name, wild in names.items() if wild))


def _refresh(store: BlockStore, plan: Plan, key: str, say: Say) -> str:
    """Ask what is listed now; gives the fault where the exchange is out of reach."""
    try:
        with calling.client(plan.url, key) as client:
            origin, public = calling.introduced(client, say)
            for name in (zones.NAMES, zones.ADDRESSES):
                zones.refresh(store, client, origin, public, name)
    except Unreachable as problem:
        return problem.detail
    except NotSignedIn as problem:
        # A key may tally without reading lists: `tocsin zone` with another key knows them.
        say(f"the lists were not read: {problem.detail}")
    return ""


def _send(store: BlockStore, plan: Plan, key: str) -> tuple[int, int, str]:
    """Tell what waits, batch by batch; gives how many were taken, how many unknown, and the fault."""
    taken = unknown = 0
    with calling.client(plan.url, key) as client:
        while told := store.pending(BATCH):
            try:
                answer = _post(client, msgspec.json.encode(next(batches(sorted(told)))))
            except Unreachable as problem:
                return taken, unknown, problem.detail
            store.settle(told)
            taken, unknown = taken + answer.taken, unknown + answer.unknown
    return taken, unknown, ""


def _post(client: httpx.Client, body: bytes) -> TallyAnswer:
    headers = {"Content-Type": "application/json"}
    answer = calling.ask(lambda: client.post("/tallies", content=body, headers=headers))
    try:
        return msgspec.json.decode(answer.content, type=TallyAnswer)
    except msgspec.DecodeError as error:
        raise Unreachable(f"the exchange's answer cannot be read: {error}") from None
