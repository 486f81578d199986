"""Clocks: what begins, ends and renews each of them.

How long each runs, and by which law, is `clocks.csv` of the country pack; on which events, `clock_rules.csv`.
Any noun says `happened(…)`; a case's own life is told by `turn`.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Max, Q, QuerySet

from tocsin.cases.limits import (
    ACCEPT,
    ACKNOWLEDGE,
    AUTOMATIC,
    DECIDE,
    ESCALATE,
    NOT_OURS,
    PERSON,
    TELL,
    UPDATE,
    WARN,
    Begun,
    Subject,
    begin,
)
from tocsin.cases.models import Case, Clock
from tocsin.cases.sweeping import DESKS, LAST_STEP, advance, next_desk_at, put_off, sweep
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report
from tocsin.inventory.models import Holding
from tocsin.journal.acts import Act
from tocsin.kernel.time import rfc3339
from tocsin.reference import calendars
from tocsin.reference.values import ClockRule, Pack
from tocsin.store import bulk
from tocsin.store.rows import update_rows

__all__ = [
    "ACCEPT",
    "ACKNOWLEDGE",
    "AUTOMATIC",
    "DECIDE",
    "DESKS",
    "ESCALATE",
    "LAST_STEP",
    "NOT_OURS",
    "PERSON",
    "TELL",
    "UPDATE",
    "WARN",
    "Begun",
    "Subject",
    "acknowledged",
    "follow",
    "happened",
    "holdings_of",
    "insert",
    "is_urgent",
    "met",
    "new_clock",
    "put_off",
    "resume",
    "start",
    "sweep",
    "turn",
]

Known = dict[tuple[Any, ...], tuple[bool, Any]]
# What happens to a case, by the name that the pack's rules have for it.
CASE_EVENTS = {
    "opened": "case.open",
    "reopened": "case.reopened",
    "redirected": "case.redirected",
    "accepted": "owner.accepted",
    "assessed": "case.assessed",
    "updated": "case.updated",
    "asked": "question.asked",
    "closed": "case.closed",
    "withdrawn": "outcome.withdrawn",
}


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
    return begin(pack, clock_id, Subject(case=case, report=report), started_at, is_urgent=is_urgent)


def acknowledged(pack: Pack, report: Report, case: Case | None) -> Begun:
    """P01 of a report: met in the very transaction that took the report in, and counted as automatic."""
    return met(new_clock(pack, ACKNOWLEDGE, case, report.received_at, report=report), report.received_at)


def met(clock: Begun, at: dt.datetime) -> Begun:
    """The clock, met by the exchange itself as it began."""
    return clock._replace(ended_at=at, ended_by=AUTOMATIC, next_step_at=None)


def insert(clocks: Iterable[Begun]) -> None:
    """Store clocks that nobody has begun before, in bulk."""
    columns = (*Begun._fields, "step")
    rows = [
        [bulk.spelled(value) if isinstance(value, dt.datetime) else value for value in clock] + [0]
        for clock in clocks
    ]
    bulk.insert(Clock, columns, rows)


def turn(recorded: Act, case: Case, event: str, at: dt.datetime, by: str = PERSON) -> dict[str, Any]:
    """End and start the case's clocks as the rules say; gives what happened, for the journal.

    Raises KeyError for what never happens to a case.
    """
    return happened(recorded, current_pack(), CASE_EVENTS[event], Subject(case=case), at, by)


def happened(
    recorded: Act, pack: Pack, trigger: str, about: Subject, at: dt.datetime, by: str = PERSON
) -> dict[str, Any]:
    """Something happened: end and begin what the pack's rules say; gives what did, for the caller's entry.

    Any noun calls this in its own act, and puts what it gives into the one entry that it records. A trigger
    that this country's rules do not know changes nothing; one that runs already does not begin twice.
    """
    rules = [rule for rule in pack.clock_rules if rule.ends_with(trigger)]
    running = Clock.objects.filter(_around(about), ended_at__isnull=True)
    late = running.filter(next_step_at__lte=at).exclude(clock_id=WARN).order_by("pk")
    if about.case is not None or rules:
        related = late.select_related("case__investigating_unit", "report", "member", "unit")
        advance(recorded, list(related.select_for_update(of=("self",))), at)
    ending = Q()
    for rule in rules:
        ending |= _of_rule(rule, about)
    ended = sorted(set(running.filter(ending).values_list("clock_id", flat=True))) if ending else []
    if ended:
        running.filter(ending).update(ended_at=at, ended_by=by, next_step_at=None)
    started = _start(pack, [about], trigger, at)
    return {"ended": ended, "started": {clock.clock_id: rfc3339(clock.due_at) for clock in started}}


def follow(pack: Pack, trigger: str, about: Subject, at: dt.datetime) -> dict[str, str]:
    """Begin what follows from this, and end nothing: for who has just ended one duty by its own name."""
    return {clock.clock_id: rfc3339(clock.due_at) for clock in _start(pack, [about], trigger, at)}


def _around(about: Subject) -> Q:
    """The clocks that something about this subject can concern."""
    if about.case is not None:
        return Q(case=about.case)
    return Q(case__isnull=True, report=about.report, member=about.member, unit=about.unit, subject=about.key)


def _of_rule(rule: ClockRule, about: Subject) -> Q:
    """The clocks of a rule that something about this subject ends."""
    found = Q(clock_id=rule.clock_id)
    if rule.scope == "duty":
        return found & Q(report=about.report, member=about.member, unit=about.unit, subject=about.key)
    return found & Q(report__isnull=rule.scope == "case")


def start(pack: Pack, cases: Sequence[Case], event: str, at: dt.datetime) -> list[Begun]:
    """Start the cases' own clocks that the rules start on this event, unless one of them runs already."""
    # A case opens once, so none of them can be there already.
    known: Known | None = {} if event == "opened" else None
    return _start(pack, [Subject(case=case) for case in cases], CASE_EVENTS[event], at, known)


def _start(
    pack: Pack, abouts: Sequence[Subject], trigger: str, at: dt.datetime, known: Known | None = None
) -> list[Begun]:
    rules = [rule for rule in pack.clock_rules if rule.scope != "report" and rule.begins_with(trigger)]
    if not abouts or not rules:
        return []
    if known is None:
        known = _known(abouts, [rule.clock_id for rule in rules])
    started = []
    for about in abouts:
        for rule in rules:
            if not calendars.applies(pack.clocks[rule.clock_id].jurisdiction, about.nation(pack)):
                continue
            urgent = about.is_enhanced or (
                about.case is not None and is_urgent(pack, rule.clock_id, about.case, at)
            )
            clock = begin(pack, rule.clock_id, about, at, is_urgent=urgent)
            runs, last = known.get(clock[:3] + clock[8:], (False, None))
            if runs:
                continue
            if last is not None and last >= at:
                # The clock on the wall went back: never two at one instant, and none due before it began.
                begun = last + dt.timedelta(microseconds=1)
                clock = begin(pack, rule.clock_id, about, begun, is_urgent=urgent)
            started.append(clock)
    insert(started)
    return started


def _known(abouts: Sequence[Subject], clock_ids: Sequence[str]) -> Known:
    """Whether such a clock runs and when the last began, by id, case, report, subject and who owes it."""
    columns = ("clock_id", "case", "report", "subject", "member", "unit")
    cases = [about.case.pk for about in abouts if about.case is not None]
    wanted = Q(case__in=cases) if cases else Q(pk__in=[])
    for about in abouts:
        if about.case is None:
            wanted |= _around(about)
    found = Clock.objects.filter(wanted, clock_id__in=clock_ids).values_list(*columns, "ended_at")
    known: Known = {}
    for *key, ended_at, last in found.annotate(Max("started_at")).order_by():
        runs, before = known.get(tuple(key), (False, None))
        known[tuple(key)] = (runs or ended_at is None, max(last, before) if before else last)
    return known


def is_urgent(pack: Pack, clock_id: str, case: Case, at: dt.datetime) -> bool:
    """Does the shorter limit hold? In a critical case, for a life, and to decide before evidence is gone."""
    if case.severity == "critical" or case.is_threat_to_life:
        return True
    if clock_id != DECIDE:
        return False
    duration, unit = pack.clocks[DECIDE].limit(enhanced=False)
    limit = calendars.due(at, duration, unit, case.investigating_unit.country)
    return holdings_of(case).filter(delete_at__range=(at, limit)).exists()


def holdings_of(case: Case) -> QuerySet[Holding]:
    """The logs held about a case's reports, each once."""
    return Holding.objects.filter(cases__case=case)


def resume(case: Case, ended_at: dt.datetime) -> None:
    """Let the clocks that ended at that instant run on, as though nothing had happened.

    The case keeps its owner, so what ended by acceptance stays ended.
    """
    revive(
        Clock.objects.filter(case=case, ended_at=ended_at).exclude(clock_id__in=(ACKNOWLEDGE, ACCEPT)), case
    )


def revive(ended: QuerySet[Clock], case: Case) -> None:
    """Let these clocks of a case run on as though they had never ended."""
    pack, revived = current_pack(), list(ended.select_related("case__investigating_unit"))
    for clock in revived:
        clock.ended_at, clock.ended_by = None, ""
        clock.next_step_at = _next_step(pack, clock)
    update_rows(revived, ["ended_at", "ended_by", "next_step_at"])


def _next_step(pack: Pack, clock: Clock) -> dt.datetime | None:
    if clock.clock_id == WARN:
        duration, unit = pack.clocks[WARN].limit(enhanced=False)
        return calendars.due(clock.due_at, -duration, unit, pack.info.home_nation)
    if clock.breached_at is None:
        return clock.due_at
    return next_desk_at(pack, clock, clock.breached_at, clock.step + 1)
