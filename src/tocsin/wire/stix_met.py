"""STIX 2.1 (and 2.0) that tells what somebody met: sightings, and observed traffic that is called hostile.

OASIS STIX 2.1, sections 4.14 (observed data), 5.2 (sighting), 6.12 (network traffic), 3.6 (versions). An
indicator alone says what to look for, and is no evidence that anybody did anything.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple

from tocsin.wire.complaint_words import UNDETERMINED, Meaning
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
from tocsin.wire.stix_in import STAYS, tlp_of, values_of

_FORGEABLE = ("udp", "icmp", "icmp6", "ipv6-icmp")
_HOSTS = ("ipv4-addr", "ipv6-addr", "domain-name")
_MOST = 1_000_000_000  # section 5.2: the most times that a sighting may count
# Types of malware and infrastructure (sections 10.17 and 10.13) whose word alone says too little.
_TYPES = {
    "command-and-control": "malicious-code/c2-server",
    "botnet": "malicious-code/infected-system",
    "bot": "malicious-code/infected-system",
    "ransomware": "malicious-code/x-uk-ransomware",
    "amplification": "vulnerable/ddos-amplifier",
    "phishing": "fraud/phishing",
    "hosting-malware": "malicious-code/malware-distribution",
    "reconnaissance": "information-gathering/scanner",
    "ddos": "availability/ddos",
}


class Traffic(NamedTuple):
    """One connection, or an address or name that was met without one (`target` is empty)."""

    source: str
    target: str
    protocols: list[str]
    port: str


INFECTED = Meaning("malicious-code/infected-system", "medium")
NOT_SEEN = Passed("noise: a sighting that says it was not seen")
OVER = Passed("noise: revoked, or an older version")


def read_objects(objects: list[Any]) -> Iterator[Told]:
    """What each object of a bundle tells, in order: objects are decoded JSON of any kind."""
    latest = _latest(objects)
    covered = {
        ref
        for thing in latest.values()
        if thing["type"] == "sighting" and thing.get("revoked") is not True
        for ref in _texts(thing.get("observed_data_refs"))
    }
    for thing in objects:
        if not _is_object(thing):
            yield Broken("JSON that is no STIX object")
        elif latest[thing["id"]] is not thing or thing.get("revoked") is True:
            yield OVER
        elif thing["type"] == "indicator":
            yield INDICATOR
        elif thing["type"] == "sighting":
            yield _told(_sighting, thing, latest)
        elif thing["type"] == "observed-data" and thing["id"] not in covered:
            yield _told(_observed, thing, latest)
        else:
            yield Passed()


def _told(read: Any, thing: dict[str, Any], latest: dict[str, Any]) -> Told:
    if tlp_of(_texts(thing.get("object_marking_refs"))) in STAYS:
        return MARKED
    try:
        return read(thing, latest)  # type: ignore[no-any-return]
    except Wrong as why:
        return Broken(str(why))


def _latest(objects: list[Any]) -> dict[str, dict[str, Any]]:
    """The objects by identifier, of several versions the last."""
    found: dict[str, dict[str, Any]] = {}
    for thing in objects:
        if _is_object(thing):
            other = found.get(thing["id"])
            if other is None or _version(other) <= _version(thing):
                found[thing["id"]] = thing
    return found


def _is_object(thing: Any) -> bool:
    return isinstance(thing, dict) and isinstance(thing.get("type"), str) and isinstance(thing.get("id"), str)


def _version(thing: dict[str, Any]) -> str:
    told = thing.get("modified") or thing.get("created") or ""
    return told if isinstance(told, str) else ""


def _sighting(thing: dict[str, Any], latest: dict[str, Any]) -> Told:
    count = thing.get("count", 1)
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count < _MOST:
        raise Wrong("a STIX sighting whose count is no number below a thousand million")
    if count == 0:
        return NOT_SEEN
    of = latest.get(str(thing.get("sighting_of_ref")), {})
    if tlp_of(_texts(of.get("object_marking_refs"))) in STAYS:
        return MARKED
    if "benign" in _texts(of.get("indicator_types")):
        return Passed("noise: a sighting of what is called benign")
    observed = [latest[ref] for ref in _texts(thing.get("observed_data_refs")) if ref in latest]
    accused = _values(of)
    traffic = [met for one in observed for met in _traffic(one, latest)]
    meaning = _meaning(thing) or _meaning(of)
    times = [*observed, thing]
    if not traffic:
        traffic = [Traffic(value, "", [], "") for value in accused]
    if not traffic:
        return Passed("noise: a sighting that names no address or name")
    return _met(traffic, accused, meaning or UNDETERMINED, times, count)


def _observed(thing: dict[str, Any], latest: dict[str, Any]) -> Told:
    meaning = _meaning(thing)
    traffic = list(_traffic(thing, latest))
    if meaning is None or not traffic:
        return NOT_HOSTILE
    count = thing.get("number_observed", 1)
    if not isinstance(count, int) or isinstance(count, bool) or not 0 < count < _MOST:
        raise Wrong("STIX observed data whose number_observed is no number from 1")
    return _met(traffic, [], meaning, [thing], count)


def _met(
    traffic: list[Traffic], accused: list[str], meaning: Meaning, times: list[dict[str, Any]], count: int
) -> Told:
    """Who did it to whom. Whoever calls a server of bad code is infected; the server is his target."""
    sources: dict[str, Side] = {}
    targets: dict[str, Side] = {}
    for one in traffic:
        forgeable = any(word.lower() in _FORGEABLE for word in one.protocols)
        if one.target in accused and one.source not in accused:
            if not meaning.kind.startswith("malicious-code/"):
                continue
            meaning = INFECTED
        sources[one.source] = Side(one.source, forgeable=forgeable)
        if one.target:
            targets[one.target] = Side(one.target)
    if not sources:
        return Passed("noise: traffic towards what is called hostile, of a kind that accuses no client")
    first, last, assumed = _span(times)
    if meaning == UNDETERMINED:
        assumed["kind"] = "nothing says what it is"
    service, vector = service_at(traffic[0].protocols[::-1], traffic[0].port)
    return Met(
        meaning,
        tuple(sources.values()),
        tuple(targets.values()),
        service,
        vector,
        first,
        last,
        count,
        assumed,
    )


def _span(times: list[dict[str, Any]]) -> tuple[dt.datetime, dt.datetime, dict[str, str]]:
    """From the first to the last time that any of these names; else when the last of them was made."""
    names = ("first_observed", "last_observed", "first_seen", "last_seen")
    told = [at for thing in times for name in names if (at := _instant(thing, name))]
    if told:
        return min(told), max(told), {}
    made = _instant(times[-1], "created")
    if made is None:
        raise Wrong(f"a STIX {times[-1]['type']} without a time")
    return made, made, {"first_seen_at": "derived from created"}


def _instant(thing: dict[str, Any], name: str) -> dt.datetime | None:
    told = thing.get(name)
    if told is None:
        return None
    read = read_date(told) if isinstance(told, str) else None
    if read is None:
        raise Wrong(f"STIX field {name} is no timestamp")
    return read[0]


def _meaning(thing: dict[str, Any]) -> Meaning | None:
    """By the labels, then the types that STIX names, techniques and the object's own name."""
    labels = _texts(thing.get("labels"))
    if meaning := meaning_of_labels(labels):
        return meaning
    kinds = [
        _TYPES[word]
        for field in ("infrastructure_types", "malware_types", "indicator_types")
        for word in _texts(thing.get(field))
        if word in _TYPES
    ]
    if kinds:
        return meaning_of_kind(kinds[0])
    references = [one for one in listed(thing.get("external_references")) if isinstance(one, dict)]
    named = [text for one in references if isinstance(text := one.get("external_id"), str)]
    if thing.get("type") in ("attack-pattern", "indicator", "malware", "infrastructure"):
        named += _texts([thing.get("name")])
    return meaning_of_labels(named)


def _values(thing: dict[str, Any]) -> list[str]:
    """The addresses and names that an indicator is about, or that an object is."""
    if thing.get("type") in _HOSTS and isinstance(thing.get("value"), str):
        return [thing["value"]]
    pattern = thing.get("pattern")
    if thing.get("type") != "indicator" or not isinstance(pattern, str):
        return []
    return [value for _, value in values_of(pattern) or ()]


def _traffic(thing: dict[str, Any], latest: dict[str, Any]) -> Iterator[Traffic]:
    """The connections of observed data; what was met without one, where there is none."""
    inside = thing.get("objects")
    things = inside if isinstance(inside, dict) else latest  # STIX 2.0 keeps them inside
    refs = list(inside) if isinstance(inside, dict) else _texts(thing.get("object_refs"))
    seen = [things[ref] for ref in refs if isinstance(things.get(ref), dict)]
    connections = [one for one in seen if one.get("type") == "network-traffic"]
    for one in connections:
        source, target = (_host(things, one.get(end)) for end in ("src_ref", "dst_ref"))
        if source:
            port = one.get("dst_port")
            port = str(port) if isinstance(port, int) and 0 < port < 65_536 else ""
            yield Traffic(source, target, _texts(one.get("protocols")), port)
    if not connections:
        yield from (Traffic(one["value"], "", [], "") for one in seen if _values(one))


def _host(things: dict[str, Any], ref: Any) -> str:
    found = things.get(ref) if isinstance(ref, str) else None
    values = _values(found) if isinstance(found, dict) else []
    return values[0] if values else ""


def _texts(value: Any) -> list[str]:
    return [item for item in listed(value) if isinstance(item, str)]
