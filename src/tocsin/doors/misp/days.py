"""The shared feeds as MISP events: one for each feed and UTC day on which indicators first left in it."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable

import msgspec
from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from tocsin.access.policy import Actor
from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import NotFound
from tocsin.sharing import by_day, channels
from tocsin.sharing.by_day import day_of
from tocsin.sharing.models import Channel, Outgoing
from tocsin.wire import misp, stix

_said = msgspec.json.Decoder(misp.Said)
DAY = dt.timedelta(days=1)


def feeds(actor: Actor) -> list[Channel]:
    """The shared feeds that somebody may read."""
    return [one for one in channels.readable(actor) if one.kind == Channel.Kind.SHARED]


def etag(read: Iterable[Channel], what: str) -> str:
    """Changes with each entry of each of these feeds, and with nothing else."""
    told = " ".join(f"{one.channel_id} {one.number}" for one in read)
    return f'"{sha256_hex(f"{what} {told}".encode())[:32]}"'


def rows(read: Iterable[Channel]) -> QuerySet[Outgoing]:
    """The latest version of each indicator; `first_at` is when it first left in its feed."""
    found = Outgoing.objects.filter(channel__in=list(read), is_latest=True, indicator__isnull=False)
    related = found.defer("body").select_related("indicator", "channel")
    return by_day.with_first(related).order_by("channel", "number")


def whole(read: Iterable[Channel]) -> QuerySet[Outgoing]:
    """The same with what else their objects say, which costs reading them."""
    return rows(read).defer(None)


def events(found: Iterable[Outgoing]) -> list[misp.Event]:
    """These rows as events, the earliest day first within its feed."""
    days: defaultdict[tuple[Channel, dt.date], list[Outgoing]] = defaultdict(list)
    for row in found:
        days[row.channel, day_of(row)].append(row)
    return [event(channel, day, days[channel, day]) for channel, day in sorted(days, key=_order)]


def event(channel: Channel, day: dt.date, found: list[Outgoing]) -> misp.Event:
    """One event; its timestamp moves when one of its attributes changes, whose own are told to the hour."""
    stamp = misp.seconds(max(row.date_added for row in found))
    return misp.Event(
        uuid=str(misp.event_id(channel.channel_id, day)),
        info=f"{channel.title}, {day.isoformat()}",
        date=day.isoformat(),
        timestamp=stamp,
        publish_timestamp=stamp,
        Orgc=misp.Orgc(settings.ORIGIN, str(stix.namespace_of(settings.ORIGIN))),
        Tag=(misp.tag_of(channel.tlp),),
        Attribute=tuple(attribute(row) for row in found),
    )


def attribute(row: Outgoing) -> misp.Attribute:
    """One row as an attribute. A row of `rows` has an indicator."""
    channel, indicator = row.channel.channel_id, row.indicator
    assert indicator is not None  # noqa: S101  # `rows` asks for it
    is_whole = "body" not in row.get_deferred_fields()
    said = _said.decode(bytes(row.body)) if is_whole else None
    return misp.attribute(
        misp.attribute_id(channel, row.stix_id),
        misp.event_id(channel, day_of(row)),
        indicator.kind,
        indicator.value,
        row.modified,
        is_over=row.revoked,
        said=said,
    )


def named(actor: Actor, event: str, *, is_sent: bool) -> misp.Event:
    """The event that an address names; who is sent it has it from now on. Raises NotFound."""
    try:
        channel, day = place_of(actor, uuid.UUID(event))
    except ValueError:
        raise NotFound() from None
    told = on(channel, day)
    if is_sent:
        by_day.note_days(actor, [(channel, day)])
    return told


def place_of(actor: Actor, number: uuid.UUID) -> tuple[Channel, dt.date]:
    """The feed that the actor may read, and the day in it, of the event of that UUID. Raises NotFound."""
    for channel in feeds(actor):
        ends = (
            Outgoing.objects.filter(channel=channel).order_by("number").values_list("date_added", flat=True)
        )
        begin, end = ends.first(), ends.last()
        day = begin.astimezone(dt.UTC).date() if begin is not None else None
        while day is not None and end is not None and day <= end.astimezone(dt.UTC).date():
            if misp.event_id(channel.channel_id, day) == number:
                return channel, day
            day += DAY
    raise NotFound()


def on(channel: Channel, day: dt.date) -> misp.Event:
    """What a feed began to tell on that day. Raises NotFound."""
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    that_day = Outgoing.objects.filter(
        channel=OuterRef("channel"),
        stix_id=OuterRef("stix_id"),
        date_added__gte=start,
        date_added__lt=start + DAY,
    )
    found = [row for row in whole([channel]).filter(Exists(that_day)) if day_of(row) == day]
    if not found:
        raise NotFound()
    return event(channel, day, found)


def _order(one: tuple[Channel, dt.date]) -> tuple[int, dt.date]:
    return one[0].pk, one[1]
