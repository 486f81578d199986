"""Indicators: why something is blocked or is not, a member's objection, and that it was met."""

import datetime as dt

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router

from tocsin.doors.api.bodies import decoded, json_body, refuse_nul
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.once import once
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import described
from tocsin.figures import effects
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import parse_rfc3339, rfc3339
from tocsin.sharing import appealing, explaining, nearness, sightings
from tocsin.wire.indicators import (
    Explained,
    Happened,
    Near,
    Objected,
    Objection,
    Seen,
    SeenAnswer,
    SeenBatch,
    Told,
)

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
            taken="; ".join(one.where + one.words for one in found.receipts),
            taken_by_us="; ".join(one.where + one.own for one in found.receipts if one.own),
            seen=found.seen,
            events=tuple(Happened(rfc3339(event.at), event.words, event.why) for event in found.events),
            attack_kind=found.attack_kind,
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
    body = json_body(request)
    refuse_nul(body)
    try:
        given = _objection.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(str(error), hint='send {"value": "...", "reason": "..."}') from None
    done = appealing.object_to(actor_of(request), given.value, given.reason)
    return answer(Objected(done.taken_back, done.is_listed, _told(done.due_at)))


@router.post("/sightings", auth=guard("sighting.make"), openapi_extra=described(SeenAnswer, body=SeenBatch))
def see_indicators(request: HttpRequest) -> HttpResponse:
    """Met here, too: many at once, up to 1,000. They live longer; it is no word for them.

    Telling the same again within the hour changes nothing. Of what is on no list nothing is kept.
    """
    batch = decoded(request, SeenBatch)

    def done() -> HttpResponse:
        met = [sightings.Met(one.value, _instant(one)) for one in batch.sightings]
        return _taken(sightings.see(actor_of(request), met))

    return once(request, done)


@router.post("/{indicator_id}/sightings", auth=guard("sighting.make"), openapi_extra=described(SeenAnswer))
def see_indicator(request: HttpRequest, indicator_id: str) -> HttpResponse:
    """Met here, too: it lives longer; it is no word for it."""
    return once(request, lambda: _taken(sightings.see_one(actor_of(request), indicator_id)))


@router.delete("/{indicator_id}/sightings", auth=guard("sighting.make"), openapi_extra=described(SeenAnswer))
def take_sighting_back(request: HttpRequest, indicator_id: str) -> HttpResponse:
    """It was something else: the member's sighting goes. What it prolonged stays."""
    return answer(SeenAnswer(sightings.take_back(actor_of(request), indicator_id)))


def _taken(done: sightings.Taken) -> HttpResponse:
    return answer(SeenAnswer(done.taken, done.known, done.unknown))


def _instant(seen: Seen) -> dt.datetime | None:
    try:
        return parse_rfc3339(seen.seen_at) if seen.seen_at else None
    except ValueError:
        raise BadInput(
            f"seen_at is no instant: {seen.seen_at[:40]!r}", hint="such as 2026-11-26T10:42:00Z"
        ) from None


def _told(instant: dt.datetime | None) -> str:
    return rfc3339(instant) if instant is not None else ""
