"""Cases: linked reports that one unit owns, their clocks, decisions and outcomes."""

from tocsin.cases.models.answers import Decision, OneTimeLink, Outcome
from tocsin.cases.models.case import Case, CaseOrigin
from tocsin.cases.models.clocks import Clock
from tocsin.cases.models.linking import Hint, Link, Move, Share, Suggestion
from tocsin.cases.models.papers import CrimeNumber
from tocsin.cases.models.triage import Bulk, Doing, SavedFilter, Term, UnitWeights

__all__ = [
    "Bulk",
    "Case",
    "CaseOrigin",
    "Clock",
    "CrimeNumber",
    "Decision",
    "Doing",
    "Hint",
    "Link",
    "Move",
    "OneTimeLink",
    "Outcome",
    "SavedFilter",
    "Share",
    "Suggestion",
    "Term",
    "UnitWeights",
]
