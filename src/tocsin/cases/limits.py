"""How long a duty may take: whose nation's calendar, which limit, and how far a pause moves it."""

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from tocsin.access.models import Member, Unit
from tocsin.cases.models import Case, Clock
from tocsin.intake.models import Report
from tocsin.reference import calendars
from tocsin.reference.values import Duration, Pack

ACKNOWLEDGE, ACCEPT, DECIDE, UPDATE, TELL = "P01", "P02", "P03", "P04", "P05"
WARN, ESCALATE = "P07", "P09"
PERSON, AUTOMATIC, NOT_OURS = "person", "automatic", "not ours"


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
    subject: str = ""
    member_id: int | None = None
    unit_id: int | None = None


@dataclass(frozen=True)
class Subject:
    """What a duty is about, and who owes it.

    Without a member or a unit, the case's investigating unit owes it. `about` is the id of whatever it is
    about, such as `victim_…`; never a name.
    """

    case: Case | None = None
    report: Report | None = None
    member: Member | None = None
    unit: Unit | None = None
    about: str = ""
    is_enhanced: bool = False

    @property
    def key(self) -> str:
        """What tells this duty from another one of the same kind."""
        if self.about or self.case is not None or self.report is not None:
            return self.about
        return self.member.member_id if self.member else self.unit.unit_id if self.unit else ""

    def nation(self, pack: Pack) -> str:
        """Where whoever owes it is."""
        return nation_of(pack, self.case, self.member, self.unit)


def nation_of(pack: Pack, case: Case | None, member: Member | None, unit: Unit | None) -> str:
    """The nation of the member or unit that owes something; the exchange's own where nobody is named."""
    if member is not None:
        return member_nation(pack, member)
    if unit is not None:
        return unit.country
    return case.investigating_unit.country if case is not None else pack.info.home_nation


def member_nation(pack: Pack, member: Member) -> str:
    """The nation of a member's seat: that of its force, or of its country where that is another one."""
    if member.country == pack.info.country.upper():
        row = pack.units.get(member.force_id)
        return row.nation if row else pack.info.home_nation
    found = (nation for nation, row in calendars.nations().items() if row.calendar == member.country)
    return next(found, pack.info.home_nation)


def limit_of(pack: Pack, clock_id: str, *, is_urgent: bool = False) -> tuple[float, Duration]:
    """The time allowed; where the law gives no number, the time after which the pack calls it overdue."""
    duration, unit = pack.clocks[clock_id].limit(enhanced=is_urgent)
    rule = pack.rule_of.get(clock_id)
    if unit == "as_soon_as" and rule is not None and rule.prompt_duration and rule.prompt_unit:
        return rule.prompt_duration, rule.prompt_unit
    return duration, unit


def begin(
    pack: Pack, clock_id: str, about: Subject, started_at: dt.datetime, *, is_urgent: bool = False
) -> Begun:
    """A clock about this subject, due by the calendar of whoever owes it."""
    duration, unit = limit_of(pack, clock_id, is_urgent=is_urgent)
    due_at = calendars.due(started_at, duration, unit, about.nation(pack))
    return Begun(
        clock_id,
        about.case.pk if about.case is not None else None,
        about.report.pk if about.report is not None else None,
        started_at,
        due_at,
        due_at,
        subject=about.key,
        member_id=about.member.pk if about.member is not None else None,
        unit_id=about.unit.pk if about.unit is not None else None,
    )


def pause(pack: Pack, clock: Clock, at: dt.datetime) -> bool:
    """Let the clock stand still from now on, for as long as its cap allows; gives whether it does.

    Until it goes on, `due_at` is the latest that it can become. What was missed already is not excused.
    """
    left = _cap(pack, clock.clock_id) - dt.timedelta(seconds=clock.pause_used or 0)
    if clock.paused_at is not None or clock.breached_at is not None or left <= dt.timedelta():
        return False
    clock.paused_at, clock.due_unpaused = at, clock.due_at
    clock.due_at = clock.next_step_at = _later(pack, clock, clock.due_at, left)
    return True


def unpause(pack: Pack, clock: Clock, at: dt.datetime) -> bool:
    """Let the clock go on: it is due as much later as it stood still. Gives whether it did."""
    if clock.paused_at is None or clock.due_unpaused is None:
        return False
    used = dt.timedelta(seconds=clock.pause_used or 0)
    stood = calendars.span(clock.paused_at, at, _measure(pack, clock), _nation(pack, clock))
    stood = min(stood, _cap(pack, clock.clock_id) - used)
    clock.due_at = clock.next_step_at = _later(pack, clock, clock.due_unpaused, stood)
    clock.paused_at = clock.due_unpaused = None
    clock.pause_used = int((used + stood).total_seconds())
    return True


def _cap(pack: Pack, clock_id: str) -> dt.timedelta:
    """How long the clock may stand still in all, in its own measure of time."""
    rule = pack.rule_of.get(clock_id)
    if rule is None or rule.cap_duration is None or rule.cap_unit is None:
        return dt.timedelta()
    name = {"minutes": "minutes", "hours": "hours"}.get(rule.cap_unit, "days")
    return dt.timedelta(**{name: rule.cap_duration})


def _later(pack: Pack, clock: Clock, at: dt.datetime, by: dt.timedelta) -> dt.datetime:
    return calendars.later(at, by, _measure(pack, clock), _nation(pack, clock))


def _measure(pack: Pack, clock: Clock) -> Duration:
    return limit_of(pack, clock.clock_id)[1]


def _nation(pack: Pack, clock: Clock) -> str:
    return nation_of(pack, clock.case, clock.member, clock.unit)


PAUSED = ["due_at", "next_step_at", "paused_at", "due_unpaused", "pause_used"]
