"""MISP core format, as feeds and searches speak it: events, their attributes, instants in Unix seconds."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence

import msgspec

COLOURS = {"clear": "#FFFFFF", "green": "#33FF00", "amber": "#FFC000", "amber+strict": "#FFC000"}
# Each from what confidence on, the highest first.
LEVELS = (
    (100, "completely-confident"),
    (75, "usually-confident"),
    (50, "fairly-confident"),
    (25, "rarely-confident"),
    (0, "unconfident"),
)
TYPES = {"name": "domain", "address": "ip-src"}


class Orgc(msgspec.Struct, frozen=True):
    """Who made the event: the exchange, never a member."""

    name: str
    uuid: str


class Tag(msgspec.Struct, frozen=True):
    """A tag of a taxonomy."""

    name: str
    colour: str = "#FFFFFF"


class Attribute(msgspec.Struct, frozen=True, omit_defaults=True):
    """One address or domain name; `deleted` where it is withdrawn or expired.

    `first_seen` and `last_seen` are since when and until when it stands, which is what MISP's converters make
    of STIX's `valid_from` and `valid_until`.
    """

    uuid: str
    type: str
    value: str
    timestamp: str
    to_ids: bool
    deleted: bool = False
    category: str = ""
    event_uuid: str = ""
    first_seen: str = ""
    last_seen: str = ""
    tags: tuple[Tag, ...] = msgspec.field(default=(), name="Tag")


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What a feed's manifest tells of an event."""

    info: str
    date: str
    timestamp: str
    Orgc: Orgc
    Tag: tuple[Tag, ...]
    analysis: str = "2"
    threat_level_id: str = "4"


class Event(Described, frozen=True, kw_only=True):
    """An event as a feed's file holds it."""

    uuid: str
    publish_timestamp: str
    Attribute: tuple[Attribute, ...]
    published: bool = True


class Named(msgspec.Struct, frozen=True):
    """An event as an attribute that was searched for names it."""

    uuid: str
    info: str
    date: str
    timestamp: str
    Orgc: Orgc


class Said(msgspec.Struct, frozen=True):
    """What a MISP attribute can hold of an indicator's STIX object."""

    valid_from: str = ""
    valid_until: str = ""
    confidence: int | None = None


class Found(Attribute, frozen=True, omit_defaults=True, kw_only=True):
    """An attribute as a search gives it: with its event, and the label under which it may travel."""

    Event: Named


class Enveloped(msgspec.Struct, frozen=True):
    """The file of one event."""

    Event: Event


def event_id(channel: uuid.UUID, day: dt.date) -> uuid.UUID:
    """The UUIDv5 of what a feed began to tell on one UTC day, the same for ever."""
    return uuid.uuid5(channel, f"misp event {day.isoformat()}")


def attribute_id(channel: uuid.UUID, stix_id: uuid.UUID) -> uuid.UUID:
    """The UUIDv5 of an indicator in a feed: it may stand in several, each with its own end."""
    return uuid.uuid5(channel, f"misp attribute {stix_id}")


def attribute(
    number: uuid.UUID,
    event: uuid.UUID,
    kind: str,
    value: str,
    at: dt.datetime,
    *,
    is_over: bool,
    said: Said | None = None,
) -> Attribute:
    """An indicator's present version, with what STIX says of it beside."""
    known = said or Said()
    return Attribute(
        str(number),
        TYPES[kind],
        value,
        seconds(at),
        to_ids=not is_over,
        deleted=is_over,
        category="Network activity",
        event_uuid=str(event),
        first_seen=known.valid_from,
        last_seen=known.valid_until,
        tags=(sureness(known.confidence),) if known.confidence is not None else (),
    )


def found(attribute: Attribute, event: Event) -> Found:
    """An attribute as a search gives it."""
    told = Named(event.uuid, event.info, event.date, event.timestamp, event.Orgc)
    fields = msgspec.structs.asdict(attribute) | {"tags": (*attribute.tags, *event.Tag)}
    return Found(**fields, Event=told)


def without_attributes(event: Event) -> Event:
    """What a search for metadata gives of an event."""
    return msgspec.structs.replace(event, Attribute=())


def sureness(confidence: int) -> Tag:
    """The tag of MISP's own taxonomy for a STIX confidence, as MISP's converters choose it."""
    level = next(level for least, level in LEVELS if confidence >= least)
    return Tag(f'misp:confidence-level="{level}"')


def tag_of(tlp: str) -> Tag:
    """The tag of MISP's taxonomy `tlp`, which spells TLP 2.0 labels in lower case."""
    return Tag(f"tlp:{tlp}", COLOURS[tlp])


def hashes(attributes: Sequence[Attribute], event: str) -> str:
    """An event's lines of `hashes.csv`: the MD5 of each value, by which MISP finds it, and the event."""
    digests = (hashlib.md5(one.value.encode(), usedforsecurity=False).hexdigest() for one in attributes)
    return "".join(f"{digest},{event}\n" for digest in digests)


def seconds(instant: dt.datetime) -> str:
    """Unix seconds, as text."""
    return str(int(instant.timestamp()))
