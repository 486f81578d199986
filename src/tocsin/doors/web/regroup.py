"""Joining two cases, taking reports out of one, and taking it back: ordinary acts, each with its reason."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor
from tocsin.cases import queries, services
from tocsin.cases.models import Move
from tocsin.doors.web import cases
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.intake.models import Report
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound


@guards("case.merge", "GET", "POST")
def split(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """The reports chosen leave, into a case of their own."""
    if request.method != "POST":
        queries.fetch_case(actor, case_id)
        return HttpResponseRedirect(reverse("case", kwargs={"case_id": case_id}))
    typed, case = Typed.posted(request), queries.fetch_case(actor, case_id)
    try:
        by = services.Responder.of(actor, case)
        chosen = Report.objects.filter(report_id__in=typed.all("split"), links__case=case)
        pks = list(chosen.values_list("pk", flat=True).distinct())
        fresh = services.split_case(case, by, pks, typed.get("split_reason"))
    except (BadInput, Conflict, NotAllowed) as problem:
        typed.refuse(problem.detail)
        return cases.again(request, actor, case_id, typed)
    messages.success(request, f"They are in case {fresh.case_id} now. The timeline takes it back.")
    return HttpResponseRedirect(reverse("case", kwargs={"case_id": case_id}))


@guards("case.merge", "GET", "POST")
def merge(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """All reports of another case move into this one."""
    if request.method != "POST":
        queries.fetch_case(actor, case_id)
        return HttpResponseRedirect(reverse("case", kwargs={"case_id": case_id}))
    typed, case = Typed.posted(request), queries.fetch_case(actor, case_id)
    try:
        by = services.Responder.of(actor, case)
        other = queries.fetch_case(actor, typed.need("other", "Give the id of the other case"))
        services.merge_cases(case, other, by, typed.get("merge_reason"))
    except NotFound:
        typed.note("other", "There is no such case, or it is not yours to see")
        return cases.again(request, actor, case_id, typed)
    except (BadInput, Conflict, NotAllowed) as problem:
        typed.refuse(problem.detail)
        return cases.again(request, actor, case_id, typed)
    messages.success(request, f"What case {other.case_id} had is in this one now.")
    return HttpResponseRedirect(reverse("case", kwargs={"case_id": case_id}))


@guards("case.merge", "POST")
def undo(request: HttpRequest, actor: Actor, case_id: str, move_id: str) -> HttpResponse:
    """The reports of a move go back to where they came from."""
    case = queries.fetch_case(actor, case_id)
    made = Move.objects.filter(pk=int(move_id)).first() if move_id.isdecimal() and len(move_id) < 19 else None
    if made is None or case.pk not in (made.source_id, made.target_id):
        raise NotFound()
    target = queries.visible_to(actor).filter(pk=made.target_id).first()
    if target is None:
        raise NotFound()
    typed = Typed.posted(request)
    services.undo_move(made, services.Responder.of(actor, target), typed.get("reason") or "moved by mistake")
    messages.success(request, "The reports are back where they came from.")
    return HttpResponseRedirect(reverse("case", kwargs={"case_id": case_id}))
