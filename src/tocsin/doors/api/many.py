"""One act on many cases, taking it back, and what the parts of a score count at a unit."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from tocsin.access.models import Unit
from tocsin.access.policy import Actor
from tocsin.cases import bulk, triage
from tocsin.cases import weights as weighing
from tocsin.cases.bulk import Order, Result
from tocsin.cases.reassigning import people_at
from tocsin.doors.api import case_values as values
from tocsin.doors.api.acts import whole_number
from tocsin.doors.api.bodies import decoded
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.once import once
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import described
from tocsin.kernel.problems import NotAllowed, NotFound
from tocsin.reference.values import Weights

router = Router(tags=["acts"])
weights = Router(tags=["weights"])


@router.post("", auth=guard("case.many"), openapi_extra=described(values.ManyResult, body=values.Many))
def act_on_many(request: HttpRequest) -> HttpResponse:
    """Do one thing to up to 200 cases or groups. Each is recorded by itself; a refused one stops no other.

    Needs `On-Behalf-Of`: many decisions at once are a person's, who can take them back for a minute.
    """
    body = decoded(request, values.Many)
    person = _person(request)
    owner = people_at(unit.pk for unit in person.units).filter(email=body.owner.strip().lower()[:254]).first()
    order = Order(
        act=body.act,
        status=body.status,
        outcome_code=body.outcome_code,
        words=body.words,
        would_have_helped=tuple(body.would_have_helped),
        receiving_body=body.receiving_body,
        unit_id=body.unit_id,
        person=owner.pk if owner is not None else 0,
    )
    # In one order whoever asks, so that two requests never wait for each other's cases.
    case_ids = sorted(set(body.case_ids))
    return once(request, lambda: _told(bulk.do_many(person, case_ids, order)))


@router.post("/{bulk_id}/undo", auth=guard("case.many"), openapi_extra=described(values.ManyResult))
def undo_many(request: HttpRequest, bulk_id: str) -> HttpResponse:
    """Take back what one act on many cases did, within its minute, by whoever decided it."""
    number = whole_number(bulk_id)
    return once(request, lambda: _told(bulk.take_back(actor_of(request), number)))


@weights.get("/{unit_id}", auth=guard("weights.read"), openapi_extra=described(values.UnitWeights))
def read_weights(request: HttpRequest, unit_id: str) -> HttpResponse:
    """What the parts of a score count at the unit."""
    unit = _own_unit(actor_of(request), unit_id)
    return answer(_weights(unit, weighing.weights_of(unit)))


@weights.post(
    "/{unit_id}",
    auth=guard("weights.set"),
    openapi_extra=described(values.UnitWeights, body=values.NewWeights),
)
def set_weights(request: HttpRequest, unit_id: str) -> HttpResponse:
    """Weigh the unit's cases otherwise from now on. Needs `On-Behalf-Of` its supervisor."""
    body = decoded(request, values.NewWeights)

    def done() -> HttpResponse:
        actor = actor_of(request)
        unit = _own_unit(actor, unit_id)
        chosen = Weights(**{name: getattr(body, name) for name in triage.PARTS})
        weighing.set_weights(actor, unit, chosen, body.reason)
        return answer(_weights(unit, weighing.weights_of(unit)))

    return once(request, done)


@weights.post("/{unit_id}/undo", auth=guard("weights.set"), openapi_extra=described(values.UnitWeights))
def undo_weights(request: HttpRequest, unit_id: str) -> HttpResponse:
    """Go back to what held before the last change. Needs `On-Behalf-Of` the unit's supervisor."""

    def done() -> HttpResponse:
        actor = actor_of(request)
        unit = _own_unit(actor, unit_id)
        return answer(_weights(unit, weighing.undo_weights(actor, unit)))

    return once(request, done)


def _person(request: HttpRequest) -> Actor:
    """The actor, who must name a person. Raises NotAllowed."""
    actor = actor_of(request)
    if actor.person is None:
        raise NotAllowed(
            "many decisions at once are a person's", hint="name who decided: On-Behalf-Of: their address"
        )
    return actor


def _told(result: Result) -> HttpResponse:
    refused = [values.RefusedCase(one.case_id, one.reason) for one in result.refused]
    return answer(values.ManyResult(result.bulk_id, list(result.done), refused))


def _own_unit(actor: Actor, unit_id: str) -> Unit:
    for unit in actor.units:
        if unit.unit_id == unit_id:
            return unit
    raise NotFound("there is no such unit, or its weights are not yours")


def _weights(unit: Unit, found: Weights) -> values.UnitWeights:
    return values.UnitWeights(unit.unit_id, *(int(getattr(found, name)) for name in triage.PARTS))
