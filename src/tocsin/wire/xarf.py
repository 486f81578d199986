"""XARF reports (xarf.org): bytes to values; version 4 strict by category and type, before that lenient.

A version 4 report that breaks its type's schema is refused with the field at fault; unknown further fields
are allowed, as the specification has it. Evidence payloads are never decoded and never kept.
"""

import datetime as dt
import re
from typing import Any

import msgspec

from tocsin.kernel.time import parse_rfc3339
from tocsin.wire.xarf_older import is_older, read_older
from tocsin.wire.xarf_types import TYPES, XarfType
from tocsin.wire.xarf_values import NotXarf, XarfReport, host_of, is_address, name_of

_CORE = (
    "xarf_version",
    "report_id",
    "timestamp",
    "reporter",
    "sender",
    "source_identifier",
    "category",
    "type",
)
_CONTACT = ("org", "contact", "domain")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")
_SPELLINGS = re.compile(r"[-\s]+")
_MOST_REPORTS = 10_000


def split(content: bytes, most: int = _MOST_REPORTS) -> list[tuple[int, bytes]]:
    """The JSON documents in some bytes, each with its line counted from 0 and its own bytes.

    One object, the items of a list (all on line 0), or one a line. Raises NotXarf when nothing can be read.
    """
    text = content.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        if text.startswith(b"["):
            found = [(0, bytes(item)) for item in msgspec.json.decode(text, type=list[msgspec.Raw])]
        else:
            found = [(0, bytes(msgspec.json.decode(text, type=msgspec.Raw)))]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = [(number, line) for number, line in enumerate(text.split(b"\n")) if line.strip()]
        if not found or not isinstance(parse(found[0][1]), dict):
            raise NotXarf("broken JSON") from None
    if len(found) > most:
        raise NotXarf(f"more than {most} reports in one document")
    if not found:
        raise NotXarf("JSON that is no report")
    return found


def parse(text: bytes) -> Any:
    """One JSON document; None for what is broken, which is no report."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def decode(content: bytes) -> list[tuple[int, Any]]:
    """The JSON documents in some bytes, as `split` finds them; a broken line among several comes as None."""
    return [(line, parse(text)) for line, text in split(content)]


def read_xarf(document: Any) -> XarfReport:
    """One report of any version. Raises NotXarf naming the first thing that is wrong with it."""
    if not isinstance(document, dict):
        raise NotXarf("broken JSON" if document is None else "JSON that is no report")
    if is_older(document):
        return read_older(document)
    _check_core(document)
    category, name = document["category"], _SPELLINGS.sub("_", document["type"].lower())
    known = TYPES.get((category, name))
    if known is None:
        raise NotXarf(f"XARF type {category}/{document['type']} is not in the standard"[:120])
    _check_type(document, known)
    origin = host_of(document["source_identifier"])
    first, last = _times(document)
    return XarfReport(
        category=category,
        type=name,
        kind=known.kind,
        severity=known.severity,
        lane=known.lane,
        origin=origin,
        target=_first(document, known.target),
        service=_first(document, known.service) or _service(document),
        first_at=first,
        last_at=last,
        count=_count(document, known.times),
        reporter=document["reporter"]["domain"],
        names=_names(document, known.names),
    )


def _names(document: dict[str, Any], fields: tuple[str, ...]) -> tuple[str, ...]:
    """The names in these fields, each once."""
    told = (document.get(field) for field in fields)
    names = (name_of(value) for value in told if isinstance(value, str))
    return tuple(dict.fromkeys(filter(None, names)))


def _check_core(document: dict[str, Any]) -> None:
    version = document.get("xarf_version")
    if version is None:
        raise NotXarf("JSON that is no XARF report")
    if not isinstance(version, str) or not re.fullmatch(r"4\.[0-9]+\.[0-9]+", version):
        raise NotXarf("XARF of another version than 4")
    _require(document, _CORE)
    for name in ("report_id", "timestamp", "source_identifier", "category", "type"):
        if not isinstance(document[name], str) or not document[name].strip():
            raise NotXarf(f"XARF field {name} is not text")
    if not _UUID.fullmatch(document["report_id"]):
        raise NotXarf("XARF field report_id is no UUID")
    for side in ("reporter", "sender"):
        contact = document[side]
        if not isinstance(contact, dict) or not all(isinstance(contact.get(name), str) for name in _CONTACT):
            raise NotXarf(f"XARF field {side} needs org, contact and domain")
        if not _MAIL.fullmatch(contact["contact"]):
            raise NotXarf(f"XARF field {side}.contact is no mail address")


def _check_type(document: dict[str, Any], known: XarfType) -> None:
    _require(document, known.required)
    for name, keys in known.one_of:
        inner = document[name]
        if not isinstance(inner, dict) or not any(inner.get(key) for key in keys):
            raise NotXarf(f"XARF field {name} needs {' or '.join(keys)}")
    if document.get("protocol") == "smtp" and document["category"] == "messaging":
        _require(document, ("smtp_from", "source_port"))
    if known.port_for_address and is_address(document["source_identifier"]):
        _require(document, ("source_port",))
    for name in ("source_port", "destination_port"):
        port = document.get(name)
        if port is not None and (
            not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535
        ):
            raise NotXarf(f"XARF field {name} is no port")
    if "url" in known.required and not isinstance(document["url"], str):
        raise NotXarf("XARF field url is not text")
    if not host_of(document["source_identifier"]):
        raise NotXarf("XARF field source_identifier names no host")


def _require(document: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if document.get(name) is None:
            raise NotXarf(f"XARF field {name} is missing")


def _times(document: dict[str, Any]) -> tuple[dt.datetime, dt.datetime]:
    """First and last seen; the report's own time where the type has none, and never the wrong way round."""
    reported = _instant(document, "timestamp")
    first = _instant(document, "first_seen") if "first_seen" in document else reported
    last = _instant(document, "last_seen") if "last_seen" in document else max(first, reported)
    return min(first, last), max(first, last)


def _instant(document: dict[str, Any], name: str) -> dt.datetime:
    try:
        return parse_rfc3339(document[name])
    except (ValueError, TypeError, OverflowError):
        raise NotXarf(f"XARF field {name} is no date-time") from None


def _first(document: dict[str, Any], names: tuple[str, ...]) -> str:
    """The first of the fields that says something; of a list its first item, of a URL its host."""
    for name in names:
        value = document.get(name)
        if isinstance(value, list):
            value = next(iter(value), None)
        if isinstance(value, str) and (host := host_of(value)):
            return host[:200]
    return ""


def _service(document: dict[str, Any]) -> str:
    protocol = document.get("protocol")
    port = document.get("destination_port")
    if document["category"] == "messaging" and isinstance(protocol, str):
        return protocol.lower()[:40]
    if document["category"] == "content":
        return "http"
    if isinstance(protocol, str) and isinstance(port, int):
        return f"{protocol.lower()[:20]}/{port}"
    return protocol.lower()[:40] if isinstance(protocol, str) else "unknown"


def _count(document: dict[str, Any], names: tuple[str, ...]) -> int:
    for name in names:
        value = document.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 53:
            return value
    return 1
