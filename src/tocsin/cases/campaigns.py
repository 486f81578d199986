"""Which cases are one campaign's, judged by footprints alone. Pure: the same footprints give the same answer.

First the pairs that chance does not explain are joined, best first, each joining making the footprint
fuller. Then the many origins that do little each, of which no two say enough: among those that began and
ended on the same days, what fits best is gathered on trial, and whatever the rest of its group does not
support by itself is left out again.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from tocsin.cases.footprints import LEAST_MEMBERS, Chance, Evidence, Footprint, together

CHANCE_JOINED = math.log(100)  # one wrong joining in so many looks at everything may be chance
CHANCE_KEPT = math.log(20)  # the same for one case beside a group that many others make
LEAST_WEIGHT = 12.0  # however few cases there are
ALONE_WEIGHT = 8.0  # the same for one case beside a group
TRIAL = 4.0  # from which on cases are gathered on trial
FEWEST = 5  # origins of a campaign that no two of its origins give away
MOST_ON_TRIAL = 400  # of one span of days; beyond, the smallest footprints stay out
HALF = 0.5  # of the smaller footprint's members must be the other's too, but for a trial
ROUNDS = 3


@dataclass
class Found:
    """Groups of two and more cases that are one campaign's, with each case's evidence beside the others,
    and pairs of groups (by one case of each) that may be, which is for a person to see."""

    groups: list[dict[int, Evidence]] = field(default_factory=list)
    weak: list[tuple[int, int, Evidence]] = field(default_factory=list)


def find_campaigns(all_found: Iterable[Footprint], universe: int) -> Found:
    """The campaigns among footprints of one kind of attack; `universe`: the bits of members that report."""
    found = sorted(
        (one for one in all_found if one.size >= LEAST_MEMBERS),
        key=lambda one: (-one.size, -one.reports, one.logs, one.squares, sorted(one.days), one.members),
    )
    if len(found) < 2:
        return Found()
    chance, count = Chance(found, universe), len(found)
    pairs = max(LEAST_WEIGHT, math.log(count * count / 2) + CHANCE_JOINED)
    alone = max(ALONE_WEIGHT, math.log(count) + CHANCE_KEPT)
    grown = [together(parts) for parts in best_first(found, chance, pairs)]
    for _ in range(ROUNDS):
        before, grown = len(grown), on_trial(grown, chance, alone)
        if len(grown) == before:
            break
    whole = [together(parts) for parts in best_first(grown, chance, pairs)]
    by_case = {one.cases[0]: one for one in found}
    groups = [explained([by_case[case] for case in one.cases], chance) for one in whole if len(one.cases) > 1]
    return Found(groups, list(weak_pairs(whole, chance, pairs)))


def best_first(found: Sequence[Footprint], chance: Chance, least: float) -> list[list[Footprint]]:
    """Join two and two, the best first, as long as any pair weighs `least`; gives what was joined."""
    live = dict(enumerate(found))
    parts = {number: [one] for number, one in live.items()}
    heap: list[tuple[float, int, int]] = []

    def weigh(one: int, other: int) -> None:
        evidence = chance.evidence(live[one], live[other])
        if evidence is not None and evidence.weight >= least and (evidence.fit >= HALF or least == TRIAL):
            heapq.heappush(heap, (-evidence.weight, one, other))

    for other in range(len(found)):
        for one in range(other):
            weigh(one, other)
    number = len(found)
    while heap:
        _, one, other = heapq.heappop(heap)
        if one in live and other in live:
            live[number] = together([live.pop(one), live.pop(other)])
            parts[number] = parts.pop(one) + parts.pop(other)
            for third in list(live)[:-1]:
                weigh(third, number)
            number += 1
    return list(parts.values())


def on_trial(found: Sequence[Footprint], chance: Chance, least: float) -> list[Footprint]:
    """Gather, within each span of days, what only together says enough."""
    by_span: dict[tuple[int, int], list[Footprint]] = defaultdict(list)
    for one in found:
        by_span[one.span].append(one)
    result = []
    for together_then in by_span.values():
        tried = sorted(together_then, key=lambda one: -one.size)
        result += tried[MOST_ON_TRIAL:]
        for parts in best_first(tried[:MOST_ON_TRIAL], chance, TRIAL):
            if sum(len(part.cases) for part in parts) < FEWEST or len(parts) == 1:
                result += parts
                continue
            kept = supported(parts, chance, least)
            result += [together(kept)] if kept else []
            result += [part for part in parts if not any(part is one for one in kept)]
    return result


def supported(parts: Sequence[Footprint], chance: Chance, least: float) -> list[Footprint]:
    """What is left when each must weigh `least` beside the others without it; the worst leaves first."""
    kept = list(parts)
    while len(kept) > 1:
        weights = [
            evidence.weight if evidence and evidence.fit >= HALF else -math.inf
            for evidence in beside_the_rest(kept, chance)
        ]
        worst = min(range(len(kept)), key=weights.__getitem__)
        if weights[worst] >= least:
            return kept
        del kept[worst]
    return []


def beside_the_rest(parts: Sequence[Footprint], chance: Chance) -> list[Evidence | None]:
    """The evidence of each part beside all others together."""
    join: Callable[[Footprint, Footprint], Footprint] = lambda one, other: together([one, other])  # noqa: E731
    before = list(accumulate(parts, join))
    after = list(accumulate(reversed(parts), join))[::-1]
    found = []
    for number, part in enumerate(parts):
        rest = before[number - 1 : number] if number else []
        rest += after[number + 1 : number + 2]
        found.append(chance.evidence(part, together(rest)))
    return found


def explained(parts: Sequence[Footprint], chance: Chance) -> dict[int, Evidence]:
    """Each case of a group with its evidence beside the others, which may be none: it grew step by step."""
    found = zip(parts, beside_the_rest(parts, chance), strict=True)
    nothing = Evidence(0.0, 0.0, 0.0, 0, 1, 0.0)
    return {part.cases[0]: evidence or nothing for part, evidence in found}


def weak_pairs(
    whole: Sequence[Footprint], chance: Chance, least: float
) -> Iterable[tuple[int, int, Evidence]]:
    """Pairs of groups of which chance would show fewer than one in a look at everything."""
    for number, other in enumerate(whole):
        for one in whole[:number]:
            evidence = chance.evidence(one, other)
            if evidence is not None and least - CHANCE_JOINED <= evidence.weight < least:
                yield one.cases[0], other.cases[0], evidence
