"""From groups of matching lines to attacks: merged over blocks and files, judged at the end.

Nothing here depends on the order of blocks or on where a file was cut: a `sign` is weighed against the
verdicts of the whole run, and thresholds are judged after everything was merged.
"""

import datetime as dt
import hashlib
import ipaddress
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from tocsin.kernel.ids import attack_id
from tocsin.sift.findings import Finding
from tocsin.sift.origins import is_address
from tocsin.sift.relays import relay_of
from tocsin.sift.rulebook import Ruleset, Thresholds
from tocsin.sift.values import Attack, EvidenceLines
from tocsin.wire.report import Lane, Severity

MOST_LINES = 10_000
SAMPLED = 100  # origins that a flood's attack names
DAY = 86_400
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")
_EPOCH = dt.date(1970, 1, 1)


class Key(NamedTuple):
    """What makes two observations one attack; `day` counts from 1970-01-01, UTC.

    A flood has no origin; its vector stands in the place of the service.
    """

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
    solid: bool = False
    lane: Lane = "ordinary"
    why: str = ""
    vector: str = ""
    fingerprint: str = ""
    origin_count: int = 0
    sample: Counter[str] | None = None
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
    """The running sum of a run; `told` holds, by service and kind, the origins of known verdicts."""

    def __init__(self, rules: Ruleset, networks: Iterable[str] = ()) -> None:
        self._rules = rules
        self._piles: dict[tuple[Key, str], Pile] = {}
        self.told: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._networks = [ipaddress.ip_network(text, strict=False) for text in networks]

    def pile(self, key: Key, evidence: str, first: int, last: int) -> Pile:
        """The pile that such evidence belongs to, its times widened."""
        pile = self._piles.get((key, evidence))
        if pile is None:
            pile = self._piles[key, evidence] = Pile(first, last)
            if evidence == "verdict":
                self.told[key.service, key.kind].add(key.origin)
            return pile
        if first < pile.first:
            pile.first = first
        if last > pile.last:
            pile.last = last
        return pile

    def add(self, finding: Finding, path: str, numbers: list[int], text: bytes) -> None:
        """Take in what a document, record or flow says; `text` are its lines' bytes, each with a newline."""
        service = finding.vector or finding.service
        key = Key(finding.kind, finding.origin, finding.target, service, finding.first // DAY)
        pile = self.pile(key, "verdict", finding.first, finding.last)
        pile.count += finding.count
        pile.score += finding.score
        pile.severity = max(pile.severity, SEVERITIES.index(finding.severity or "info"))
        pile.solid |= not finding.spoofable
        pile.why, pile.vector = pile.why or finding.why, finding.vector
        pile.lane = finding.lane if finding.lane == "restricted" else pile.lane
        pile.fingerprint = pile.fingerprint or finding.fingerprint
        pile.origin_count = max(pile.origin_count, finding.origin_count)
        pile.assume(finding.assumed)
        pile.names.update(finding.names)
        if finding.sample:
            pile.sample = pile.sample or Counter()
            pile.sample.update(dict(finding.sample))
        pile.lines_of(path).add(numbers, text)

    def relayed(self) -> Counter[str]:
        """How many lines name a relay as their origin, by what it is."""
        lines: Counter[str] = Counter()
        for (key, _), pile in self._piles.items():
            if key.origin and (what := relay_of(key.origin, spoofable=not pile.solid)):
                lines[what] += pile.line_count()
        return lines

    def is_told(self, origin: str, service: str, kind: str) -> bool:
        """Whether a verdict of that kind is known of that origin already: no sign of it will ever count."""
        return origin in self.told[service, kind]

    def counting(self) -> Iterator[tuple[Key, str, Pile]]:
        """What is evidence: all verdicts, signs of which no verdict tells, successes after guessing.

        What came by a relay (`relays`) is none: whoever attacked stands behind it.

        PAM may name a host whose address the daemon's verdict gives: a sign by name alone counts only where
        the target's log holds no verdict of that kind at all.
        """
        judged = {
            (key.target, key.service, key.kind) for key, evidence in self._piles if evidence == "verdict"
        }
        guesses = self._guesses()
        for (key, evidence), pile in self._piles.items():
            if key.origin and relay_of(key.origin, spoofable=not pile.solid):
                continue
            if evidence == "sign" and (
                self.is_told(key.origin, key.service, key.kind)
                or ((key.target, key.service, key.kind) in judged and not is_address(key.origin))
            ):
                continue
            if evidence == "success" and not any(
                first < pile.last for first in guesses[key.origin, key.target, key.service]
            ):
                continue
            yield key, evidence, pile

    def _guesses(self) -> defaultdict[tuple[str, str, str], list[int]]:
        """When serious guessing began, by origin, target and service."""
        began: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
        for (key, evidence), pile in self._piles.items():
            bounds = self._rules.thresholds(key.service, key.kind)
            if evidence != "success" and bounds and bounds.compromise and pile.score >= bounds.compromise:
                began[key.origin, key.target, key.service].append(pile.first)
        return began

    def attacks(self) -> tuple[list[Attack], int]:
        """All attacks, worst first, then by time and id; and how many lines are their evidence.

        To be asked once: what an attack was made from is let go, or both would be in memory.
        """
        counting = list(self.counting())
        observed = sum(pile.line_count() for _, _, pile in counting)
        won = {
            (key.origin, key.target, key.service) for key, evidence, _ in counting if evidence == "success"
        }
        days: defaultdict[str, int] = defaultdict(int)
        for key, _, _ in counting:
            days[key.origin] += bool(key.origin)
        attacks = [
            self._attack(
                key, evidence, pile, (key.origin, key.target, key.service) in won, days[key.origin] > 1
            )
            for key, evidence, pile in counting
        ]
        attacks.sort(key=lambda a: (-SEVERITIES.index(a.severity), -a.count, a.first_seen_at, a.attack_id))
        return attacks, observed

    def _attack(self, key: Key, evidence: str, pile: Pile, won: bool, in_campaign: bool) -> Attack:
        level = max(pile.severity, self._level(key, evidence, pile, won))
        found, pile.lines = pile.lines, {}
        origins = (key.origin,) if key.origin else _sampled(pile)
        own = self._own(origins, key.target)
        return Attack(
            attack_id=attack_id(key.kind, key.origin, key.target, key.service, _day(key.day)[0]),
            kind=key.kind,
            origins=origins,
            targets=(key.target,),
            service=key.service,
            first_seen_at=_instant(pile.first),
            last_seen_at=_instant(pile.last),
            count=pile.count,
            severity=SEVERITIES[level],
            evidence=tuple(
                EvidenceLines(path, tuple(lines.numbers), lines.count, lines.digest.hexdigest())
                for path, lines in sorted(found.items())
            ),
            campaign=campaign_id(key.origin) if in_campaign and key.origin else "",
            lane=pile.lane,
            why=pile.why or self._rules.rules[pile.rule].why,
            assumed=pile.assumed,
            own=own,
            score=pile.score,
            names=tuple(sorted(pile.names)),
            spoofable=not pile.solid,
            vector=pile.vector,
            fingerprint=pile.fingerprint,
            origin_count=pile.origin_count if not key.origin else 0,
            direction=self._direction(own),
        )

    def _level(self, key: Key, evidence: str, pile: Pile, won: bool) -> int:
        bounds = self._rules.thresholds(key.service, key.kind)
        if evidence == "success":
            return SEVERITIES.index("high")
        if won and bounds and bounds.compromise and pile.score >= bounds.low:
            return SEVERITIES.index("high")
        return level_of(bounds, pile.score)

    def _own(self, origins: tuple[str, ...], target: str) -> tuple[str, ...]:
        """Which sides are the provider's own; a flood's sample of origins is nobody's word."""
        if not self._networks:
            return ()
        origin = origins[0] if len(origins) == 1 else ""
        return tuple(
            side for side, name in (("origin", origin), ("target", target)) if name and self._is_ours(name)
        )

    def _direction(self, own: tuple[str, ...]) -> str:
        if not self._networks:
            return ""
        if len(own) == 2:
            return "inside"
        return {(): "passing through", ("origin",): "from us", ("target",): "on us"}[own]

    def _is_ours(self, name: str) -> bool:
        if not is_address(name):
            return False
        address = ipaddress.ip_address(name)
        return any(address in network for network in self._networks if network.version == address.version)


def level_of(bounds: Thresholds | None, score: int) -> int:
    """The severity, as its place in `SEVERITIES`, that a score earns: `info`, `low` or `medium`."""
    return 0 if bounds is None else (score >= bounds.low) + (score >= bounds.medium)


def _sampled(pile: Pile) -> tuple[str, ...]:
    """The addresses that a flood seemed to come from most, at most `SAMPLED` of them."""
    seen = sorted(
        (
            (address, count)
            for address, count in (pile.sample or Counter()).items()
            if not relay_of(address, spoofable=False)
        ),
        key=lambda item: (-item[1], item[0]),
    )
    return tuple(address for address, _ in seen[:SAMPLED])


@lru_cache(maxsize=4096)
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
