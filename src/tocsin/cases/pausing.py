"""While a question is open, a case waits: its status says so, and the clocks that the pack names stand still.

Whatever opens, closes or moves questions calls `settle`, which puts status and clocks right. It may be called
at any time: where nothing has changed it changes nothing.
"""

import datetime as dt

from tocsin.cases import clocks, limits, states
from tocsin.cases.models import Case, Clock, Question
from tocsin.cases.units import current_pack
from tocsin.store.rows import update_rows

OPEN = "question.open"
ASKABLE = (states.ACCEPTED, states.INVESTIGATED, states.QUESTION)


def settle(case: Case, at: dt.datetime) -> bool:
    """Put the status and the clocks of a locked case right for its questions; gives whether the status moved.

    A case that nobody has, or that is closed, asks nothing: what was open in it is taken back.
    """
    before = case.status
    waiting = Question.objects.filter(case=case, closed_at__isnull=True)
    if waiting.exists() and case.status not in ASKABLE:
        waiting.update(closed_at=at, how=Question.How.PASSED)
    if waiting.exists():
        case.status = states.QUESTION
        _move_clocks(case, at, stand=True)
    else:
        _move_clocks(case, at, stand=False)
        if case.status == states.QUESTION:
            case.status = states.ACCEPTED if _is_undecided(case) else states.INVESTIGATED
            states.check(current_pack(), "reply", before, case.status, "exchange")
    return case.status != before


def pass_over(case: Case, at: dt.datetime) -> int:
    """The case goes on without its answers: take open questions back; gives how many."""
    passed = Question.objects.filter(case=case, closed_at__isnull=True).update(
        closed_at=at, how=Question.How.PASSED
    )
    settle(case, at)
    return passed


def ask_again(case: Case, passed_at: dt.datetime, at: dt.datetime) -> None:
    """Open the questions again that were passed over at that instant, by an act that is taken back."""
    passed = Question.objects.filter(case=case, closed_at=passed_at, how=Question.How.PASSED)
    passed.filter(lapses_at__gt=at).update(closed_at=None, how="")
    settle(case, at)


def carry(source: Case, target: Case, report_pks: list[int]) -> None:
    """Take the questions about these reports along into the case that they are moved to."""
    Question.objects.filter(case=source, report__in=report_pks).update(case=target)


def _is_undecided(case: Case) -> bool:
    running = Clock.objects.filter(case=case, report__isnull=True, ended_at__isnull=True)
    return running.filter(clock_id=clocks.DECIDE).exists()


def _move_clocks(case: Case, at: dt.datetime, *, stand: bool) -> None:
    """Let the clocks that the pack names stand still, or go on."""
    pack = current_pack()
    named = [rule.clock_id for rule in pack.clock_rules if OPEN in rule.pauses]
    running = Clock.objects.filter(case=case, clock_id__in=named, ended_at__isnull=True)
    found = list(
        running.filter(paused_at__isnull=stand)
        .select_related("case__investigating_unit", "member", "unit")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    move = limits.pause if stand else limits.unpause
    update_rows([clock for clock in found if move(pack, clock, at)], limits.PAUSED)
