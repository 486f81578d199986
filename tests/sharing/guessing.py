"""The attacker of the anonymity exercise: it learns from labelled past what tells its rivals apart.

In the first half it is told whose words they were; there it chooses what to look at. In the second half it
guesses, by Bayes, by the nearest, or by the commonest name, and the best of these counts.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.sharing.anonymity import Item, Seen

QUESTIONS = ("sources", "last")


class Bayes:
    """Naive Bayes over features, with add-one smoothing; the features chosen that do best by themselves."""

    def __init__(self, items: Sequence[Item], features: Sequence[str], what: str) -> None:
        self.features = features
        self.prior: Counter[int] = Counter()
        self.counts: dict[str, Counter[tuple[int, object]]] = {name: Counter() for name in features}
        self.values: dict[str, set[object]] = {name: set() for name in features}
        for one in items:
            for member in getattr(one, what):
                self.prior[member] += 1
                for name in features:
                    value = one.seen.features[name]
                    self.counts[name][member, value] += 1
                    self.values[name].add(value)

    def scores(self, seen: Seen) -> dict[int, float]:
        """The log-probability of each member."""
        found = {}
        for member, prior in self.prior.items():
            score = math.log(prior)
            for name in self.features:
                among = len(self.values[name]) + 1
                score += math.log(
                    (self.counts[name][member, seen.features[name]] + 0.5) / (prior + 0.5 * among)
                )
            found[member] = score
        return found

    def guess(self, seen: Seen) -> int:
        """The likeliest member."""
        found = self.scores(seen)
        return max(found, key=lambda member: (found[member], -member))


class Neighbours:
    """The members behind what looked most alike: the vote of the nearest, by how many features agree."""

    def __init__(self, items: Sequence[Item], features: Sequence[str], what: str, near: int = 15) -> None:
        self.items, self.features, self.what, self.near = items, features, what, near

    def guess(self, seen: Seen) -> int:
        """The member that most of them share."""
        alike = sorted(
            self.items,
            key=lambda one: -sum(one.seen.features[name] == seen.features[name] for name in self.features),
        )[: self.near]
        votes = Counter(member for one in alike for member in getattr(one, self.what))
        return max(votes, key=lambda member: (votes[member], -member))


def right(items: Iterable[Item], what: str, guess: Callable[[Seen], int]) -> float:
    """The share of items in which the guessed member is one of those."""
    found = [guess(one.seen) in getattr(one, what) for one in items]
    return sum(found) / len(found)


@dataclass(frozen=True)
class Result:
    """One question: how often the best constant guess is right, and the best attacker, `by` what."""

    question: str
    items: int
    members: int
    base: float
    success: float
    by: str

    @property
    def gain(self) -> float:
        """Percentage points above the base rate."""
        return 100 * (self.success - self.base)


def attack(items: Sequence[Item], observer: int, what: str) -> Result:
    """Learn from the first half, choose features and method there, and guess in the second.

    What the observer itself has said is left out: it knows that it was one of them.
    """
    known = [one for one in items if observer not in one.sources]
    half = len(known) // 2
    past, future = known[:half], known[half:]
    learn, check = past[: half * 2 // 3], past[half * 2 // 3 :]
    names = list(past[0].seen.features)
    chosen: list[str] = []
    best = right(check, what, Bayes(learn, chosen, what).guess)
    while True:
        tried = {
            name: right(check, what, Bayes(learn, [*chosen, name], what).guess)
            for name in names
            if name not in chosen
        }
        name = max(tried, key=lambda one: tried[one], default="")
        if not name or tried[name] <= best:
            break
        chosen, best = [*chosen, name], tried[name]
    attackers: Mapping[str, Callable[[Seen], int]] = {
        "bayes": Bayes(past, chosen, what).guess,
        "all": Bayes(past, names, what).guess,
        "near": Neighbours(past, names, what).guess,
        "the commonest": (common := Bayes(past, [], what).guess),
    }
    successes = {by: right(future, what, guess) for by, guess in attackers.items()}
    by = max(successes, key=lambda one: successes[one])
    return Result(
        question=f"one of its {what}" if what == "sources" else "whose word was the last",
        items=len(future),
        members=len({member for one in known for member in one.sources}),
        base=right(future, what, common),
        success=successes[by],
        by=", ".join(chosen) if by == "bayes" else by,
    )


def attack_linked(items: Sequence[Item], observer: int) -> Result:
    """What it would cost if members read pseudonyms: all that a source said in a week, judged together."""
    known = [one for one in items if observer not in one.sources]
    past, future = known[: len(known) // 2], known[len(known) // 2 :]
    bayes = Bayes(past, list(past[0].seen.features), "last")
    scores: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
    for one in future:
        found = bayes.scores(one.seen)
        for pseudonym in one.pseudonyms:
            scores[pseudonym].update({member: found[member] / len(one.sources) for member in found})
    guesses = {pseudonym: max(found, key=lambda m: found[m]) for pseudonym, found in scores.items()}
    sure = {p: sorted(found.values())[-1] - sorted(found.values())[-2] for p, found in scores.items()}
    hits = [guesses[max(one.pseudonyms, key=lambda p: sure[p])] in one.sources for one in future]
    base = right(future, "sources", Bayes(past, [], "sources").guess)
    named = f"one of its sources, if members read pseudonyms of {len(scores)} source-weeks"
    return Result(
        question=named,
        items=len(future),
        members=len({member for one in known for member in one.sources}),
        base=base,
        success=sum(hits) / len(hits),
        by="all, linked",
    )
