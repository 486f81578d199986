"""TAXII 2.1 resources (OASIS TAXII 2.1, sections 3 to 5). Empty lists are left out, as section 2 demands."""

import datetime as dt
from collections.abc import Sequence

import msgspec

MEDIA = "application/taxii+json;version=2.1"
STIX_MEDIA = "application/stix+json;version=2.1"


class Discovery(msgspec.Struct, frozen=True):
    """Section 4.1.1."""

    title: str
    description: str
    default: str
    api_roots: tuple[str, ...]


class ApiRoot(msgspec.Struct, frozen=True):
    """Section 4.2.1."""

    title: str
    description: str
    versions: tuple[str, ...]
    max_content_length: int


class Collection(msgspec.Struct, frozen=True):
    """Section 5.2.1."""

    id: str
    title: str
    description: str
    can_read: bool
    can_write: bool
    alias: str
    media_types: tuple[str, ...] = (STIX_MEDIA,)


class Collections(msgspec.Struct, frozen=True):
    """Section 5.1.1."""

    collections: tuple[Collection, ...]


class ManifestRecord(msgspec.Struct, frozen=True):
    """Section 5.3.1."""

    id: str
    date_added: str
    version: str
    media_type: str = STIX_MEDIA


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Section 5.3.1."""

    more: bool = False
    next: str = ""
    objects: tuple[ManifestRecord, ...] = ()


class Versions(msgspec.Struct, frozen=True, omit_defaults=True):
    """Section 5.8.1."""

    more: bool = False
    next: str = ""
    versions: tuple[str, ...] = ()


class OneStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """Section 4.3.1, status details: one object of a request."""

    id: str
    version: str = ""
    message: str = ""


class StatusResource(msgspec.Struct, frozen=True, omit_defaults=True):
    """Section 4.3.1."""

    id: str
    status: str
    request_timestamp: str
    total_count: int
    success_count: int
    failure_count: int
    pending_count: int
    successes: tuple[OneStatus, ...] = ()
    failures: tuple[OneStatus, ...] = ()


class Error(msgspec.Struct, frozen=True, omit_defaults=True):
    """Section 3.6.1; `http_status` is text there."""

    title: str
    description: str
    error_code: str
    http_status: str


def envelope(objects: Sequence[bytes], following: str | None) -> bytes:
    """Section 3.7: objects as their stored bytes, and the cursor where more follow."""
    if not objects:
        return b"{}"
    more = b"" if following is None else b'"more":true,"next":' + msgspec.json.encode(following) + b","
    return b"{" + more + b'"objects":[' + b",".join(objects) + b"]}"


def stamp(instant: dt.datetime) -> str:
    """A TAXII timestamp: always six digits of fraction (section 2)."""
    return instant.astimezone(dt.UTC).isoformat(timespec="microseconds")[:-6] + "Z"
