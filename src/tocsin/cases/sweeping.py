"""Time passing: breaches are marked, missed clocks go one desk higher, and what holds for a time runs out."""

import datetime as dt
import heapq
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from tocsin.cases.limits import AUTOMATIC, ESCALATE, WARN, nation_of
from tocsin.cases.models import Case, Clock
from tocsin.cases.units import current_pack
from tocsin.inventory.models import Holding
from tocsin.journal.acts import Act, act
from tocsin.kernel.time import now, rfc3339
from tocsin.reference import calendars
from tocsin.reference.values import Pack
from tocsin.store import locks
from tocsin.store.rows import update_rows

LAST_STEP = 3
BATCH = 1_000
DESKS = {0: "the owner", 1: "the supervisor", 2: "the regional unit", 3: "the national unit"}
SWEPT = [
    "due_at", "breached_at", "step", "next_step_at", "ended_at", "ended_by", "paused_at", "due_unpaused"
]  # fmt: skip


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
            .select_related("case__investigating_unit", "report", "member", "unit")
            .filter(ended_at__isnull=True, next_step_at__lte=at)
            .order_by("next_step_at", "pk")[:BATCH]
        )
        if not found:
            return 0
        horizon = at if len(found) < BATCH else found[-1].next_step_at or at
        advance(recorded, found, horizon, warned_at=at)
        return len(found)


def advance(
    recorded: Act, found: Sequence[Clock], until: dt.datetime, warned_at: dt.datetime | None = None
) -> None:
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
        alone = clock.pk if clock.member_id is not None or clock.case_id is None else None
        key = (event, instant, clock.case_id, clock.clock_id, clock.step, clock.subject, alone)
        happened[key].append(clock)
        if clock.next_step_at is not None:
            heapq.heappush(heap, (clock.next_step_at, pk, clock))
    for (event, instant, _, _, step, subject, _), clocks in happened.items():
        content = _content(pack, event, instant, step, clocks, holdings.get(subject))
        recorded.record(event, journal_subject(clocks[0]), content)
    update_rows(found, SWEPT)


def put_off(pack: Pack, warning: Clock, held: Holding | None) -> None:
    """Move a warning about a log that its provider keeps longer than it first said."""
    if held is not None and held.delete_at is not None and held.delete_at > warning.due_at:
        duration, unit = pack.clocks[WARN].limit(enhanced=False)
        warning.due_at = held.delete_at
        warning.next_step_at = calendars.due(held.delete_at, -duration, unit, pack.info.home_nation)


def _step(pack: Pack, clock: Clock, instant: dt.datetime, warned_at: dt.datetime | None) -> str:
    """One thing that fell due: a warning, an end, a breach, or the next desk. Gives the event's name."""
    if clock.clock_id == WARN:
        clock.ended_at, clock.ended_by, clock.next_step_at = warned_at, AUTOMATIC, None
        if warned_at is not None and warned_at > clock.due_at:
            clock.breached_at = clock.due_at
        return "cases:holding:expiring"
    if pack.clocks[clock.clock_id].runs_out:
        clock.ended_at, clock.ended_by, clock.next_step_at = instant, AUTOMATIC, None
        return "cases:duty:expired"
    is_owed_by_case = clock.member_id is None and clock.case_id is not None
    if clock.breached_at is None:
        clock.breached_at, event = (
            instant,
            "cases:clock:breached" if is_owed_by_case else "cases:duty:breached",
        )
        clock.paused_at = clock.due_unpaused = None  # its cap is used up
    else:
        clock.step, event = clock.step + 1, "cases:clock:escalated"
    clock.next_step_at = next_desk_at(pack, clock, instant)
    return event


def next_desk_at(pack: Pack, clock: Clock, instant: dt.datetime, steps: int = 1) -> dt.datetime | None:
    """When the missed clock goes so many desks higher, counted from an instant; None where it never does."""
    rule = pack.rule_of.get(clock.clock_id)
    if clock.step >= LAST_STEP or clock.member_id is not None or rule is None or not rule.escalates:
        return None
    duration, unit = pack.clocks[ESCALATE].limit(enhanced=False)
    nation = nation_of(pack, clock.case, clock.member, clock.unit)
    return calendars.due(instant, duration * steps, unit, nation)


def _holdings(warnings: Sequence[Clock]) -> dict[str, Holding]:
    """The logs that these clocks are about, by the clocks' subjects."""
    if not warnings:
        return {}
    pks = {int(clock.subject.removeprefix("holding:")) for clock in warnings}
    found = Holding.objects.filter(pk__in=pks).select_related("member")
    return {f"holding:{holding.pk}": holding for holding in found}


def journal_subject(clock: Clock) -> str:
    """Under what the journal keeps what happens to a clock: a member's own duty never under the case."""
    if clock.case is not None and clock.member_id is None:
        return clock.case.case_id
    if clock.report is not None:
        return clock.report.report_id
    return clock.subject or (clock.member.member_id if clock.member else "")


def owed_by(clock: Clock) -> str:
    """The name of who owes it."""
    if clock.member is not None:
        return clock.member.name
    if clock.unit is not None:
        return clock.unit.name
    case: Case | None = clock.case
    return case.investigating_unit.name if case is not None else "the exchange"


def _content(
    pack: Pack, event: str, instant: dt.datetime, step: int, clocks: Sequence[Clock], held: Holding | None
) -> dict[str, Any]:
    """What the journal keeps of something that fell due."""
    first, name = clocks[0], owed_by(clocks[0])
    content: dict[str, Any] = {
        "clock_id": first.clock_id,
        "due_at": rfc3339(first.due_at),
        "at": rfc3339(instant),
        "unit": name,
    }
    if event == "cases:holding:expiring":
        known = {"member_id": held.member.member_id, "source_id": held.source_id} if held else {}
        return content | known
    if first.member is not None:
        content["member_id"] = first.member.member_id
    reports = [clock.report.report_id for clock in clocks if clock.report is not None]
    what = pack.clocks[first.clock_id].what.format(unit=name)
    return (
        content
        | {"what": what, "step": step, "desk": DESKS[step]}
        | ({"reports": reports} if reports else {})
    )
