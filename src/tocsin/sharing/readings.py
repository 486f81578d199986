"""Noting how far each key has read each list and channel: the receipts of withdrawals.

A reader that names the number which it holds (`If-None-Match`) is believed; one that names none has what it
was sent. A process remembers what it noted, so that asking again costs nothing: it writes when a number has
changed, and once a minute otherwise.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from tocsin.access.models import ApiKey
from tocsin.access.policy import Actor
from tocsin.journal.acts import act
from tocsin.kernel.time import now
from tocsin.sharing.lists import NamedList
from tocsin.sharing.models import Channel
from tocsin.store import bulk, fence

NOTED_AFTER = dt.timedelta(minutes=1)
REMEMBERED = 50_000  # readings of one process, some megabytes

# What it has: on a list exactly what it says; in a channel the furthest, for who reads anew loses nothing.
NOTE = """INSERT INTO sharing_reading
    (key_id, member_id, way, what, channel_id, community_id, number, current, began_at, taken_at, read_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (key_id, way, what) DO UPDATE SET
    taken_at = CASE
        WHEN excluded.number = sharing_reading.number THEN sharing_reading.taken_at
        WHEN excluded.channel_id IS NOT NULL AND excluded.number < sharing_reading.number
            THEN sharing_reading.taken_at
        ELSE excluded.taken_at END,
    number = CASE
        WHEN excluded.channel_id IS NOT NULL AND excluded.number < sharing_reading.number
            THEN sharing_reading.number
        ELSE excluded.number END,
    current = excluded.current, read_at = excluded.read_at"""


@dataclass(frozen=True)
class Read:
    """One key has read so far: `what` is a list's file name or a channel's alias.

    `channel` and `community` are rows: none is a list, and everybody's.
    """

    key: ApiKey
    way: str
    what: str
    number: int
    current: int
    channel: int | None = None
    community: int | None = None


_noted: dict[tuple[str, str, str], tuple[int, int, dt.datetime]] = {}


def note_list(actor: Actor, one: NamedList, held: int | None, current: int) -> None:
    """A key has asked for a list and has, or was sent, its current number; `held` is what it said it has."""
    if actor.key is not None:
        number = held if held is not None and held <= current else current
        community = one.community.pk if one.community is not None else None
        note([Read(actor.key, "list", one.name, number, current, community=community)])


def note_channel(actor: Actor, way: str, channel: Channel, number: int) -> None:
    """A key has read a channel up to that number; nobody waits for what is its member's own."""
    if actor.key is not None and channel.kind == Channel.Kind.SHARED:
        note([read_of(actor.key, way, channel, number)])


def read_of(key: ApiKey, way: str, channel: Channel, number: int, part: str = "") -> Read:
    """A channel, or a part of it that is read by itself, read so far, as `note` takes it."""
    current = max(channel.number, number)
    return Read(key, way, channel.alias + part, number, current, channel.pk, channel.community_id)


def note(reads: Iterable[Read], at: dt.datetime | None = None) -> int:
    """Keep what is new of these; gives how many rows that wrote."""
    at = at or now()
    fresh = [one for one in reads if is_news(one, at) and one.key.member_id is not None]
    if not fresh:
        return 0
    stamp = bulk.spelled(at)
    with fence.lifted(), act():
        for one in fresh:
            bulk.change(
                NOTE,
                *(one.key.pk, one.key.member_id, one.way, one.what, one.channel, one.community),
                *(one.number, one.current, stamp, stamp, stamp),
            )
    if len(_noted) > REMEMBERED:
        _noted.clear()
    for one in fresh:
        _noted[one.key.prefix, one.way, one.what] = one.number, one.current, at
    return len(fresh)


def is_news(one: Read, at: dt.datetime) -> bool:
    """Are these other numbers than this process noted last, or is it a minute later?"""
    known = _noted.get((one.key.prefix, one.way, one.what))
    return known is None or known[:2] != (one.number, one.current) or at - known[2] >= NOTED_AFTER
