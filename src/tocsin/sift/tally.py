"""From groups of matching lines to attacks: merged over blocks and files, judged at the end.

Nothing here depends on the order of blocks or on where a file was cut: a `sign` is weighed against the
verdicts of the whole run, and thresholds are judged after everything was merged.
"""

import datetime as dt
import hashlib
import ipaddress
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from tocsin.kernel.ids import attack_id
from tocsin.sift.origins import is_address
from tocsin.sift.rulebook import Rulebook
from tocsin.sift.values import Attack, EvidenceLines
from tocsin.wire.report import Lane, Severity

MOST_LINES = 10_000
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")
_EPOCH = dt.date(1970, 1, 1)


class Key(NamedTuple):
    """What makes two observations one attack; `day` counts from 1970-01-01, UTC."""

    kind: str
    origin: str
    target: str
    service: str
    day: int


class Lines:
    """The matching lines of one attack in one source: their numbers (capped) and their digest."""

    __slots__ = ("count", "digest", "numbers")

    def __init__(self) -> None:
        self.numbers = array("Q")
        self.count = 0
        self.digest = hashlib.sha256()

    def add(self, numbers: list[int], text: bytes) -> None:
        """Further lines in ascending order; `text` is their bytes, each ended by a newline."""
        if len(self.numbers) < MOST_LINES:
            self.numbers.fromlist(numbers)
            del self.numbers[MOST_LINES:]
        self.count += len(numbers)
        self.digest.update(text)


@dataclass(slots=True)
class Pile:
    """Everything of one key and one strength of evidence."""

    first: int
    last: int
    count: int = 0
    score: int = 0
    rule: int = 1 << 15
    severity: int = 0
    lane: Lane = "ordinary"
    why: str = ""
    assumed: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    lines: dict[str, Lines] = field(default_factory=dict)

    def lines_of(self, path: str) -> Lines:
        """The lines in one source."""
        if path not in self.lines:
            self.lines[path] = Lines()
        return self.lines[path]

    def assume(self, told: dict[str, str]) -> None:
        """Record what was settled; where sources differ, both are named."""
        if not self.assumed:
            self.assumed = told
        elif told != self.assumed:
            self.assumed = {
                name: "; ".join(sorted({*self.assumed.get(name, reason).split("; "), reason}))
                for name, reason in (self.assumed | told).items()
            }

    def line_count(self) -> int:
        """How many lines, whatever they count for."""
        return sum(lines.count for lines in self.lines.values())


class Tally:
    """The running sum of a run."""

    def __init__(self, book: Rulebook, networks: Iterable[str] = ()) -> None:
        self._book = book
        self._piles: dict[tuple[Key, str], Pile] = {}
        self._told: set[tuple[str, str]] = set()
        self._networks = [ipaddress.ip_network(text, strict=False) for text in networks]

    def pile(self, key: Key, evidence: str, first: int, last: int) -> Pile:
        """The pile that such evidence belongs to, its times widened."""
        pile = self._piles.get((key, evidence))
        if pile is None:
            pile = self._piles[key, evidence] = Pile(first, last)
            if evidence == "verdict":
                self._told.add((key.origin, key.kind))
            return pile
        if first < pile.first:
            pile.first = first
        if last > pile.last:
            pile.last = last
        return pile

    def is_told(self, origin: str, kind: str) -> bool:
        """Whether a verdict of that kind is known of that origin already: no sign of it will ever count."""
        return (origin, kind) in self._told

    def counting(self) -> Iterator[tuple[Key, str, Pile]]:
        """What is evidence: all verdicts, signs of which no verdict tells, successes after guessing.

        PAM may name a host whose address the daemon's verdict gives: a sign by name alone counts only where
        the target's log holds no verdict of that kind at all.
        """
        judged = {(key.target, key.kind) for key, evidence in self._piles if evidence == "verdict"}
        guesses = self._guesses()
        for (key, evidence), pile in self._piles.items():
            if evidence == "sign" and (
                self.is_told(key.origin, key.kind)
                or ((key.target, key.kind) in judged and not is_address(key.origin))
            ):
                continue
            if evidence == "success" and not any(
                first < pile.last for first in guesses[key.origin, key.target]
            ):
                continue
            yield key, evidence, pile

    def _guesses(self) -> defaultdict[tuple[str, str], list[int]]:
        """When serious guessing began, by origin and target."""
        began: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for (key, evidence), pile in self._piles.items():
            bounds = self._book.thresholds.get(key.kind)
            if evidence != "success" and bounds and bounds.compromise and pile.score >= bounds.compromise:
                began[key.origin, key.target].append(pile.first)
        return began

    def attacks(self) -> tuple[list[Attack], int]:
        """All attacks, worst first, then by time and id; and how many lines are their evidence."""
        counting = list(self.counting())
        won = {
            (key.origin, key.target, key.service) for key, evidence, _ in counting if evidence == "success"
        }
        days: defaultdict[str, int] = defaultdict(int)
        for key, _, _ in counting:
            days[key.origin] += 1
        attacks = [
            self._attack(
                key, evidence, pile, (key.origin, key.target, key.service) in won, days[key.origin] > 1
            )
            for key, evidence, pile in counting
        ]
        attacks.sort(key=lambda a: (-SEVERITIES.index(a.severity), -a.count, a.first_seen_at, a.attack_id))
        return attacks, sum(pile.line_count() for _, _, pile in counting)

    def _attack(self, key: Key, evidence: str, pile: Pile, won: bool, in_campaign: bool) -> Attack:
        level = max(pile.severity, self._level(key, evidence, pile, won))
        return Attack(
            attack_id=attack_id(key.kind, key.origin, key.target, key.service, _day(key.day)[0]),
            kind=key.kind,
            origins=(key.origin,),
            targets=(key.target,),
            service=key.service,
            first_seen_at=_instant(pile.first),
            last_seen_at=_instant(pile.last),
            count=pile.count,
            severity=SEVERITIES[level],
            evidence=tuple(
                EvidenceLines(path, tuple(lines.numbers), lines.count, lines.digest.hexdigest())
                for path, lines in sorted(pile.lines.items())
            ),
            campaign=campaign_id(key.origin) if in_campaign else "",
            lane=pile.lane,
            why=pile.why or self._book.rules[pile.rule].why,
            assumed=pile.assumed,
            own=self._own(key),
            score=pile.score,
            names=tuple(sorted(pile.names)),
        )

    def _level(self, key: Key, evidence: str, pile: Pile, won: bool) -> int:
        if pile.rule >= len(self._book.rules):
            return 0
        if evidence == "success":
            return SEVERITIES.index("high")
        bounds = self._book.thresholds[key.kind]
        if won and bounds.compromise and pile.score >= bounds.low:
            return SEVERITIES.index("high")
        return (pile.score >= bounds.low) + (pile.score >= bounds.medium)

    def _own(self, key: Key) -> tuple[str, ...]:
        if not self._networks:
            return ()
        sides = (("origin", key.origin), ("target", key.target))
        return tuple(side for side, name in sides if self._is_ours(name))

    def _is_ours(self, name: str) -> bool:
        if not is_address(name):
            return False
        address = ipaddress.ip_address(name)
        return any(address in network for network in self._networks if network.version == address.version)


def campaign_id(origin: str) -> str:
    """The name of all that one origin did: the same in every run."""
    return "campaign_" + hashlib.sha256(origin.encode()).hexdigest()[:32]


@lru_cache(maxsize=4096)
def _day(day: int) -> tuple[dt.date, str]:
    date = _EPOCH + dt.timedelta(days=day)
    return date, date.isoformat()


def _instant(seconds: int) -> str:
    """RFC 3339; by hand, because there are two for every attack."""
    minutes, second = divmod(seconds % 86_400, 60)
    return f"{_day(seconds // 86_400)[1]}T{minutes // 60:02}:{minutes % 60:02}:{second:02}Z"
