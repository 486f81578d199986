"""Receipts of a channel that is told in days: a MISP feed, whose reader fetches each day's event by itself.

Its manifest says which events changed; a reader has all up to a number once it has fetched, since it began,
each event in which something changed up to there.
"""

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db.models import OuterRef, QuerySet, Subquery

from tocsin.access.models import ApiKey
from tocsin.access.policy import Actor
from tocsin.journal.acts import act
from tocsin.sharing import readings
from tocsin.sharing.models import Channel, Outgoing, Reading
from tocsin.store import fence

WAY = "misp"


def with_first(found: QuerySet[Outgoing]) -> QuerySet[Outgoing]:
    """These entries, and as `first_at` when the indicator of each first left in its channel."""
    first = Outgoing.objects.filter(channel=OuterRef("channel"), stix_id=OuterRef("stix_id"))
    return found.annotate(first_at=Subquery(first.order_by("number").values("date_added")[:1]))


def day_of(entry: Outgoing) -> dt.date:
    """The UTC day on which the indicator of an entry of `with_first` first left in its feed."""
    first: dt.datetime = entry.first_at  # type: ignore[attr-defined]  # annotated by `with_first`
    return first.astimezone(dt.UTC).date()


def note_days(actor: Actor, fetched: Iterable[tuple[Channel, dt.date]]) -> None:
    """A key was sent these days of shared channels as they stood when the channels were looked up."""
    by_channel: dict[Channel, list[str]] = {}
    for channel, day in fetched:
        by_channel.setdefault(channel, []).append(day.isoformat())
    if actor.key is None:
        return
    for channel, days in by_channel.items():
        with fence.lifted(), act():
            known = _readings(actor.key, [channel]).select_for_update().first()
            number = channel.number  # who begins to read has nothing that was ever to be withdrawn
            if known is not None:
                ahead = {**(known.ahead or {}), **dict.fromkeys(days, channel.number)}
                number = reached(channel, known.number, ahead)
                left = {day: upto for day, upto in ahead.items() if upto > number}
                Reading.objects.filter(pk=known.pk).update(ahead=left or None)
        readings.note([readings.read_of(actor.key, WAY, channel, number)])


def note_asked(actor: Actor, told: Iterable[Channel]) -> None:
    """A key has asked whether anything changed; who has never fetched anything is no reader yet."""
    if actor.key is None:
        return
    by_pk = {channel.pk: channel for channel in told}
    with fence.lifted():
        known = list(_readings(actor.key, by_pk.values()))
        reads = [
            readings.read_of(actor.key, WAY, channel, reached(channel, one.number, one.ahead or {}))
            for one in known
            if (channel := by_pk.get(one.channel_id or 0)) is not None
        ]
    readings.note(reads)


def note_whole(actor: Actor, told: Iterable[Channel], since: dt.datetime | None, part: str = "") -> None:
    """A key was sent all of these channels, or all that changed in them since an instant.

    Whoever asks for what is later than its last number misses something, and has what it had.
    """
    if actor.key is None:
        return
    reads = []
    for channel in told:
        with fence.lifted():
            known = _readings(actor.key, [channel]).first() if since is not None else None
            number = channel.number
            if known is not None:
                between = Outgoing.objects.filter(
                    channel=channel, number__gt=known.number, date_added__lt=since
                )
                number = known.number if between.exists() else number
        reads.append(readings.read_of(actor.key, WAY, channel, number, part))
    readings.note(reads)


def reached(channel: Channel, number: int, ahead: Mapping[str, int]) -> int:
    """The number up to which everything was fetched: behind `number`, days `ahead` up to theirs."""
    later = Outgoing.objects.filter(
        channel=channel,
        number__gt=number,
        number__lte=channel.number,
        is_latest=True,
        indicator__isnull=False,
    ).order_by("number")
    for entry in with_first(later).only("number").iterator():
        if ahead.get(day_of(entry).isoformat(), 0) < entry.number:
            return max(entry.number - 1, number)
    return max(channel.number, number)


def _readings(key: ApiKey, told: Iterable[Channel]) -> QuerySet[Reading]:
    """How far a key has read these channels event by event."""
    aliases = [channel.alias for channel in told]
    return Reading.objects.filter(key=key, way=WAY, what__in=aliases)
