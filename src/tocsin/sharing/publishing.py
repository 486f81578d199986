"""Putting changes into the outward feeds: own numbers, STIX versions, the numbers of the lists.

Each feed counts by itself, so that a member's cursor tells nobody how much others report. Numbers are given
out while the journal's head is locked, last of all: they become visible in order and no cursor skips one.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Max, Min

from tocsin.access.models import Community
from tocsin.journal.acts import Act, Stamp
from tocsin.journal.chain import Placement
from tocsin.kernel.time import parse_rfc3339
from tocsin.sharing.channels import shared_channel
from tocsin.sharing.models import Channel, Indicator, ListHead, Outgoing, Removal, Standing
from tocsin.store import bulk
from tocsin.store.rows import insert_rows
from tocsin.wire import stix

MICROSECOND = dt.timedelta(microseconds=1)
SECOND = dt.timedelta(seconds=1)
HOUR = dt.timedelta(hours=1)
INDICATOR, MARKING = "indicator", "marking-definition"
AT_ONCE = 1_000
COLUMNS = (
    "channel_id", "number", "date_added", "indicator_id", "stix_type", "stix_id", "modified", "is_latest",
    "revoked", "body",
)  # fmt: skip
VERSIONS = """SELECT id, stix_id, modified, is_latest FROM sharing_outgoing
WHERE channel_id = %s AND stix_id = ANY(%s)"""
MARKED = "sharing:marking:published"


@dataclass(frozen=True)
class Departure:
    """An indicator that changed in an audience: `where` it now stands there, and `event` is what happened.

    `where` is the indicator itself for everybody, and its standing in a community otherwise; `confidence` is
    what STIX tells of how sure the exchange is, by TLP label, and empty where it no longer stands.
    """

    indicator: Indicator
    where: Indicator | Standing
    event: str
    confidence: Mapping[str, int]

    @property
    def community(self) -> Community | None:
        """The audience: None is everybody."""
        return self.where.community if isinstance(self.where, Standing) else None

    @property
    def is_withdrawn(self) -> bool:
        """Has every reader to take it off? What expires was announced with its end."""
        return self.where.state == Indicator.State.WITHDRAWN


@dataclass(frozen=True, slots=True)
class NewObject:
    """A STIX object's version that goes into a feed as these bytes."""

    stix_type: str
    stix_id: uuid.UUID
    modified: dt.datetime
    body: bytes
    indicator: Indicator | None = None
    revoked: bool = False


def stix_id_of(kind: str, value: str) -> uuid.UUID:
    """UUIDv5 of the canonical pattern in the exchange's namespace: the same for ever."""
    return uuid.uuid5(stix.namespace_of(settings.ORIGIN), stix.pattern_of(kind, value))


def publish(recorded: Act, departures: Sequence[Departure]) -> None:
    """Record each event and put a version of each indicator, in its present state, into its feeds."""
    if not departures:
        return
    stamps = [recorded.record(one.event, one.indicator.indicator_id, told(one)) for one in departures]
    by_channel = channels_of(departures)
    fresh = {channel: mark(recorded, channel) for channel in by_channel if channel.number == 0}

    def number_them(placement: Placement) -> None:
        heads: dict[str, dt.datetime] = {}
        gone: list[Removal] = []
        for channel, places in by_channel.items():
            marking = fresh.get(channel)
            if marking is not None and not Outgoing.objects.filter(channel=channel).exists():
                add(channel, [marking_of(channel)], marking.placed_at)
            leaving = [(departures[place], stamps[place].placed_at) for place in places]
            add(channel, versions(channel, leaving), leaving[0][1])
            first = channel.number - len(leaving) + 1
            gone += [
                Removal(indicator=one.indicator, channel=channel, number=number, at=at)
                for number, (one, at) in enumerate(leaving, first)
                if one.is_withdrawn
            ]
        for one, stamp in zip(departures, stamps, strict=True):
            heads[head_key(one.community, one.indicator.kind)] = stamp.placed_at
        numbers = {key: renumber(key, at) for key, at in heads.items()}
        for one, stamp in zip(departures, stamps, strict=True):
            key = head_key(one.community, one.indicator.kind)
            if one.is_withdrawn:
                gone.append(
                    Removal(indicator=one.indicator, list_key=key, number=numbers[key], at=stamp.placed_at)
                )
        insert_rows(gone)

    recorded.when_placed(number_them)


def append(recorded: Act, channel: Channel, objects: Sequence[NewObject], stamp: Stamp) -> None:
    """Put these objects into a feed when the act is placed, in order, from the instant of its entry on."""
    recorded.when_placed(lambda placement: add(channel, objects, stamp.placed_at))


def channels_of(departures: Sequence[Departure]) -> dict[Channel, list[int]]:
    """The feeds that hear of each departure, by places of theirs: where it now stands, and where it stood.

    A feed in which an earlier version still counts must hear of the end, whatever its TLP.
    """
    found: defaultdict[Channel, list[int]] = defaultdict(list)
    alive = Outgoing.objects.filter(
        indicator__in=[one.indicator.pk for one in departures],
        is_latest=True,
        revoked=False,
        channel__kind=Channel.Kind.SHARED,
    ).select_related("channel")
    standing: defaultdict[int, list[Channel]] = defaultdict(list)
    for entry in alive.defer("body").order_by("channel"):
        standing[entry.indicator_id or 0].append(entry.channel)
    known: dict[tuple[int | None, str], Channel] = {}
    for place, one in enumerate(departures):
        community = one.community.pk if one.community is not None else None
        hear = [channel for channel in standing[one.indicator.pk] if channel.community_id == community]
        if one.where.state == Indicator.State.SHARED:
            audience = community, one.where.tlp
            if audience not in known:
                known[audience] = shared_channel(one.community, one.where.tlp)
            now_at = known[audience]
            hear = [channel for channel in hear if channel.pk != now_at.pk] + [now_at]
        for channel in hear:
            found[channel].append(place)
    return dict(found)


def told(departure: Departure) -> dict[str, object]:
    """What the journal's entry commits to."""
    community = departure.community
    return {
        "kind": departure.indicator.kind,
        "value": departure.indicator.value,
        "state": departure.where.state,
        "why": departure.where.reason,
        **({"community": community.community_id} if community is not None else {}),
    }


def mark(recorded: Act, channel: Channel) -> Stamp:
    """The marking definition goes first, once in each feed."""
    return recorded.record(MARKED, f"tlp-{channel.tlp}", {"tlp": channel.tlp, "feed": channel.alias})


def marking_of(channel: Channel) -> NewObject:
    """The feed's marking definition."""
    at = parse_rfc3339(stix.MARKED_AT)
    return NewObject(MARKING, stix.TLP_MARKINGS[channel.tlp], at, stix.marking_body(channel.tlp))


def add(channel: Channel, objects: Sequence[NewObject], at: dt.datetime) -> None:
    """Number these versions behind the feed's last and store them; the journal's head is locked.

    Their dates are those of the act, a microsecond apart, and always later than the feed's last.
    """
    if not objects:
        return
    held = Channel.objects.only("number", "last_at").get(pk=channel.pk)
    date = at if held.last_at is None else max(at, held.last_at + MICROSECOND)
    newest, is_latest = newest_of(objects)
    outdate(channel, objects, newest, is_latest)
    spelled_id = Outgoing._meta.get_field("stix_id").get_db_prep_value
    spelled = [
        (
            channel.pk,
            held.number + 1 + place,
            bulk.spelled(date + place * MICROSECOND),
            one.indicator.pk if one.indicator is not None else None,
            one.stix_type,
            spelled_id(one.stix_id, connection, True),
            bulk.spelled(one.modified),
            is_latest[place],
            one.revoked,
            one.body,
        )
        for place, one in enumerate(objects)
    ]
    bulk.insert(Outgoing, COLUMNS, spelled)
    held.number += len(objects)
    held.last_at = date + (len(objects) - 1) * MICROSECOND
    held.save(update_fields=["number", "last_at"])
    channel.number, channel.last_at = held.number, held.last_at


def newest_of(objects: Sequence[NewObject]) -> tuple[dict[uuid.UUID, int], list[bool]]:
    """The place of the newest version of each object, and for each place whether it is one."""
    newest: dict[uuid.UUID, int] = {}
    is_latest = [True] * len(objects)
    for place, one in enumerate(objects):
        before = newest.get(one.stix_id)
        if before is not None and objects[before].modified > one.modified:
            is_latest[place] = False
            continue
        if before is not None:
            is_latest[before] = False
        newest[one.stix_id] = place
    return newest, is_latest


def outdate(
    channel: Channel, objects: Sequence[NewObject], newest: dict[uuid.UUID, int], is_latest: list[bool]
) -> None:
    """Of each object the version with the greatest `modified` is the latest (STIX 2.1 section 3.6)."""
    superseded = []
    for pk, stix_id, modified, was_latest in versions_in(channel, newest):
        place = newest[stix_id]
        if not was_latest:
            continue
        if modified <= objects[place].modified:
            superseded.append(pk)
        else:
            is_latest[place] = False
    for start in range(0, len(superseded), AT_ONCE):
        Outgoing.objects.filter(pk__in=superseded[start : start + AT_ONCE]).update(is_latest=False)


def versions_in(
    channel: Channel, numbers: Iterable[uuid.UUID]
) -> Iterator[tuple[int, uuid.UUID, dt.datetime, bool]]:
    """The versions of these objects that a channel has: primary key, UUID, `modified`, and is it the latest?

    Asked past the ORM, in one question: most of ten thousand objects that come are new.
    """
    is_sqlite = connection.vendor == "sqlite"
    wanted = [number.hex if is_sqlite else number for number in numbers]
    for pk, number, modified, is_latest in bulk.select(VERSIONS, channel.pk, wanted):
        found = uuid.UUID(number) if isinstance(number, str) else number
        yield pk, found, bulk.read(modified), bool(is_latest)


def versions(channel: Channel, leaving: Sequence[tuple[Departure, dt.datetime]]) -> list[NewObject]:
    """The next STIX version of each indicator for this feed.

    What could point at a report is told to the hour: since when, until when, and `modified`, where versions
    within an hour are a second apart, each later than before (STIX 2.1 section 3.2). Who is told live knows
    the instant; whoever gets the object from them does not.
    """
    before = Outgoing.objects.filter(indicator__in=[one.indicator.pk for one, _ in leaving])
    known = {
        pk: (first, last)
        for pk, first, last in before.values_list("indicator_id").annotate(Min("modified"), Max("modified"))
    }
    return [version(channel, one, at, *known.get(one.indicator.pk, (None, None))) for one, at in leaving]


def version(
    channel: Channel,
    departure: Departure,
    added: dt.datetime,
    first: dt.datetime | None,
    latest: dt.datetime | None,
) -> NewObject:
    """One version of an indicator; revoked in a feed in which it no longer stands."""
    indicator, where = departure.indicator, departure.where
    modified = hour_of(added)
    if latest is not None:
        modified = max(modified, stix.to_milliseconds(latest) + SECOND)  # MISP tells versions by seconds
    begin = hour_of(first or modified)
    until = hour_of(where.valid_until or added) + HOUR
    revoked = where.state != Indicator.State.SHARED
    body = stix.indicator_body(
        indicator.kind,
        indicator.value,
        indicator.stix_id,
        created=begin,
        modified=modified,
        valid_from=begin,
        valid_until=max(until, begin + HOUR),
        tlp=channel.tlp,
        confidence=departure.confidence.get(channel.tlp),
        revoked=revoked,
    )
    return NewObject(INDICATOR, indicator.stix_id, modified, body, indicator, revoked)


def renumber(key: str, at: dt.datetime) -> int:
    """A list has changed: it gets its next number, which this gives."""
    head = ListHead.objects.filter(pk=key).first()
    number = (head.number if head is not None else 0) + 1
    ListHead.objects.update_or_create(pk=key, defaults={"number": number, "changed_at": at})
    return number


def head_key(community: Community | None, kind: str) -> str:
    """By which the number of a list is kept."""
    return kind if community is None else f"{community.community_id}/{kind}"


def hour_of(instant: dt.datetime) -> dt.datetime:
    """The hour in which an instant lies."""
    return instant.replace(minute=0, second=0, microsecond=0)
