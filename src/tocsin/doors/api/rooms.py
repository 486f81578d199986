"""The case room: named outsiders read chosen parts of a case for some days, by a link of their own."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router

from tocsin.cases import queries, rooms
from tocsin.cases.models import Case
from tocsin.doors.api.access_values import Days, Guest, Invited, Room
from tocsin.doors.api.acting import body_for
from tocsin.doors.api.acts import whole_number
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.once import once
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import described

router = Router(tags=["access"])


@router.get("/{case_id}/guests", auth=guard("case.read"), openapi_extra=described(Room))
def list_guests(request: HttpRequest, case_id: str) -> HttpResponse:
    """The guests of the case's room: what each may read, until when, and on which days they looked."""
    return answer(_room(queries.fetch_case(actor_of(request), case_id)))


@router.post("/{case_id}/guests", auth=guard("room.manage"), openapi_extra=described(Invited, body=Guest))
def invite_guest(request: HttpRequest, case_id: str) -> HttpResponse:
    """Let a named outsider in; the first one opens the room. Needs `On-Behalf-Of` somebody of the unit."""
    body = body_for(request, case_id, Guest)

    def done() -> HttpResponse:
        actor = actor_of(request)
        case = queries.fetch_case(actor, case_id)
        guest, token = rooms.invite_guest(case, actor, body.name, body.organisation, body.parts, body.days)
        address = settings.PUBLIC_URL + reverse("room", kwargs={"token": token})
        return answer(Invited(guest.pk, guest.expires_at, address))

    return once(request, done, told_once="address")


@router.post(
    "/{case_id}/guests/{guest_id}/extend",
    auth=guard("room.manage"),
    openapi_extra=described(Room, body=Days),
)
def extend_guest(request: HttpRequest, case_id: str, guest_id: str) -> HttpResponse:
    """Let a guest read on for so many days from now, by the link that they have; never shorter."""
    body = body_for(request, case_id, Days)

    def done() -> HttpResponse:
        actor = actor_of(request)
        case = queries.fetch_case(actor, case_id)
        rooms.extend_guest(case, actor, whole_number(guest_id), body.days)
        return answer(_room(case))

    return once(request, done)


@router.post("/{case_id}/guests/{guest_id}/end", auth=guard("room.manage"), openapi_extra=described(Room))
def end_guest(request: HttpRequest, case_id: str, guest_id: str) -> HttpResponse:
    """End one guest's link at once. Twice is once."""

    def done() -> HttpResponse:
        actor = actor_of(request)
        case = queries.fetch_case(actor, case_id)
        rooms.revoke_guest(case, actor, whole_number(guest_id))
        return answer(_room(case))

    return once(request, done)


@router.post("/{case_id}/guests/end", auth=guard("room.manage"), openapi_extra=described(Room))
def close_room(request: HttpRequest, case_id: str) -> HttpResponse:
    """Close the room: every guest's link ends at once."""

    def done() -> HttpResponse:
        actor = actor_of(request)
        case = queries.fetch_case(actor, case_id)
        rooms.close_room(case, actor)
        return answer(_room(case))

    return once(request, done)


def _room(case: Case) -> Room:
    return Room(case.case_id, list(rooms.guests_of(case)))
