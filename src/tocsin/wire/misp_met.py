"""MISP events that tell what somebody met: sighted attributes, and objects that record a flow or an attack.

MISP core format, sections 2.4 (attribute), 2.6 (object) and 2.10 (sighting); objects by MISP's templates. An
attribute that nobody sighted is an indicator: it says what to look for.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from tocsin.wire.complaint_words import UNDETERMINED, Meaning, meaning_of
from tocsin.wire.dates import read_date
from tocsin.wire.labels import meaning_of_kind, meaning_of_labels
from tocsin.wire.met import (
    INDICATOR,
    MARKED,
    NOT_HOSTILE,
    Broken,
    Met,
    Passed,
    Side,
    Told,
    Wrong,
    listed,
    service_at,
)
from tocsin.wire.misp_in import KINDS, NotMisp, tlp_of
from tocsin.wire.stix_in import STAYS

_SIGHTED, _FALSE = "0", "1"
_MOST = 1 << 53
_FORGEABLE = ("udp", "icmp", "ip")
_DELETED = Passed("noise: deleted in MISP")
_CALLED_FALSE = Passed("noise: called a false positive after it was sighted")


def read_event(event: dict[str, Any]) -> Iterator[tuple[Any, Told]]:
    """Each attribute and each object of an event (or of a list of attributes), and what it tells."""
    outer = _names(event)
    for attribute in listed(event.get("Attribute")):
        yield attribute, _told(attribute, event, outer, is_object=False)
    for thing in listed(event.get("Object")):
        yield thing, _told(thing, event, outer, is_object=True)


def _told(thing: Any, event: dict[str, Any], outer: list[str], *, is_object: bool) -> Told:
    if not isinstance(thing, dict):
        return Broken("JSON that is no attribute or object of MISP")
    if _is_true(thing.get("deleted")):
        return _DELETED
    names = _names(thing) + (_inner(thing) if is_object else [])
    try:
        if tlp_of([*names, *outer]) in STAYS:
            return MARKED
        meaning = meaning_of_labels(names) or meaning_of_labels(outer)
        return _of_object(thing, event, meaning) if is_object else _of_attribute(thing, event, meaning)
    except (NotMisp, Wrong) as why:
        return Broken(str(why))


def _of_attribute(thing: dict[str, Any], event: dict[str, Any], meaning: Meaning | None) -> Told:
    value, kind = thing.get("value"), thing.get("type")
    if not isinstance(value, str) or not isinstance(kind, str):
        return Broken("a MISP attribute without type or value")
    if kind not in KINDS:
        return Passed()
    sightings = [one for one in listed(thing.get("Sighting")) if isinstance(one, dict)]
    seen = [_second(one.get("date_sighting")) for one in sightings if str(one.get("type", "0")) == _SIGHTED]
    if not seen:
        return INDICATOR
    doubted = [_second(one.get("date_sighting")) for one in sightings if str(one.get("type")) == _FALSE]
    if doubted and max(doubted) >= max(seen):
        return _CALLED_FALSE
    host, _, port = value.partition("|")
    assumed = {} if meaning else {"kind": "nothing says what it is"}
    service, vector = service_at([], port.strip() if kind.endswith("port") and "src" not in kind else "")
    return Met(
        meaning or UNDETERMINED,
        (Side(host.strip()),),
        (),
        service,
        vector,
        min(seen),
        max(seen),
        len(seen),
        assumed,
    )


def _of_object(thing: dict[str, Any], event: dict[str, Any], meaning: Meaning | None) -> Told:
    fields = _fields(thing)
    name = thing.get("name")
    if name == "ddos":
        return _flood(thing, event, fields, meaning)
    if name == "authentication-failure-report":
        meaning = meaning or meaning_of_kind("intrusion-attempts/brute-force")
        return _connection(thing, event, fields, meaning, ("type",), ("total",))
    if name == "intelmq_event":
        words = _first(fields, "classification.type", "classification.taxonomy")
        return _connection(thing, event, fields, meaning or meaning_of(words), (), ())
    if name in ("netflow", "network-connection", "network-traffic"):
        if meaning is None:
            return NOT_HOSTILE
        layers = ("layer7-protocol", "layer4-protocol", "protocol")
        return _connection(thing, event, fields, meaning, layers, ("flow-count",))
    return Passed()


def _connection(
    thing: dict[str, Any],
    event: dict[str, Any],
    fields: dict[str, list[str]],
    meaning: Meaning | None,
    protocols: Sequence[str],
    counts: Sequence[str],
) -> Told:
    words = [word for name in (*protocols, "protocol.application", "protocol.transport")
             for word in fields.get(name, ())]  # fmt: skip
    forgeable = any(word.lower() in _FORGEABLE for word in words)
    sources = _first_of(fields, "ip-src", "hostname-src", "source.ip", "source.fqdn")
    targets = _first_of(fields, "ip-dst", "hostname-dst", "destination.ip", "destination.fqdn")
    if not sources:
        return Passed("noise: a record of MISP that names no source")
    service, vector = service_at(words, _first(fields, "dst-port", "destination.port"))
    first, last, assumed = _span(thing, event, fields)
    return Met(
        meaning or UNDETERMINED,
        tuple(Side(host, forgeable=forgeable) for host in sources),
        tuple(map(Side, targets)),
        service,
        vector,
        first,
        last,
        _count(_first(fields, *counts), least=1),
        assumed,
    )


def _flood(
    thing: dict[str, Any], event: dict[str, Any], fields: dict[str, list[str]], meaning: Meaning | None
) -> Told:
    """A flood: its origins are a sample."""
    targets = _first_of(fields, "ip-dst", "domain-dst")
    if not targets:
        return Passed("noise: a flood of MISP that names no victim")
    protocol = _first(fields, "protocol").lower()
    vector = protocol if protocol in ("udp", "icmp", "tcp") else "unknown"
    first, last, assumed = _span(thing, event, fields)
    packets, bits = (_count(_first(fields, name), least=0) for name in ("total-pps", "total-bps"))
    seconds = max(int((last - first).total_seconds()), 1)
    if packets:
        assumed["count"] = "derived from rate and duration"
    kind = meaning if meaning and meaning.kind.startswith("availability/") else None
    return Met(
        kind or meaning_of_kind("availability/ddos") or UNDETERMINED,
        (),
        tuple(map(Side, targets)),
        vector,
        vector,
        first,
        last,
        min(max(packets * seconds, 1), _MOST),
        assumed,
        sample=tuple(fields.get("ip-src", ())[:1000]),
        packets=packets,
        bits=bits,
    )


def _span(
    thing: dict[str, Any], event: dict[str, Any], fields: dict[str, list[str]]
) -> tuple[dt.datetime, dt.datetime, dict[str, str]]:
    """When it was met, as the record says; else when it was last changed."""
    named = ("first-seen", "last-seen", "first-packet-seen", "last-packet-seen", "time.source")
    told = [_date(text) for name in named for text in fields.get(name, ())]
    told += [_date(thing[name]) for name in ("first_seen", "last_seen") if thing.get(name)]
    if told:
        return min(told), max(told), {}
    if observed := [_date(text) for text in fields.get("time.observation", ())]:
        return min(observed), max(observed), {"first_seen_at": "derived from when it was collected"}
    for what, holder in (("the record", thing), ("the event", event)):
        if holder.get("timestamp") not in (None, "", 0, "0"):
            at = _second(holder["timestamp"])
            return at, at, {"first_seen_at": f"derived from the last change of {what}"}
    raise Wrong("a record of MISP without a time")


def _date(text: Any) -> dt.datetime:
    read = read_date(text) if isinstance(text, str) else None
    if read is None:
        raise Wrong("a record of MISP with a time that is none")
    return read[0]


def _second(told: Any) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(int(str(told)), dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise Wrong("a record of MISP whose timestamp is no number of seconds") from None


def _count(text: str, least: int) -> int:
    return min(int(text), _MOST) if text.isascii() and text.isdigit() and int(text) >= least else least


def _fields(thing: dict[str, Any]) -> dict[str, list[str]]:
    """The values of an object's attributes by their relation."""
    found: dict[str, list[str]] = {}
    for attribute in listed(thing.get("Attribute")):
        if isinstance(attribute, dict) and not _is_true(attribute.get("deleted")):
            relation, value = attribute.get("object_relation"), attribute.get("value")
            if isinstance(relation, str) and isinstance(value, str | int) and str(value).strip():
                found.setdefault(relation, []).append(str(value).strip())
    return found


def _first(fields: dict[str, list[str]], *names: str) -> str:
    return next(iter(_first_of(fields, *names)), "")


def _first_of(fields: dict[str, list[str]], *names: str) -> list[str]:
    return next((fields[name] for name in names if name in fields), [])


def _names(thing: dict[str, Any]) -> list[str]:
    return [
        tag["name"]
        for tag in listed(thing.get("Tag"))
        if isinstance(tag, dict) and isinstance(tag.get("name"), str)
    ]


def _inner(thing: dict[str, Any]) -> list[str]:
    return [name for one in listed(thing.get("Attribute")) if isinstance(one, dict) for name in _names(one)]


def _is_true(told: Any) -> bool:
    return str(told).lower() in {"true", "1"}
