"""What makes a report acceptable."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.exchange import a_report, spelled

from tocsin.intake.rules import MAX_REPORT_BYTES, BadReport, check
from tocsin.kernel.canonical import canonical_bytes
from tocsin.wire import report as wire

AT = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
HELD = wire.Holding("auth", "portal-login", "2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z")
EVIDENCE = wire.Evidence("auth", 1, "a" * 64)


def held(**changes: Any) -> dict[str, Any]:
    return {"holdings": (msgspec.structs.replace(HELD, **changes),)}


def proved(**changes: Any) -> dict[str, Any]:
    return {"evidence": (msgspec.structs.replace(EVIDENCE, **changes),)}


@pytest.mark.parametrize(
    "changes",
    [
        {"severity": "info"},
        {"lane": "restricted"},
        {"origins": ("2001:db8::1", "token:" + "a" * 32)},
        {"targets": ()},  # a scan has no single target
        {"origins": ()},  # a flood whose origins are forged
        {"service": ""},
        {"count": 10**15},
        {"first_seen_at": "2026-11-20T02:00:00+01:00"},  # an offset is RFC 3339 too
        {"last_seen_at": "2026-11-22T23:59:59Z"},  # a clock that goes wrong by less than a day
        {"assumed": {"year": "the file's modification time"}},
        {"origins": tuple(f"198.51.100.{n}" for n in range(256)) * 3},
        {
            "origins": (),
            "vector": "TCP SYN flood",
            "fingerprint": "tcp-syn src=*",
            "origin_count": 5,
            "measures": {"packets": 9, "peak_bits_per_second": 10**13},
            "spoofable": True,
        },
        held(delete_at="2027-11-20T00:00:00Z", clock_error_ms=0, fields_present=("public_ip",)),
        {"holdings": (), "evidence": ()},
    ],
)
def test_good_reports_are_taken(changes: dict[str, Any]) -> None:
    """And their canonical bytes are those of what was told."""
    report = a_report(**changes)
    assert check(spelled(report), AT).content == canonical_bytes(report)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"attack_id": "attack_1"}, "attack_id"),
        ({"vector": "x" * 201}, "vector"),
        ({"fingerprint": "a\nb"}, "fingerprint"),
        ({"origin_count": -1}, "origin_count"),
        ({"measures": {"a b": 1}}, "measures"),
        ({"measures": {"packets": -1}}, "measures.packets"),
        ({"measures": {f"m{n}": 1 for n in range(21)}}, "measures"),
        ({"attack_id": "attack_" + "A" * 32}, "attack_id"),
        ({"kind": "login-attempts"}, "kind"),
        ({"kind": "Intrusion/Login"}, "kind"),
        ({"kind": "a/" + "b" * 80}, "kind"),
        ({"origins": (), "targets": ()}, "origins and targets"),
        ({"origins": ("two words",)}, "origins"),
        ({"origins": ("nul\x00",)}, "origins"),
        ({"origins": ("a" * 256,)}, "origins"),
        ({"targets": ("t",) * 1001}, "targets"),
        ({"service": "a b"}, "service"),
        ({"service": "s" * 41}, "service"),
        ({"count": 0}, "count"),
        ({"count": 10**15 + 1}, "count"),
        ({"severity": "awful"}, "severity"),
        ({"lane": "fast"}, "lane"),
        ({"first_seen_at": "2026-11-20"}, "first_seen_at"),
        ({"first_seen_at": "2026-11-20T01:02:03"}, "first_seen_at"),  # no offset
        ({"first_seen_at": "2026-13-20T01:02:03Z"}, "first_seen_at"),
        ({"first_seen_at": "0001-01-01T00:00:00+14:00"}, "first_seen_at"),
        ({"first_seen_at": "2026-11-20T03:00:00Z", "last_seen_at": "2026-11-20T02:00:00Z"}, "before"),
        ({"last_seen_at": "2026-11-23T00:00:01Z"}, "future"),
        ({"assumed": {"año": "x"}}, "assumed"),
        ({"assumed": {"year": "line\nbreak"}}, "assumed"),
        ({"assumed": {f"f{n}": "x" for n in range(21)}}, "assumed"),
        (proved(sha256="short"), "evidence.sha256"),
        (proved(lines=0), "evidence.lines"),
        (proved(source_id=""), "evidence.source_id"),
        (held(log_type="two words"), "holdings.log_type"),
        (held(period_to="2026-10-01T00:00:00Z"), "holdings.period_to"),
        (held(delete_at="soon"), "holdings.delete_at"),
        (held(clock_error_ms=-1), "holdings.clock_error_ms"),
        (held(clock_source="c" * 25), "holdings.clock_source"),
        ({"holdings": (HELD,) * 51}, "holdings"),
    ],
)
def test_bad_reports_are_refused_by_the_name_of_the_field(changes: dict[str, Any], named: str) -> None:
    """A sentence that says where to look."""
    with pytest.raises(BadReport, match=named):
        check(spelled(a_report(**changes)), AT)


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"{", b'{"attack_id": "x", "more": 1}', b"\xff", b"a" * (MAX_REPORT_BYTES + 1)],
)
def test_what_is_no_report_is_refused(raw: bytes) -> None:
    """Whatever the bytes."""
    with pytest.raises(BadReport):
        check(raw, AT)


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_random_bytes_are_refused_or_taken_and_nothing_else(raw: bytes) -> None:
    """Only BadReport is ever raised."""
    with pytest.raises(BadReport):
        check(raw, AT)


WHOLE = spelled(a_report(**held(clock_error_ms=5), assumed={"year": "guessed"}))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_mutated_reports_are_refused_or_taken_and_nothing_else(data: st.DataObject) -> None:
    """One byte changed, dropped or doubled anywhere."""
    place = data.draw(st.integers(0, len(WHOLE) - 1))
    raw = WHOLE[:place] + data.draw(st.binary(max_size=2)) + WHOLE[place + 1 :]
    try:
        checked = check(raw, AT)
    except BadReport:
        return
    assert msgspec.json.decode(checked.content, type=wire.Report) == checked.report
