"""What a member does about its own reports beyond telling them: follow, answer, rate, and mind its duties."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from tocsin.cases import queries, services
from tocsin.cases.owed import DutyView
from tocsin.cases.question_views import QuestionView
from tocsin.cases.ratings import RatingView
from tocsin.cases.views import NoticeView, ReportView
from tocsin.doors.api import cursors
from tocsin.doors.api.acts import whole_number
from tocsin.doors.api.bodies import decoded
from tocsin.doors.api.case_values import Duty
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.once import once
from tocsin.doors.api.reports import answer, own_report
from tocsin.doors.api.values import described
from tocsin.kernel.problems import NotFound, Problem
from tocsin.kernel.time import rfc3339
from tocsin.notices import queries as notices

router = Router(tags=["reports"])
news = Router(tags=["notices"])

Limit = Annotated[int, Field(ge=1, le=1000)]
T = TypeVar("T")


class ReportWhole(msgspec.Struct, frozen=True):
    """Everything that a report's own page shows: where it stands, what is asked, what the member owes."""

    view: ReportView
    questions: list[QuestionView]
    duties: list[DutyView]
    rating: RatingView | None


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer: one of the question's options, an instant (RFC 3339), a whole number, or a log's id.

    A note of up to 280 characters says nothing about a person.
    """

    answer: str
    note: str = ""


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How useful the answer was: 1 of no use, 2 of some use, 3 useful."""

    step: int
    note: str = ""


class Aware(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the member has become aware of, by its code in the country's list."""

    code: str


class Started(msgspec.Struct, frozen=True):
    """The clocks that have begun, by their ids; none where they ran already."""

    clocks: list[str]


class NoticePage(msgspec.Struct, frozen=True):
    """What the member was told, the oldest first. `cursor` goes on, now or at any later time."""

    notices: list[NoticeView]
    cursor: str | None
    more: bool


SHAPES = (ReportWhole, Reply, Rate, Aware, Started, NoticePage)


@router.get("/{report_id}/page", auth=guard("report.read"), openapi_extra=described(ReportWhole))
def read_report_page(request: HttpRequest, report_id: str) -> HttpResponse:
    """One of one's own reports as its page shows it: timeline, clocks, questions, duties, outcome."""
    return answer(_whole(request, report_id))


@router.post(
    "/{report_id}/questions/{question_id}",
    auth=guard("report.reply"),
    openapi_extra=described(ReportWhole, body=Reply),
)
def reply_to_question(request: HttpRequest, report_id: str, question_id: str) -> HttpResponse:
    """Answer a question that the unit has asked about the report. The same answer twice is once."""
    body = _body(request, report_id, Reply)
    return _act(
        request,
        report_id,
        lambda: services.reply(actor_of(request), report_id, question_id, body.answer, body.note),
    )


@router.post(
    "/{report_id}/rating", auth=guard("report.rate"), openapi_extra=described(ReportWhole, body=Rate)
)
def rate_answer(request: HttpRequest, report_id: str) -> HttpResponse:
    """Say how useful the answer was; it may be changed."""
    body = _body(request, report_id, Rate)
    return _act(
        request,
        report_id,
        lambda: services.rate_answer(actor_of(request), report_id, body.step, body.note),
    )


@router.post(
    "/{report_id}/awareness", auth=guard("report.aware"), openapi_extra=described(Started, body=Aware)
)
def become_aware(request: HttpRequest, report_id: str) -> HttpResponse:
    """Begin the member's own clocks towards regulators; nobody else sees them, and nobody is told."""
    body = _body(request, report_id, Aware)

    def done() -> HttpResponse:
        own_report(request, report_id)
        return answer(Started(services.become_aware(actor_of(request), report_id, body.code)))

    return once(request, done)


@router.post(
    "/{report_id}/duties/{duty_id}",
    auth=guard("report.aware"),
    openapi_extra=described(ReportWhole, body=Duty),
)
def meet_own_duty(request: HttpRequest, report_id: str, duty_id: str) -> HttpResponse:
    """Say that one of the member's own duties is done, or does not apply. Twice is once."""
    body, found = _body(request, report_id, Duty), whole_number(duty_id)

    def do() -> None:
        report = own_report(request, report_id)
        known = {duty.duty_id for duty in queries.duties_of_report(actor_of(request), report)}
        if found not in known:
            raise NotFound()
        services.meet_duty(actor_of(request), found, applies=body.applies)

    return _act(request, report_id, do)


@news.get("", auth=guard("report.list"), openapi_extra=described(NoticePage))
def list_notices(request: HttpRequest, cursor: str | None = None, limit: Limit = 100) -> HttpResponse:
    """What the member was told about its reports, the oldest first, each once."""
    place = cursors.opened(cursor, 2) if cursor is not None else None
    after = (cursors.instant(place[0]), cursors.number(place[1])) if place is not None else None
    found = notices.told_from(actor_of(request), after, limit + 1)
    shown, more = found[:limit], len(found) > limit
    end = cursors.sealed(rfc3339(shown[-1].at), shown[-1].notice_id) if shown else cursor
    return cursors.linked(request, answer(NoticePage(shown, end, more)), end if more else None)


def _whole(request: HttpRequest, report_id: str) -> ReportWhole:
    actor = actor_of(request)
    report = own_report(request, report_id)
    return ReportWhole(
        queries.report_view(actor, report_id),
        list(queries.questions_of_report(actor, report)),
        list(queries.duties_of_report(actor, report)),
        queries.rating_of(report),
    )


def _body(request: HttpRequest, report_id: str, shape: type[T]) -> T:
    """The body. To somebody who may not know of the report, a fault in it is no report: NotFound."""
    try:
        return decoded(request, shape)
    except Problem:
        own_report(request, report_id)
        raise


def _act(request: HttpRequest, report_id: str, do: Callable[[], object]) -> HttpResponse:
    def done() -> HttpResponse:
        own_report(request, report_id)
        do()
        return answer(_whole(request, report_id))

    return once(request, done)
