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


DAY = dt.timedelta(days=1)


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


@lru_cache(maxsize=1)
def jurisdictions() -> dict[str, frozenset[str]]:
    """The nations of each jurisdiction; `*` stands for every one."""
    path = resources.files("tocsin.reference").joinpath("data", "jurisdictions.csv")
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return {row["jurisdiction"]: frozenset(row["nations"].split()) for row in rows}


def applies(jurisdiction: str, nation: str) -> bool:
    """Does the law of this jurisdiction hold in that nation? Raises KeyError where it is unknown."""
    nations_of = jurisdictions()[jurisdiction]
    return "*" in nations_of or nation in nations_of


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
    wall = wall_of(start, nation)
    if unit == "days":
        return _to_utc(wall + dt.timedelta(days=duration), nation)
    if duration != int(duration):
        raise ValueError(f"{duration} {unit} cannot be counted on a calendar")
    if unit == "working_days":
        return _to_utc(_after_working_days(wall, int(duration), nation), nation)
    if unit == "months":
        return _to_utc(_after_months(wall, int(duration)), nation)
    raise ValueError(f"{unit!r} has no length")


def span(start: dt.datetime, end: dt.datetime, unit: Duration, nation: str) -> dt.timedelta:
    """How much of a time counted in this unit passes between two instants; nothing where they are reversed.

    Minutes and hours as on a stop-watch; days and months on the nation's wall; working days on the wall too,
    of days on which people work.
    """
    if end <= start:
        return dt.timedelta()
    if unit in ("minutes", "hours", "as_soon_as"):
        return end - start
    first, last = wall_of(start, nation), wall_of(end, nation)
    if unit != "working_days":
        return max(last - first, dt.timedelta())
    total, day = dt.timedelta(), first.date()
    while day <= last.date():
        if is_working_day(day, nation):
            midnight = dt.datetime.combine(day, dt.time())
            total += max(min(last, midnight + DAY) - max(first, midnight), dt.timedelta())
        day += DAY
    return total


def later(at: dt.datetime, by: dt.timedelta, unit: Duration, nation: str) -> dt.datetime:
    """The instant, in UTC, at which so much more of a time counted in this unit has passed since `at`."""
    if unit in ("minutes", "hours", "as_soon_as"):
        return at.astimezone(dt.UTC) + by
    wall = wall_of(at, nation)
    if unit != "working_days":
        return _to_utc(wall + by, nation)
    if not is_working_day(wall.date(), nation):
        wall = dt.datetime.combine(_next_working_day(wall.date(), nation), dt.time())
    while by >= (left := dt.datetime.combine(wall.date(), dt.time()) + DAY - wall):
        by -= left
        wall = dt.datetime.combine(_next_working_day(wall.date(), nation), dt.time())
    return _to_utc(wall + by, nation)


def wall_of(at: dt.datetime, nation: str) -> dt.datetime:
    """What the nation's clocks on the wall show, without a zone."""
    return at.astimezone(zone(nation)).replace(tzinfo=None, fold=0)


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
