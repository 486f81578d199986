"""Tallies: what members' resolvers and firewalls stopped, hour by hour."""

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router

from tocsin.blocking import services
from tocsin.doors.api.bodies import json_body
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import described
from tocsin.kernel.problems import BadInput
from tocsin.wire.tally import TallyAnswer, TallyBatch

router = Router(tags=["tallies"])

_batch = msgspec.json.Decoder(TallyBatch)


@router.post("", auth=guard("tally.write"), openapi_extra=described(TallyAnswer, body=TallyBatch))
def take_tallies(request: HttpRequest) -> HttpResponse:
    """Tell what one log counted. Cumulative for each hour: telling the same again changes nothing."""
    try:
        batch = _batch.decode(json_body(request))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(str(error), hint='send {"source_id": "...", "tallies": [...]}') from None
    return answer(services.take_tallies(actor_of(request), batch))
