"""Ordered rules as data: whatever is known of a case, exactly one route, and the reason is its rule's."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin import reference
from tocsin.cases import routing
from tocsin.cases.routing import Facts
from tocsin.reference.values import ABROAD, Pack, RouteRule

DAY = dt.date(2026, 11, 10)
PACKS = {country: reference.pack(country) for country in ("gb", "nl")}


@st.composite
def some_facts(draw: st.DrawFn, pack: Pack) -> Facts:
    """Any combination of what the rules may look at."""
    forces = sorted(unit.unit_id for unit in pack.units.values() if unit.kind == "force")
    return Facts(
        lane=draw(st.sampled_from(["ordinary", "restricted"])),
        kind=draw(st.sampled_from(sorted(pack.kinds))),
        severity=draw(st.sampled_from(["info", "low", "medium", "high", "critical"])),
        force_ids=tuple(draw(st.lists(st.sampled_from([*forces, "nowhere"]), min_size=1, max_size=4))),
        is_member_abroad=draw(st.booleans()),
        day=DAY,
        reports=routing.reached(pack, draw(st.integers(1, 5_000))),
        is_threat_to_life=draw(st.booleans()),
        enquiry=draw(st.sampled_from(["", ABROAD, *forces])),
    )


def region_of(pack: Pack, force_id: str) -> str:
    """The regional unit above a force, or itself: written again, as slowly as it can be."""
    unit = pack.units.get(force_id, pack.units[pack.info.national_unit])
    above = unit
    while above.parent_id:
        above = pack.units[above.parent_id]
        if above.kind == "regional":
            return above.unit_id
    return unit.unit_id


def is_met(pack: Pack, rule: RouteRule, facts: Facts) -> bool:
    """Does the rule hold? Said condition by condition, apart from the code under test."""
    known = {force if force in pack.units else pack.info.national_unit for force in facts.force_ids}
    points = {"": None, ABROAD: "abroad"}.get(facts.enquiry, "unit")
    asked = {
        "lane": rule.when.lane in (None, facts.lane),
        "kind": facts.kind in (rule.when.kinds or [facts.kind]),
        "severity": facts.severity in (rule.when.severities or [facts.severity]),
        "forces": len(known) >= rule.when.min_forces,
        "regions": len({region_of(pack, force) for force in known}) >= rule.when.min_regions,
        "reports": facts.reports >= rule.when.min_reports,
        "abroad": rule.when.member_abroad in (None, facts.is_member_abroad),
        "threat": rule.when.threat_to_life in (None, facts.is_threat_to_life),
        "enquiry": rule.when.enquiry in (None, points),
    }
    return all(asked.values())


@pytest.mark.parametrize("country", PACKS)
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_whatever_is_known_there_is_one_route_by_the_first_rule_that_holds(
    country: str, data: st.DataObject
) -> None:
    """Both units exist on that day, and the reason is that rule's own words, filled."""
    pack = PACKS[country]
    facts = data.draw(some_facts(pack))
    route = routing.decide(pack, facts)
    expected = next(rule for rule in pack.routes if is_met(pack, rule, facts))
    assert route.rule == expected.rule
    assert pack.units[route.investigating].is_current(DAY) and pack.units[route.support].is_current(DAY)
    begins = expected.reason.split("{")[0]
    assert route.reason.startswith(begins) and route.told.startswith((expected.told or begins).split("{")[0])
    assert "{" not in route.reason + route.told
    if expected.investigating == "enquiry":
        assert route.investigating == facts.enquiry


def facts(**changes: object) -> Facts:
    """A report from Kent, and what a row of the table changes."""
    known: dict[str, object] = {
        "lane": "ordinary",
        "kind": "intrusion-attempts/brute-force",
        "severity": "low",
        "force_ids": ("kent",),
        "is_member_abroad": False,
        "day": DAY,
    }
    return Facts(**(known | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "rule", "unit"),
    [
        ({}, "victim-force", "kent"),
        ({"reports": 100}, "many-reports", "erocu"),
        ({"force_ids": ("kent", "essex")}, "two-forces", "erocu"),
        ({"force_ids": ("kent", "cumbria"), "reports": 100}, "two-regions", "nca-nccu"),
        ({"is_member_abroad": True}, "registered-abroad", "nca-nccu"),
        ({"enquiry": "gwent", "force_ids": ("kent", "cumbria")}, "line-of-enquiry", "gwent"),
        ({"enquiry": ABROAD}, "enquiry-abroad", "nca-nccu"),
        (
            {"severity": "critical", "kind": "availability/ddos", "enquiry": "gwent"},
            "critical-national",
            "nca-nccu",
        ),
        ({"is_threat_to_life": True, "force_ids": ("kent", "cumbria")}, "threat-to-life", "kent"),
        ({"lane": "restricted", "is_threat_to_life": True}, "restricted", "nca-nccu"),
    ],
)
def test_the_rules_of_britain_in_their_order(changes: dict[str, object], rule: str, unit: str) -> None:
    """Each rule once, and what comes before what."""
    route = routing.decide(PACKS["gb"], facts(**changes))
    assert (route.rule, route.investigating) == (rule, unit)
    assert route.support == (
        "iwf" if rule == "restricted" else "nca-nccu" if "registered" in rule else "kent"
    )


def test_numbers_of_reports_are_told_apart_only_where_a_rule_asks() -> None:
    """So that a case of thousands is not routed anew with each report."""
    assert [routing.reached(PACKS["gb"], count) for count in (1, 99, 100, 5_000)] == [0, 0, 100, 100]


def test_whatever_is_diverted_is_somebodys_matter_by_name() -> None:
    """A regulator, a CSIRT, the owner of the machine, the rights holder."""
    for pack in PACKS.values():
        for kind in pack.kinds.values():
            body = pack.body_for(kind.kind)
            assert (body is not None) == (kind.handling == "divert"), kind.kind
    assert "Early Warning" in (PACKS["gb"].body_for("vulnerable/weak-crypto") or pytest.fail("nobody")).name
