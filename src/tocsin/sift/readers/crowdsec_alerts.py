"""CrowdSec's alerts, as `cscli alerts list -o json` and its local API print them: decisions already taken.

One alert is one record, numbered in its list. Alerts about a range, a country or an autonomous system name no
origin; those that a person or somebody else's list caused are nothing that was seen here: both are noise.
"""

import re
from typing import TYPE_CHECKING

import msgspec

from tocsin.sift.decisions import UNKNOWN_SERVICE, meaning
from tocsin.sift.findings import Finding
from tocsin.sift.origins import is_address, normalise
from tocsin.sift.regions import region_of
from tocsin.sift.sources import read_whole

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Source, Stream
    from tocsin.sift.stamps import Clock

LARGEST = 256 << 20
BROKEN = "broken JSON"
NO_ALERT = "no alert of CrowdSec"
NO_TIME = "an alert without a time"
_BOM = b"\xef\xbb\xbf"
_MARKS = (b'"scenario"', b'"source"', b'"decisions"')
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d):(\d\d):(\d\d)(?:\.\d+)? ?(Z|[+-]\d\d:?\d\d)?")
_ELSEWHERE = ("cscli", "cscli-import", "CAPI", "lists", "console")


class _Origin(msgspec.Struct):
    scope: str = ""
    value: str = ""
    ip: str = ""


class _Meta(msgspec.Struct):
    key: str = ""
    value: str = ""


class _Event(msgspec.Struct):
    meta: list[_Meta] | None = None


class _Decision(msgspec.Struct):
    origin: str = ""


class _Alert(msgspec.Struct):
    scenario: str
    source: _Origin
    start_at: str = ""
    stop_at: str = ""
    created_at: str = ""
    events_count: int = 1
    events: list[_Event] | None = None
    decisions: list[_Decision] | None = None


def looks_like(start: bytes) -> bool:
    """A list of alerts, or one."""
    text = start.removeprefix(_BOM).lstrip()
    return text[:1] in (b"[", b"{") and all(mark in text for mark in _MARKS) and b"start_at" in text


def read(run: "Run", source: "Source", stream: "Stream") -> None:
    """Read the alerts to their end."""
    content = read_whole(stream, LARGEST)
    run.see(content)
    try:
        raw = content.removeprefix(_BOM).lstrip()
        alerts = msgspec.json.decode(
            raw if raw.startswith(b"[") else b"[" + raw + b"]", type=list[msgspec.Raw]
        )
    except (msgspec.DecodeError, RecursionError):
        run.reject(source, 1, BROKEN)
        return
    if run.seen_before([region_of(content)], len(alerts)):
        return
    clock = run.clock(source)
    for number, alert in enumerate(alerts, start=1):
        _take(run, source, number, bytes(alert), clock)


def _take(run: "Run", source: "Source", number: int, raw: bytes, clock: "Clock") -> None:
    line = msgspec.json.format(raw, indent=-1)
    try:
        alert = msgspec.json.decode(raw, type=_Alert)
    except (msgspec.DecodeError, UnicodeDecodeError):
        run.reject(source, number, NO_ALERT, line)
        return
    first = _seconds(alert.start_at, clock) or _seconds(alert.created_at, clock)
    if first is None:
        run.reject(source, number, NO_TIME, line)
        return
    run.count(1)
    origin = normalise(alert.source.ip or alert.source.value)
    if (
        not origin
        or not is_address(origin)
        or alert.source.scope.lower() not in ("ip", "")
        or _elsewhere(alert)
    ):
        return
    kind, service = meaning(alert.scenario)
    finding = Finding(
        kind=kind,
        origin=origin,
        target=run.options.target,
        service=service if service != UNKNOWN_SERVICE else _service(alert),
        first=first,
        last=max(first, _seconds(alert.stop_at, clock) or first),
        count=max(1, alert.events_count),
        severity="low",
        why="decided by CrowdSec",
        reader=f"crowdsec {alert.scenario}"[:120],
        assumed={"kind": "derived from the scenario's name"},
    )
    run.add(source.path, finding, [number], line + b"\n")


def _elsewhere(alert: _Alert) -> bool:
    """Whether nobody here saw it: decided by hand, or taken over from somebody's list."""
    return any(decision.origin in _ELSEWHERE for decision in alert.decisions or ())


def _service(alert: _Alert) -> str:
    """The service that the first event names."""
    for event in alert.events or ():
        for meta in event.meta or ():
            if meta.key == "service" and meta.value:
                return meta.value.lower()
    return UNKNOWN_SERVICE


def _seconds(text: str, clock: "Clock") -> int | None:
    match = _TIME.match(text)
    hour = clock.hour(match[1] + (match[4] or "Z")) if match else None
    return None if match is None or hour is None else hour + int(match[2]) * 60 + int(match[3])
