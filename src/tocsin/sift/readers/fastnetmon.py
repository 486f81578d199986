"""FastNetMon's attack records: the JSON that it gives to notify scripts, and its text reports.

One record is one attack: who was flooded, by which vector, how hard, and, where packets were dumped, by which
reflectors. Rates are FastNetMon's own, in packets and bits a second.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from tocsin.sift.findings import Finding
from tocsin.sift.flows.floods import KIND, amplifiers, severity_of
from tocsin.sift.origins import normalise
from tocsin.sift.regions import region_of
from tocsin.sift.sources import read_whole

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Source, Stream
    from tocsin.sift.stamps import Clock

LARGEST = 64 << 20
MOST = 1 << 50  # packets or bits a second: more is no measurement
BROKEN = "a FastNetMon record that cannot be read"
OUTGOING = "an attack that left the network: nobody here was flooded"
VECTORS = {"syn_flood": "tcp-syn", "icmp_flood": "icmp", "udp_flood": "udp"}
_TEXT = re.compile(r"^IP: ?(?P<ip>\S+)\s*\n(?:.*\n)*?Attack type: ?(?P<type>\S+)", re.MULTILINE)
_FIELD = re.compile(r"^(?P<name>[A-Z][A-Za-z /]+): ?(?P<value>.+?)\s*$", re.MULTILINE)
_PACKET = re.compile(
    r"^(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\S* \[?(?P<source>[0-9a-fA-F.:]+?)\]?:(?P<port>\d+) > "
    r".*?protocol: (?P<protocol>\w+)",
    re.MULTILINE,
)
_AMOUNT = re.compile(r"(\d+)\s*(packets per second|mbps|gbps|kbps|bps)?", re.IGNORECASE)
_UNITS = {"kbps": 1_000, "mbps": 1_000_000, "gbps": 1_000_000_000}


def looks_like(start: bytes) -> bool:
    """The words that only such records have, near the beginning."""
    head = start[:4096]
    return (b'"attack_details"' in head and b'"action"' in head) or (
        head.startswith(b"IP: ") and b"Attack type:" in head
    )


def read(run: "Run", source: "Source", stream: "Stream") -> None:
    """Every record of a source; a broken one is rejected, the others are read."""
    content = read_whole(stream, LARGEST)
    run.see(content)
    pieces = list(_pieces(content))
    if run.seen_before([region_of(content)], len(pieces)):
        return
    for number, piece in pieces:
        try:
            finding = _finding(_record(piece), run.clock(source), source.changed_at())
        except (msgspec.DecodeError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            run.reject(source, number, BROKEN, piece[:2000])
            continue
        run.count(1)
        if finding is not None:
            run.add(source.path, finding, [number], piece.rstrip(b"\n") + b"\n")


def _pieces(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The records, each with the number of its first line."""
    if content.lstrip()[:1] in b"{[":
        try:
            whole = msgspec.json.decode(content)
            yield from (
                (1, msgspec.json.encode(item)) for item in (whole if isinstance(whole, list) else [whole])
            )
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield from ((n, line) for n, line in enumerate(content.splitlines(), start=1) if line.strip())
        return
    starts = [match.start() for match in re.finditer(rb"(?m)^IP: ", content)]
    starts = starts or [0]
    for start, end in zip(starts, [*starts[1:], len(content)], strict=True):
        yield content.count(b"\n", 0, start) + 1, content[start:end]


def _record(piece: bytes) -> dict[str, Any]:
    """One record by FastNetMon's own names, whichever way it was written."""
    if piece.lstrip()[:1] == b"{":
        record = msgspec.json.decode(piece)
        details = dict(record["attack_details"])
        packets = record.get("packet_dump") or []
        return {**details, "ip": record["ip"], "packets": "\n".join(map(str, packets))}
    text = piece.decode("utf-8", "replace")
    if not _TEXT.search(text):
        raise ValueError
    fields = {m["name"].lower().replace(" ", "_"): m["value"] for m in _FIELD.finditer(text)}
    return {**fields, "packets": text}


def _finding(record: dict[str, Any], clock: "Clock", changed_at: float | None) -> Finding | None:
    if record.get("attack_direction", "incoming") != "incoming":
        return None
    packets = list(_PACKET.finditer(record["packets"]))
    seen = Counter(filter(None, (normalise(match["source"]) for match in packets)))
    vector, told, mark = _vector(record, packets)
    first, last, assumed = _times(packets, clock, changed_at)
    peak = _amount(record.get("peak_attack_power") or record.get("initial_attack_power") or 0)
    rate = _amount(record.get("total_incoming_pps", 0))
    bits = _amount(record.get("total_incoming_traffic_bits") or record.get("total_incoming_traffic") or 0)
    lasted = int(record.get("attack_duration", 0) or 0)
    seconds = max(lasted, last - first, 1)
    target = normalise(str(record["ip"]))
    if target is None:
        raise ValueError
    return Finding(
        kind=KIND,
        origin="",
        target=target,
        service=vector,
        first=first,
        last=max(last, first + lasted),
        count=max(rate, peak, 1) * seconds,
        severity=severity_of(max(rate, peak), bits),
        why=told,
        reader="fastnetmon",
        assumed={"count": "derived from FastNetMon's rate and duration", **assumed},
        spoofable=True,
        vector=told,
        fingerprint=mark,
        sample=tuple(seen.most_common(100)),
        origin_count=len(seen),
        measures={"peak_packets_per_second": max(rate, peak), "peak_bits_per_second": bits},
    )


def _vector(record: dict[str, Any], packets: list[re.Match[str]]) -> tuple[str, str, str]:
    """Coarse vector, its words and its fingerprint: reflection where the dumped packets show amplifiers."""
    ports = Counter(int(match["port"]) for match in packets if match["protocol"].lower() == "udp")
    named = sorted(
        port for port, times in ports.items() if port in amplifiers() and times * 10 >= len(packets)
    )
    if named:
        told = ", ".join(f"{amplifiers()[port]} (udp/{port})" for port in named)
        return "udp-reflection", f"reflection from {told}", f"udp-reflection src={'+'.join(map(str, named))}"
    kind = str(record.get("attack_type", "unknown")).lower()
    protocol = str(record.get("attack_protocol", "")).lower()
    vector = VECTORS.get(kind) or (protocol if protocol in ("udp", "icmp", "tcp") else "unknown")
    words = "TCP SYN flood" if vector == "tcp-syn" else f"{vector.upper()} flood"
    return vector, words, f"{vector} src=*"


def _times(
    packets: list[re.Match[str]], clock: "Clock", changed_at: float | None
) -> tuple[int, int, dict[str, str]]:
    told = sorted(filter(None, (_instant(match["at"], clock) for match in packets)))
    if told:
        return told[0], told[-1], {}
    at = int(changed_at if changed_at is not None else dt.datetime.now(dt.UTC).timestamp())
    return at, at, {"first_seen_at": "derived from the last change of the file: the record has no time"}


def _instant(text: str, clock: "Clock") -> int | None:
    hour = clock.hour(text[:13])
    return None if hour is None else hour + int(text[14:16]) * 60 + int(text[17:19])


def _amount(value: object) -> int:
    """A number with its unit as a plain number (bits or packets a second)."""
    match = _AMOUNT.search(str(value))
    amount = int(match[1][:18]) * _UNITS.get((match[2] or "").lower(), 1) if match else 0
    return min(amount, MOST)
