"""How a member's own words are hidden: whether they wait for a batch, which do, and who was told.

Opening a source has no route here: it takes two people, and no key stands for a person.
"""

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router

from tocsin.doors.api.bodies import json_body
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import described
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import rfc3339
from tocsin.sharing import batching, opened
from tocsin.wire.indicators import HiddenSource, OpenedSource, SmallSource, WaitingWord

router = Router(tags=["source"])

_small = msgspec.json.Decoder(SmallSource)


@router.get("", auth=guard("source.read"), openapi_extra=described(HiddenSource))
def read_source(request: HttpRequest) -> HttpResponse:
    """How the key's member is hidden: by batches or not, what waits, and of what it was told."""
    actor = actor_of(request)
    found = batching.batching_of(actor)
    hidden = HiddenSource(
        is_small_source=found.is_small_source,
        count=found.count,
        waiting=tuple(
            WaitingWord(one.value, rfc3339(one.since), rfc3339(one.leaves_by), one.is_renewal)
            for one in found.waiting
        ),
        opened=tuple(
            OpenedSource(one.value, one.opened_on.isoformat(), one.reason) for one in opened.opened_of(actor)
        ),
    )
    return answer(hidden)


@router.put("", auth=guard("source.batch"), openapi_extra=described(SmallSource, body=SmallSource))
def set_source(request: HttpRequest) -> HttpResponse:
    """Let the member's words wait for batches, or go at once. Waiting words leave with their batch."""
    try:
        given = _small.decode(json_body(request))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(str(error), hint='send {"is_small_source": true}') from None
    batching.call_small(actor_of(request), given.is_small_source)
    return answer(given)
