"""STIX 2.1 objects that somebody sends: split without building them, judged one by one, kept byte for byte.

OASIS STIX 2.1: sections 2.9 (identifiers), 3.2 (common properties), 3.6 (versioning), 9 (patterning).
"""

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from typing import Literal

import msgspec

from tocsin.kernel.time import parse_rfc3339
from tocsin.wire.stix import TLP_MARKINGS, UPSTREAM_EXTENSION

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)  # the version of objects that have none, always the same
# TLP 1 as STIX 2.1 section 7.2.1.4 defines it, by today's labels.
TLP1_MARKINGS = {
    "clear": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    "red": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}
LONGEST_UPSTREAM = 60
STRICTNESS = ("clear", "green", "amber", "amber+strict", "red")
STAYS = ("amber+strict", "red")  # labels under which nothing leaves its readers' organisation
_LABELS = {f"marking-definition--{number}": label for label, number in TLP_MARKINGS.items()} | {
    number: label for label, number in TLP1_MARKINGS.items()
}

_type = re.compile(r"[a-z](?:-?[a-z0-9])+", re.ASCII)
_stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
_ONE = r"\s*(?:ipv4-addr|ipv6-addr|domain-name):value\s*=\s*'(?:[^'\\]|\\.)*'\s*"
_SIDE = rf"\[{_ONE}(?:OR{_ONE})*\]"
_simple = re.compile(rf"\s*{_SIDE}(?:\s*OR\s*{_SIDE})*\s*")
_compared = re.compile(r"(ipv4-addr|ipv6-addr|domain-name):value\s*=\s*'((?:[^'\\]|\\.)*)'")
# MISP's own way of saying an address: the end of a connection.
_END = re.compile(
    r"network-traffic:(src|dst)_ref\.type\s*=\s*'(ipv[46]-addr)'\s+AND\s+"
    r"network-traffic:\1_ref\.value\s*=\s*('(?:[^'\\]|\\.)*')"
)
_escaped = re.compile(r"\\(.)")


class NotStix(ValueError):  # noqa: N818 (a refusal, as its neighbours)
    """What was sent is no envelope, or no STIX 2.1 object; its text says why."""


class Envelope(msgspec.Struct):
    """TAXII 2.1 section 3.7, as it is sent: the objects are not looked into yet."""

    objects: list[msgspec.Raw]


class Head(msgspec.Struct, gc=False):
    """What is read of every object; times are texts until they are checked."""

    type: str
    id: str
    spec_version: str | None = None
    created: str | None = None
    modified: str | None = None


class Claimed(msgspec.Struct):
    """What is read of an indicator that becomes a member's word."""

    id: str
    pattern: str = ""
    pattern_type: str = ""
    valid_until: str | None = None
    confidence: int | None = None
    object_marking_refs: list[str] = []
    revoked: bool = False
    created_by_ref: str = ""
    extensions: dict[str, msgspec.Raw] = {}

    @property
    def upstream(self) -> str:
        """The feed that its sender passes on: as said in our extension, else whoever made the object."""
        said = self.extensions.get(UPSTREAM_EXTENSION)
        try:
            name = _passed_on.decode(said).upstream if said is not None else self.created_by_ref
        except (msgspec.DecodeError, UnicodeDecodeError):
            name = self.created_by_ref
        return name[:LONGEST_UPSTREAM] if name.isprintable() else ""


class Sighted(msgspec.Struct):
    """What is read of a sighting (section 5.2), from anybody; times are texts until they are asked for."""

    created: str = ""
    sighting_of_ref: str = ""
    first_seen: str | None = None
    last_seen: str | None = None
    revoked: bool = False

    @property
    def indicator(self) -> uuid.UUID | None:
        """Of which indicator it is; None for a sighting of anything else. Raises NotStix."""
        kind, _, number = self.sighting_of_ref.partition("--")
        if kind != "indicator":
            return None
        try:
            return uuid.UUID(number)
        except ValueError:
            raise NotStix("sighting_of_ref has no UUID") from None

    @property
    def seen_at(self) -> dt.datetime | None:
        """When it was met last, as far as it says. Raises NotStix."""
        told = self.last_seen or self.first_seen
        return instant_of(told) if told else None

    @property
    def span(self) -> tuple[dt.datetime, dt.datetime] | None:
        """From when to when, where it says both. Raises NotStix."""
        if not self.first_seen or not self.last_seen:
            return None
        return instant_of(self.first_seen), instant_of(self.last_seen)


class PassedOn(msgspec.Struct):
    """Our property extension of an indicator: from which feed its sender has it."""

    upstream: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """One object that may be kept: type, identifier, version and bytes; `stamp` is its version as sent."""

    stix_type: str
    stix_id: uuid.UUID
    modified: dt.datetime
    stamp: str
    body: bytes


_envelope = msgspec.json.Decoder(Envelope)
_head = msgspec.json.Decoder(Head)
_claimed = msgspec.json.Decoder(Claimed)
_sighted = msgspec.json.Decoder(Sighted)
_passed_on = msgspec.json.Decoder(PassedOn)


def split(body: bytes) -> list[msgspec.Raw]:
    """The objects of an envelope, as their bytes. Raises NotStix."""
    try:
        return _envelope.decode(body).objects
    except msgspec.ValidationError as problem:
        raise NotStix(f"no envelope: {problem}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Malformed(f"no JSON: {problem}") from None


class Malformed(NotStix):
    """It is not even JSON."""


def read(raw: bytes | msgspec.Raw) -> Incoming:
    """One object, judged by what every object has. Raises NotStix."""
    body = bytes(raw)
    try:
        body.decode()  # what is not looked into is served as it is, and must be JSON, too
        head = _head.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as problem:
        raise NotStix(f"no STIX object: {problem}") from None
    kind, _, number = head.id.partition("--")
    if kind != head.type or not _type.fullmatch(kind) or len(kind) > 250:
        raise NotStix("its identifier is not its type, two dashes and a UUID")
    try:
        found = uuid.UUID(number)
    except ValueError:
        raise NotStix("its identifier has no UUID") from None
    if str(found) != number:
        raise NotStix("its UUID is not in its canonical form")
    if head.spec_version not in ("2.1", None):
        raise NotStix("spec_version must be 2.1")
    if head.spec_version is None and (head.created is not None or head.modified is not None):
        raise NotStix("spec_version is missing")
    if head.modified is not None and head.created is None:
        raise NotStix("created is missing")
    stamp = head.modified or head.created
    if head.created is not None:
        instant_of(head.created)
    modified = EPOCH if stamp is None else instant_of(stamp)
    return Incoming(kind, found, modified, stamp or "1970-01-01T00:00:00.000Z", body)


def instant_of(text: str) -> dt.datetime:
    """A STIX timestamp (section 3.2) of at most microseconds. Raises NotStix."""
    try:
        if _stamp.fullmatch(text):
            return parse_rfc3339(text)
    except (ValueError, OverflowError):
        pass
    raise NotStix(f"no timestamp in UTC of at most microseconds: {text[:40]!r}")


def claim_of(body: bytes) -> Claimed:
    """What an indicator claims. Raises NotStix."""
    try:
        return _claimed.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise NotStix(f"no indicator: {problem}") from None


def sighting_of(body: bytes) -> Sighted:
    """What a sighting says. Raises NotStix."""
    try:
        return _sighted.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise NotStix(f"no sighting: {problem}") from None


def values_of(pattern: str) -> list[tuple[Literal["address", "name"], str]] | None:
    """The addresses and names of a pattern that says nothing else; None for any other pattern."""
    pattern = _END.sub(r"\2:value = \3", pattern)
    if not _simple.fullmatch(pattern):
        return None
    return [
        ("name" if kind == "domain-name" else "address", _escaped.sub(r"\1", value))
        for kind, value in _compared.findall(pattern)
    ]


def tlp_of(markings: list[str]) -> str | None:
    """The strictest TLP label among these markings, of TLP 1 and 2; None where there is none."""
    found = [_LABELS[number] for number in markings if number in _LABELS]
    return max(found, key=STRICTNESS.index, default=None)
