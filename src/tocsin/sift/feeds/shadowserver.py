"""Shadowserver's reports (CSV): every type by a table, every row an event, whatever the order of its columns.

`shadowserver.csv` beside this module says what each report type means: RSIT kind (the class that Shadowserver
itself publishes for it), how much a row weighs, the service, and whether the address is the origin or the
victim. A digit behind the first word is dropped: `scan6_dns` is `scan_dns` and `event4_sinkhole` is
`event_sinkhole`. A type is known by the name of its file, else by its columns; `vulnerable/*` opens no case.
Times are UTC, as Shadowserver's are.
"""

import csv
import datetime as dt
import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib import resources
from typing import NamedTuple, cast

from tocsin.sift.origins import normalise
from tocsin.wire.report import Severity

_WORD = re.compile(r"[a-z][a-z0-9_]+")
_TOKEN = re.compile(r"[a-z][a-z0-9.+_-]{0,39}")
_ADDRESSES = ("ip", "src_ip", "http_referer_ip", "dst_ip", "host", "domain", "request")
_TIMES = ("timestamp", "date", "datetime", "first_seen")
_MOST_FIELD = 1 << 20


class FeedEvent(NamedTuple):
    """One row: who (or whose machine), when, what. `at` is in seconds since 1970; no port and no AS are 0.

    `address` may be a host name, where the report has no address, or a network in CIDR notation, which is no
    origin; `target` is empty where there is none.
    """

    at: int
    address: str
    port: int
    asn: int
    kind: str
    severity: Severity
    service: str
    transport: str
    target: str
    target_port: int
    times: int
    report: str
    name: str
    is_victim: bool


class Report(NamedTuple):
    """What one report type means."""

    name: str
    kind: str
    severity: Severity
    service: str
    is_victim: bool


UNKNOWN_EVENT = Report("", "other/undetermined", "info", "", False)
UNKNOWN_SCAN = Report("", "vulnerable/vulnerable-system", "info", "", False)
RowReader = Callable[[list[str]], FeedEvent | str]


@lru_cache(maxsize=1)
def reports() -> dict[str, Report]:
    """The table: every name of a report type and what it means."""
    text = resources.files("tocsin.sift.feeds").joinpath("shadowserver.csv").read_text("utf-8")
    found: dict[str, Report] = {}
    for row in csv.DictReader(text.splitlines()):
        names = row["reports"].split()
        weight = cast(Severity, row["severity"])
        meant = Report(names[0], row["kind"], weight, row["service"], row["role"] == "victim")
        found |= dict.fromkeys(names, meant)
    return found


def is_header(line: str) -> bool:
    """Whether a line names the columns of such a report."""
    columns = set(_columns(line))
    numbers = columns & {"asn", "src_asn", "http_referer_asn", "dst_asn"}
    places = columns & {"geo", "src_geo", "http_referer_geo", "dst_geo"}
    return "timestamp" in columns and (bool(numbers and places) or {"md5hash", "request"} <= columns)


def report_named(file_name: str) -> Report | None:
    """The report type whose name stands in a file's name, the longest if several do."""
    bare = re.sub(
        r"([a-z])[46]_", r"\1_", file_name.lower().replace("website6", "website").replace("id6", "id")
    )
    bare = re.sub(r"(compromised_iot)6", r"\1", bare)
    known = reports()
    found = [name for name in known if re.search(rf"(?<![a-z0-9_]){name}(?![a-z0-9_])", bare)]
    if not found:
        found = [name for name in known if "_" in name and name in bare]
    return known[max(found, key=len)] if found else None


def report_of(columns: Iterable[str], file_name: str = "") -> Report:
    """The report type of a file, by its name, else by its columns, else a default that says so."""
    if named := report_named(file_name):
        return named
    known, have = reports(), set(columns)
    for needed, name in (
        ({"http_referer_ip"}, "event_sinkhole_http_referer"),
        ({"routedspoof"}, "event_ip_spoofer"),
        ({"src_ip", "attack", "duration", "dst_network"}, "event_honeypot_ddos"),
        ({"src_ip", "avg_pps"}, "event_honeypot_ddos_amp"),
        ({"src_ip", "username", "password"}, "event_honeypot_brute_force"),
        ({"src_ip", "pattern", "http_url"}, "event_honeypot_http_scan"),
        ({"src_ip", "http_url", "http_agent", "forwarded_by"}, "event_sinkhole_http"),
        ({"ip", "infection", "cc"}, "botnet_drone"),
        ({"md5hash", "request"}, "sandbox_dns"),
        ({"md5", "bytes_in"}, "sandbox_conn"),
        ({"ip", "source", "reason"}, "blocklist"),
        ({"ip", "url", "host", "source"}, "phish_url"),
        ({"ip", "device_vendor", "device_type", "device_model", "tag"}, "device_id"),
    ):
        if needed <= have and (name != "device_id" or len(have) < 18):
            return known[name]
    return UNKNOWN_SCAN if {"ip", "port"} <= have and "infection" not in have else UNKNOWN_EVENT


def compile_rows(columns: list[str], report: Report) -> RowReader:
    """A function from a row's values to its event, or to the reason why it is none."""
    width = len(columns)
    place = {name: number for number, name in reversed(list(enumerate(columns)))}
    none = width  # a row is padded by one empty value, so that a column that is not there reads as empty

    def at(*names: str) -> int:
        return next((place[name] for name in names if name in place), none)

    when, who = at(*_TIMES), at(*_ADDRESSES)
    also = [place[name] for name in ("host", "hostname", "domain", "url", "request") if name in place]
    port, asn = at("port", "src_port", "http_referer_port"), at("asn", "src_asn", "http_referer_asn")
    transport, tag = at("protocol", "type"), at("tag")
    target, target_port = (
        at("dst_ip", "cc_ip", "cc") if who != at("dst_ip") else none,
        at("dst_port", "cc_port"),
    )
    count, application = at("count"), at("application")
    url, known = at("url", "host", "request"), reports()
    by_tag = report is UNKNOWN_SCAN
    name_report, kind, severity, service, is_victim = report

    def read(row: list[str]) -> FeedEvent | str:
        if len(row) <= width:
            row.extend([""] * (width + 1 - len(row)))
        else:
            row[width] = ""
        if not (seconds := _seconds(row[when])):
            return "a row without a time that can be read"
        address = _address(row[who]) or next(filter(None, (_host(row[i]) for i in also)), "")
        address = address or _network(row[who])
        if not address:
            return "a row without an address"
        tags = row[tag].lower()
        what, weight, spoken = kind, severity, service
        if by_tag and (found := known.get("scan_" + re.split(r"[,;\s]", tags)[0])):
            what, weight, spoken = found.kind, found.severity, found.service
        if name_report == "scan_exchange" and "webshell" in tags:
            what, weight = "intrusions/system-compromise", "high"
        via = row[transport].lower()
        return FeedEvent(
            seconds,
            address,
            _number(row[port]),
            _number(row[asn]),
            what,
            weight,
            spoken or _token(row[application]) or _token(tags),
            via if via in ("tcp", "udp", "icmp", "sctp") else "",
            _address(row[target]),
            _number(row[target_port]),
            _number(row[count]) or 1,
            name_report,
            _host(row[url]) if url != none else "",
            is_victim,
        )

    return read


def read_rows(lines: Iterable[bytes], file_name: str) -> Iterator[tuple[int, bytes, FeedEvent | str]]:
    """The rows of a report: number of the first line, bytes, and the event or the reason why it is none.

    Headers are no rows; one in the middle (files joined together) begins a new report. A quoted field may
    hold line ends; a quote that is never closed spoils its own line only.
    """
    csv.field_size_limit(_MOST_FIELD)
    pending: list[bytes] = []
    rows = csv.reader(_decoded(lines, pending))
    read: RowReader | None = None
    number = 1
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            row = []
        raw, pending[:] = pending[:], []
        if len(raw) == 1 and read and row and row[0][:1].isdigit():
            yield number, raw[0], read(row)  # as nearly all are
        elif len(raw) == 1 and row:
            read, event = _take(row, raw[0], read, file_name)
            if event is not None:
                yield number, raw[0], event
        elif len(raw) > 1 and read and row and not isinstance(event := read(row), str):
            yield number, b"".join(raw), event
        else:
            for offset, line in enumerate(raw):
                if line.strip():
                    read, event = _take(_split(line), line, read, file_name)
                    if event is not None:
                        yield number + offset, line, event
        number += len(raw)


def _take(
    row: list[str], raw: bytes, read: RowReader | None, file_name: str
) -> tuple[RowReader | None, FeedEvent | str | None]:
    if read is None or (
        row[0].strip('\ufeff" ').lower() == "timestamp" and is_header(raw.decode("utf-8", "replace"))
    ):
        columns = [name.strip('\ufeff" ').lower() for name in row]
        return compile_rows(columns, report_of(columns, file_name)), None
    return read, read(row)


def _decoded(lines: Iterable[bytes], pending: list[bytes]) -> Iterator[str]:
    keep = pending.append
    for line in lines:
        keep(line)
        yield line.decode("utf-8", "replace").replace("\0", "\ufffd")


def _split(line: bytes) -> list[str]:
    """The values of one line that a quote spoiled."""
    text = line.decode("utf-8", "replace").replace("\0", "\ufffd").rstrip("\r\n")
    try:
        return next(csv.reader([text]), []) or [""]
    except csv.Error:
        return [value.strip('"') for value in text.split(",")]


def _columns(line: str) -> list[str]:
    return [name.strip("\ufeff\"' \r\n").lower() for name in line.split(",")]


@lru_cache(maxsize=1 << 17)
def _seconds(text: str) -> int:
    """A time in UTC as seconds since 1970; 0 where it is none."""
    try:
        at = dt.datetime.fromisoformat(text.strip().replace(" UTC", "Z"))
        return int((at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp())
    except (ValueError, OverflowError):
        return 0


def _address(text: str) -> str:
    """An address or a name in its one spelling; empty for neither. Plain IPv4 needs no second look."""
    if not text:
        return ""
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return normalise(text) or ""
    return text


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False)) if "/" in text else ""
    except ValueError:
        return ""


def _host(text: str) -> str:
    if "://" in text:
        text = text.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
        text = text if text.startswith("[") else text.partition(":")[0]
    return _address(text)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 11 else 0


@lru_cache(maxsize=4096)
def _token(text: str) -> str:
    first = re.split(r"[,;\s]", text.lower(), maxsplit=1)[0]
    return first if _TOKEN.fullmatch(first) else ""
