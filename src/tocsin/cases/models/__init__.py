"""Cases: linked reports that one unit owns, their clocks, decisions and outcomes."""

from tocsin.cases.models.answers import Decision, OneTimeLink, Outcome
from tocsin.cases.models.asking import Question, Rating
from tocsin.cases.models.case import Case, CaseOrigin
from tocsin.cases.models.clocks import Clock
from tocsin.cases.models.linking import Hint, Link, Move, Share, Suggestion
from tocsin.cases.models.papers import CrimeNumber

__all__ = [
    "Case",
    "CaseOrigin",
    "Clock",
    "CrimeNumber",
    "Decision",
    "Hint",
    "Link",
    "Move",
    "OneTimeLink",
    "Outcome",
    "Question",
    "Rating",
    "Share",
    "Suggestion",
]
