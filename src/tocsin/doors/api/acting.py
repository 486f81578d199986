"""How every act on a case goes: locked, compared with what was read, done once, answered with its state."""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponse

from tocsin.cases import queries, services
from tocsin.cases.decisions import lock_case
from tocsin.cases.models import Case
from tocsin.doors.api import tags
from tocsin.doors.api.bodies import decoded
from tocsin.doors.api.cases import fresh_state
from tocsin.doors.api.guards import actor_of
from tocsin.doors.api.once import once
from tocsin.doors.api.reports import answer
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.kernel.problems import NotFound, Problem
from tocsin.store import locks

T = TypeVar("T")
Deed = Callable[[Case, services.Responder], Case | None]


def on_case(request: HttpRequest, case_id: str, do: Deed, *, is_move: bool = False) -> HttpResponse:
    """Do it to the case, in one transaction with the comparison of `If-Match`; the answer is its new state.

    `is_move` is for what brings reports from case to case: linking has its turn first, then the rows. Where
    `do` gives another case, such as the one that a split has opened, its state is answered.
    """

    def done() -> HttpResponse:
        actor = actor_of(request)
        with act():
            if is_move:
                locks.in_turn("linking")
            case = queries.fetch_case(actor, case_id)
            if "If-Match" in request.headers and not is_move:
                case = lock_case(case)
            tags.check(request, case)
            other = do(case, services.Responder.of(actor, case))
        state = fresh_state(actor, other.case_id if other is not None else case_id)
        response = answer(state)
        response["ETag"] = state.tag
        return response

    return once(request, done)


def body_for(request: HttpRequest, case_id: str, shape: type[T]) -> T:
    """The body of an act. To somebody who may not know of the case, a fault in it is no case: NotFound."""
    try:
        return decoded(request, shape)
    except Problem:
        queries.fetch_case(actor_of(request), case_id)
        raise


def reports_of(case: Case, report_ids: list[str]) -> list[Report]:
    """These reports, which are in the case or were. Raises NotFound where one never was."""
    wanted = set(report_ids)
    found = list(Report.objects.filter(report_id__in=wanted, links__case=case).distinct())
    if len(found) < len(wanted):
        raise NotFound("one of these reports was never in the case")
    return found
