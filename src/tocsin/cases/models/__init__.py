"""Cases: linked reports that one unit owns, their clocks, decisions and outcomes."""

from tocsin.cases.models.answers import Decision, OneTimeLink, Outcome
from tocsin.cases.models.asking import Question, Rating
from tocsin.cases.models.case import Case, CaseOrigin
from tocsin.cases.models.clocks import Clock
from tocsin.cases.models.importing import ForeignNumber
from tocsin.cases.models.linking import CaseHolding, Hint, Link, Move, Share, Suggestion
from tocsin.cases.models.papers import CrimeNumber
from tocsin.cases.models.rooms import Guest, Look
from tocsin.cases.models.sealing import BrokenGlass, Seal
from tocsin.cases.models.triage import Bulk, Doing, SavedFilter, Term, UnitWeights

__all__ = [
    "BrokenGlass",
    "Bulk",
    "Case",
    "CaseHolding",
    "CaseOrigin",
    "Clock",
    "CrimeNumber",
    "Decision",
    "Doing",
    "ForeignNumber",
    "Guest",
    "Hint",
    "Link",
    "Look",
    "Move",
    "OneTimeLink",
    "Outcome",
    "Question",
    "Rating",
    "SavedFilter",
    "Seal",
    "Share",
    "Suggestion",
    "Term",
    "UnitWeights",
]
