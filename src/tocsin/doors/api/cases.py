"""Reading cases: a unit's queue, its groups, its clocks, a search, and one case as its page shows it."""

from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from tocsin.access.policy import Actor
from tocsin.cases import queries, reach, reading_on
from tocsin.cases.explained import explain
from tocsin.cases.merging import moves_to_undo
from tocsin.cases.models import Case, ForeignNumber, Move
from tocsin.cases.papers.crime_numbers import number_of
from tocsin.cases.papers.filling import fill
from tocsin.cases.people import people_of
from tocsin.cases.queueing import GROUPS, Wish
from tocsin.cases.reading_on import QueuePlace, Search
from tocsin.cases.units import current_pack
from tocsin.doors.api import cursors, tags
from tocsin.doors.api.case_values import (
    CasePage,
    CaseState,
    CaseWhole,
    DutyList,
    Form,
    FormField,
    MoveView,
    QueuePart,
)
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import described
from tocsin.intake.models import Report
from tocsin.kernel.time import rfc3339

router = Router(tags=["cases"])

Few = Annotated[int, Field(ge=1, le=200)]
Text = Annotated[str, Field(max_length=200)]
Page = Annotated[int, Field(ge=1, lt=10**7)]
Group = Literal["overdue", "due today", "new", "waiting"]


@router.get("/queue", auth=guard("queue.read"), openapi_extra=described(QueuePart))
def read_queue(
    request: HttpRequest,
    cursor: str | None = None,
    limit: Few = 50,
    group: Group | None = None,
    words: Text = "",
    status: Text = "",
    severity: Text = "",
    kind: Text = "",
    unit: Text = "",
    owner: Text = "",
    days: Annotated[int, Field(ge=0, le=9999)] | None = None,
) -> HttpResponse:
    """The open cases of the unit, most urgent first: overdue, due today, new, waiting, each by its score.

    `owner` is `nobody` or a part of a name, `days` within how many the first evidence is destroyed. A cursor
    keeps the hour of its first page, so that no case changes its group on the way.
    """
    wish = Wish(group or "", words, status, severity, kind, unit, owner, "" if days is None else str(days))
    return _queue(request, wish, cursor, limit, is_group=False)


@router.get("/groups", auth=guard("queue.read"), openapi_extra=described(QueuePart))
def read_groups(
    request: HttpRequest,
    cursor: str | None = None,
    limit: Few = 50,
    words: Text = "",
    kind: Text = "",
) -> HttpResponse:
    """The groups below the threshold, which wait for one decision each; no clock runs for them."""
    return _queue(request, Wish(words=words, kind=kind), cursor, limit, is_group=True)


@router.get("/duties", auth=guard("queue.read"), openapi_extra=described(DutyList))
def list_duties(request: HttpRequest) -> HttpResponse:
    """The twenty running clocks of the unit that are due first, each with the law behind it."""
    return answer(DutyList(list(queries.clocks_of(actor_of(request)))))


@router.get("", auth=guard("case.read"), openapi_extra=described(CasePage))
def search_cases(
    request: HttpRequest,
    cursor: str | None = None,
    limit: Few = 50,
    words: Text = "",
    number: Text = "",
    status: Text = "",
    severity: Text = "",
    kind: Text = "",
    owner: Text = "",
    is_open: bool | None = None,
) -> HttpResponse:
    """All cases that the unit may see, open and closed, the newest first.

    `words` are found as on the page of the queue: an address, a prefix such as `203.0.113.`, a name, an id, a
    crime number. `number` is the unit's own number of an imported case.
    """
    search = Search(words.strip(), number.strip(), status, severity, kind, owner, is_open)
    before = cursors.number(cursors.opened(cursor, 1)[0]) if cursor is not None else None
    found = reading_on.search_from(actor_of(request), search, before, limit + 1)
    shown = found[:limit]
    after = cursors.sealed(shown[-1].pk) if len(found) > limit else None
    return cursors.linked(request, answer(CasePage(states_of(shown), after)), after)


@router.get("/{case_id}", auth=guard("case.read"), openapi_extra=described(CaseWhole))
def read_case(request: HttpRequest, case_id: str, reports_page: Page = 1) -> HttpResponse:
    """One case with everything that its page shows, and in `view.form` what may be done to it now.

    The `ETag` goes back in `If-Match` with an act: 412 where somebody has acted since.
    """
    actor = actor_of(request)
    whole = whole_of(actor, queries.fetch_case(actor, case_id), reports_page)
    response = answer(whole)
    response["ETag"] = whole.state.tag
    return response


def whole_of(actor: Actor, case: Case, reports_page: int = 1) -> CaseWhole:
    """A case with everything that its page shows."""
    sees = reach.sees_content(actor, case)
    return CaseWhole(
        state=state_of(case),
        view=queries.case_view(actor, case.case_id, links_page=reports_page),
        score=explain(case),
        questions=list(queries.questions_of_case(case)) if sees else [],
        ask=queries.ask_form(case),
        duties=list(queries.duties_of_case(case)),
        ratings=list(queries.ratings_of(case)),
        people=list(people_of(case)) if sees else [],
        moves=[_move(made) for made in moves_to_undo(case)] if sees else [],
        crime_number=number_of(case),
        forms=dict(current_pack().info.forms) if case.lane == Report.Lane.ORDINARY else {},
    )


@router.get("/{case_id}/forms/{form}", auth=guard("form.read"), openapi_extra=described(Form))
def read_form(request: HttpRequest, case_id: str, form: str) -> HttpResponse:
    """The crime record or another form of the country, filled from the case, field by field."""
    filled = fill(queries.fetch_case(actor_of(request), case_id), form)
    fields = [
        FormField(section.title, one.field, one.label, one.value, one.missing)
        for section in filled.sections
        for one in section.fields
    ]
    return answer(Form(filled.form, filled.title, filled.case_id, filled.unofficial, fields))


def _queue(
    request: HttpRequest, wish: Wish, cursor: str | None, limit: int, *, is_group: bool
) -> HttpResponse:
    place = _place(cursor) if cursor is not None else None
    rows, after = reading_on.queue_from(actor_of(request), wish, place, limit, is_group=is_group)
    spelled = None
    if after is not None:
        spelled = cursors.sealed(rfc3339(after.at), after.group, after.score, rfc3339(after.due_at), after.pk)
    return cursors.linked(request, answer(QueuePart(rows, spelled)), spelled)


def _place(cursor: str) -> QueuePlace:
    at, group, score, due_at, pk = cursors.opened(cursor, 5)
    known = next((name for name in GROUPS if name == group), None)
    if known is None:
        raise cursors.not_ours()
    score_number = cursors.number(score)
    if score_number > 1_000:
        raise cursors.not_ours()
    return QueuePlace(cursors.instant(at), known, score_number, cursors.instant(due_at), cursors.number(pk))


def states_of(cases: list[Case]) -> list[CaseState]:
    """Cases in one line each."""
    numbers = dict(ForeignNumber.objects.filter(case__in=cases).values_list("case_id", "number"))
    return [state_of(case, number=numbers.get(case.pk, "")) for case in cases]


def state_of(case: Case, *, number: str | None = None, is_visible: bool = True) -> CaseState:
    """A case in one line."""
    if number is None:
        number = ForeignNumber.objects.filter(case=case).values_list("number", flat=True).first() or ""
    row = current_pack().statuses.get(case.status)
    return CaseState(
        case_id=case.case_id,
        tag=tags.tag_of(case),
        title=case.title,
        kind=case.kind,
        severity=case.severity,
        status=case.status,
        status_words=row.words if row else case.status,
        unit_id=case.investigating_unit.unit_id,
        owner_name=case.owner_name,
        is_automatic=case.is_automatic,
        opened_at=rfc3339(case.opened_at),
        closed_at=rfc3339(case.closed_at) if case.closed_at else None,
        outcome_code=case.outcome_code,
        report_count=case.report_count,
        member_count=case.member_count,
        score=case.score,
        due_at=rfc3339(case.due_at) if case.due_at else None,
        foreign_number=number,
        is_visible=is_visible,
    )


def fresh_state(actor: Actor, case_id: str) -> CaseState:
    """A case as an act has left it, though it may have left the actor's sight with it."""
    case = Case.objects.select_related("investigating_unit").get(case_id=case_id)
    visible = reach.visible_to(actor).filter(pk=case.pk).exists()
    return state_of(case, is_visible=visible)


def _move(made: Move) -> MoveView:
    return MoveView(
        made.pk,
        made.kind,
        made.source.case_id,
        made.target.case_id,
        made.person_name,
        made.reason,
        rfc3339(made.at),
    )
