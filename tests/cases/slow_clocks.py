"""The clocks of one case, as slowly and plainly as can be: every hour is walked through, one after another.

Written from the words of `docs/cases.md` alone, and with nothing of what it judges: no due time is computed
here, hours are counted down. Whether people work on a day is asked of `holidays` itself.
"""

import datetime as dt
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import holidays

HOUR = dt.timedelta(hours=1)
PLACES = {
    "ENG": ("Europe/London", holidays.country_holidays("GB", subdiv="ENG")),
    "SCT": ("Europe/London", holidays.country_holidays("GB", subdiv="SCT")),
    "NIR": ("Europe/London", holidays.country_holidays("GB", subdiv="NIR")),
    "NLD": ("Europe/Amsterdam", holidays.country_holidays("NL")),
}
DECIDE_HOURS = 5 * 24
CAP_HOURS = 10 * 24
LAPSE_HOURS = 10 * 24
DESK_HOURS = 24
UPDATE_DAYS = 28


@dataclass
class Duty:
    """A clock that counts down, and the desks that it climbs once it was missed."""

    name: str
    left: int  # hours of the kind that it counts
    news_until: dt.datetime | None = None  # P04: the wall time on which it is due, without a zone
    missed: bool = False
    step: int = 0


@dataclass
class SlowCase:
    """What fell due, hour by hour: `(what, clock, step, instant)`."""

    nation: str
    hour: dt.datetime
    decide: Duty | None = None
    update: Duty | None = None
    cap: int = CAP_HOURS
    questions: list[int] = field(default_factory=list)  # hours until each lapses
    history: list[tuple[str, str, int, dt.datetime]] = field(default_factory=list)

    def wall(self) -> dt.datetime:
        """What the clock on the wall shows."""
        return self.hour.astimezone(ZoneInfo(PLACES[self.nation][0])).replace(tzinfo=None, fold=0)

    def is_worked(self) -> bool:
        """Do people work in this hour?"""
        day = self.wall().date()
        return day.weekday() < 5 and day not in PLACES[self.nation][1]

    def accepted(self) -> None:
        """Somebody took it."""
        self.decide = Duty("P03", DECIDE_HOURS)

    def news(self) -> None:
        """The reporters heard something: the next news is due 28 days on, at the same time of day."""
        self.update = Duty("P04", 0, self.wall() + dt.timedelta(days=UPDATE_DAYS))

    def walk_to(self, end: dt.datetime) -> None:
        """Let the hours pass; what is due at the end's own instant has happened."""
        while True:
            self.fall_due()
            if self.hour >= end:
                return
            self.pass_hour()
            self.hour += HOUR

    def fall_due(self) -> None:
        """What is due at this very instant."""
        for duty in (self.decide, self.update):
            if duty is None or duty.step == 3:
                continue
            if duty.missed:
                if self.is_worked() and duty.left == 0:
                    duty.step, duty.left = duty.step + 1, DESK_HOURS
                    self.history.append(("escalated", duty.name, duty.step, self.hour))
            elif self.is_due(duty):
                duty.missed, duty.left = True, DESK_HOURS
                self.history.append(("breached", duty.name, 0, self.hour))
        if self.is_worked():
            self.questions = [left for left in self.questions if left > 0]

    def is_due(self, duty: Duty) -> bool:
        """Has a duty that was not missed yet run out?"""
        if duty.news_until is not None:
            return self.wall() >= duty.news_until
        return self.is_worked() and duty.left == 0 and not (self.questions and self.cap > 0)

    def pass_hour(self) -> None:
        """One hour goes by."""
        if not self.is_worked():
            return
        self.questions = [left - 1 for left in self.questions]
        for duty in (self.decide, self.update):
            if duty is None:
                continue
            if duty.missed:
                duty.left -= 1
            elif duty.news_until is None:
                if self.questions and self.cap > 0:
                    self.cap -= 1
                else:
                    duty.left -= 1
