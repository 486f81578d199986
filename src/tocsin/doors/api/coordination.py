"""The coordination desk: where silence is, packets, one-time links. Its key acts in a coordinator's name."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router

from tocsin.cases import parts, queries, services
from tocsin.cases.models import Case
from tocsin.cases.one_time import VALID_FOR
from tocsin.cases.overviews import links_of
from tocsin.cases.views import CoordinationView, PacketView
from tocsin.doors.api.access_values import Links, MadeLink, NewLink
from tocsin.doors.api.acting import body_for
from tocsin.doors.api.case_values import Nation, NationUnit, RisingList
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.once import once
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import described
from tocsin.kernel.time import now

router = Router(tags=["coordination"])
links = Router(tags=["coordination"])


@router.get("", auth=guard("coordination.read"), openapi_extra=described(CoordinationView))
def read_coordination(request: HttpRequest) -> HttpResponse:
    """Units that have not joined and their unanswered cases, and every case whose clock was missed."""
    return answer(queries.coordination(actor_of(request)))


@router.get("/rising", auth=guard("coordination.read"), openapi_extra=described(RisingList))
def list_rising(request: HttpRequest) -> HttpResponse:
    """The missed duties that go a desk higher next, the soonest first."""
    return answer(RisingList(list(queries.rising(actor_of(request)))))


@router.get("/nation", auth=guard("coordination.read"), openapi_extra=described(Nation))
def read_nation(request: HttpRequest) -> HttpResponse:
    """What every unit of the country has open, unanswered and overdue."""
    view = queries.nation(actor_of(request))
    units = [NationUnit(*(getattr(one, name) for name in NationUnit.__struct_fields__)) for one in view.units]
    return answer(Nation(view.sentence, units, view.counted_at))


@links.get("/{case_id}/packet", auth=guard("packet.read"), openapi_extra=described(PacketView))
def read_packet(request: HttpRequest, case_id: str) -> HttpResponse:
    """Everything that the printed packet of the case says, to typeset and send."""
    return answer(queries.packet(queries.fetch_case(actor_of(request), case_id)))


@links.get("/{case_id}/links", auth=guard("coordination.read"), openapi_extra=described(Links))
def list_links(request: HttpRequest, case_id: str) -> HttpResponse:
    """The case's one-time links: made when and by whom, and what became of each; never a token."""
    return answer(_links(queries.fetch_case(actor_of(request), case_id)))


@links.post("/{case_id}/links", auth=guard("link.make"), openapi_extra=described(MadeLink, body=NewLink))
def make_link(request: HttpRequest, case_id: str) -> HttpResponse:
    """A one-time link for a unit that has not joined; it ends those made before."""
    body = body_for(request, case_id, NewLink)

    def done() -> HttpResponse:
        actor, at = actor_of(request), now()
        case = queries.fetch_case(actor, case_id)
        token = services.make_one_time_link(case, actor, at, with_packet=body.with_packet)
        address = settings.PUBLIC_URL + reverse("one-time", kwargs={"token": token})
        return answer(MadeLink(case.case_id, at + VALID_FOR, address))

    return once(request, done, told_once="address")


@links.post("/{case_id}/links/withdraw", auth=guard("link.make"), openapi_extra=described(Links))
def withdraw_links(request: HttpRequest, case_id: str) -> HttpResponse:
    """End the case's links before they are used up. Twice is once."""

    def done() -> HttpResponse:
        actor = actor_of(request)
        case = queries.fetch_case(actor, case_id)
        services.withdraw_one_time_link(case, actor)
        return answer(_links(case))

    return once(request, done)


def _links(case: Case) -> Links:
    at = now()
    found = links_of([case]).get(case.pk, ())
    return Links(case.case_id, [parts.one_time_link_view(link, at) for link in found])
