"""Which reports belong to which case: merging, splitting, detaching, attaching, suggestions, undoing."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from tocsin.cases import causes, queries, reviewing, services
from tocsin.cases.models import Case, Move
from tocsin.doors.api import case_values as values
from tocsin.doors.api.acting import body_for, on_case, reports_of
from tocsin.doors.api.acts import whole_number
from tocsin.doors.api.bodies import decoded
from tocsin.doors.api.cases import fresh_state
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.once import once
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import described
from tocsin.kernel.problems import NotFound, Problem

router = Router(tags=["links"])
suggestions = Router(tags=["links"])


@router.post(
    "/{case_id}/merge", auth=guard("case.merge"), openapi_extra=described(values.CaseState, body=values.Merge)
)
def merge_cases(request: HttpRequest, case_id: str) -> HttpResponse:
    """Another case joins this one with all its reports, and closes as joined. Twice is once."""
    body = body_for(request, case_id, values.Merge)

    def do(case: Case, by: services.Responder) -> None:
        services.merge_cases(case, queries.fetch_case(actor_of(request), body.case_id), by, body.reason)

    return on_case(request, case_id, do, is_move=True)


@router.post(
    "/{case_id}/split",
    auth=guard("case.merge"),
    openapi_extra=described(values.CaseState, body=values.Reports),
)
def split_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Reports leave into a case of their own, whose state is the answer; nothing they are owed is lost."""
    body = body_for(request, case_id, values.Reports)

    def do(case: Case, by: services.Responder) -> Case:
        pks = [report.pk for report in reports_of(case, body.report_ids)]
        return services.split_case(case, by, pks, body.reason)

    return on_case(request, case_id, do, is_move=True)


@router.post(
    "/{case_id}/attach",
    auth=guard("case.detach"),
    openapi_extra=described(values.CaseState, body=values.OneReport),
)
def attach_report(request: HttpRequest, case_id: str) -> HttpResponse:
    """A report that was in this case comes back; both ways stay recorded."""
    body = body_for(request, case_id, values.OneReport)

    def do(case: Case, by: services.Responder) -> None:
        services.attach_report(case, by, reports_of(case, [body.report_id])[0], body.reason)

    return on_case(request, case_id, do, is_move=True)


@router.post(
    "/{case_id}/detach",
    auth=guard("case.detach"),
    openapi_extra=described(values.CaseState, body=values.OneReport),
)
def detach_report(request: HttpRequest, case_id: str) -> HttpResponse:
    """A report that does not belong leaves the case; the answer is the case that it now has."""
    body = body_for(request, case_id, values.OneReport)

    def do(case: Case, by: services.Responder) -> Case:
        return services.detach_report(case, by, reports_of(case, [body.report_id])[0], body.reason)

    return on_case(request, case_id, do, is_move=True)


@router.post(
    "/{case_id}/moves/{move_id}/undo",
    auth=guard("case.merge"),
    openapi_extra=described(values.CaseState, body=values.Reason),
)
def undo_move(request: HttpRequest, case_id: str, move_id: str) -> HttpResponse:
    """The reports of a merge, split, detach or attach go back to where they came from."""
    body = body_for(request, case_id, values.Reason)

    def do(case: Case, by: services.Responder) -> None:
        made = Move.objects.filter(pk=whole_number(move_id)).first()
        if made is None or case.pk not in (made.source_id, made.target_id):
            raise NotFound()
        actor = actor_of(request)
        target = queries.visible_to(actor).filter(pk=made.target_id).first()
        if target is None:
            raise NotFound()
        services.undo_move(made, services.Responder.of(actor, target), body.reason or "moved by mistake")

    return on_case(request, case_id, do, is_move=True)


@suggestions.get("", auth=guard("suggestion.read"), openapi_extra=described(values.PairList))
def list_suggestions(request: HttpRequest, case_id: str | None = None) -> HttpResponse:
    """Pairs of cases that may be one, side by side with the reason, the strongest first."""
    actor = actor_of(request)
    case = queries.fetch_case(actor, case_id) if case_id is not None else None
    found = reviewing.waiting(actor, case)
    return answer(values.PairList(reviewing.review(found), len(found)))


@suggestions.post(
    "/together",
    auth=guard("suggestion.decide"),
    openapi_extra=described(values.CaseState, body=values.Words),
)
def decide_together(request: HttpRequest) -> HttpResponse:
    """One word about all pairs of one cause (the same `reason`), or about none; the older case's state."""
    body = decoded(request, values.Words)

    def done() -> HttpResponse:
        actor = actor_of(request)
        first, *_ = causes.decide(actor, _whole_numbers(body.suggestion_ids), body.said)
        return answer(fresh_state(actor, first.case.case_id))

    return once(request, done)


@suggestions.post(
    "/together/undo",
    auth=guard("suggestion.decide"),
    openapi_extra=described(values.CaseState, body=values.Pairs),
)
def undo_together(request: HttpRequest) -> HttpResponse:
    """Take one's own word about all of them back; what it joined is parted."""
    body = decoded(request, values.Pairs)

    def done() -> HttpResponse:
        actor = actor_of(request)
        first, *_ = causes.take_back(actor, _whole_numbers(body.suggestion_ids))
        return answer(fresh_state(actor, first.case.case_id))

    return once(request, done)


@suggestions.post(
    "/{suggestion_id}",
    auth=guard("suggestion.decide"),
    openapi_extra=described(values.CaseState, body=values.Word),
)
def decide_suggestion(request: HttpRequest, suggestion_id: str) -> HttpResponse:
    """Say yes (they are one case from now on), no, or not sure; the answer is the older case's state."""
    body = _word(request, suggestion_id)

    def done() -> HttpResponse:
        actor = actor_of(request)
        pair = reviewing.decide(actor, whole_number(suggestion_id), body.said)
        return answer(fresh_state(actor, pair.case.case_id))

    return once(request, done)


@suggestions.post(
    "/{suggestion_id}/undo", auth=guard("suggestion.decide"), openapi_extra=described(values.CaseState)
)
def undo_suggestion(request: HttpRequest, suggestion_id: str) -> HttpResponse:
    """Take one's own word back, within the name of the person who gave it; what it joined is parted."""

    def done() -> HttpResponse:
        actor = actor_of(request)
        pair = reviewing.take_back(actor, whole_number(suggestion_id))
        return answer(fresh_state(actor, pair.case.case_id))

    return once(request, done)


def _whole_numbers(given: list[int]) -> list[int]:
    """Ids in a body, as a database can hold them. Raises NotFound."""
    if not given or not all(0 < one < 2**63 for one in given):
        raise NotFound()
    return given


def _word(request: HttpRequest, suggestion_id: str) -> values.Word:
    """The body. To somebody who may not know of the pair, a fault in it is no pair: NotFound."""
    try:
        return decoded(request, values.Word)
    except Problem:
        reviewing.pair_of(actor_of(request), whole_number(suggestion_id))
        raise
