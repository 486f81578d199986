"""Linking: which reports come together in a case, and which never do."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.cases.town import NOON, Town

from tocsin.cases.linking import link_reports
from tocsin.cases.models import Case, Clock, Link
from tocsin.journal.models import Entry

pytestmark = pytest.mark.django_db


def test_the_first_report_opens_a_case_at_the_members_force(town: Town) -> None:
    """With a reason that a person can read, and a title that says what happened."""
    case = town.case_of(town.report())
    assert (case.investigating_unit.unit_id, case.support_unit.unit_id) == ("kent", "kent")
    assert "Kent Police" in case.route_reason
    assert case.title == "Password guessing against ssh from 203.0.113.7"
    assert case.status == "X-DIS"


def test_reports_of_two_members_about_one_origin_share_a_case(town: Town) -> None:
    """The reason names the shared origin."""
    first, second = town.report("ferry"), town.report("medway", target="198.51.100.9")
    assert town.case_of(first) == town.case_of(second)
    link = Link.objects.get(report=second)
    assert "203.0.113.7" in link.reason
    assert town.case_of(first).member_count == 2


@pytest.mark.parametrize(
    "origin",
    [
        "192.168.1.5",  # private: everybody has one
        "127.0.0.1",  # loopback
        "8.8.8.8",  # a public resolver, spoofed by half the world
        "100.64.3.4",  # shared address space of a carrier, RFC 6598
        "fe80::1",  # link-local
        "localhost",  # no name at all
    ],
)
def test_hub_values_never_glue_members_together(town: Town, origin: str) -> None:
    """Meeting such an origin twice says nothing."""
    first, second = town.report("ferry", origins=(origin,)), town.report("medway", origins=(origin,))
    assert town.case_of(first) != town.case_of(second)


def test_a_floods_forged_origins_glue_nothing(town: Town) -> None:
    """Two members flooded from the same forged addresses are two cases; one member's again is one."""
    flood = {
        "kind": "availability/ddos", "origins": ("203.0.113.7", "203.0.113.8"), "service": "tcp-syn",
        "vector": "TCP SYN flood", "spoofable": True, "origin_count": 40_000, "severity": "medium",
    }  # fmt: skip
    first, other = town.report("ferry", **flood), town.report("medway", **flood)
    again = town.report("ferry", **flood)
    assert town.case_of(first) == town.case_of(again) != town.case_of(other)
    assert town.case_of(first).title == "Distributed denial of service (tcp-syn) against 198.51.100.1"


def test_tokens_glue_only_within_one_member(town: Town) -> None:
    """A token is keyed by its member, so equal text at another member is chance."""
    token = "token:" + "ab" * 16
    mine, again = town.report("ferry", origins=(token,)), town.report("ferry", origins=(token,))
    other = town.report("medway", origins=(token,))
    assert town.case_of(mine) == town.case_of(again) != town.case_of(other)


def test_spellings_of_one_address_are_one_origin(town: Town) -> None:
    """IPv4 in its IPv6 mapping, and IPv6 with its zeros."""
    first, second = town.report(), town.report(origins=("::ffff:203.0.113.7",))
    third = town.report(origins=("2001:db8::7",))
    fourth = town.report(origins=("2001:0DB8:0:0:0:0:0:7",))
    assert town.case_of(first) == town.case_of(second)
    assert town.case_of(third) == town.case_of(fourth)


def test_lanes_never_meet(town: Town) -> None:
    """A restricted report about the same origin gets a case of its own, at police and hotline."""
    ordinary = town.report()
    restricted = town.report(lane="restricted", kind="abusive-content/violence", severity="critical")
    case = town.case_of(restricted)
    assert case != town.case_of(ordinary)
    assert (case.investigating_unit.unit_id, case.support_unit.unit_id) == ("nca-nccu", "iwf")
    assert "203.0.113.7" not in case.title


def test_linking_twice_changes_nothing(town: Town) -> None:
    """A job may run again after a crash."""
    report = town.report()
    before = (Case.objects.count(), Link.objects.count(), Clock.objects.count(), Entry.objects.count())
    link_reports([report.pk], NOON)
    assert before == (
        Case.objects.count(),
        Link.objects.count(),
        Clock.objects.count(),
        Entry.objects.count(),
    )


def test_a_second_force_takes_the_case_to_the_region_and_a_second_region_to_the_national_unit(
    town: Town,
) -> None:
    """While nobody owns it; each step is journaled."""
    report = town.report("ferry")
    town.report("colne")
    case = town.case_of(report)
    assert (case.investigating_unit.unit_id, case.route_rule) == ("erocu", "two-forces")
    town.report("lakes")
    case.refresh_from_db()
    assert (case.investigating_unit.unit_id, case.route_rule) == ("nca-nccu", "two-regions")
    assert case.coordinator == town.people["cora"]
    assert Entry.objects.filter(event="cases:case:routed", subject=case.case_id).count() == 2


def test_what_is_below_the_threshold_is_grouped_and_puts_nobody_under_a_clock(town: Town) -> None:
    """One group for each day, kind and origin; only the acknowledgement is counted."""
    first, second = town.report(severity="info"), town.report(severity="info")
    other_day = town.report(severity="info", received_at=NOON + dt.timedelta(days=1))
    loud = town.report()
    case = town.case_of(first)
    assert case == town.case_of(second) and case.severity == "info"
    assert len({case, town.case_of(other_day), town.case_of(loud)}) == 3
    assert set(Clock.objects.filter(case=case).values_list("clock_id", flat=True)) == {"P01"}


def test_a_group_that_grows_above_the_threshold_starts_its_clocks(town: Town) -> None:
    """A later version of a report may say more."""
    report = town.report(severity="info")
    report.severity = "medium"
    report.save()
    link_reports([report.pk], NOON)
    assert town.case_of(report).severity == "medium"
    assert set(Clock.objects.filter(report=report).values_list("clock_id", flat=True)) == {"P01", "P02"}


@pytest.mark.parametrize("kind", ["vulnerable/vulnerable-system", "fraud/copyright", "test/test"])
def test_what_is_no_matter_for_police_is_diverted(town: Town, kind: str) -> None:
    """No case, no police clock, a reason in the journal, and the status says so."""
    report = town.report(kind=kind)
    link_reports([report.pk], NOON)
    assert report.status == "X-DIV"
    assert not Case.objects.exists()
    assert [clock.clock_id for clock in Clock.objects.all()] == ["P01"]
    assert Entry.objects.filter(event="cases:report:diverted", subject=report.report_id).count() == 1


def test_a_batch_costs_the_same_queries_as_a_single_report(town: Town) -> None:
    """Set-based: 150 reports of 50 origins, in tens of queries."""
    town.report(origins=("203.0.113.250",))
    many = [town.report(origins=(f"203.0.113.{n % 50 + 1}",), link=False) for n in range(150)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        link_reports([report.pk for report in many], NOON)
    assert Case.objects.count() == 51
    assert len(queries) < 60
