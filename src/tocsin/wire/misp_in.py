"""MISP events that somebody sends or a feed holds: each attribute becomes a word, or is refused.

MISP core format, sections 2.2 (event), 2.4 (attribute) and 2.6 (object).
"""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from tocsin.wire.misp import LEVELS
from tocsin.wire.observables import address_of, name_of
from tocsin.wire.said import IDENTITY, Word
from tocsin.wire.stix_in import STRICTNESS

# Which attributes say something of an address or a name, and whether a second value follows a bar. A host's
# address is nobody's fault but the host's: of `domain|ip` only the name counts.
KINDS = {
    "ip-src": "address",
    "ip-dst": "address",
    "ip-src|port": "address",
    "ip-dst|port": "address",
    "domain": "name",
    "hostname": "name",
    "domain|ip": "name",
    "hostname|port": "name",
}
CONFIDENCE = {level: least for least, level in LEVELS}
_LEVEL = 'misp:confidence-level="'


class NotMisp(ValueError):  # noqa: N818 (a refusal, as its neighbours)
    """What was read is no MISP event or attribute; its text says why."""


class Tagged(msgspec.Struct):
    """A tag, by its name."""

    name: str = ""


class Author(msgspec.Struct):
    """The organisation that made an event."""

    uuid: str = ""
    name: str = ""


class Attribute(msgspec.Struct):
    """An attribute as far as a word needs it. MISP spells numbers and booleans in several ways."""

    type: str
    value: str
    uuid: str = ""
    timestamp: int | str | None = None
    to_ids: bool | int | str = True
    deleted: bool | int | str = False
    tags: list[Tagged] = msgspec.field(default_factory=list, name="Tag")


class Object(msgspec.Struct):
    """An object: its attributes count as the event's own."""

    attributes: list[msgspec.Raw] = msgspec.field(default_factory=list, name="Attribute")
    deleted: bool | int | str = False


class Event(msgspec.Struct):
    """An event; its attributes are not looked into yet."""

    info: str = ""
    uuid: str = ""
    date: str = ""
    timestamp: int | str | None = None
    made_by: Author | None = msgspec.field(default=None, name="Orgc")
    tags: list[Tagged] = msgspec.field(default_factory=list, name="Tag")
    attributes: list[msgspec.Raw] = msgspec.field(default_factory=list, name="Attribute")
    objects: list[Object] = msgspec.field(default_factory=list, name="Object")

    @property
    def author(self) -> str:
        """Whoever made it, as a STIX identity: all who pass it on are one voice."""
        number = _uuid(self.made_by.uuid) if self.made_by is not None else None
        return f"{IDENTITY}{number}" if number is not None else ""

    def raws(self) -> Iterator[msgspec.Raw]:
        """The bytes of each attribute, objects' too."""
        yield from self.attributes
        for one in self.objects:
            if not _is_true(one.deleted):
                yield from one.attributes


class Enveloped(msgspec.Struct):
    """A file or request with one event."""

    event: Event = msgspec.field(name="Event")


@dataclass(frozen=True, slots=True)
class Refused:
    """An attribute that is nobody's word, and why. What is not `is_malformed` is in order, and left out."""

    named: str
    reason: str
    is_malformed: bool
    raw: bytes


_enveloped = msgspec.json.Decoder(Enveloped)
_event = msgspec.json.Decoder(Event)
_attribute = msgspec.json.Decoder(Attribute, strict=False)


def event_of(body: bytes) -> Event:
    """One event, in its envelope or bare. Raises NotMisp."""
    try:
        return _enveloped.decode(body).event
    except msgspec.ValidationError as problem:
        first = problem
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise NotMisp(f"no JSON: {problem}") from None
    try:
        found = _event.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotMisp(f"no MISP event: {first}") from None
    if not (found.info or found.uuid or found.attributes or found.objects):
        raise NotMisp("no MISP event: neither info nor attributes")
    return found


def read(event: Event, raw: msgspec.Raw | bytes, at: dt.datetime) -> Word | Refused:
    """What one attribute of an event says; `at` is when, where neither of them tells.

    What is not for detection (`to_ids`), or deleted, is a word that is over.
    """
    body = bytes(raw)
    try:
        found = _attribute.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        return Refused("", f"no MISP attribute: {problem}", is_malformed=True, raw=body)
    named = found.uuid or found.value[:60]
    if found.type not in KINDS:
        return Refused(named, f"{found.type[:40]} says nothing of an address or name", False, body)
    text = found.value.partition("|")[0].strip()
    value = address_of(text) if KINDS[found.type] == "address" else name_of(text)
    if value is None:
        return Refused(named, f"no {KINDS[found.type]}: {text[:60]!r}", is_malformed=True, raw=body)
    labels = [tag.name for tag in (*event.tags, *found.tags)]
    try:
        tlp, when = tlp_of(labels), instant_of(found.timestamp, event, at)
    except NotMisp as problem:
        return Refused(named, str(problem), is_malformed=True, raw=body)
    number = (
        _uuid(found.uuid)
        if found.uuid
        else uuid.uuid5(_uuid(event.uuid) or uuid.NAMESPACE_URL, f"{found.type} {value}")
    )
    if number is None:
        return Refused(named, f"no UUID: {found.uuid[:60]!r}", is_malformed=True, raw=body)
    return Word(
        "address" if KINDS[found.type] == "address" else "name",
        value,
        number,
        when,
        tlp,
        event.author,
        confidence=confidence_of(labels),
        is_over=_is_true(found.deleted) or not _is_true(found.to_ids),
    )


def tlp_of(labels: Sequence[str]) -> str:
    """The strictest TLP label of these tags, or nothing. Raises NotMisp for one that nobody knows."""
    found = [label[4:].lower() for label in labels if label.lower().startswith("tlp:")]
    known = ["clear" if label == "white" else label for label in found]
    for label in known:
        if label not in STRICTNESS:
            raise NotMisp(f"no TLP label: tlp:{label[:40]}")
    return max(known, key=STRICTNESS.index, default="")


def confidence_of(labels: Sequence[str]) -> int | None:
    """What a tag of MISP's own taxonomy says of it, 0 to 100."""
    said = [label[len(_LEVEL) :].rstrip('"') for label in labels if label.startswith(_LEVEL)]
    return min((CONFIDENCE[word] for word in said if word in CONFIDENCE), default=None)


def instant_of(timestamp: int | str | None, event: Event, at: dt.datetime) -> dt.datetime:
    """When an attribute was last changed, or else its event. Raises NotMisp."""
    for told in (timestamp, event.timestamp):
        if told in (None, "", 0, "0"):
            continue
        try:
            return dt.datetime.fromtimestamp(int(str(told)), dt.UTC)
        except (ValueError, OverflowError, OSError):
            raise NotMisp(f"no timestamp: {str(told)[:40]!r}") from None
    return at


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _is_true(told: Any) -> bool:
    return str(told).lower() in {"true", "1"}
