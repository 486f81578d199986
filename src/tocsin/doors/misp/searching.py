"""Searching as MISP does: attributes, and the events that hold them. What is found is what the feed says."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor
from tocsin.doors.misp import days
from tocsin.doors.misp.asked import CATEGORY, KINDS, MOST, Search, asked
from tocsin.doors.misp.guard import answer, guarded
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import now
from tocsin.sharing import by_day
from tocsin.sharing.by_day import day_of
from tocsin.sharing.models import Channel, Outgoing
from tocsin.wire import misp

TOO_MANY = f"more than {MOST:,} attributes"
SECOND = dt.timedelta(seconds=1)


@guarded("POST")
def search_attributes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """`attributes/restSearch`: each with its event and its label."""
    search, read = asked(request, now()), days.feeds(actor)
    found = paged(matching(read, search), search)
    if is_whole(search, len(found)):
        by_day.note_whole(actor, read, search.since)
    told = [misp.found(days.attribute(row), days.event(row.channel, day_of(row), [row])) for row in found]
    return answer({"response": {"Attribute": told}})


@guarded("POST")
def search_events(request: HttpRequest, actor: Actor) -> HttpResponse:
    """`events/restSearch`: whole events that hold an attribute as asked for; limit and page count events."""
    search, read = asked(request, now()), days.feeds(actor)
    named = list(dict.fromkeys((row.channel, day_of(row)) for row in matching(read, search)))
    chosen = named[window(search)] if search.limit is not None else named
    told, count = [], 0
    for channel, day in chosen:
        one = days.on(channel, day)
        count += len(one.Attribute)
        if count > MOST and not search.metadata:
            raise BadInput(TOO_MANY, hint="ask for fewer events with limit and page")
        told.append(misp.Enveloped(misp.without_attributes(one) if search.metadata else one))
    if not search.metadata:
        looked_up = {channel.pk: channel for channel in read}
        by_day.note_days(actor, [(looked_up[channel.pk], day) for channel, day in chosen])
    return answer({"response": told})


@guarded("GET", "POST")
def view_event(request: HttpRequest, actor: Actor, event: str) -> HttpResponse:
    """One event by its UUID."""
    return answer(misp.Enveloped(days.named(actor, event, is_sent=request.method != "HEAD")))


def is_whole(search: Search, found: int) -> bool:
    """Does whoever reads on like this miss no withdrawal? The last page of all, or of all that changed."""
    kinds = (search.values, search.types, search.categories, search.tags)
    narrowed_by = any(one.wanted or one.unwanted for one in kinds) or search.numbers or search.events
    is_last = search.limit is None or found < search.limit
    if search.since is None:  # what is not there any more has ended
        hears_ends = search.over is not True and search.to_ids is not False
    else:
        hears_ends = search.over is None and search.to_ids is None
    return is_last and hears_ends and not narrowed_by and search.until is None


def matching(feeds: Iterable[Channel], search: Search) -> Iterator[Outgoing]:
    """The rows that are searched for, in an order that a change of one of them does not touch."""
    read = [
        channel
        for channel in feeds
        if search.tags.lets(misp.tag_of(channel.tlp).name) and search.categories.lets(CATEGORY)
    ]
    for row in narrowed(days.whole(read), search).order_by("channel", "indicator").iterator(chunk_size=2_000):
        if search.events and misp.event_id(row.channel.channel_id, day_of(row)) not in search.events:
            continue
        if search.numbers and not is_named(row.channel, row, search):
            continue
        yield row


def narrowed(found: QuerySet[Outgoing], search: Search) -> QuerySet[Outgoing]:
    """What the database can judge. Time is when a version left in its feed: its own is told to the hour."""
    kinds = [kind for name, kind in KINDS.items() if search.types.lets(name)]
    found = found.filter(search.values.within("indicator__value"), indicator__kind__in=kinds)
    if search.over is not None:
        found = found.filter(revoked=search.over)
    if search.to_ids is not None:
        found = found.filter(revoked=not search.to_ids)
    if search.since is not None:
        found = found.filter(date_added__gte=search.since.replace(microsecond=0))
    if search.until is not None:
        found = found.filter(date_added__lt=search.until.replace(microsecond=0) + SECOND)
    return found


def is_named(channel: Channel, row: Outgoing, search: Search) -> bool:
    """Is it the attribute, or in the event, of one of these UUIDs?"""
    number = misp.attribute_id(channel.channel_id, row.stix_id)
    return number in search.numbers or (misp.event_id(channel.channel_id, day_of(row)) in search.numbers)


def paged(found: Iterator[Outgoing], search: Search) -> Sequence[Outgoing]:
    """The page that was asked for. Raises BadInput rather than leave out the rest without a word."""
    if search.limit is None:
        rows = list(islice(found, MOST + 1))
        if len(rows) > MOST:
            raise BadInput(TOO_MANY, hint="ask for them with limit and page")
        return rows
    if search.limit > MOST:
        raise BadInput(f"limit is at most {MOST:,}")
    here = window(search)
    return list(islice(found, here.start, here.stop))


def window(search: Search) -> slice:
    """From which place to which a page goes."""
    limit = search.limit or MOST
    return slice((search.page - 1) * limit, search.page * limit)
