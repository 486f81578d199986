"""The loop of `tocsin watch`: read what is new, keep what it shows, tell the exchange, again and again."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from tocsin.kernel.problems import BadInput, NotSignedIn, Problem
from tocsin.sift import calling, engine, reporting, sending
from tocsin.sift.live.outlets import Away, Outlet, Outlets
from tocsin.sift.live.settings import Settings
from tocsin.sift.live.state import LiveState, Step
from tocsin.sift.live.tickets import Answers
from tocsin.sift.live.windows import Window
from tocsin.sift.piles import Key, Piles
from tocsin.sift.rejects import Kept
from tocsin.sift.spool import Spool
from tocsin.sift.values import Attack
from tocsin.sift.values import Source as LogSource

WINDOW = 4 << 20  # bytes that one source may give before another is asked
AT_ONCE = 64 << 20  # bytes read before what they show is written down
IDLE = 0.25  # seconds between looks at sources that have nothing new
MOST_OPEN = 20_000  # sums in memory; the others are fetched when they grow again
PATIENCE = (5.0, 15.0, 60.0, 300.0)  # seconds until an exchange out of reach is asked again
Say = Callable[[str], None]


class Followable(Protocol):
    """A source that goes on: it gives windows, and says where it stands."""

    name: str
    options: engine.Options

    def read(self, budget: int) -> Window | None:
        """The next whole lines, or None when there is nothing new."""

    def place(self) -> bytes | None:
        """Where it stands after the last window, to be kept."""

    def settled(self) -> None:
        """All that was given is kept: what only served to be read again may go."""

    def backlog(self) -> int:
        """How many bytes wait."""

    def close(self) -> None:
        """Stop."""


@dataclass
class Meters:
    """What a person or a program may want to see of a running watch."""

    started: float = field(default_factory=time.monotonic)
    bytes_read: int = 0
    lines: int = 0
    observed: int = 0
    rejected: int = 0
    backlog: int = 0
    open_attacks: int = 0
    pending: int = 0
    sent: int = 0
    refused: int = 0
    fault: str = ""
    untold: int = 0
    outlet_fault: str = ""
    newest: list[Attack] = field(default_factory=list)
    rate: float = 0.0


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
    ) -> None:
        self.settings = settings
        self.meters = Meters()
        self._spool, self._sources, self._key, self._say = spool, list(sources), key, say
        self._fresh = fresh
        self._outlets, self._answers = Outlets(spool.db, outlets), answers
        self._state = LiveState(spool)
        self._piles = Piles(lasting=True, fetch=lambda key: self._state.pile(_name(key)))
        self._rejects = Kept()
        self._run = engine.Run(
            engine.Options(networks=settings.networks), piles=self._piles, rejects=self._rejects
        )
        for body in self._state.piles(MOST_OPEN):
            self._run.tally.restore(body)
        self._logs = {source.source_id: source for source in self._state.sources()}
        self._counts = {"read": 0, "observed": 0, "rejected": 0, **self._state.counts()}
        self._uncommitted = 0
        self._committed_at = self._asked_at = time.monotonic()
        self._told_at = 0.0
        self._failures = 0
        self._plan = reporting.Plan(
            url=settings.to, networks=settings.networks, least=settings.least, kept_days=settings.kept_days
        )

    def run(self, stop: Callable[[], bool], seen: Callable[[Meters], None] = lambda _: None) -> None:
        """Watch until `stop` says so; `seen` is told the meters after every round."""
        try:
            while not stop():
                busy = self.round()
                seen(self.meters)
                if not busy:
                    time.sleep(IDLE)
            self.commit()
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
        busy = self._gather()
        at = time.monotonic()
        if self._uncommitted >= AT_ONCE or (self._uncommitted and at - self._committed_at >= self._pause()):
            self.commit()
        if self.settings.to and at - self._asked_at >= self._patience() and self._spool.pending(1):
            self.send()
        if at - self._told_at >= self.settings.every:
            self.tell()
        self.meters.backlog = sum(source.backlog() for source in self._sources)
        return busy

    def drain(self) -> None:
        """Read everything that is there, write it down and send it."""
        while self._gather():
            if self._uncommitted >= AT_ONCE:
                self.commit()
        self.commit()
        self.send()
        self.tell()

    def tell(self) -> None:
        """Tell SIEM and tickets what waits for them."""
        self._told_at = time.monotonic()
        self._outlets.tell()
        if self._answers is not None and self._answers.due():
            try:
                with calling.client(self.settings.to, self._key) as client:
                    self._answers.read(client)
            except Away as problem:
                self._outlets.fault = problem.detail
        if self._outlets.fault and self._outlets.fault != self.meters.outlet_fault:
            self._say(f"not told: {self._outlets.fault}; what waits is kept")
        self.meters.outlet_fault, self.meters.untold = self._outlets.fault, self._outlets.waiting()

    def commit(self) -> None:
        """Write down how far was read, what was found, and what is to be told: all or nothing."""
        touched = self._piles.touched or set()
        self._run.tally.judge_anew()
        attacks = list(self._changed(touched))
        for log in self._run.logs:
            self._logs[log.source_id] = _widened(self._logs.get(log.source_id), log)
        self._counts["read"] += self._run.take_count()
        rejected = self._rejects.take()
        self._counts["rejected"] += len(rejected)
        places = {source.name: place for source in self._sources if (place := source.place()) is not None}
        self._state.keep(
            Step(
                places=places,
                piles=[(_name(key), self._piles.packed(key)) for key in touched],
                sources=[self._logs[log.source_id] for log in self._run.logs],
                counts=self._counts,
                attacks=attacks,
                reports=list(reporting.reports(attacks, list(self._logs.values()), self._plan, self._spool)),
                rejected=rejected,
                at=int(time.time()),
                also=lambda: self._outlets.add(attacks),
            )
        )
        for source in self._sources:
            source.settled()
        self._run.logs.clear()
        self._piles.evict(MOST_OPEN)
        self._uncommitted, self._committed_at = 0, time.monotonic()
        self._measure(attacks)

    def send(self) -> None:
        """Tell the exchange what waits; while it is out of reach, everything stays in the spool."""
        self._asked_at = time.monotonic()
        if not self.settings.to:
            return
        try:
            answer = sending.send(self._spool, self.settings.to, self._key, self._say, patience=())
        except (NotSignedIn, BadInput) as problem:
            self._fail(problem.detail)
            return
        self.meters.sent += answer.sent
        self.meters.refused += answer.refused
        self.meters.pending = self._spool.counts()["pending"]
        if answer.fault:
            self._fail(answer.fault)
        else:
            self._failures, self.meters.fault = 0, ""

    def _gather(self) -> bool:
        busy = False
        if fresh := self._fresh():
            self._sources += fresh
            self.commit()  # where they stand, before a line is read: they may be rotated and we killed
        for source in self._sources:
            try:
                window = source.read(WINDOW)
            except Problem as problem:
                self.meters.fault = problem.detail
                continue
            if window is None:
                continue
            busy = True
            self._run.options = source.options
            self._run.read(window)
            self._uncommitted += max(len(window.content), 1)
            self.meters.bytes_read += len(window.content)
        return busy

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

    def _measure(self, attacks: Sequence[Attack]) -> None:
        meters, counts = self.meters, self._counts
        meters.observed, meters.rejected = counts["observed"], counts["rejected"]
        meters.lines = counts["read"] + counts["rejected"]
        meters.open_attacks = len(self._piles)
        meters.pending = self._spool.counts()["pending"]
        newest = {attack.attack_id: attack for attack in (*meters.newest, *attacks)}
        meters.newest = sorted(newest.values(), key=lambda attack: attack.last_seen_at, reverse=True)[:20]

    def _pause(self) -> float:
        return self.settings.every

    def _patience(self) -> float:
        if not self._failures:
            return self.settings.every
        return PATIENCE[min(self._failures, len(PATIENCE)) - 1]

    def _fail(self, detail: str) -> None:
        if not self._failures:
            self._say(f"nothing was sent: {detail}; what waits is kept")
        self._failures += 1
        self.meters.fault = detail


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
