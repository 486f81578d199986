"""Where a case goes: the pack's ordered rules, applied to what is known of its reports."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.reference.values import ABROAD, Conditions, Level, Pack, RouteRule, UnitRow


@dataclass(frozen=True)
class Facts:
    """What the rules may look at. `force_ids` are the members' forces, the first reporter's first.

    `reports` is the highest number of linked reports that the rules ask for and the case has (`reached`);
    `enquiry` where a stated line of enquiry points: a unit's id, or abroad.
    """

    lane: str
    kind: str
    severity: str
    force_ids: tuple[str, ...]
    is_member_abroad: bool
    day: dt.date
    reports: int = 0
    is_threat_to_life: bool = False
    enquiry: str = ""


@dataclass(frozen=True)
class Route:
    """Where a case goes and why; `told` is the reason in words that give no other member away."""

    rule: str
    investigating: str
    support: str
    reason: str
    told: str


def reached(pack: Pack, count: int) -> int:
    """The highest number of linked reports that a rule asks for and this many reach: few different ones."""
    return max((step for step in pack.report_steps if step <= count), default=0)


def decide(pack: Pack, facts: Facts) -> Route:
    """The route by the first rule that holds; the pack guarantees that the last one does."""
    forces = [_force(pack, force_id, facts.day) for force_id in dict.fromkeys(facts.force_ids)]
    regions = {_region(pack, force).unit_id for force in forces}
    for rule in pack.routes:
        if holds(rule.when, facts, len({force.unit_id for force in forces}), len(regions)):
            return _route(pack, rule, facts, forces, len(regions))
    raise AssertionError("the last rule of a pack holds always")  # the loader refuses any other pack


def holds(when: Conditions, facts: Facts, forces: int, regions: int) -> bool:
    """Are all conditions that the rule gives met?"""
    return (
        (when.lane is None or when.lane == facts.lane)
        and (not when.kinds or facts.kind in when.kinds)
        and (not when.severities or facts.severity in when.severities)
        and forces >= when.min_forces
        and regions >= when.min_regions
        and facts.reports >= when.min_reports
        and (when.member_abroad is None or when.member_abroad == facts.is_member_abroad)
        and (when.threat_to_life is None or when.threat_to_life == facts.is_threat_to_life)
        and (when.enquiry is None or when.enquiry == _points(facts.enquiry))
    )


def _points(enquiry: str) -> str:
    """Does a line of enquiry point abroad, to a unit, or nowhere?"""
    return enquiry if enquiry in ("", ABROAD) else "unit"


def _route(pack: Pack, rule: RouteRule, facts: Facts, forces: Sequence[UnitRow], regions: int) -> Route:
    investigating = _resolve(pack, rule.investigating, forces, facts)
    support = _resolve(pack, rule.support, forces, facts)
    names = {
        "investigating": investigating.name,
        "support": support.name,
        "kind": pack.kind_words(facts.kind),
        "forces": str(len(forces)),
        "regions": str(regions),
        "reports": str(rule.when.min_reports),
    }
    return Route(
        rule.rule,
        investigating.unit_id,
        support.unit_id,
        rule.reason.format_map(names),
        (rule.told or rule.reason).format_map(names),
    )


def _resolve(pack: Pack, level: Level, forces: Sequence[UnitRow], facts: Facts) -> UnitRow:
    if level == "enquiry":
        return _force(pack, facts.enquiry, facts.day)
    if level == "force":
        return forces[0]
    if level == "regional":
        return _region(pack, forces[0], national=True)
    unit_id = pack.info.hotline_unit if level == "hotline" else pack.info.national_unit
    return pack.current_unit(unit_id, facts.day)


def _force(pack: Pack, force_id: str, day: dt.date) -> UnitRow:
    """The unit of that id; the national one where the pack does not know it: no case goes nowhere."""
    return pack.current_unit(force_id if force_id in pack.units else pack.info.national_unit, day)


def _region(pack: Pack, force: UnitRow, *, national: bool = False) -> UnitRow:
    """The regional unit above a force. A force without one is a region of its own, or goes to `national`."""
    unit = force
    while unit.parent_id is not None:
        unit = pack.units[unit.parent_id]
        if unit.kind == "regional":
            return unit
    return pack.units[pack.info.national_unit] if national else force
