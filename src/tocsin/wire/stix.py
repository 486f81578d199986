"""STIX 2.1 objects as they are served: written once when they are shared, spliced into answers from then on.

OASIS STIX 2.1: sections 4.7 (indicator), 7.2 (markings), 9 (patterning). TLP 2.0 travels as a marking
definition with the extension that OASIS published for it.
"""

import datetime as dt
import uuid

import msgspec

MARKED_AT = "2022-10-01T00:00:00.000Z"
TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
# Ours, a property extension of indicators: the feed that a member passes on, so that one feed is one voice.
UPSTREAM_EXTENSION = "extension-definition--f60ab25a-a06e-5c13-98ab-1acf5b38cfbf"
TLP_MARKINGS: dict[str, uuid.UUID] = {
    "clear": uuid.UUID("94868c89-83c2-464b-929b-a1a8aa3c8487"),
    "green": uuid.UUID("bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
    "amber": uuid.UUID("55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
    "amber+strict": uuid.UUID("939a9414-2ddd-4d32-a0cd-375ea402b003"),
    "red": uuid.UUID("e828b379-4e03-4974-9ac4-e53a884c97c1"),
}


class Indicator(msgspec.Struct, frozen=True, omit_defaults=True):
    """The properties of STIX 2.1 section 4.7.1 that an exchange tells: nothing of who said it."""

    type: str
    spec_version: str
    id: str
    created: str
    modified: str
    name: str
    indicator_types: tuple[str, ...]
    pattern: str
    pattern_type: str
    pattern_version: str
    valid_from: str
    valid_until: str
    object_marking_refs: tuple[str, ...]
    confidence: int | None = None
    revoked: bool = False


class Sighting(msgspec.Struct, frozen=True, omit_defaults=True):
    """STIX 2.1 section 5.2.1, summed up: no count, and nothing of who met it."""

    type: str
    spec_version: str
    id: str
    created: str
    modified: str
    sighting_of_ref: str
    first_seen: str
    last_seen: str
    object_marking_refs: tuple[str, ...]
    summary: bool = False
    revoked: bool = False


_encoder = msgspec.json.Encoder()


def namespace_of(origin: str) -> uuid.UUID:
    """The namespace of an exchange's own identifiers (RFC 9562 section 5.5)."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, origin)


def pattern_of(kind: str, value: str) -> str:
    """The canonical pattern of an address or a name (section 9.2)."""
    observed = "domain-name" if kind == "name" else "ipv6-addr" if ":" in value else "ipv4-addr"
    return f"[{observed}:value = '{value}']"


def indicator_body(
    kind: str,
    value: str,
    stix_id: uuid.UUID,
    *,
    created: dt.datetime,
    modified: dt.datetime,
    valid_from: dt.datetime,
    valid_until: dt.datetime,
    tlp: str,
    confidence: int | None = None,
    revoked: bool = False,
) -> bytes:
    """An indicator's bytes, instants to the millisecond. `valid_until` must be after `valid_from`.

    `confidence` is on the scale of STIX 2.1 appendix A; None leaves it unsaid.
    """
    return _encoder.encode(
        Indicator(
            type="indicator",
            spec_version="2.1",
            id=f"indicator--{stix_id}",
            created=stamp(created),
            modified=stamp(modified),
            name=f"{value} takes part in attacks",
            indicator_types=("malicious-activity",),
            pattern=pattern_of(kind, value),
            pattern_type="stix",
            pattern_version="2.1",
            valid_from=stamp(valid_from),
            valid_until=stamp(valid_until),
            object_marking_refs=(f"marking-definition--{TLP_MARKINGS[tlp]}",),
            confidence=confidence,
            revoked=revoked,
        )
    )


def sighting_body(
    number: uuid.UUID,
    indicator: uuid.UUID,
    *,
    created: dt.datetime,
    modified: dt.datetime,
    span: tuple[dt.datetime, dt.datetime],
    tlp: str,
    revoked: bool = False,
) -> bytes:
    """The bytes of a summary of sightings between two instants."""
    first, last = span
    return _encoder.encode(
        Sighting(
            type="sighting",
            spec_version="2.1",
            id=f"sighting--{number}",
            created=stamp(created),
            modified=stamp(modified),
            sighting_of_ref=f"indicator--{indicator}",
            first_seen=stamp(first),
            last_seen=stamp(last),
            object_marking_refs=(f"marking-definition--{TLP_MARKINGS[tlp]}",),
            summary=True,
            revoked=revoked,
        )
    )


def marking_body(tlp: str) -> bytes:
    """The TLP 2.0 marking definition's bytes, the same everywhere."""
    return _encoder.encode(
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": f"marking-definition--{TLP_MARKINGS[tlp]}",
            "created": MARKED_AT,
            "name": f"TLP:{tlp.upper()}",
            "extensions": {TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": tlp}},
        }
    )


def stamp(instant: dt.datetime) -> str:
    """A STIX timestamp with milliseconds (section 3.2)."""
    return instant.astimezone(dt.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def version_stamp(instant: dt.datetime) -> str:
    """The same with microseconds where they are needed to tell versions apart."""
    if instant.microsecond % 1000 == 0:
        return stamp(instant)
    return instant.astimezone(dt.UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def to_milliseconds(instant: dt.datetime) -> dt.datetime:
    """The instant as a STIX timestamp can tell it."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
