"""Clocks: what starts and ends each, and the sweep that marks breaches and takes them one desk higher.

How long each runs, and by which law, is data of the country pack; the table here says on which events.
"""

import datetime as dt
import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from django.db.models import Q, QuerySet

from tocsin.cases.models import Case, Clock
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report, ReportHolding
from tocsin.inventory.models import Holding
from tocsin.journal.acts import Act, act
from tocsin.kernel.time import now, rfc3339
from tocsin.reference import calendars
from tocsin.reference.values import Pack
from tocsin.store import bulk, locks
from tocsin.store.rows import update_rows

ACKNOWLEDGE, ACCEPT, DECIDE, UPDATE, TELL = "P01", "P02", "P03", "P04", "P05"
WARN, ESCALATE = "P07", "P09"
PERSON, AUTOMATIC = "person", "automatic"
LAST_STEP = 3
BATCH = 1_000


@dataclass(frozen=True)
class ClockRule:
    """On which events of a case (or of each of its reports) a clock starts and ends."""

    clock_id: str
    scope: str
    starts: frozenset[str]
    ends: frozenset[str]


def _rule(clock_id: str, scope: str, starts: str, ends: str) -> ClockRule:
    return ClockRule(clock_id, scope, frozenset(starts.split()), frozenset(ends.split()))


RULES = (
    _rule(ACKNOWLEDGE, "report", "received", "received"),
    _rule(ACCEPT, "report", "received", "accepted assessed closed"),
    _rule(ACCEPT, "case", "redirected reopened", "accepted assessed closed"),
    _rule(DECIDE, "case", "accepted", "assessed closed"),
    _rule(UPDATE, "case", "opened assessed reopened", "assessed closed"),
    _rule(TELL, "case", "withdrawn", "closed"),
    _rule(WARN, "case", "", "closed"),
)
DESKS = {0: "the owner", 1: "the supervisor", 2: "the regional unit", 3: "the national unit"}


class Begun(NamedTuple):
    """A clock that has begun and is not yet stored; the fields are those of the model, `step` being 0."""

    clock_id: str
    case_id: int | None
    report_id: int | None
    started_at: dt.datetime
    due_at: dt.datetime
    next_step_at: dt.datetime | None
    ended_at: dt.datetime | None = None
    ended_by: str = ""


def new_clock(
    pack: Pack,
    clock_id: str,
    case: Case | None,
    started_at: dt.datetime,
    *,
    report: Report | None = None,
    is_urgent: bool = False,
) -> Begun:
    """A clock, due by the calendar of the case's investigating unit."""
    nation = case.investigating_unit.country if case is not None else pack.info.home_nation
    duration, unit = pack.clocks[clock_id].limit(enhanced=is_urgent)
    due_at = calendars.due(started_at, duration, unit, nation)
    case_pk = case.pk if case is not None else None
    return Begun(clock_id, case_pk, report.pk if report is not None else None, started_at, due_at, due_at)


def acknowledged(pack: Pack, report: Report, case: Case | None) -> Begun:
    """P01 of a report: met in the very transaction that took the report in, and counted as automatic."""
    return met(new_clock(pack, ACKNOWLEDGE, case, report.received_at, report=report), report.received_at)


def met(clock: Begun, at: dt.datetime) -> Begun:
    """The clock, met by the exchange itself as it began."""
    return clock._replace(ended_at=at, ended_by=AUTOMATIC, next_step_at=None)


def insert(clocks: Iterable[Begun]) -> None:
    """Store clocks that nobody has begun before, in bulk."""
    columns = (*Begun._fields, "subject", "step")
    rows = [
        [bulk.spelled(value) if isinstance(value, dt.datetime) else value for value in clock] + ["", 0]
        for clock in clocks
    ]
    bulk.insert(Clock, columns, rows)


def turn(recorded: Act, case: Case, event: str, at: dt.datetime, by: str = PERSON) -> dict[str, Any]:
    """End and start the case's clocks as the table says; gives what happened, for the journal."""
    pack = current_pack()
    running = Clock.objects.filter(case=case, ended_at__isnull=True)
    late = running.filter(next_step_at__lte=at).exclude(clock_id=WARN).order_by("pk")
    _advance(recorded, list(late.select_for_update()), at)
    ending = Q()
    for rule in RULES:
        if event in rule.ends:
            ending |= Q(clock_id=rule.clock_id, report__isnull=rule.scope == "case")
    ended = sorted(set(running.filter(ending).values_list("clock_id", flat=True))) if ending else []
    if ended:
        running.filter(ending).update(ended_at=at, ended_by=by, next_step_at=None)
    started = start(pack, [case], event, at)
    return {"ended": ended, "started": {clock.clock_id: rfc3339(clock.due_at) for clock in started}}


def start(pack: Pack, cases: Sequence[Case], event: str, at: dt.datetime) -> list[Begun]:
    """Start the cases' own clocks that the table starts on this event, unless one of them runs already."""
    wanted = [rule.clock_id for rule in RULES if rule.scope == "case" and event in rule.starts]
    if not cases or not wanted:
        return []
    # A case opens once, so none of them can be there already.
    running = set() if event == "opened" else _running([case.pk for case in cases], wanted)
    started = [
        new_clock(pack, clock_id, case, at, is_urgent=is_urgent(pack, clock_id, case, at))
        for case in cases
        for clock_id in wanted
        if (case.pk, clock_id) not in running
    ]
    if event == "opened":
        insert(started)
    else:
        Clock.objects.bulk_create([Clock(**clock._asdict()) for clock in started], ignore_conflicts=True)
    return started


def _running(case_pks: Sequence[int], clock_ids: Sequence[str]) -> set[tuple[int | None, str]]:
    return set(
        Clock.objects.filter(
            case__in=case_pks, report__isnull=True, clock_id__in=clock_ids, ended_at__isnull=True
        ).values_list("case_id", "clock_id")
    )


def is_urgent(pack: Pack, clock_id: str, case: Case, at: dt.datetime) -> bool:
    """Does the shorter limit hold? For a critical case, and to decide before evidence is destroyed."""
    if case.severity == "critical":
        return True
    if clock_id != DECIDE:
        return False
    duration, unit = pack.clocks[DECIDE].limit(enhanced=False)
    limit = calendars.due(at, duration, unit, case.investigating_unit.country)
    return holdings_of(case).filter(delete_at__range=(at, limit)).exists()


def holdings_of(case: Case) -> QuerySet[Holding]:
    """The logs held about a case's reports, each once."""
    return Holding.objects.filter(
        pk__in=ReportHolding.objects.filter(
            report__links__case=case, report__links__detached_at__isnull=True
        ).values("holding")
    )


def sweep(at: dt.datetime | None = None) -> int:
    """Mark every breach, take each step and give each warning that is due; gives how many.

    Idempotent, and exactly once: what was done stands in the rows, in the same transaction as its journal
    entries. After downtime it catches up in the order in which things fell due.
    """
    at, total = at or now(), 0
    while done := _sweep_some(at):
        total += done
    return total


def _sweep_some(at: dt.datetime) -> int:
    with act() as recorded:
        locks.in_turn("clocks")
        found = list(
            # A clock that an act is just ending is left to the next sweep: waiting could be a deadlock.
            Clock.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("case__investigating_unit", "report")
            .filter(ended_at__isnull=True, next_step_at__lte=at)
            .order_by("next_step_at", "pk")[:BATCH]
        )
        if not found:
            return 0
        horizon = at if len(found) < BATCH else found[-1].next_step_at or at
        _advance(recorded, found, horizon, warned_at=at)
        return len(found)


def _advance(recorded: Act, found: Sequence[Clock], until: dt.datetime, warned_at: Any = None) -> None:
    """Take the clocks through everything that fell due by `until`, in its order, journaled."""
    pack = current_pack()
    holdings = _holdings([clock for clock in found if clock.clock_id == WARN])
    for clock in found:
        put_off(pack, clock, holdings.get(clock.subject))
    heap = [(clock.next_step_at or until, clock.pk, clock) for clock in found]
    heapq.heapify(heap)
    happened: dict[tuple[Any, ...], list[Clock]] = defaultdict(list)
    while heap and heap[0][0] <= until:
        instant, pk, clock = heapq.heappop(heap)
        event = _step(pack, clock, instant, warned_at)
        happened[event, instant, clock.case_id, clock.clock_id, clock.step, clock.subject].append(clock)
        if clock.next_step_at is not None:
            heapq.heappush(heap, (clock.next_step_at, pk, clock))
    for (event, instant, _, _, step, subject), clocks in happened.items():
        content = _content(pack, event, instant, step, clocks, holdings.get(subject))
        recorded.record(event, _case_of(clocks[0]).case_id, content)
    update_rows(found, ["due_at", "breached_at", "step", "next_step_at", "ended_at", "ended_by"])


def put_off(pack: Pack, warning: Clock, held: Holding | None) -> None:
    """Move a warning about a log that its provider keeps longer than it first said."""
    if held is not None and held.delete_at is not None and held.delete_at > warning.due_at:
        duration, unit = pack.clocks[WARN].limit(enhanced=False)
        warning.due_at = held.delete_at
        warning.next_step_at = calendars.due(held.delete_at, -duration, unit, pack.info.home_nation)


def _step(pack: Pack, clock: Clock, instant: dt.datetime, warned_at: dt.datetime | None) -> str:
    """One thing that fell due: a warning, a breach, or the next desk. Gives the event's name."""
    if clock.clock_id == WARN:
        clock.ended_at, clock.ended_by, clock.next_step_at = warned_at, AUTOMATIC, None
        if warned_at is not None and warned_at > clock.due_at:
            clock.breached_at = clock.due_at
        return "cases:holding:expiring"
    duration, unit = pack.clocks[ESCALATE].limit(enhanced=False)
    if clock.breached_at is None:
        clock.breached_at, event = instant, "cases:clock:breached"
    else:
        clock.step, event = clock.step + 1, "cases:clock:escalated"
    clock.next_step_at = (
        calendars.due(instant, duration, unit, _case_of(clock).investigating_unit.country)
        if clock.step < LAST_STEP
        else None
    )
    return event


def _holdings(warnings: Sequence[Clock]) -> dict[str, Holding]:
    """The logs that these clocks are about, by the clocks' subjects."""
    if not warnings:
        return {}
    pks = {int(clock.subject.removeprefix("holding:")) for clock in warnings}
    found = Holding.objects.filter(pk__in=pks).select_related("member")
    return {f"holding:{holding.pk}": holding for holding in found}


def _content(
    pack: Pack, event: str, instant: dt.datetime, step: int, clocks: Sequence[Clock], held: Holding | None
) -> dict[str, Any]:
    """What the journal keeps of something that fell due."""
    first, unit = clocks[0], _case_of(clocks[0]).investigating_unit
    content: dict[str, Any] = {
        "clock_id": first.clock_id,
        "due_at": rfc3339(first.due_at),
        "at": rfc3339(instant),
        "unit": unit.name,
    }
    if event == "cases:holding:expiring":
        known = {"member_id": held.member.member_id, "source_id": held.source_id} if held else {}
        return content | known
    reports = [clock.report.report_id for clock in clocks if clock.report is not None]
    what = pack.clocks[first.clock_id].what.format(unit=unit.name)
    return (
        content
        | {"what": what, "step": step, "desk": DESKS[step]}
        | ({"reports": reports} if reports else {})
    )


def _case_of(clock: Clock) -> Case:
    """The case of a clock that is swept; one without a case was met at once and is never swept."""
    return cast("Case", clock.case)


def resume(case: Case, ended_at: dt.datetime) -> None:
    """Let the clocks that ended at that instant run on, as though nothing had happened.

    The case keeps its owner, so what ended by acceptance stays ended.
    """
    revive(
        Clock.objects.filter(case=case, ended_at=ended_at).exclude(clock_id__in=(ACKNOWLEDGE, ACCEPT)), case
    )


def revive(ended: QuerySet[Clock], case: Case) -> None:
    """Let these clocks of a case run on as though they had never ended."""
    pack, revived = current_pack(), list(ended)
    for clock in revived:
        clock.ended_at, clock.ended_by = None, ""
        clock.next_step_at = _next_step(pack, clock, case.investigating_unit.country)
    update_rows(revived, ["ended_at", "ended_by", "next_step_at"])


def _next_step(pack: Pack, clock: Clock, nation: str) -> dt.datetime | None:
    if clock.clock_id == WARN:
        duration, unit = pack.clocks[WARN].limit(enhanced=False)
        return calendars.due(clock.due_at, -duration, unit, nation)
    if clock.breached_at is None:
        return clock.due_at
    duration, unit = pack.clocks[ESCALATE].limit(enhanced=False)
    later = calendars.due(clock.breached_at, duration * (clock.step + 1), unit, nation)
    return later if clock.step < LAST_STEP else None
