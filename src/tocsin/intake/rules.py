"""What makes a report acceptable: shapes, sizes, instants. Pure decisions, no table is read."""

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import msgspec

from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import UTC, parse_rfc3339
from tocsin.wire import report as wire

MAX_BATCH = 1_000
MAX_REPORT_BYTES = 256 * 1024
MAX_NAMES = 1_000  # origins, and targets, of one attack
MAX_HOSTS = 100  # names that one report is about
MAX_EVIDENCE = 200
MAX_HOLDINGS = 50
MAX_COUNT = 10**15
CLOCK_TOLERANCE = dt.timedelta(hours=24)  # how far ahead a reporter's clock may be
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=UTC)

_attack_id = re.compile(r"attack_[0-9a-f]{32}")
_kind = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[a-z0-9]+(?:-[a-z0-9]+)*")  # RSIT class/type
_name = re.compile(r"[^\s\x00-\x1f\x7f]{1,255}")  # address, name or keyed token
_target = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,253}[^\s\x00-\x1f\x7f])?")  # or a brand
_short = re.compile(r"[^\x00-\x1f\x7f]{1,120}")
_label = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+/.:-]{0,39}")
_service = re.compile(r"[^\s\x00-\x1f\x7f]{0,40}")
_sha256 = re.compile(r"[0-9a-f]{64}")
_instant = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"
)  # RFC 3339 section 5.6

Item = TypeVar("Item")

_decoder = msgspec.json.Decoder(wire.Report)


class BadReport(BadInput):
    """A report is not as docs/wire.md describes it."""

    slug = "bad-report"
    hint = "correct the report and send it again; the others of the batch were taken"


@dataclass(slots=True)
class Checked:
    """A report that was found good, with its canonical bytes and its instants."""

    report: wire.Report
    content: bytes
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime


def check(raw: bytes | msgspec.Raw, at: dt.datetime) -> Checked:
    """Decode and judge one report that arrives at `at`. Raises BadReport, naming the field."""
    if len(memoryview(raw)) > MAX_REPORT_BYTES:
        raise BadReport(f"a report may have {MAX_REPORT_BYTES:,} bytes")
    try:
        report = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadReport(str(error)) from None
    first, last = (
        _instant_of(report.first_seen_at, "first_seen_at"),
        _instant_of(report.last_seen_at, "last_seen_at"),
    )
    if last < first:
        raise BadReport("last_seen_at is before first_seen_at")
    if last > at + CLOCK_TOLERANCE:
        raise BadReport("last_seen_at is in the future")
    _check_key(report)
    _check_evidence(report.evidence)
    for holding in _few(report.holdings, MAX_HOLDINGS, "holdings"):
        _check_holding(holding)
    if report.assumed:
        _check_assumed(report.assumed)
    return Checked(report, canonical_bytes(report), first, last)


def _check_key(report: wire.Report) -> None:
    _fits(_attack_id, report.attack_id, "attack_id")
    _fits(_kind, report.kind, "kind")
    if len(report.kind) > 80:
        raise BadReport("kind may have 80 characters")
    if not report.origins and not report.targets:
        raise BadReport("origins and targets are both empty")
    for name in _few(report.origins, MAX_NAMES, "origins"):
        _fits(_name, name, "origins")
    for name in _few(report.targets, MAX_NAMES, "targets"):
        _fits(_target, name, "targets")
    for name in _few(report.names, MAX_HOSTS, "names"):
        _fits(_name, name, "names")
    _fits(_service, report.service, "service")
    if not 1 <= report.count <= MAX_COUNT:
        raise BadReport("count must be 1 or more")
    if report.vector or report.fingerprint or report.measures or report.origin_count:
        _check_flood(report)


def _check_flood(report: wire.Report) -> None:
    for field in ("vector", "fingerprint"):
        text = getattr(report, field)
        if len(text) > 200 or not text.isprintable():
            raise BadReport(f"{field} may have 200 printable characters")
    if not 0 <= report.origin_count <= MAX_COUNT:
        raise BadReport("origin_count must be 0 or more")
    if len(report.measures) > 20:
        raise BadReport("measures may have 20 fields")
    for name, value in report.measures.items():
        _fits(_label, name, "measures")
        if not 0 <= value <= 1 << 62:
            raise BadReport(f"measures.{name} must be 0 or more")


def _check_evidence(evidence: tuple[wire.Evidence, ...]) -> None:
    for item in _few(evidence, MAX_EVIDENCE, "evidence"):
        _fits(_short, item.source_id, "evidence.source_id")
        _fits(_sha256, item.sha256, "evidence.sha256")
        if not 1 <= item.lines <= MAX_COUNT:
            raise BadReport("evidence.lines must be 1 or more")


@lru_cache(512)  # a batch names the same few logs again and again
def _check_holding(holding: wire.Holding) -> None:
    _fits(_short, holding.source_id, "holdings.source_id")
    for field in ("log_type", "time_zone"):
        _fits(_label, getattr(holding, field), f"holdings.{field}")
    if not _label.fullmatch(holding.clock_source) or len(holding.clock_source) > 24:
        raise BadReport("holdings.clock_source is not a short name")
    start = _instant_of(holding.period_from, "holdings.period_from")
    if _instant_of(holding.period_to, "holdings.period_to") < start:
        raise BadReport("holdings.period_to is before period_from")
    if holding.delete_at is not None:
        _instant_of(holding.delete_at, "holdings.delete_at")
    if holding.clock_error_ms is not None and not 0 <= holding.clock_error_ms <= 2_000_000_000:
        raise BadReport("holdings.clock_error_ms must be 0 or more milliseconds")
    for name in _few(holding.fields_present, 50, "holdings.fields_present"):
        _fits(_label, name, "holdings.fields_present")


def _check_assumed(assumed: dict[str, str]) -> None:
    if len(assumed) > 20:
        raise BadReport("assumed may have 20 fields")
    for field, reason in assumed.items():
        _fits(_label, field, "assumed")
        if not reason.isprintable() or len(reason) > 500:
            raise BadReport("a reason in assumed may have 500 printable characters")


def _instant_of(text: str, field: str) -> dt.datetime:
    try:
        if _instant.fullmatch(text):
            instant = parse_rfc3339(text)
            if instant >= EARLIEST:
                return instant
    except (ValueError, OverflowError):
        pass
    raise BadReport(f"{field} is not an RFC 3339 instant after 1990: {text[:40]!r}")


def _fits(shape: re.Pattern[str], text: str, field: str) -> None:
    if not shape.fullmatch(text):
        raise BadReport(f"{field} is not as expected: {text[:60]!r}")


def _few(items: tuple[Item, ...], limit: int, field: str) -> tuple[Item, ...]:
    if len(items) > limit:
        raise BadReport(f"{field} may have {limit:,} items")
    return items
