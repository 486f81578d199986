"""Stating a line of enquiry or a threat to life on a case's page."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.models import Unit
from tocsin.access.policy import Actor, may
from tocsin.cases import queries, reach, services
from tocsin.cases.models import Case
from tocsin.cases.units import current_pack
from tocsin.doors.web import deciding
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import home_of
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed
from tocsin.reference.values import ABROAD


@dataclass(frozen=True)
class Enquiry:
    """What the form shows: where it stands, where it could point, and where it is sent."""

    now: str
    places: tuple[tuple[str, str], ...]
    address: str
    is_threat: bool


def enquiry_of(actor: Actor, case: Case) -> Enquiry | None:
    """The form, for whoever may state something of this case; None for others."""
    if not may(actor, "case.enquire") or not case.is_open or case.lane != "ordinary":
        return None
    try:
        services.Responder.of_seen(actor, case)
    except NotAllowed:
        return None
    unit = current_pack().units.get(case.enquiry)
    points = "abroad" if case.enquiry == ABROAD else f"to {unit.name}" if unit is not None else ""
    said = f"A line of enquiry points {points}." if points else "No line of enquiry was stated."
    if case.is_threat_to_life:
        said += " A threat to life was stated."
    places = [("", "Choose"), (ABROAD, "Abroad")]
    places += [(one.unit_id, one.name) for one in deciding.current_units() if one.kind != Unit.Kind.HOTLINE]
    address = reverse("case-enquiry", kwargs={"case_id": case.case_id})
    return Enquiry(said, tuple(places), address, case.is_threat_to_life)


@guards("case.enquire", "GET", "POST")
def enquire(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """A line of enquiry, or a threat to life: the rules decide at once where the case goes."""
    case = queries.fetch_case(actor, case_id)
    address = reverse("case", kwargs={"case_id": case_id})
    if request.method != "POST":
        return HttpResponseRedirect(f"{address}#enquiry")
    by, said = services.Responder.of(actor, case), request.POST.get("said", "")[:1000]
    try:
        if request.POST.get("what") == "threat":
            case = services.state_threat_to_life(case, by, said)
        else:
            case = services.state_enquiry(case, by, request.POST.get("where", ""), said)
    except (BadInput, Conflict) as problem:
        messages.error(request, f"Not stated: {problem.detail}.")
        return HttpResponseRedirect(f"{address}#enquiry")
    messages.success(request, f"Stated. {case.investigating_unit.name} has the case.")
    seen = reach.visible_to(actor).filter(pk=case.pk).exists()
    return HttpResponseRedirect(address if seen else home_of(actor))
