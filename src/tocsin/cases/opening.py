"""What follows when reports have found their cases: rows, routes, clocks, journal, statuses."""

import datetime as dt
import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Count, Min, Q

from tocsin.access.models import Person, Unit
from tocsin.cases import clocks, routing, states, words
from tocsin.cases.keys import Key
from tocsin.cases.models import Case, CaseOrigin, Clock, Link, OneTimeLink
from tocsin.cases.units import current_pack, load_units, units_by_id
from tocsin.intake.models import Report
from tocsin.intake.services import set_status
from tocsin.journal.acts import Act
from tocsin.kernel.ids import new_id
from tocsin.kernel.time import rfc3339
from tocsin.reference.calendars import zone
from tocsin.reference.values import Pack
from tocsin.store.rows import update_rows

SEVERITIES = ("info", "low", "medium", "high", "critical")
BY_HAND = "by-hand"  # the route rule of a case that a person redirected; no rule moves it again


@dataclass(frozen=True)
class Placed:
    """A report, the case it goes to, and why."""

    report: Report
    keys: list[Key]
    case: Case
    reason: str
    strength: int


@dataclass
class Desk:
    """What one run works with: the act, the pack, the units, and the cases opened and reopened in it."""

    recorded: Act
    pack: Pack
    at: dt.datetime
    units: dict[str, Unit]
    fresh: list[Case] = field(default_factory=list)
    reopened: list[Case] = field(default_factory=list)

    @classmethod
    def laid(cls, recorded: Act, at: dt.datetime) -> "Desk":
        """A desk with this exchange's pack and units, which are loaded where nobody has done so."""
        units = units_by_id()
        if current_pack().units.keys() - units.keys():
            load_units()
            units = units_by_id()
        return cls(recorded, current_pack(), at, units)

    def unit_of(self, pk: int) -> Unit:
        """A unit by its row."""
        return next(unit for unit in self.units.values() if unit.pk == pk)


class Seat(NamedTuple):
    """Where a reporting member is registered."""

    force_id: str
    country: str


def new_case(desk: Desk, report: Report) -> Case:
    """A case for one report, routed by what is known so far, not yet saved."""
    case = Case(
        case_id=new_id("case"),
        title=words.title(desk.pack, report),
        kind=report.kind,
        severity=report.severity,
        lane=report.lane,
        opened_at=desk.at,
    )
    apply_route(desk, case, [Seat(report.member.force_id, report.member.country)])
    desk.fresh.append(case)
    return case


def apply_route(desk: Desk, case: Case, seats: Sequence[Seat]) -> None:
    """Route the case by where its reporters are, the first reporter first."""
    facts = routing.Facts(
        lane=case.lane,
        kind=case.kind,
        severity=case.severity,
        force_ids=tuple(seat.force_id for seat in seats),
        is_member_abroad=any(seat.country != desk.pack.info.country for seat in seats),
        day=desk.at.astimezone(zone(desk.pack.info.home_nation)).date(),
    )
    route = routing.decide(desk.pack, facts)
    case.investigating_unit = desk.units[route.investigating]
    case.support_unit = desk.units[route.support]
    case.route_rule, case.route_reason, case.route_told = route.rule, route.reason, route.told
    case.status = arrival_status(case.investigating_unit)


def arrival_status(unit: Unit) -> str:
    """A case is sent as soon as its unit can see it; where the unit has not joined, somebody must send it."""
    return states.SENT if unit.has_joined else states.OPENED


def clear_desk(desk: Desk, placed: Sequence[Placed], touched: Sequence[Case]) -> None:
    """Store cases, keys, links and clocks, and do what follows for the cases as they are now."""
    name_coordinators(desk.fresh)
    Case.objects.bulk_create(desk.fresh)
    store_links(desk, placed)
    promoted = recount(desk, touched)
    start_clocks(desk, placed, promoted)
    record(desk, placed)
    clocks.watch_holdings(touched, desk.at)
    arrived = defaultdict(list)
    for item in placed:
        arrived[item.case.status].append(item.report.pk)
    for status, report_pks in arrived.items():
        set_status(report_pks, status, desk.at)
    for case in desk.reopened:
        push_status(case, desk.at)


def name_coordinators(cases: Iterable[Case]) -> None:
    """Name a coordinator for each case whose unit has not joined: whoever has the fewest open ones."""
    waiting = [case for case in cases if not case.investigating_unit.has_joined]
    if not waiting:
        return
    load = Count("coordinated_cases", filter=Q(coordinated_cases__closed_at__isnull=True))
    people = Person.objects.filter(is_active=True, roles__name="coordinator").annotate(load=load)
    by_load = [(person.load, person.pk, person) for person in people.order_by("pk").distinct()]
    heapq.heapify(by_load)
    for case in waiting:
        if by_load:
            load_now, pk, case.coordinator = by_load[0]
            heapq.heapreplace(by_load, (load_now + 1, pk, case.coordinator))


def store_links(desk: Desk, placed: Sequence[Placed]) -> None:
    """The rows that say which report belongs to which case, and by which keys it is found."""
    CaseOrigin.objects.bulk_create(
        [
            CaseOrigin(case=item.case, origin=text)
            for item in placed
            for text in dict.fromkeys(key.text for key in item.keys)
        ],
        ignore_conflicts=True,
    )
    Link.objects.bulk_create(
        Link(
            case=item.case, report=item.report, reason=item.reason, strength=item.strength, linked_at=desk.at
        )
        for item in placed
    )


class Share(NamedTuple):
    """What one member has in one case at one severity."""

    member: int
    severity: str
    reports: int
    seat: Seat


def shares_of(cases: Sequence[Case]) -> dict[int, list[Share]]:
    """What the members have in each of these cases, the first reporter first."""
    rows = (
        Link.objects.filter(case__in=cases, detached_at__isnull=True)
        .values("case_id", "report__member", "report__severity")
        .annotate(reports=Count("pk"), first=Min("report"))
        .order_by("first")
    )
    named = ("case_id", "report__member", "report__severity", "reports")
    seats = ("report__member__force_id", "report__member__country")
    found: dict[int, list[Share]] = defaultdict(list)
    for case, member, severity, reports, force_id, country in rows.values_list(*named, *seats):
        found[case].append(Share(member, severity, reports, Seat(force_id, country)))
    return found


RECOUNTED = [
    "report_count",
    "member_count",
    "severity",
    "status",
    "closed_at",
    "outcome_code",
    "owner",
    "owner_name",
    "owned_at",
    "coordinator",
    "investigating_unit",
    "support_unit",
    "route_rule",
    "route_reason",
    "route_told",
]


def recount(desk: Desk, touched: Sequence[Case]) -> list[Case]:
    """Count reports and members again, raise severities, route the unowned anew.

    Gives the cases that were below the threshold and no longer are.
    """
    promoted, fresh, shares = [], {case.case_id for case in desk.fresh}, shares_of(touched)
    for case in touched:
        found, severity = shares[case.pk], case.severity
        case.report_count = sum(share.reports for share in found)
        case.member_count = len({share.member for share in found})
        case.severity = max([severity, *(share.severity for share in found)], key=SEVERITIES.index)
        if severity == "info" != case.severity:
            promoted.append(case)
        route_again(desk, case, case.case_id in fresh, list(dict.fromkeys(share.seat for share in found)))
    update_rows(touched, RECOUNTED)
    return promoted


def route_again(desk: Desk, case: Case, is_fresh: bool, seats: Sequence[Seat]) -> None:
    """Move a case that nobody has taken yet where the rules now point; owned ones stay where they are."""
    waits = case.is_open and not case.owner_name and case.route_rule != BY_HAND
    if not waits or not seats or (is_fresh and len(seats) == 1):
        return
    before, status = case.investigating_unit_id, case.status
    apply_route(desk, case, seats)
    if case.investigating_unit_id == before:
        case.status = status
        return
    case.coordinator = None
    name_coordinators([case])
    if is_fresh:
        return
    OneTimeLink.objects.filter(case=case, revoked_at__isnull=True).update(revoked_at=desk.at)
    desk.recorded.record("cases:case:routed", case.case_id, route_content(case))
    push_status(case, desk.at)


def start_clocks(desk: Desk, placed: Sequence[Placed], promoted: Sequence[Case]) -> None:
    """P01 and P02 of each report, P04 of each case. Below the threshold nobody is put under a clock."""
    rows, promoted_pks = [], {case.pk for case in promoted}
    for item in placed:
        rows.append(clocks.acknowledged(desk.pack, item.report, item.case))
        if item.case.severity != "info" and item.case.pk not in promoted_pks:
            rows.append(accept_clock(desk, item.case, item.report))
    for case in promoted:
        links = case.links.filter(detached_at__isnull=True).select_related("report")
        rows.extend(accept_clock(desk, case, link.report) for link in links)
    Clock.objects.bulk_create(rows, ignore_conflicts=True)
    for event, cases in (("opened", [*desk.fresh, *promoted]), ("reopened", desk.reopened)):
        clocks.start(desk.pack, [case for case in cases if case.severity != "info"], event, desk.at)


def accept_clock(desk: Desk, case: Case, report: Report) -> Clock:
    """P02 of a report; in a case that has an owner it is met at once, and counted as automatic."""
    clock = clocks.new_clock(
        desk.pack,
        clocks.ACCEPT,
        case,
        report.received_at,
        report=report,
        is_urgent=case.severity == "critical",
    )
    if case.owner_name:
        clock.ended_at, clock.ended_by, clock.next_step_at = desk.at, clocks.AUTOMATIC, None
    return clock


def record(desk: Desk, placed: Sequence[Placed]) -> None:
    """Journal the links first, then the cases they opened, so that a history begins with its link."""
    for item in placed:
        case = item.case
        content = {
            "case_id": case.case_id,
            "reason": item.reason,
            "strength": item.strength,
            "unit": case.investigating_unit.name,
            "owner": case.owner_name,
            "clocks": [] if case.severity == "info" else [clocks.ACCEPT],
        }
        desk.recorded.record("cases:report:linked", item.report.report_id, content)
    for case in desk.fresh:
        desk.recorded.record(
            "cases:case:opened",
            case.case_id,
            {"title": case.title, "opened_at": rfc3339(case.opened_at)} | route_content(case),
        )


def route_content(case: Case) -> dict[str, Any]:
    """What the journal keeps of a route."""
    return {
        "unit": case.investigating_unit.name,
        "unit_id": case.investigating_unit.unit_id,
        "support": case.support_unit.name,
        "has_joined": case.investigating_unit.has_joined,
        "coordinator": case.coordinator.name if case.coordinator else "",
        "rule": case.route_rule,
        "reason": case.route_reason,
        "told": case.route_told,
    }


def push_status(case: Case, at: dt.datetime) -> None:
    """Give all reports of a case its status."""
    links = Link.objects.filter(case=case, detached_at__isnull=True)
    set_status(links.values_list("report_id", flat=True), case.status, at)
