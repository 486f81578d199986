"""Channels line by line, from a number on: NDJSON for programs, CSV for everything else."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import ChannelEntry, Channels, ChannelTold, described, streamed
from tocsin.sharing import channels, feed, readings
from tocsin.sharing.models import Outgoing
from tocsin.wire import stix_in, taxii
from tocsin.wire.observables import address_of, name_of

router = Router(tags=["channels"])

USUAL, MOST = 1_000, 10_000
LAST, MORE = "Tocsin-Last", "Tocsin-More"
COLUMNS = ("number", "date_added", "kind", "value", "revoked", "valid_until", "confidence", "tlp", "stix_id")

Number = Annotated[int, Field(ge=0, lt=2**62)]
Limit = Annotated[int, Field(ge=1, le=MOST)]


class Said(msgspec.Struct):
    """What a row of CSV tells of an object."""

    pattern: str = ""
    pattern_type: str = ""
    valid_until: str = ""
    confidence: int | None = None
    revoked: bool = False


_said = msgspec.json.Decoder(Said)


@router.get("", auth=guard("channel.read"), openapi_extra=described(Channels))
def list_channels(request: HttpRequest) -> HttpResponse:
    """The channels that this key may read: everybody's by label, its communities', its own contributions."""
    told = (
        ChannelTold(str(one.channel_id), one.alias, one.title, one.tlp, one.number)
        for one in channels.readable(actor_of(request))
    )
    return answer(Channels(tuple(told)))


@router.get("/{channel}/entries.ndjson", auth=guard("channel.read"), openapi_extra=streamed(ChannelEntry))
def read_entries_as_lines(
    request: HttpRequest, channel: str, after: Number = 0, limit: Limit = USUAL
) -> HttpResponse:
    """Entries behind number `after`, one a line: its number, its date, the STIX object as it is stored.

    `Tocsin-Last` is the number to go on behind, `Tocsin-More` says whether others follow. Of an object's
    versions the last one comes; what was withdrawn comes again as revoked.
    """
    return written(request, channel, after, limit, as_lines, "application/x-ndjson")


@router.get("/{channel}/entries.csv", auth=guard("channel.read"), openapi_extra=streamed(ChannelEntry))
def read_entries_as_table(
    request: HttpRequest, channel: str, after: Number = 0, limit: Limit = USUAL
) -> HttpResponse:
    """The same of addresses and names, as CSV with a line of names."""
    return written(request, channel, after, limit, as_table, "text/csv; charset=utf-8")


Writer = Callable[[Iterable[Outgoing]], Iterator[bytes]]


def written(
    request: HttpRequest, name: str, after: int, limit: int, write: Writer, media: str
) -> HttpResponse:
    """One page of a channel. Raises NotFound for one that this key may not read."""
    actor = actor_of(request)
    channel = channels.channel_of(actor, name)
    rows = list(feed.entries(channel, feed.Wanted(after=after))[: limit + 1])
    more = len(rows) > limit
    del rows[limit:]
    for row in rows:
        row.channel = channel
    readings.note_channel(actor, "lines", channel, rows[-1].number if more else channel.number)
    response = HttpResponse(b"".join(write(rows)), content_type=media)
    response[LAST] = str(rows[-1].number if rows else after)
    response[MORE] = "true" if more else "false"
    response["Cache-Control"] = "private, no-cache"
    return response


def as_lines(rows: Iterable[Outgoing]) -> Iterator[bytes]:
    """Each entry's stored bytes, spliced into its line."""
    for row in rows:
        line = b'{"number":%d,"date_added":"%s","object":%s}\n'
        yield line % (row.number, taxii.stamp(row.date_added).encode(), bytes(row.body))


def as_table(rows: Iterable[Outgoing]) -> Iterator[bytes]:
    """A row for each address or name that an entry is about."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in rows:
        if row.stix_type != "indicator":
            continue
        try:
            said = _said.decode(bytes(row.body))
        except (msgspec.DecodeError, UnicodeDecodeError):  # what a member contributed may be anything
            continue
        values = stix_in.values_of(said.pattern) if said.pattern_type == "stix" else None
        for kind, text in values or ():
            value = name_of(text) if kind == "name" else address_of(text)
            if value is None:
                continue
            table.writerow(
                (
                    row.number, taxii.stamp(row.date_added), kind, value, str(said.revoked).lower(),
                    said.valid_until, "" if said.confidence is None else said.confidence, row.channel.tlp,
                    f"indicator--{row.stix_id}",
                )
            )  # fmt: skip
    yield file.getvalue().encode()
