"""A member's own word as a STIX 2.1 indicator: what the edge sends and the MISP door keeps."""

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from tocsin.wire.stix import TLP_MARKINGS, UPSTREAM_EXTENSION, pattern_of, stamp

HERE = uuid.UUID(
    "f60ab25a-a06e-5c13-98ab-1acf5b38cfbf"
)  # the namespace of words that came without an identifier
IDENTITY = "identity--"


@dataclass(frozen=True, slots=True)
class Word:
    """An address or a name in its canonical spelling, and how far it may go.

    `number` is the STIX identifier's UUID, `at` its version; `tlp` is empty without a label; `upstream` the
    feed it comes from, a STIX identity's identifier or any name of at most 60 characters.
    """

    kind: Literal["address", "name"]
    value: str
    number: uuid.UUID
    at: dt.datetime
    tlp: str = ""
    upstream: str = ""
    valid_until: dt.datetime | None = None
    confidence: int | None = None
    is_over: bool = False

    @property
    def stix_id(self) -> str:
        """The identifier of its indicator."""
        return f"indicator--{self.number}"


class Spelled(msgspec.Struct, frozen=True, omit_defaults=True):
    """Section 4.7, as far as a word needs it."""

    type: str
    spec_version: str
    id: str
    created: str
    modified: str
    pattern: str
    pattern_type: str
    valid_from: str
    indicator_types: tuple[str, ...]
    valid_until: str = ""
    confidence: int | None = None
    created_by_ref: str = ""
    object_marking_refs: tuple[str, ...] = ()
    revoked: bool = False
    extensions: dict[str, dict[str, str]] = {}


def number_of(upstream: str, kind: str, value: str) -> uuid.UUID:
    """The UUIDv5 of what a feed without identifiers says of a value: the same whenever it says so."""
    return uuid.uuid5(HERE, f"{upstream} {pattern_of(kind, value)}")


def body(word: Word) -> bytes:
    """The indicator's bytes: the same word gives the same bytes."""
    is_identity = word.upstream.startswith(IDENTITY)
    at = stamp(word.at)
    return msgspec.json.encode(
        Spelled(
            type="indicator",
            spec_version="2.1",
            id=word.stix_id,
            created=at,
            modified=at,
            pattern=pattern_of(word.kind, word.value),
            pattern_type="stix",
            valid_from=at,
            indicator_types=("malicious-activity",),
            valid_until=stamp(word.valid_until) if word.valid_until is not None else "",
            confidence=word.confidence,
            created_by_ref=word.upstream if is_identity else "",
            object_marking_refs=(f"marking-definition--{TLP_MARKINGS[word.tlp]}",) if word.tlp else (),
            revoked=word.is_over,
            extensions=passed_on(word.upstream) if word.upstream and not is_identity else {},
        )
    )


class Grouped(msgspec.Struct, frozen=True, omit_defaults=True):
    """Section 4.5: what belongs together, such as the attributes of a MISP event."""

    type: str
    spec_version: str
    id: str
    created: str
    modified: str
    context: str
    object_refs: tuple[str, ...]
    name: str = ""
    created_by_ref: str = ""
    object_marking_refs: tuple[str, ...] = ()


def grouping(
    number: uuid.UUID, name: str, at: dt.datetime, tlp: str, upstream: str, refs: tuple[str, ...]
) -> bytes:
    """What came as one event, with the label under which more may be added to it."""
    marking = f"marking-definition--{TLP_MARKINGS[tlp or 'green']}"
    return msgspec.json.encode(
        Grouped(
            type="grouping",
            spec_version="2.1",
            id=f"grouping--{number}",
            created=stamp(at),
            modified=stamp(at),
            context="suspicious-activity",
            object_refs=refs or (marking,),  # there must be one
            name=name,
            created_by_ref=upstream if upstream.startswith(IDENTITY) else "",
            object_marking_refs=(marking,) if tlp else (),
        )
    )


def passed_on(upstream: str) -> dict[str, dict[str, str]]:
    """The extension that says from which feed somebody has an object."""
    return {UPSTREAM_EXTENSION: {"extension_type": "property-extension", "upstream": upstream}}


def taken_back(word: Word, at: dt.datetime) -> Word:
    """The version of a word that ends it."""
    return replace(word, at=at, is_over=True, valid_until=None)
