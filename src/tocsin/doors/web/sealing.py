"""The seal of a case, the glass before it, and the guests in its room."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.models import Person
from tocsin.access.policy import Actor, may
from tocsin.cases import queries, rooms, sealed_views, sealing
from tocsin.cases.models import Case
from tocsin.doors.web import throttle
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import FieldError, home_of, page
from tocsin.doors.web.words import count_words
from tocsin.intake.models import Report
from tocsin.kernel.problems import BadInput, Conflict
from tocsin.store import fence


def sealed_page(request: HttpRequest, actor: Actor, case_id: str, errors: list[FieldError]) -> HttpResponse:
    """What somebody sees of a case that is sealed from them: its number and its clock."""
    view = sealed_views.sealed_view(actor, case_id)
    context = {"view": view, "errors": errors, "back": home_of(actor)}
    context |= {"reason": request.POST.get("reason", ""), "hours": sealing.GLASS_FOR.seconds // 3600}
    return page(request, "sealed", context, status=422 if errors else 403)


@guards("case.break_glass", "POST", fresh=True)
def break_glass(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """A supervisor reads a sealed case in need, with a reason."""
    try:
        sealing.break_glass(actor, case_id, request.POST.get("reason", ""))
    except BadInput as problem:
        return sealed_page(request, actor, case_id, [FieldError("reason", _capital(problem.detail))])
    messages.warning(
        request, "You read a sealed case. The person who sealed it and the coordinator are told."
    )
    return HttpResponseRedirect(reverse("case", kwargs={"case_id": case_id}))


@guards("case.seal", "POST")
def seal(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """Seals a case to named people."""
    case = queries.fetch_case(actor, case_id)
    chosen = [int(pk) for pk in request.POST.getlist("person") if pk.isdigit()]
    try:
        sealing.seal_case(
            case, actor, list(Person.objects.filter(pk__in=chosen)), request.POST.get("reason", "")
        )
        messages.success(request, "The case is sealed. Everybody else sees its number and its clock.")
    except BadInput as problem:
        messages.warning(request, _capital(problem.detail) + ".")
    return _to(case_id)


@guards("case.seal", "POST")
def unseal(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """Lifts the seal."""
    sealing.lift_seal(queries.fetch_case(actor, case_id), actor)
    messages.success(request, "The seal is lifted.")
    return _to(case_id)


@guards("room.manage", "POST")
def guest_invite(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """Lets a named outsider read parts of the case: a link, shown once."""
    case = queries.fetch_case(actor, case_id)
    typed = Typed.posted(request)
    days = typed.get("days")
    try:
        guest, token = rooms.invite_guest(
            case,
            actor,
            typed.get("guest"),
            typed.get("organisation"),
            typed.all("part"),
            int(days) if days.isdigit() else 0,
        )
    except BadInput as problem:
        messages.warning(request, _capital(problem.detail) + ".")
        return _to(case_id)
    address = settings.PUBLIC_URL + reverse("room", kwargs={"token": token})
    response = page(request, "guest_invited", {"address": address, "guest": guest, "case_id": case_id})
    response["Cache-Control"] = "no-store"  # the page holds the token
    return response


@guards("room.manage", "POST")
def guest_revoke(request: HttpRequest, actor: Actor, case_id: str, guest_id: int) -> HttpResponse:
    """Ends a guest's link."""
    rooms.revoke_guest(queries.fetch_case(actor, case_id), actor, guest_id)
    messages.success(request, "The guest’s link has ended.")
    return _to(case_id)


@guards("room.manage", "POST")
def guest_extend(request: HttpRequest, actor: Actor, case_id: str, guest_id: int) -> HttpResponse:
    """Lets a guest read on, by the link that they have."""
    days = request.POST.get("days", "")
    try:
        rooms.extend_guest(
            queries.fetch_case(actor, case_id), actor, guest_id, int(days) if days.isdecimal() else 0
        )
        messages.success(request, "The guest may read on.")
    except (BadInput, Conflict) as problem:
        messages.warning(request, _capital(problem.detail) + ".")
    return _to(case_id)


@guards("room.manage", "POST")
def room_close(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """Ends every guest's link."""
    ended = rooms.close_room(queries.fetch_case(actor, case_id), actor)
    messages.success(request, f"The room is closed: {count_words(ended, 'link')} ended.")
    return _to(case_id)


@guards("room.read")
def room(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """What may a guest read of this case?"""
    address = request.META.get("REMOTE_ADDR", "")
    throttle.check_link(address)
    try:
        with fence.lifted():
            guest = rooms.find_guest(token)
    except rooms.RoomNotFound:
        throttle.count_wrong_link(address)
        raise
    fence.open_case(guest.case_id)
    response = page(request, "room", {"view": rooms.look(guest)})
    response["Cache-Control"] = "no-store"  # the address holds the token
    return response


def access_of(actor: Actor, case: Case) -> dict[str, Any]:
    """What the case's page says of its seal and its room."""
    supervises = may(actor, "case.seal") and sealing.is_supervisor_of(actor, case)
    return {
        "seal": sealing.current_seal(case),
        "may_seal": supervises,
        "seal_people": sealing.people_of(case) if supervises else (),
        "guests": rooms.guests_of(case),
        "may_invite": may(actor, "room.manage")
        and case.lane == Report.Lane.ORDINARY
        and case.investigating_unit_id in {unit.pk for unit in actor.units},
        "room_parts": rooms.PARTS,
        "room_days": rooms.DAYS,
    }


def _to(case_id: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("case", kwargs={"case_id": case_id}) + "#access")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
