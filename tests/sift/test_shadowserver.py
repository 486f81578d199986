"""Shadowserver's reports: every type, whatever the order of the columns, and no row lost."""

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sift.logs import sift_text

from tocsin.sift.feeds.shadowserver import FeedEvent, is_header, read_rows, report_named, report_of, reports
from tocsin.sift.origins import normalise

SCAN = '"timestamp","ip","protocol","port","hostname","tag","asn","geo"\n'
ROW = '"2026-01-01 11:00:00","192.0.2.1","udp",53,,"openresolver",64500,"GB"\n'
EVENT = "timestamp,protocol,src_ip,src_port,src_asn,src_geo,dst_ip,dst_port,infection,tag,count\n"


def events(text: str, name: str) -> list[FeedEvent | str]:
    """What the rows of a file of that name say."""
    return [event for _, _, event in read_rows(text.encode().splitlines(keepends=True), name)]


def test_a_row_becomes_an_attack(tmp_path: Path) -> None:
    """Vulnerable machines are information; an infected one that called a sinkhole is an attack from it."""
    sifted = sift_text(tmp_path, SCAN + ROW, name="2026-01-01-scan_dns-isp.csv")
    (attack,) = sifted.attacks
    assert (attack.kind, attack.severity, attack.service) == ("vulnerable/vulnerable-system", "info", "dns")
    assert (attack.origins, attack.first_seen_at) == (("192.0.2.1",), "2026-01-01T11:00:00Z")
    assert attack.evidence[0].lines == (2,)
    row = "2026-01-01 11:00:00,tcp,192.0.2.1,4711,64500,GB,198.51.100.1,80,mirai,mirai,12\n"
    (attack,) = sift_text(tmp_path, EVENT + row, name="event4_sinkhole.csv").attacks
    assert (attack.kind, attack.severity, attack.count) == ("malicious-code/infected-system", "medium", 12)
    assert (attack.origins, attack.targets) == (("192.0.2.1",), ("198.51.100.1",))


def test_columns_may_come_in_any_order_and_number(tmp_path: Path) -> None:
    """A new column changes nothing, and one that is missing reads as empty."""
    text = "geo,novelty,asn,port,ip,timestamp\nGB,x,64500,53,192.0.2.1,2026-01-01 11:00:00\n"
    (event,) = events(text, "scan_dns.csv")
    assert isinstance(event, FeedEvent)
    assert (event.address, event.port, event.asn, event.service) == ("192.0.2.1", 53, 64500, "dns")


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("2026-01-01-scan6_dns-isp-asn.csv", "scan_dns"),
        ("event6_sinkhole_http.csv", "event_sinkhole_http"),
        ("2024-07-04-dns_openresolver-123-isp-asn.csv", "scan_dns"),
        ("compromised_website6.csv", "compromised_website"),
        ("2015-01-01-botnet_drone-x.csv", "event_sinkhole"),
        ("scan_ldap_tcp-isp.csv.zip", "scan_ldap_tcp"),
        ("population6_bgp.csv", "population_bgp"),
    ],
)
def test_a_type_is_known_by_the_name_of_its_file(name: str, report: str) -> None:
    """Both IP versions are one type, and older names are the newer ones'."""
    found = report_named(name)
    assert found is not None
    assert found.name == report


def test_a_type_is_known_by_its_columns_where_its_file_has_another_name() -> None:
    """Else a default that says so: nothing is lost."""
    assert report_of(["timestamp", "http_referer_ip"]).name == "event_sinkhole_http_referer"
    assert report_of(["timestamp", "ip", "port", "tag"], "x.csv").kind == "vulnerable/vulnerable-system"
    assert report_of(["timestamp", "src_ip"], "x.csv").kind == "other/undetermined"


def test_an_unknown_type_is_counted_and_said(tmp_path: Path) -> None:
    """What was assumed is recorded; the tag still says which service stands open."""
    text = (
        SCAN + ROW.replace("openresolver", "dns") + ROW.replace("openresolver", "novelty").replace(".1", ".2")
    )
    sifted = sift_text(tmp_path, text, name="export.csv")
    assert {attack.service for attack in sifted.attacks} == {"dns", "novelty"}
    assert all("not known" in attack.assumed["kind"] for attack in sifted.attacks)
    assert {attack.severity for attack in sifted.attacks} == {"info"}


def test_no_row_is_lost(tmp_path: Path) -> None:
    """Rows without time or address are rejected with a reason; headers and empty lines are no rows."""
    bad = [
        ROW.replace("2026-01-01 11:00:00", "soon"),
        ROW.replace("192.0.2.1", ""),
        ROW.replace("192.0.2.1", "192.0.2.0/24"),
        '"broken\n',
    ]
    text = SCAN + ROW + bad[0] + bad[1] + "\n" + bad[2] + SCAN + ROW + bad[3]
    balance = sift_text(tmp_path, text, name="scan_dns.csv").balance
    assert (balance.read, balance.observed, balance.rejected) == (6, 2, 4)
    assert balance.reasons["a row about a network, not an address"] == 1


def test_a_file_that_grew_counts_its_new_rows_only(tmp_path: Path) -> None:
    """What was sifted before is duplicate; the header still names the columns of what is new."""
    before = sift_text(tmp_path, SCAN + ROW, name="scan_dns.csv")
    later = sift_text(
        tmp_path, SCAN + ROW + ROW.replace(".1", ".2"), name="scan_dns.csv", known=before.regions
    )
    assert (later.balance.duplicate, later.balance.observed) == (1, 1)
    assert [(attack.origins, attack.evidence[0].lines) for attack in later.attacks] == [
        (("192.0.2.2",), (3,))
    ]


def test_a_quote_that_is_never_closed_spoils_its_own_line_only() -> None:
    """What follows is read as if it had not been there."""
    text = SCAN + '"2026-01-01 11:00:00","192.0.2.9,"udp,53\n' + ROW * 3
    found = events(text, "scan_dns.csv")
    assert [event.address for event in found if isinstance(event, FeedEvent)].count("192.0.2.1") == 3
    assert len(found) == 4


def test_a_quoted_value_may_hold_line_ends() -> None:
    """One row, whatever a banner says."""
    text = SCAN + ROW.replace("openresolver", "a\nb\nc") + ROW
    assert len(events(text, "scan_dns.csv")) == 2


def test_the_victim_of_an_amplification_is_no_origin(tmp_path: Path) -> None:
    """It is the target of a flood whose origins nobody can trust."""
    row = "2026-01-01 11:00:00,udp,192.0.2.1,80,64500,GB,,,,,1\n"
    (attack,) = sift_text(tmp_path, EVENT + row, name="event4_honeypot_ddos_amp.csv").attacks
    assert (attack.origins, attack.targets, attack.spoofable) == ((), ("192.0.2.1",), True)
    assert attack.vector == "udp/80 amplification"


def test_events_over_udp_could_be_forged(tmp_path: Path) -> None:
    """Anybody can send a packet in another's name; a machine that answered a scan was there."""
    row = "2026-01-01 11:00:00,udp,192.0.2.1,80,64500,GB,,,,,1\n"
    (attack,) = sift_text(tmp_path, EVENT + row, name="event4_honeypot_darknet.csv").attacks
    assert attack.spoofable
    (attack,) = sift_text(tmp_path, SCAN + ROW, name="scan_dns.csv").attacks
    assert not attack.spoofable


def test_what_opens_no_case_weighs_nothing() -> None:
    """`vulnerable/*` is information in every row of the table, and every row has a name."""
    for report in reports().values():
        assert not report.kind.startswith("vulnerable/") or report.severity == "info"
    assert len(reports()) > 140


@pytest.mark.parametrize(
    "line", ["a,b,c", "timestamp,ip", "ip,asn,geo", "Dec 10 06:55:01 gate sshd[1]: hello"]
)
def test_other_files_are_none(line: str) -> None:
    """Time, AS and country together are the mark of such a report."""
    assert not is_header(line)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=60), max_size=8))
def test_any_text_is_rows_or_reasons(lines: list[str]) -> None:
    """Never a traceback, and never fewer answers than lines that say something."""
    body = "\n".join(lines).encode()
    list(read_rows((SCAN.encode() + body).splitlines(keepends=True), "scan_dns.csv"))


def test_the_events_of_the_samples(samples: Path) -> None:
    """Address, port, AS number, UTC time and class of each, as its own labels name them.

    Two things have no place here: IntelMQ's class `blacklist` is no RSIT type (`other/other`), and a row
    about a network has no address.
    """
    checked = 0
    for path in sorted((samples / "shadowserver").glob("*.csv")):
        found = [event for event in events(path.read_text(), path.name) if isinstance(event, FeedEvent)]
        for expected in json.loads(path.with_suffix(".expected.json").read_text())["events"]:
            checked += 1
            at = int(dt.datetime.fromisoformat(expected["time.source"]).timestamp())
            kind = f"{expected['classification.taxonomy']}/{expected['classification.type']}"
            whole = (
                at,
                expected.get("source.port", 0),
                expected.get("source.asn", 0),
                kind.replace("blacklist", "other"),
            )
            address = normalise(expected.get("source.ip", "")) or expected.get("source.network", "")
            assert any(
                whole == (event.at, event.port if address else 0, event.asn if address else 0, event.kind)
                and (not address or event.address == address)
                for event in found
            ), (path.name, whole, address)
    assert checked == 147
