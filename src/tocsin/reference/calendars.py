"""When something is due: minutes and hours as they pass, days and working days by the nation's own clock."""

import calendar
import csv
import datetime as dt
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from tocsin.reference.values import Duration

if TYPE_CHECKING:
    from holidays import HolidayBase


class Nation(NamedTuple):
    """A place with holidays and a time zone of its own."""

    nation: str
    name: str
    calendar: str
    subdivision: str
    time_zone: str


@lru_cache(maxsize=1)
def nations() -> dict[str, Nation]:
    """Every nation that a unit may be in, by code."""
    text = resources.files("tocsin.reference").joinpath("data", "nations.csv").read_text(encoding="utf-8")
    return {row["nation"]: Nation(**row) for row in csv.DictReader(text.splitlines())}


@lru_cache(maxsize=32)
def zone(nation: str) -> ZoneInfo:
    """The time zone of a nation. Raises KeyError where the nation is unknown."""
    return ZoneInfo(nations()[nation].time_zone)


@lru_cache(maxsize=32)
def _holidays(nation: str) -> "HolidayBase":
    import holidays  # a tenth of a second that only a clock needs

    row = nations()[nation]
    return holidays.country_holidays(row.calendar, subdiv=row.subdivision or None)


@lru_cache(maxsize=4096)
def is_working_day(day: dt.date, nation: str) -> bool:
    """Monday to Friday and no public holiday of that nation."""
    return day.weekday() < 5 and day not in _holidays(nation)


def due(start: dt.datetime, duration: float, unit: Duration, nation: str) -> dt.datetime:
    """The instant, in UTC, until which an obligation that began at `start` may be met.

    Minutes and hours pass as on a stop-watch. Days and months keep the time on the nation's wall. Working
    days do so too, skipping days on which nobody works; what begins on such a day begins with the next
    working day, so that one working day is always a whole one. A wall time that the change to summer time
    skips is moved on by the hour skipped; one that happens twice means the first.
    Raises ValueError for a unit without a length, or a fraction of a working day or month.
    """
    if unit == "minutes":
        return start.astimezone(dt.UTC) + dt.timedelta(minutes=duration)
    if unit == "hours":
        return start.astimezone(dt.UTC) + dt.timedelta(hours=duration)
    local = start.astimezone(zone(nation))
    wall = local.replace(tzinfo=None, fold=0)
    if unit == "days":
        return _to_utc(wall + dt.timedelta(days=duration), nation)
    if duration != int(duration):
        raise ValueError(f"{duration} {unit} cannot be counted on a calendar")
    if unit == "working_days":
        return _to_utc(_after_working_days(wall, int(duration), nation), nation)
    if unit == "months":
        return _to_utc(_after_months(wall, int(duration)), nation)
    raise ValueError(f"{unit!r} has no length")


@lru_cache(maxsize=4096)
def _working_days_on(day: dt.date, count: int, nation: str) -> dt.date:
    for _ in range(count):
        day = _next_working_day(day, nation)
    return day


def _after_working_days(wall: dt.datetime, count: int, nation: str) -> dt.datetime:
    if not is_working_day(wall.date(), nation):
        wall = dt.datetime.combine(_next_working_day(wall.date(), nation), dt.time())
    return dt.datetime.combine(_working_days_on(wall.date(), count, nation), wall.time())


def _next_working_day(day: dt.date, nation: str) -> dt.date:
    day += dt.timedelta(days=1)
    while not is_working_day(day, nation):
        day += dt.timedelta(days=1)
    return day


def _after_months(wall: dt.datetime, count: int) -> dt.datetime:
    years, month = divmod(wall.month - 1 + count, 12)
    year = wall.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return wall.replace(year=year, month=month + 1, day=min(wall.day, last))


def _to_utc(wall: dt.datetime, nation: str) -> dt.datetime:
    return wall.replace(tzinfo=zone(nation)).astimezone(dt.UTC)


def end_of_day(at: dt.datetime, nation: str) -> dt.datetime:
    """The instant, in UTC, at which that nation's day ends."""
    day = at.astimezone(zone(nation)).date() + dt.timedelta(days=1)
    return _to_utc(dt.datetime.combine(day, dt.time()), nation)


def duration_words(duration: float, unit: Duration) -> str:
    """`1 working day`, `28 days`, `4 hours`, `as soon as can be`."""
    if unit == "as_soon_as":
        return "as soon as can be"
    number = f"{duration:g}"
    words = unit.replace("_", " ")
    return f"{number} {words.removesuffix('s') if number == '1' else words}"
