"""What follows when reports have found their cases: rows, routes, clocks, journal, statuses."""

import datetime as dt
import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Count, Q

from tocsin.access.models import Person, Unit
from tocsin.cases import clocks, duties, expiries, holdings, routing, shares, states, words
from tocsin.cases.keys import Key
from tocsin.cases.models import Case, CaseOrigin, Link, OneTimeLink
from tocsin.cases.shares import Seat
from tocsin.cases.units import Units, current_pack
from tocsin.intake.models import Report
from tocsin.intake.services import set_status
from tocsin.journal.acts import Act
from tocsin.kernel.ids import new_id
from tocsin.kernel.time import rfc3339
from tocsin.reference.calendars import zone
from tocsin.reference.values import Pack
from tocsin.store import bulk
from tocsin.store.rows import fetch, give_keys, insert_rows, update_rows

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
    heard: str = ""  # what its reporter hears instead of the reason


@dataclass
class Desk:
    """What one run works with: the act, the pack, the units, and the cases opened and reopened in it.

    `found` are the (case, key) pairs that are stored already, where linking has looked.
    """

    recorded: Act
    pack: Pack
    at: dt.datetime
    routes: dict[routing.Facts, routing.Route] = field(default_factory=dict)
    fresh: list[Case] = field(default_factory=list)
    reopened: list[Case] = field(default_factory=list)
    found: set[tuple[int, str]] | None = None

    @classmethod
    def laid(cls, recorded: Act, at: dt.datetime) -> "Desk":
        """A desk with this exchange's pack."""
        return cls(recorded, current_pack(), at)

    @cached_property
    def units(self) -> Units:
        """This exchange's units by their ids."""
        return Units()

    @cached_property
    def day(self) -> dt.date:
        """The day at home, by which forces begin and end."""
        return self.at.astimezone(zone(self.pack.info.home_nation)).date()

    @cached_property
    def coordinators(self) -> "ByLoad":
        """Who coordinates, by how many open cases they have."""
        return coordinators_by_load()

    def seat(self, cases: Sequence[Case]) -> None:
        """Give the cases their units: one query for all of them, and no more rows than they have."""
        wanted = {pk for case in cases for pk in (case.investigating_unit_id, case.support_unit_id)}
        units = {unit.pk: unit for unit in fetch(Unit, "id = ANY(%s)", list(wanted))} if wanted else {}
        for case in cases:
            case.investigating_unit = units[case.investigating_unit_id]
            case.support_unit = units[case.support_unit_id]

    def route(self, facts: routing.Facts) -> routing.Route:
        """Where the pack's rules send a case, decided once for the same facts."""
        if facts not in self.routes:
            self.routes[facts] = routing.decide(self.pack, facts)
        return self.routes[facts]


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
        day=desk.day,
        reports=routing.reached(desk.pack, max(1, case.report_count)),
        is_threat_to_life=case.is_threat_to_life,
        enquiry=case.enquiry,
    )
    route = desk.route(facts)
    if case.investigating_unit_id is None or case.investigating_unit.unit_id != route.investigating:
        case.investigating_unit = desk.units[route.investigating]
    if case.support_unit_id is None or case.support_unit.unit_id != route.support:
        case.support_unit = desk.units[route.support]
    case.route_rule, case.route_reason, case.route_told = route.rule, route.reason, route.told
    case.status = arrival_status(case.investigating_unit)


def arrival_status(unit: Unit) -> str:
    """A case is sent as soon as its unit can see it; where the unit has not joined, somebody must send it."""
    return states.SENT if unit.has_joined else states.OPENED


def clear_desk(
    desk: Desk,
    placed: Sequence[Placed],
    touched: Sequence[Case],
    *,
    known: Sequence[tuple[Case, Report]] = (),
    left: Case | None = None,
) -> None:
    """Store cases, keys, links and clocks, and do what follows for the cases as they are now.

    `known` are the reports that were in their cases before, and may say more now; `left` is the case that
    those `placed` come from, with their clocks, where they are not new.
    """
    joined = [(item.case, item.report) for item in placed]
    name_coordinators(desk.fresh, lambda: desk.coordinators)
    give_keys(desk.fresh)
    had = {case.pk: routing.reached(desk.pack, case.report_count) for case in touched}
    newcomers = shares.add(joined)
    newcomers |= {case.pk for case in touched if routing.reached(desk.pack, case.report_count) > had[case.pk]}
    promoted = renew(desk, touched, [*joined, *known], newcomers)
    store_links(desk, placed)
    holdings.note([report.pk for _, report in (*joined, *known)])
    if left is None:
        duties.begin(desk, joined, promoted)
    else:
        duties.carry(desk, [report for _, report in joined], left, placed[0].case)
    duties.promote(desk, promoted)
    duties.start(desk, promoted)
    record(desk, placed)
    expiries.watch(desk.pack, [*joined, *known], desk.reopened, desk.at)
    arrived = defaultdict(list)
    for item in placed:
        arrived[item.case.status].append(item.report.pk)
    for status, report_pks in arrived.items():
        set_status(report_pks, status, desk.at)
    for case in desk.reopened:
        push_status(case, desk.at)


ByLoad = list[tuple[int, int, Person]]  # open cases, primary key, person: a heap


def coordinators_by_load() -> ByLoad:
    """A heap of those who coordinate, whoever has the fewest open cases first."""
    load = Count("coordinated_cases", filter=Q(coordinated_cases__closed_at__isnull=True))
    people = Person.objects.filter(is_active=True, roles__name="coordinator").annotate(load=load)
    by_load: ByLoad = [(person.load, person.pk, person) for person in people.order_by("pk").distinct()]
    heapq.heapify(by_load)
    return by_load


def name_coordinators(cases: Iterable[Case], by_load: Callable[[], ByLoad] = coordinators_by_load) -> None:
    """Name a coordinator for each case whose unit has not joined: whoever has the fewest open ones."""
    for case in cases:
        if not case.investigating_unit.has_joined and (heap := by_load()):
            load, pk, case.coordinator = heap[0]
            heapq.heapreplace(heap, (load + 1, pk, case.coordinator))


def store_links(desk: Desk, placed: Sequence[Placed]) -> None:
    """The rows that say which report belongs to which case, and by which keys it is found."""
    wanted = dict.fromkeys((item.case.pk, key.text) for item in placed for key in item.keys)
    fresh = {case.pk for case in desk.fresh}
    known = desk.found
    if known is None:
        doubtful = [pair for pair in wanted if pair[0] not in fresh]
        known = stored_keys({case for case, _ in doubtful}, {text for _, text in doubtful})
    bulk.insert(CaseOrigin, ("case_id", "origin"), [pair for pair in wanted if pair not in known])
    at = bulk.spelled(desk.at.astimezone(dt.UTC))
    bulk.insert(
        Link,
        ("case_id", "report_id", "reason", "strength", "linked_at"),
        [(item.case.pk, item.report.pk, item.reason, item.strength, at) for item in placed],
    )


def stored_keys(case_pks: Collection[int], texts: Collection[str]) -> set[tuple[int, str]]:
    """Which of these cases are found by which of these keys."""
    if not case_pks:
        return set()
    stored = CaseOrigin.objects.filter(case__in=case_pks, origin__in=texts)
    return set(stored.values_list("case_id", "origin"))


RENEWED = [
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


def renew(
    desk: Desk, touched: Sequence[Case], told: Iterable[tuple[Case, Report]], newcomers: Collection[int]
) -> list[Case]:
    """Raise severities by what was `told`, route the unowned anew, and store the cases with their counts.

    `newcomers` are the cases in which a member is new, or that have become many. Gives those that are no
    longer below the threshold.
    """
    was = {case.pk: case.severity for case in touched}
    for case, report in told:
        case.severity = max(case.severity, report.severity, key=SEVERITIES.index)
    fresh = {case.pk for case in desk.fresh}
    doubtful = {*newcomers, *(case.pk for case in desk.reopened)}
    moving = [case for case in touched if may_move(desk, case, case.pk in doubtful, was[case.pk])]
    seats = shares.seats(case.pk for case in moving) if moving else {}
    for case in moving:
        route_again(desk, case, case.pk in fresh, seats.get(case.pk, []))
    insert_rows([case for case in touched if case.pk in fresh])
    update_rows([case for case in touched if case.pk not in fresh], RENEWED)
    return [case for case in touched if was[case.pk] == "info" != case.severity]


def may_move(desk: Desk, case: Case, has_changed: bool, was: str) -> bool:
    """Might the rules send the case elsewhere? Not where somebody has it, or where they see what they saw."""
    waits = case.is_open and not case.owner_name and case.route_rule != BY_HAND
    has_ended = case.investigating_unit.valid_to is not None and case.investigating_unit.valid_to < desk.day
    return waits and (has_changed or case.severity != was or has_ended)


def route_again(desk: Desk, case: Case, is_fresh: bool, seats: Sequence[Seat]) -> None:
    """Move a case that nobody has taken yet where the rules now point."""
    many = routing.reached(desk.pack, case.report_count) > routing.reached(desk.pack, 1)
    if not seats or (is_fresh and len(seats) == 1 and not many):
        return
    before, status = case.investigating_unit_id, case.status
    apply_route(desk, case, seats)
    if case.investigating_unit_id == before:
        case.status = status
        return
    case.coordinator = None
    name_coordinators([case], lambda: desk.coordinators)
    if is_fresh:
        return
    OneTimeLink.objects.filter(case=case, revoked_at__isnull=True).update(revoked_at=desk.at)
    desk.recorded.record("cases:case:routed", case.case_id, route_content(case))
    push_status(case, desk.at)


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
        } | ({"told": item.heard} if item.heard else {})
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
