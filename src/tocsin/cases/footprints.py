"""Whom an attacker met, when and how hard: its footprint, and what two footprints in common say.

Two origins that were met by the same members on the same days, each with about as many attempts, are likely
one campaign's. How likely is reckoned against chance: an attacker that chooses members by itself, the much
visited ones sooner, would share some of them with anybody. What everybody sees shares everybody, so that
it says nothing. All weights are natural logarithms of ratios of chances: 2.3 more is ten times less likely
to be chance.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

LEAST_MEMBERS = 5  # met by fewer, a footprint says nothing about its maker
LEAST_SHARED = 4
LEAST_FIT = 0.35  # share of the smaller footprint's members that must be the other's too
SAME_RATE_AT_MOST = 4.0  # what equal numbers of attempts can add, and unequal ones take away
OTHER_RATE_AT_MOST = 12.0
OTHER_DAYS = 4.0  # what beginning and ending on other days takes away
LEAST_SPREAD = 0.5  # of the logarithms of attempts, where few cases tell how they differ


@dataclass(frozen=True, eq=False)
class Footprint:
    """What the reports of some cases say of who was met when.

    `members` is a set of bits, one a member; `days` are ordinals; `logs` is the sum of the logarithms of the
    reports' counts, `squares` that of their squares.
    """

    cases: tuple[int, ...]
    members: int
    days: frozenset[int]
    reports: int
    logs: float
    squares: float

    @cached_property
    def size(self) -> int:
        """How many members met it."""
        return self.members.bit_count()

    @cached_property
    def span(self) -> tuple[int, int]:
        """The first and the last day."""
        return min(self.days), max(self.days)

    @cached_property
    def rate(self) -> float:
        """The mean logarithm of attempts a report."""
        return self.logs / self.reports

    @cached_property
    def doubt(self) -> float:
        """The variance of `rate`."""
        return min(max(self.squares / self.reports - self.rate**2, 0.0), 1.0) / self.reports


def together(parts: Sequence[Footprint]) -> Footprint:
    """The footprint of all of them as though one had made them."""
    members, days = 0, frozenset[int]()
    for part in parts:
        members |= part.members
        days |= part.days
    return Footprint(
        tuple(case for part in parts for case in part.cases),
        members,
        days,
        sum(part.reports for part in parts),
        sum(part.logs for part in parts),
        sum(part.squares for part in parts),
    )


@dataclass(frozen=True)
class Evidence:
    """What speaks for two footprints being one campaign's: the sum of three weights, and the plain numbers.

    `shared` of `members` (of the smaller footprint) met both, where chance would give `expected`.
    """

    by_members: float
    by_days: float
    by_rate: float
    shared: int
    members: int
    expected: float

    @property
    def weight(self) -> float:
        """All of it."""
        return self.by_members + self.by_days + self.by_rate

    @property
    def fit(self) -> float:
        """The share of the smaller footprint's members that the other has too."""
        return self.shared / self.members


class Chance:
    """What would be shared by attackers that have nothing to do with each other, from all that were met."""

    def __init__(self, found: Sequence[Footprint], universe: int) -> None:
        """`universe` has the bits of all members that report."""
        visits = Counter(member for one in found for member in bits(one.members))
        # Half a visit more each: a member that nobody has met yet is not out of reach.
        self._visits = {member: visits[member] + 0.5 for member in bits(universe)}
        self._among: dict[int, dict[int, float]] = {}
        self._spans = Counter(one.span for one in found)
        self._count = len(found)
        middle = sum(one.rate for one in found) / len(found)
        spread = math.sqrt(sum((one.rate - middle) ** 2 for one in found) / len(found))
        self._spread = 2 * max(spread, LEAST_SPREAD) ** 2  # of the difference between two

    def evidence(self, one: Footprint, other: Footprint) -> Evidence | None:
        """What they have in common; None where that is too little to mean anything."""
        if one.size > other.size:
            one, other = other, one
        shared = (one.members & other.members).bit_count()
        if shared < LEAST_SHARED or shared < LEAST_FIT * one.size or not one.days & other.days:
            return None
        among = self._chances(other.size)
        expected = sum(among[member] for member in bits(one.members))
        return Evidence(
            one.size * surprise(shared / one.size, expected / one.size),
            self._by_days(one, other),
            self._by_rate(one, other),
            shared,
            one.size,
            expected,
        )

    def _by_days(self, one: Footprint, other: Footprint) -> float:
        if one.span == other.span:
            return -math.log(self._spans[one.span] / self._count) if one.span in self._spans else 0.0
        return 0.0 if one.span[0] == other.span[0] or one.span[1] == other.span[1] else -OTHER_DAYS

    def _by_rate(self, one: Footprint, other: Footprint) -> float:
        """Is the difference of their rates one campaign's, or that of any two?"""
        squared, own = (one.rate - other.rate) ** 2, one.doubt + other.doubt + 0.0004
        weight = 0.5 * (squared / self._spread - squared / own + math.log(self._spread / own))
        return max(min(weight, SAME_RATE_AT_MOST), -OTHER_RATE_AT_MOST)

    def _chances(self, size: int) -> dict[int, float]:
        """How likely each member is among so many that are drawn by their visits."""
        known = self._among.get(size)
        if known is None:
            known = self._among[size] = self._drawn(size)
        return known

    def _drawn(self, size: int) -> dict[int, float]:
        """Each member's chance 1 - exp(-draws × share), for as many draws as meet `size` of them."""
        if size >= len(self._visits):
            return dict.fromkeys(self._visits, 1.0)
        least, most = 0.0, 1.0
        while self._met(most) < size:
            most *= 2
        for _ in range(40):
            middle = (least + most) / 2
            least, most = (middle, most) if self._met(middle) < size else (least, middle)
        return {member: 1 - math.exp(-most * visits) for member, visits in self._visits.items()}

    def _met(self, draws: float) -> float:
        return sum(1 - math.exp(-draws * visits) for visits in self._visits.values())


def surprise(seen: float, expected: float) -> float:
    """How much more than expected a share is: the Kullback-Leibler divergence, 0 where it is not more.

    Chernoff's bound makes it the logarithm of a chance, when taken as often as there were draws.
    """
    expected = min(max(expected, 1e-6), 1 - 1e-6)
    if seen <= expected:
        return 0.0
    rest = (1 - seen) * math.log((1 - seen) / (1 - expected)) if seen < 1 else 0.0
    return seen * math.log(seen / expected) + rest


def bits(members: int) -> Iterator[int]:
    """The numbers of the bits that are set."""
    while members:
        lowest = members & -members
        yield lowest.bit_length() - 1
        members ^= lowest


def footprints(told: Iterable[tuple[int, int, int, float]]) -> list[Footprint]:
    """A footprint for each case, from (case, member's bit, day, logarithm of the count) of its reports."""
    members: Counter[int] = Counter()
    days: dict[int, set[int]] = {}
    sums: dict[int, list[float]] = {}
    for case, member, day, log in told:
        members[case] |= 1 << member
        days.setdefault(case, set()).add(day)
        row = sums.setdefault(case, [0, 0.0, 0.0])
        row[0] += 1
        row[1] += log
        row[2] += log * log
    return [
        Footprint((case,), members[case], frozenset(days[case]), int(count), logs, squares)
        for case, (count, logs, squares) in sums.items()
    ]
