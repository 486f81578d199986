"""What a person states and no report says: where a line of enquiry points, and that a life is in danger.

Both are facts that the routing rules look at. Stating one routes the case anew at once, whoever has it; it
moves as though it had been redirected, and no clock stops.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from tocsin.access.models import Unit
from tocsin.cases import clocks, pausing, shares, states
from tocsin.cases.decisions import lock_case, record
from tocsin.cases.models import Case, Clock, OneTimeLink
from tocsin.cases.opening import Desk, apply_route, name_coordinators, push_status, route_content
from tocsin.cases.responders import Responder
from tocsin.cases.units import current_pack
from tocsin.journal.acts import Act, act
from tocsin.kernel.problems import BadInput, Conflict
from tocsin.kernel.time import now
from tocsin.reference import calendars
from tocsin.reference.values import ABROAD
from tocsin.store import locks
from tocsin.store.rows import update_rows


@dataclass(frozen=True)
class Statement:
    """What somebody stated of a case: the journal's event, what it changes, and in which words."""

    event: str
    is_known: Callable[[Case], bool]
    change: Callable[[Case], None]
    where: str
    said: str


def state_enquiry(case: Case, by: Responder, where: str, said: str, at: dt.datetime | None = None) -> Case:
    """A line of enquiry points to this unit (its id), or abroad; why is `said`. Twice is once.

    Raises BadInput without a reason or for what is no unit; Conflict where the case is closed or restricted.
    """
    at, pack = at or now(), current_pack()
    unit = pack.units.get(where)
    if where != ABROAD and (unit is None or unit.kind == "hotline" or not unit.is_current(at.date())):
        raise BadInput("choose the unit to which the line of enquiry points, or abroad")

    def change(case: Case) -> None:
        case.enquiry = where

    name = unit.name if unit is not None else "abroad"
    statement = Statement("cases:case:pointed", lambda case: case.enquiry == where, change, name, given(said))
    return state(case, by, statement, at)


def state_threat_to_life(case: Case, by: Responder, said: str, at: dt.datetime | None = None) -> Case:
    """Somebody may be in danger; why is `said`. Twice is once. Raises as the other does."""

    at = at or now()

    def change(case: Case) -> None:
        case.is_threat_to_life = True
        hasten(case, at)

    statement = Statement("cases:case:alarmed", lambda case: case.is_threat_to_life, change, "", given(said))
    return state(case, by, statement, at)


def hasten(case: Case, at: dt.datetime) -> None:
    """Taking and deciding are due within the shorter time from now on, where that is sooner."""
    pack, sooner = current_pack(), []
    running = Clock.objects.filter(case=case, ended_at__isnull=True, breached_at__isnull=True)
    for clock in running.filter(clock_id__in=(clocks.ACCEPT, clocks.DECIDE), paused_at__isnull=True):
        limit = pack.clocks[clock.clock_id].limit(enhanced=True)
        due_at = calendars.due(at, *limit, case.investigating_unit.country)
        if due_at < clock.due_at:
            clock.due_at = clock.next_step_at = due_at
            sooner.append(clock)
    update_rows(sooner, ["due_at", "next_step_at"])


def given(said: str) -> str:
    """The reason, trimmed. Raises BadInput where there is none."""
    if not said.strip():
        raise BadInput("say how you know it; whoever gets the case reads it")
    return said.strip()


def state(case: Case, by: Responder, statement: Statement, at: dt.datetime) -> Case:
    """Note it on the case, and let the rules decide anew where it goes."""
    with act() as recorded:
        locks.in_turn("linking")
        case = lock_case(case)
        if not case.is_open:
            raise Conflict("the case is closed")
        if case.lane != "ordinary":
            raise Conflict("what is restricted goes nowhere else")
        if statement.is_known(case):
            return case
        statement.change(case)
        before = case.investigating_unit
        moved = route(recorded, case, by, at)
        content = moved | route_content(case) | {"from": before.name}
        content |= {"where": statement.where, "said": statement.said}
        record(recorded, statement.event, case, by, content)
        case.save()
        push_status(case, at)
    return case


def route(recorded: Act, case: Case, by: Responder, at: dt.datetime) -> dict[str, object]:
    """Apply the rules to the case as it is now; gives what its clocks did."""
    desk = Desk.laid(recorded, at)
    before, status = case.investigating_unit_id, case.status
    apply_route(desk, case, shares.seats([case.pk]).get(case.pk, []))
    case.status = status
    if case.investigating_unit_id == before:
        return {}
    return hand_over(recorded, case, case.investigating_unit, by, at, "redirect")


def hand_over(
    recorded: Act, case: Case, unit: Unit, by: Responder, at: dt.datetime, name: str
) -> dict[str, object]:
    """Let the unit have the case as though it had just arrived, by the act of that name; no clock stops."""
    pausing.pass_over(case, at)
    was_owned, status = bool(case.owner_name), case.status
    case.investigating_unit = unit
    case.status = states.SENT if unit.has_joined else states.OPENED
    states.check(current_pack(), name, status, case.status, by.party)
    case.owner, case.owner_name, case.owned_at, case.coordinator = None, "", None, None
    name_coordinators([case])
    OneTimeLink.objects.filter(case=case, revoked_at__isnull=True).update(revoked_at=at)
    return clocks.turn(recorded, case, "redirected", at) if was_owned else {}
