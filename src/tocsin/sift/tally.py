"""From groups of matching lines to attacks: merged over blocks and files, judged at the end.

Nothing here depends on the order of blocks or on where a file was cut: a `sign` is weighed against the
verdicts of the whole run, and thresholds are judged after everything was merged.
"""

import datetime as dt
import hashlib
import ipaddress
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from tocsin.kernel.ids import attack_id
from tocsin.sift.attacks import Attacks
from tocsin.sift.findings import Finding
from tocsin.sift.origins import is_address
from tocsin.sift.piles import DAY, MOST_COUNTED, Key, Part, Pile, Piles
from tocsin.sift.relays import relay_of
from tocsin.sift.rulebook import Ruleset, Thresholds
from tocsin.sift.values import Attack, EvidenceLines
from tocsin.wire.report import SEVERITIES

MOST_TOLD = 200_000  # origins of verdicts that a run without end remembers
SAMPLED = 100  # origins that a flood's attack names
_EPOCH = dt.date(1970, 1, 1)


@dataclass
class _Whole:
    """What a run as a whole tells: where verdicts were seen, when serious guessing began, what counts.

    `doubtful` is evidence that counts only in the light of all other: (key, evidence, last seen, lines by
    source). `days` counts attacks by origin, `observed` lines by source, `relayed` lines by kind of relay.
    """

    judged: set[tuple[str, str, str]] = field(default_factory=set)
    guesses: defaultdict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    doubtful: list[tuple[Key, str, int, list[tuple[str, int]]]] = field(default_factory=list)
    counted: set[tuple[Key, str]] = field(default_factory=set)
    won: set[tuple[str, str, str]] = field(default_factory=set)
    days: Counter[str] = field(default_factory=Counter)
    observed: Counter[str] = field(default_factory=Counter)
    relayed: Counter[str] = field(default_factory=Counter)

    def count(self, key: Key, lines: Iterable[tuple[str, int]]) -> None:
        """This is an attack, with so many lines in each source."""
        if key.origin:
            self.days[key.origin] += 1
        for path, number in lines:
            self.observed[path] += number


class Tally:
    """The running sum of a run; `told` holds, by service and kind, the origins of known verdicts."""

    def __init__(self, rules: Ruleset, networks: Iterable[str] = (), piles: Piles | None = None) -> None:
        self._rules = rules
        self._piles = piles if piles is not None else Piles()
        self._added = 0
        self.told: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._networks = [ipaddress.ip_network(text, strict=False) for text in networks]

    def begin_source(self) -> None:
        """Another source begins."""
        self._piles.begin_source()

    def pile(self, key: Key, evidence: str, first: int, last: int) -> Pile:
        """The pile that such evidence belongs to, its times widened."""
        pile, is_new = self._piles.pile(key, evidence, first, last)
        if is_new and evidence == "verdict":
            self.told[key.service, key.kind].add(key.origin)
        return pile

    def restore(self, body: bytes) -> None:
        """Take back a pile that was packed; what it tells is known again."""
        key, evidence = self._piles.restore(body)
        if evidence == "verdict":
            self.told[key.service, key.kind].add(key.origin)

    def forget(self) -> None:
        """For a run without end: remember verdicts of no more origins than there are sums in memory."""
        if sum(map(len, self.told.values())) > MOST_TOLD:
            self.told.clear()
            for key, evidence, _ in self._piles:
                if evidence == "verdict":
                    self.told[key.service, key.kind].add(key.origin)

    def judge_anew(self) -> None:
        """More was read since the attacks were asked for."""
        self.__dict__.pop("_whole", None)

    def put_away(self) -> None:
        """To be called now and then while a long source is read: what is over leaves the memory."""
        self._piles.put_away()

    def add(
        self, finding: Finding, path: str, numbers: list[int], text: bytes, lines: int | None = None
    ) -> None:
        """Take in what a document, record or flow says; `text` are its lines' bytes, each with a newline.

        `lines` says how many they are where `numbers` name only the first of them.
        """
        key = Key(finding.kind, finding.origin, finding.target, finding.service, finding.first // DAY)
        pile = self.pile(key, finding.evidence, finding.first, finding.last)
        pile.count = min(pile.count + max(finding.count, 0), MOST_COUNTED)
        pile.score = min(pile.score + finding.score, MOST_COUNTED)
        pile.severity = max(pile.severity, SEVERITIES.index(finding.severity or "info"))
        pile.solid |= not finding.spoofable
        pile.why, pile.vector = pile.why or finding.why, finding.vector
        pile.lane = finding.lane if finding.lane == "restricted" else pile.lane
        pile.fingerprint = pile.fingerprint or finding.fingerprint
        pile.origin_count = max(pile.origin_count, finding.origin_count)
        pile.measure(finding.measures)
        pile.assume(finding.assumed)
        pile.names.update(finding.names)
        if finding.sample:
            pile.sample = pile.sample or Counter()
            pile.sample.update(dict(finding.sample))
        pile.lines_of(path).add(numbers, text, lines)
        self._added += 1
        if self._added % 5_000 == 0:
            self.put_away()

    def is_told(self, origin: str, service: str, kind: str) -> bool:
        """Whether a verdict of that kind is known of that origin already: no sign of it will ever count."""
        return origin in self.told[service, kind]

    def counting(self) -> Iterator[tuple[Key, str, Pile]]:
        """What is evidence: all verdicts, signs of which no verdict tells, successes after guessing.

        What came by a relay (`relays`) is none: whoever attacked stands behind it.
        """
        whole = self._whole
        for key, evidence, pile in self._piles:
            if evidence == "verdict":
                if not (key.origin and relay_of(key.origin, spoofable=not pile.solid)):
                    yield key, evidence, pile
            elif (key, evidence) in whole.counted:
                yield key, evidence, pile

    @property
    def relayed(self) -> Counter[str]:
        """How many lines name a relay as their origin, by what it is."""
        return self._whole.relayed

    @property
    def observed(self) -> Counter[str]:
        """How many lines are evidence, by source."""
        return self._whole.observed

    @property
    def campaign_count(self) -> int:
        """Of how many origins there is more than one attack."""
        return sum(times > 1 for times in self._whole.days.values())

    @property
    def origin_count(self) -> int:
        """How many origins there are."""
        return len(self._whole.days)

    def attacks(self, wanted: Callable[[Key], bool] | None = None) -> Sequence[Attack]:
        """The attacks, worst first, then by time and id: all of them, or those that are `wanted`."""
        whole, attacks = self._whole, Attacks()
        for key, evidence, pile in self.counting():
            if wanted is None or wanted(key):
                is_won = (key.origin, key.target, key.service) in whole.won
                attacks.add(self._attack(key, evidence, pile, is_won, whole.days[key.origin] > 1))
        return attacks

    @cached_property
    def _whole(self) -> "_Whole":
        """What the run as a whole tells, once everything was read."""
        whole = _Whole()
        for key, evidence, pile in self._piles:
            bounds = self._rules.thresholds(key.service, key.kind)
            if evidence != "success" and bounds and bounds.compromise and pile.score >= bounds.compromise:
                whole.guesses[key.origin, key.target, key.service].append(pile.first)
            if evidence == "verdict":
                whole.judged.add((key.target, key.service, key.kind))
            if key.origin and (what := relay_of(key.origin, spoofable=not pile.solid)):
                whole.relayed[what] += pile.line_count()
            elif evidence == "verdict":
                whole.count(key, pile.line_counts())
            elif evidence == "success" or not self.is_told(key.origin, key.service, key.kind):
                whole.doubtful.append((key, evidence, pile.last, pile.line_counts()))
        self._decide(whole)
        return whole

    def _decide(self, whole: "_Whole") -> None:
        """Which doubtful evidence counts.

        PAM may name a host whose address the daemon's verdict gives: a sign by name alone counts only where
        the target's log holds no verdict of that kind at all. A sign-in counts when guessing came before it.
        """
        for key, evidence, last, lines in whole.doubtful:
            place = (key.origin, key.target, key.service)
            if evidence == "success":
                if not any(first < last for first in whole.guesses[place]):
                    continue
                whole.won.add(place)
            elif (key.target, key.service, key.kind) in whole.judged and not is_address(key.origin):
                continue
            whole.counted.add((key, evidence))
            whole.count(key, lines)

    def _attack(self, key: Key, evidence: str, pile: Pile, won: bool, in_campaign: bool) -> Attack:
        level = max(pile.severity, self._level(key, evidence, pile, won))
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
            evidence=_evidence(pile),
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
            measures=pile.measures,
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


def _evidence(pile: Pile) -> tuple[EvidenceLines, ...]:
    if len(pile.lines) == 1 and not pile.parts:  # as nearly always: nothing to put in order
        [(path, lines)] = pile.lines.items()
        return (EvidenceLines(path, tuple(lines.numbers), lines.count, lines.digest.hexdigest()),)
    return tuple(map(_settled, pile.evidence()))


def _settled(part: Part) -> EvidenceLines:
    numbers = array("I")
    numbers.frombytes(part.numbers)
    return EvidenceLines(part.path, tuple(numbers), part.count, part.digest.hex())


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
    minutes, second = divmod(seconds, 60)
    return f"{_minute(minutes)}:{second:02}Z"


@lru_cache(maxsize=16_384)
def _minute(minutes: int) -> str:
    day, minute = divmod(minutes, 1440)
    return f"{_day(day)[1]}T{minute // 60:02}:{minute % 60:02}"
