"""Need to know: the seal of a case, who is let in, and the glass before it.

Each act is a person's. What a case says while it is sealed is read on its page by those whom the seal names,
with a second factor: no key reads it, whomever it names, not even one that has just passed on their act.
"""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from tocsin.access.policy import Actor
from tocsin.cases import queries, sealed_views, sealing
from tocsin.cases.models import Case
from tocsin.cases.sealed_views import SealView
from tocsin.doors.api.access_values import Seal
from tocsin.doors.api.bodies import decoded
from tocsin.doors.api.case_values import Reason
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.once import once
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import described
from tocsin.kernel.problems import BadInput, Problem

router = Router(tags=["access"])


@router.get("/{case_id}/seal", auth=guard("case.read"), openapi_extra=described(SealView))
def read_seal(request: HttpRequest, case_id: str) -> HttpResponse:
    """Is the case sealed? By whom, why and to whom is told where the key names somebody who is let in."""
    return answer(sealed_views.seal_of(actor_of(request), case_id))


@router.post("/{case_id}/seal", auth=guard("case.seal"), openapi_extra=described(SealView, body=Seal))
def seal_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Seal the case to named people; again, with other names. Needs `On-Behalf-Of` the unit's supervisor."""
    actor = actor_of(request)
    try:
        body = decoded(request, Seal)
    except Problem:
        _case(actor, case_id)
        raise

    def done() -> HttpResponse:
        case = _case(actor, case_id)
        wanted = {address.strip().lower() for address in body.people}
        people = [person for person in sealing.people_of(case) if person.email in wanted]
        if len(people) < len(wanted):
            raise BadInput("a seal names people of the investigating and the support unit alone")
        sealing.seal_case(case, actor, people, body.reason)
        return answer(sealed_views.seal_of(actor, case_id))

    return once(request, done)


@router.post("/{case_id}/unseal", auth=guard("case.seal"), openapi_extra=described(SealView))
def unseal_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Lift the seal. Needs `On-Behalf-Of` a supervisor who is let in; everybody it named is told."""

    def done() -> HttpResponse:
        actor = actor_of(request)
        sealing.lift_seal(_case(actor, case_id), actor)
        return answer(sealed_views.seal_of(actor, case_id))

    return once(request, done)


@router.post(
    "/{case_id}/break-glass",
    auth=guard("case.break_glass"),
    openapi_extra=described(SealView, body=Reason),
)
def break_glass(request: HttpRequest, case_id: str) -> HttpResponse:
    """A supervisor needs to read the sealed case: for four hours they do, on its page, and not by the key.

    Whoever sealed it and the coordinators are told. Needs `On-Behalf-Of` that supervisor.
    """
    actor = actor_of(request)
    try:
        body = decoded(request, Reason)
    except Problem:
        sealed_views.seal_of(actor, case_id)
        raise

    def done() -> HttpResponse:
        sealing.break_glass(actor, case_id, body.reason)
        return answer(sealed_views.seal_of(actor, case_id))

    return once(request, done)


def _case(actor: Actor, case_id: str) -> Case:
    """The case, where the person named may read it. Raises NotFound, SealedCase, NotAllowed."""
    if actor.person is None:
        queries.fetch_case(actor, case_id)
    return queries.fetch_case(sealing.as_person(actor), case_id)
