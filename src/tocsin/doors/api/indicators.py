"""Indicators: why something is blocked or is not, and a member's objection."""

import datetime as dt

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router

from tocsin.doors.api.bodies import json_body
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import described
from tocsin.figures import effects
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import rfc3339
from tocsin.sharing import appealing, explaining, nearness
from tocsin.wire.indicators import Explained, Happened, Near, Objected, Objection, Told

router = Router(tags=["indicators"])

_objection = msgspec.json.Decoder(Objection)


@router.get("", auth=guard("indicator.read"), openapi_extra=described(Explained))
def explain_indicator(request: HttpRequest, value: str) -> HttpResponse:
    """Why an address or name is blocked, or is not: its whole life, never whose word it was."""
    actor = actor_of(request)
    found = explaining.explain(actor, value)
    stopped = effects.stopped_by(actor, found.indicator_id) if found.indicator_id else ""
    return answer(
        Explained(
            kind=found.kind,
            value=found.value,
            sentence=found.sentence,
            indicator_id=found.indicator_id,
            state=found.state,
            reason=found.reason,
            tlp=found.tlp,
            since=_told(found.since),
            valid_until=_told(found.valid_until),
            certainty=found.certainty,
            parts=tuple(Told(part.what, part.words) for part in found.parts),
            reported_by_us=found.reported_by_us,
            waits=found.waits,
            obstacle=found.obstacle,
            appeal=found.appeal,
            stopped=stopped,
            events=tuple(Happened(rfc3339(event.at), event.words, event.why) for event in found.events),
        )
    )


@router.get("/near/{prefix}", auth=guard("indicator.read"), openapi_extra=described(Near))
def read_near(request: HttpRequest, prefix: str) -> HttpResponse:
    """A private look-up: what is known under the first hex digits of the SHA-256 of a value.

    The answer holds the other digits of each value's digest (16 in all), some of them made up. Compare them
    with the own one: nobody learns which it was.
    """
    return answer(nearness.near(actor_of(request), prefix))


@router.post("/objections", auth=guard("indicator.object"), openapi_extra=described(Objected, body=Objection))
def object_to_indicator(request: HttpRequest) -> HttpResponse:
    """Object to what is shared: one's own words are taken back, and an appeal goes to a trusted person.

    Where an appeal is open already, its clock runs on.
    """
    try:
        given = _objection.decode(json_body(request))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(str(error), hint='send {"value": "...", "reason": "..."}') from None
    done = appealing.object_to(actor_of(request), given.value, given.reason)
    return answer(Objected(done.taken_back, done.is_listed, _told(done.due_at)))


def _told(instant: dt.datetime | None) -> str:
    return rfc3339(instant) if instant is not None else ""
