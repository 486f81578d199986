"""Putting changes into the outward feed: own numbers, STIX versions, the numbers of the lists.

The feed counts by itself, so that a member's cursor tells nobody how much others report. Numbers are given
out while the journal's head is locked, last of all: they become visible in order and no cursor skips one.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Max, Min

from tocsin.journal.acts import Act, Stamp
from tocsin.journal.chain import Placement
from tocsin.kernel.time import parse_rfc3339
from tocsin.sharing.models import Indicator, ListHead, Outgoing
from tocsin.wire import stix

MILLISECOND = dt.timedelta(milliseconds=1)
HOUR = dt.timedelta(hours=1)
NEW: tuple[dt.datetime | None, dt.datetime | None] = (None, None)
MARKED = "sharing:marking:published"


@dataclass(frozen=True)
class Departure:
    """An indicator that changed outwardly, and its journal entry."""

    indicator: Indicator
    stamp: Stamp


def stix_id_of(kind: str, value: str) -> uuid.UUID:
    """UUIDv5 of the canonical pattern in the exchange's namespace: the same for ever."""
    return uuid.uuid5(stix.namespace_of(settings.ORIGIN), stix.pattern_of(kind, value))


def publish(recorded: Act, indicators: Sequence[Indicator], events: Sequence[str]) -> None:
    """Record each event and put a version of each indicator, in its present state, into the feed."""
    if not indicators:
        return
    marking = mark(recorded)
    departures = [
        Departure(indicator, recorded.record(event, indicator.indicator_id, told(indicator)))
        for indicator, event in zip(indicators, events, strict=True)
    ]

    def number_them(placement: Placement) -> None:
        number = Outgoing.objects.aggregate(last=Max("number"))["last"] or 0
        if marking is not None:
            number += 1
            write_marking(number, marking)
        write(departures, number)

    recorded.when_placed(number_them)


def told(indicator: Indicator) -> dict[str, object]:
    """What the journal's entry commits to."""
    return {
        "kind": indicator.kind,
        "value": indicator.value,
        "state": indicator.state,
        "why": indicator.reason,
    }


def mark(recorded: Act) -> Stamp | None:
    """The marking definition goes first, once."""
    marking = stix.TLP_MARKINGS[settings.SHARING_TLP]
    if Outgoing.objects.filter(stix_id=marking).exists():
        return None
    return recorded.record(MARKED, f"tlp-{settings.SHARING_TLP}", {"tlp": settings.SHARING_TLP})


def write_marking(number: int, stamp: Stamp) -> None:
    """Store the marking definition as one entry of the feed."""
    Outgoing.objects.create(
        number=number,
        date_added=stamp.placed_at,
        stix_id=stix.TLP_MARKINGS[settings.SHARING_TLP],
        modified=parse_rfc3339(stix.MARKED_AT),
        body=stix.marking_body(settings.SHARING_TLP),
    )


def write(departures: Sequence[Departure], last: int) -> None:
    """Store a version of each, behind number `last`, and let the lists have the numbers of their last."""
    pks = [departure.indicator.pk for departure in departures]
    before = Outgoing.objects.filter(indicator__in=pks).values_list("indicator_id")
    told_before = {pk: (first, last) for pk, first, last in before.annotate(Min("modified"), Max("modified"))}
    Outgoing.objects.filter(indicator__in=pks, is_latest=True).update(is_latest=False)
    rows, heads = [], {}
    for number, departure in enumerate(departures, start=last + 1):
        row = version(departure, number, *told_before.get(departure.indicator.pk, NEW))
        rows.append(row)
        heads[departure.indicator.kind] = row
    Outgoing.objects.bulk_create(rows)
    for kind, row in heads.items():
        ListHead.objects.update_or_create(
            kind=kind, defaults={"number": row.number, "changed_at": row.date_added}
        )


def version(
    departure: Departure, number: int, first: dt.datetime | None, latest: dt.datetime | None
) -> Outgoing:
    """The next STIX version of an indicator.

    What could point at a report is told to the hour: since when, and until when. `modified` is the instant of
    the exchange's own act, and always later than before (STIX 2.1 section 3.2).
    """
    indicator, added = departure.indicator, departure.stamp.placed_at
    modified = stix.to_milliseconds(added)
    if latest is not None:
        modified = max(modified, latest + MILLISECOND)
    begin = hour_of(first or modified)
    until = hour_of(indicator.valid_until or added) + HOUR
    revoked = indicator.state != Indicator.State.SHARED
    body = stix.indicator_body(
        indicator.kind,
        indicator.value,
        indicator.stix_id,
        created=begin,
        modified=modified,
        valid_from=begin,
        valid_until=max(until, begin + HOUR),
        tlp=settings.SHARING_TLP,
        revoked=revoked,
    )
    return Outgoing(
        number=number,
        date_added=added,
        indicator=indicator,
        stix_id=indicator.stix_id,
        modified=modified,
        revoked=revoked,
        body=body,
    )


def hour_of(instant: dt.datetime) -> dt.datetime:
    """The hour in which an instant lies."""
    return instant.replace(minute=0, second=0, microsecond=0)
