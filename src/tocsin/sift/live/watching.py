"""The loop of `tocsin watch`: read what is new, keep what it shows, tell the exchange, again and again."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from tocsin.kernel.problems import Problem
from tocsin.sift import calling, engine, reporting, sending
from tocsin.sift.home import edge_home
from tocsin.sift.live.meters import Meters
from tocsin.sift.live.outlets import Away, Outlet, Outlets
from tocsin.sift.live.settings import Settings
from tocsin.sift.live.state import KeptRegions, LiveState, Step, aged
from tocsin.sift.live.tickets import Answers
from tocsin.sift.live.windows import Followable
from tocsin.sift.piles import Key, Piles
from tocsin.sift.rejects import Kept
from tocsin.sift.rulebook import Ruleset, ruleset
from tocsin.sift.spool import Spool, today
from tocsin.sift.values import Attack
from tocsin.sift.values import Source as LogSource
from tocsin.wire.report import Report

WINDOW = 4 << 20  # bytes that one source may give before another is asked
AT_ONCE = 64 << 20  # bytes read before what they show is written down
IDLE = 0.25  # seconds between looks at sources that have nothing new
MOST_OPEN = 20_000  # sums in memory; the others are fetched when they grow again
AGAIN = 2.0  # seconds until a disk that took nothing is asked again
MOST_SHOWN = 100
BEAT = 15.0  # seconds between signs of life
PATIENCE = (5.0, 15.0, 60.0, 300.0)  # seconds until an exchange out of reach is asked again
Say = Callable[[str], None]


class CannotWrite(Problem):
    """What was found cannot be written down."""

    slug = "cannot-write"
    hint = "make room on the disk; nothing is lost: it is read again"


class Watch:
    """One running watch over a spool that it alone holds."""

    def __init__(
        self,
        settings: Settings,
        spool: Spool,
        sources: Sequence[Followable] = (),
        *,
        key: str = "",
        say: Say = lambda _: None,
        fresh: Callable[[], Sequence[Followable]] = tuple,
        outlets: Sequence[Outlet] = (),
        answers: Answers | None = None,
        rules: Ruleset | None = None,
    ) -> None:
        self.settings = settings
        self.meters = Meters(to=settings.to)
        self._spool, self._sources, self._key, self._say = spool, list(sources), key, say
        self._fresh = fresh
        self._outlets, self._answers = Outlets(spool.db, outlets), answers
        self._state = LiveState(spool)
        self._piles = Piles(lasting=True, fetch=lambda key: self._state.pile(_name(key)))
        self._rejects = Kept()
        self._known = KeptRegions(spool)
        self._run = engine.Run(
            options_of(settings),
            piles=self._piles,
            rejects=self._rejects,
            rules=rules or ruleset(),
            known=self._known,
        )
        for body in self._state.piles(MOST_OPEN):
            self._run.tally.restore(body)
        self._logs = {source.source_id: source for source in self._state.sources()}
        self._counts = {"read": 0, "observed": 0, "rejected": 0, "duplicate": 0, **self._state.counts()}
        self._step: Step | None = None  # what the disk did not take yet
        self._uncommitted = 0
        self._committed_at = self._asked_at = time.monotonic()
        self._told_at = self._beat_at = float("-inf")
        self._lost: dict[str, int] = {}
        self._failures, self._day = 0, today()
        self._plan = reporting.Plan(
            url=settings.to, networks=settings.networks, least=settings.least, kept_days=settings.kept_days
        )

    def run(self, stop: Callable[[], bool], seen: Callable[[Meters], None] = lambda _: None) -> None:
        """Watch until `stop` says so; `seen` is told the meters after every round."""
        try:
            self._measure(())
            while not stop():
                busy = self.round()
                seen(self.meters)
                if not busy:
                    time.sleep(IDLE)
            if self.commit():
                self.send()
                self.tell()
        finally:
            self.close()

    def close(self) -> None:
        """Let the sources go."""
        for source in self._sources:
            source.close()
        self._run.close()

    def round(self) -> bool:
        """Read what is new, write it down and send when it is time; whether there was anything."""
        at = time.monotonic()
        if self._step is not None and at - self._committed_at < AGAIN:
            return False
        busy = self._step is None and self._gather()
        if self._is_due(at):
            self.commit()
        if self.settings.to and at - self._asked_at >= self._patience() and self._spool.pending(1):
            self.send()
        if at - self._told_at >= self.settings.every:
            self.tell()
        self.meters.backlog = sum(source.backlog() for source in self._sources)
        if at - self._beat_at >= BEAT:
            self._beat_at = at
            self.meters.keep(self._spool.folder)
        return busy

    def drain(self) -> None:
        """Read everything that is there, write it down and send it. Raises CannotWrite."""
        while self._gather() or self._is_behind():
            if self._uncommitted >= AT_ONCE:
                self._must_commit()
        self._must_commit()
        self.send()
        self.tell()
        self.meters.keep(self._spool.folder)

    def tell(self) -> None:
        """Tell SIEM and tickets what waits for them."""
        self._told_at = time.monotonic()
        try:
            self._outlets.tell()
            if self._answers is not None and self._answers.due():
                with calling.client(self.settings.to, self._key) as client:
                    self._answers.read(client)
        except Away as problem:
            self._outlets.fault = problem.detail
        except (sqlite3.OperationalError, OSError) as error:
            self._outlets.fault = str(error)
        if self._outlets.fault and self._outlets.fault != self.meters.outlet_fault:
            self._say(f"not told: {self._outlets.fault}; what waits is kept")
        self.meters.outlet_fault, self.meters.untold = self._outlets.fault, self._outlets.waiting()

    def commit(self) -> bool:
        """Write down how far was read, what was found, and what is to be told: all or nothing.

        False where the disk takes nothing: then the same is tried again, and nothing is read meanwhile.
        """
        if self._step is None:
            self._step = self._next_step()
        self._committed_at = time.monotonic()
        try:
            self._state.keep(self._step)
        except (sqlite3.OperationalError, OSError) as error:
            if not self.meters.disk_fault:
                self._say(f"nothing can be written down: {error}; nothing is read until it can")
            self.meters.disk_fault = str(error)
            return False
        attacks, self._step = self._step.attacks, None
        self.meters.disk_fault, self.meters.committed_at = "", time.time()
        for source in self._sources:
            source.settled()
        for source in [source for source in self._sources if source.is_gone()]:
            source.close()
            self._sources.remove(source)
        self._piles.evict(MOST_OPEN)
        self._run.forget()
        self._uncommitted = 0
        self._let_go()
        self._measure(attacks)
        return True

    def _let_go(self) -> None:
        """Once a day, as whoever opens a spool does: what is over leaves it; a disk that is full waits."""
        if self._day == today():
            return
        with suppress(sqlite3.OperationalError):
            self._spool.let_go()
            self._day = today()

    def _must_commit(self) -> None:
        if not self.commit():
            raise CannotWrite(f"what was found cannot be written down: {self.meters.disk_fault}")

    def _next_step(self) -> Step:
        """Everything that came to light since the last step."""
        touched = self._piles.touched or set()
        self._run.tally.judge_anew()
        attacks = list(self._changed(touched))
        for log in self._run.logs:
            self._logs[log.source_id] = _widened(self._logs.get(log.source_id), log)
        rejected = self._rejects.take()
        self._counts["read"] += self._run.take_count()
        self._counts["rejected"] += len(rejected)
        balance = self._run.balance
        self._counts["duplicate"] += balance.duplicate
        for reason in [reason for reason in balance.reasons if reason.startswith(engine.FAULT)]:
            self._say(f"{reason}; tocsin replay reads it again when that is mended")
        balance.duplicate = 0
        age = aged(self._counts, int(time.time()))
        step = Step(
            places={source.name: place for source in self._sources if (place := source.place()) is not None},
            piles=[(_name(key), self._piles.packed(key)) for key in touched],
            sources=[self._logs[log.source_id] for log in self._run.logs],
            counts=dict(self._counts),
            attacks=attacks,
            reports=list(self._reports(attacks)),
            rejected=rejected,
            regions=self._known.take(),
            at=age,
            also=lambda: self._outlets.add(attacks),
        )
        self._run.logs.clear()
        return step

    def send(self) -> None:
        """Tell the exchange what waits; while it is out of reach, everything stays in the spool."""
        self._asked_at = time.monotonic()
        if not self.settings.to:
            return
        try:
            answer = sending.send(self._spool, self.settings.to, self._key, self._say, patience=())
        except Problem as problem:
            self._fail(problem.detail)
            return
        except (sqlite3.OperationalError, OSError, ValueError) as error:  # a full disk; an answer of nonsense
            self._fail(str(error))
            return
        self.meters.sent += answer.sent
        self.meters.refused += answer.refused
        self.meters.pending = self._spool.waiting()
        if answer.fault:
            self._fail(answer.fault)
            return
        if self._failures:
            self._say("the exchange answers again")
        self._failures, self.meters.fault = 0, ""

    def _gather(self) -> bool:
        busy = False
        if fresh := self._fresh():
            self._sources += fresh
            # Where they stand, before a line is read: they may be rotated and we killed.
            if not self.commit():
                return False  # what a line shows would not be in the step that waits for the disk
        for source in self._sources:
            window = source.read(WINDOW)
            if window is None:
                continue
            busy = True
            self._run.options = source.options
            try:
                window.read_into(self._run)
            except Problem as problem:  # a folder that takes nothing, say: what it was about is kept here
                self._run.reject_whole(window, problem.detail)
            self._uncommitted += max(len(window.content), 1)
            self.meters.bytes_read += len(window.content)
        self._look_at_sources()
        return busy

    def _look_at_sources(self) -> None:
        """Which sources cannot be read, or lost something; each is said once."""
        faults = {source.name: source.fault for source in self._sources if source.fault}
        for name, fault in faults.items():
            if self.meters.source_faults.get(name) != fault:
                self._say(f"{name}: {fault}")
        for name in self.meters.source_faults.keys() - faults.keys():
            self._say(f"{name}: is read again")
        self.meters.source_faults, self.meters.source_count = faults, len(self._sources)
        for source in self._sources:
            if source.lost > self._lost.get(source.name, 0):
                self.meters.gaps += source.lost - self._lost.get(source.name, 0)
                self._lost[source.name] = source.lost
                self._say(f"{source.name}: something is missing: its rotated files do not hold what was next")
        for said in self.meters.look(self._sources):
            self._say(said)

    def _is_behind(self) -> bool:
        if behind := any(source.is_behind() for source in self._sources):
            time.sleep(IDLE / 5)
        return behind

    def _is_due(self, at: float) -> bool:
        if self._step is not None or self._uncommitted >= AT_ONCE:
            return True
        return self._uncommitted > 0 and at - self._committed_at >= self.settings.every

    def _reports(self, attacks: Sequence[Attack]) -> Iterator[Report]:
        """What the exchange is to be told; of the logs, those that the evidence is from."""
        if self.settings.to:
            named = {part.path for attack in attacks for part in attack.evidence}
            held = [log for log in self._logs.values() if log.path in named]
            yield from reporting.reports(attacks, held, self._plan, self._spool)

    def _changed(self, touched: set[tuple[Key, str]]) -> Iterator[Attack]:
        """The attacks that tell more than they did."""
        origins = {key.origin or key.target for key, _ in touched}
        if not origins:
            return
        attacks = self._run.tally.attacks(lambda key: (key.origin or key.target) in origins)
        for attack in attacks:
            before = self._spool.attack(attack.attack_id)
            if before is None or (before.count, before.severity) != (attack.count, attack.severity):
                self._counts["observed"] += _lines(attack) - (_lines(before) if before else 0)
                yield attack

    def _measure(self, attacks: Iterable[Attack]) -> None:
        meters, counts = self.meters, self._counts
        meters.observed, meters.rejected = counts["observed"], counts["rejected"]
        meters.lines = counts["read"] + counts["rejected"] + counts["duplicate"]
        meters.open_attacks = len(self._piles)
        meters.pending = self._spool.waiting()
        newest = {attack.attack_id: attack for attack in (*meters.newest, *attacks)}
        meters.newest = sorted(newest.values(), key=_weight, reverse=True)[:MOST_SHOWN]

    def _patience(self) -> float:
        if not self._failures:
            return self.settings.every
        return PATIENCE[min(self._failures, len(PATIENCE)) - 1]

    def _fail(self, detail: str) -> None:
        if not self._failures:
            self._say(f"nothing was sent: {detail}; what waits is kept")
        self._failures += 1
        self.meters.fault = detail


def options_of(settings: Settings) -> engine.Options:
    """How every source is sifted, unless it says more."""
    return engine.Options(networks=settings.networks, unrecognised=edge_home() / "unrecognised")


def _weight(attack: Attack) -> tuple[bool, str]:
    """What a person looks at first: what is more than a slip, then what is newest."""
    return attack.severity != "info", attack.last_seen_at


def _widened(before: LogSource | None, now: LogSource) -> LogSource:
    if before is None:
        return now
    return replace(
        now,
        period_from=min(before.period_from, now.period_from),
        period_to=max(before.period_to, now.period_to),
    )


def _lines(attack: Attack) -> int:
    return sum(part.line_count for part in attack.evidence)


def _name(key: tuple[Key, str]) -> str:
    return "\x1f".join((*map(str, key[0]), key[1]))
