"""How a score came about, in words: each part, what it was made of, what it counts and what it adds."""

import datetime as dt
from dataclasses import dataclass

from tocsin.cases import triage, words
from tocsin.cases.models import Case
from tocsin.cases.units import current_pack
from tocsin.cases.views import LawView
from tocsin.cases.weights import weights_of
from tocsin.kernel.time import now


@dataclass(frozen=True)
class PartView:
    """One part of a score: `value` of 0 to 100, its `weight`, the `points` that it adds, and why."""

    name: str
    value: int
    weight: int
    points: int
    why: str


@dataclass(frozen=True)
class ScoreView:
    """A score with its parts; `weights_words` says whose weights these are."""

    score: int
    sentence: str
    parts: tuple[PartView, ...]
    weights_words: str
    law: LawView


def explain(case: Case, at: dt.datetime | None = None) -> ScoreView:
    """The score of a case, taken apart."""
    at, pack = at or now(), current_pack()
    weights = weights_of(case.investigating_unit)
    row = pack.triage.weights
    reasons = {
        "severity": f"the highest severity of its reports is {case.severity}",
        "solvability": solvability_words(case, at),
        "harm": harm_words(case),
        "volume": f"{words.many(case.report_count, 'report')} from {words.many(case.member_count, 'member')}",
    }
    parts = []
    for name in triage.PARTS:
        value, weight = int(getattr(case, f"{name}_part")), int(getattr(weights, name))
        parts.append(PartView(NAMES[name], value, weight, weight * value // weights.whole, reasons[name]))
    own = weights != row.alone
    whose = (
        f"weighed as {case.investigating_unit.name} decided" if own else "weighed as the exchange proposes"
    )
    first = max(parts, key=lambda part: part.points)
    return ScoreView(
        score=case.score,
        sentence=f"Score {case.score} of 100, most of it for {first.name}: {first.why}.",
        parts=tuple(parts),
        weights_words=whose,
        law=LawView(row.legal_ref, row.status, row.confidence, row.checked_on),
    )


NAMES = {
    "severity": "severity",
    "solvability": "what could still lead to somebody",
    "harm": "harm",
    "volume": "linked reports",
}


def solvability_words(case: Case, at: dt.datetime) -> str:
    """What is held, for how long, and whether a member can name the origin."""
    if case.held_until is None or case.held_until <= at:
        held = "no log is known to be held"
    else:
        held = f"a log is held for {words.many((case.held_until - at).days, 'more day')}"
    named = "a member can say whose the origin is" if case.names_origin else "no member can say whose it is"
    return f"{held}, and {named}"


def harm_words(case: Case) -> str:
    """The kind, and the victims where any are known."""
    kind = current_pack().kind_words(case.kind)
    if not case.victim_count:
        return f"{kind}; no victim is known yet"
    return f"{kind}, with {words.many(case.victim_count, 'known victim')}"
