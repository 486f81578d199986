"""When something is due, against a plain model that walks the calendar day by day."""

import datetime as dt
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.reference.calendars import due, duration_words, end_of_day, is_working_day, nations

NATIONS = ["ENG", "WLS", "SCT", "NIR", "NLD", "GGY", "JEY", "IMN"]
FIRST = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
instants = st.integers(0, 5 * 366 * 24 * 60).map(lambda minutes: FIRST + dt.timedelta(minutes=minutes))


def model(start: dt.datetime, count: int, nation: str) -> dt.datetime:
    """Hours of working days only, one at a time, on the wall of that nation."""
    row = nations()[nation]
    closed = holidays.country_holidays(row.calendar, subdiv=row.subdivision or None)
    zone = ZoneInfo(row.time_zone)

    def works(day: dt.date) -> bool:
        return day.weekday() < 5 and day not in closed

    wall = start.astimezone(zone).replace(tzinfo=None)
    if not works(wall.date()):
        wall = dt.datetime.combine(wall.date(), dt.time())
        while not works(wall.date()):
            wall += dt.timedelta(days=1)
    left = count
    while left:
        wall += dt.timedelta(days=1)
        left -= works(wall.date())
    return wall.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)


@settings(max_examples=150, deadline=None)
@given(instants, st.integers(0, 15), st.sampled_from(NATIONS))
def test_working_days_agree_with_the_model(start: dt.datetime, count: int, nation: str) -> None:
    """For every nation, across holidays, years and changes of the clock."""
    assert due(start, count, "working_days", nation) == model(start, count, nation)


@settings(max_examples=100, deadline=None)
@given(instants, st.integers(1, 10), st.sampled_from(NATIONS))
def test_a_duty_is_never_due_on_a_day_off(start: dt.datetime, count: int, nation: str) -> None:
    """Unless that is the midnight with which a working day ends."""
    at = due(start, count, "working_days", nation).astimezone(ZoneInfo(nations()[nation].time_zone))
    assert is_working_day((at - dt.timedelta(microseconds=1)).date(), nation) or is_working_day(
        at.date(), nation
    )


@settings(max_examples=100, deadline=None)
@given(instants, st.integers(0, 400), st.sampled_from(NATIONS))
def test_days_keep_the_time_on_the_wall(start: dt.datetime, count: int, nation: str) -> None:
    """28 days later the clock on the wall shows the same, whatever summer time did; UTC may differ."""
    zone = ZoneInfo(nations()[nation].time_zone)
    wall = start.astimezone(zone).replace(tzinfo=None, fold=0) + dt.timedelta(days=count)
    end = due(start, count, "days", nation)
    exists = (
        wall.replace(tzinfo=zone).astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None, fold=0) == wall
    )
    assert end.astimezone(zone).replace(tzinfo=None, fold=0) == wall + dt.timedelta(hours=0 if exists else 1)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("start", "duration", "unit", "nation", "expected"),
    [
        # A Friday: the weekend does not count.
        ("2026-11-06T15:00", 1, "working_days", "ENG", "2026-11-09T15:00"),
        # A Saturday begins with Monday, and one working day is a whole one.
        ("2026-11-07T15:00", 1, "working_days", "ENG", "2026-11-10T00:00"),
        # Christmas 2026: Friday a holiday, Monday in lieu of Boxing Day.
        ("2026-12-24T12:00", 1, "working_days", "ENG", "2026-12-29T12:00"),
        # Scotland has 2 January, England has not (2025: a Thursday).
        ("2024-12-31T12:00", 1, "working_days", "ENG", "2025-01-02T12:00"),
        ("2024-12-31T12:00", 1, "working_days", "SCT", "2025-01-03T12:00"),
        # Northern Ireland has St Patrick's Day (2026: a Tuesday).
        ("2026-03-16T12:00", 1, "working_days", "ENG", "2026-03-17T12:00"),
        ("2026-03-16T12:00", 1, "working_days", "NIR", "2026-03-18T12:00"),
        # Summer time begins on 29 March 2026: noon stays noon on the wall.
        ("2026-03-27T12:00", 1, "working_days", "ENG", "2026-03-30T11:00"),
        ("2026-03-27T12:00", 7, "days", "ENG", "2026-04-03T11:00"),
        # A wall time that does not exist is moved on by the hour skipped.
        ("2026-03-28T01:30", 1, "days", "ENG", "2026-03-29T01:30"),
        # One that happens twice means the first.
        ("2026-10-24T00:30", 1, "days", "ENG", "2026-10-25T00:30"),
        # Hours pass as on a stop-watch.
        ("2026-03-28T12:00", 24, "hours", "ENG", "2026-03-29T12:00"),
        ("2026-11-10T12:00", 15, "minutes", "ENG", "2026-11-10T12:15"),
        ("2026-11-10T12:00", -72, "hours", "ENG", "2026-11-07T12:00"),
        # Months end where the month ends.
        ("2026-01-31T12:00", 1, "months", "ENG", "2026-02-28T12:00"),
        ("2026-11-30T12:00", 3, "months", "ENG", "2027-02-28T12:00"),
        # Half days are days too.
        ("2026-11-10T12:00", 5.25, "days", "ENG", "2026-11-15T18:00"),
    ],
)
def test_known_cases(start: str, duration: float, unit: str, nation: str, expected: str) -> None:
    """The ones that people get wrong."""
    assert due(utc(start), duration, unit, nation) == utc(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(("duration", "unit"), [(0, "as_soon_as"), (1.5, "working_days"), (0.5, "months")])
def test_what_has_no_length_is_refused(duration: float, unit: str) -> None:
    """`As soon as can be` is no date."""
    with pytest.raises(ValueError, match=r"cannot be counted|no length"):
        due(utc("2026-11-10T12:00"), duration, unit, "ENG")  # type: ignore[arg-type]


def test_a_day_ends_by_the_nations_own_midnight() -> None:
    """In summer an hour before UTC's."""
    assert end_of_day(utc("2026-07-01T12:00"), "ENG") == utc("2026-07-01T23:00")
    assert end_of_day(utc("2026-07-01T12:00"), "NLD") == utc("2026-07-01T22:00")


@pytest.mark.parametrize(
    ("duration", "unit", "words"),
    [(1, "working_days", "1 working day"), (28, "days", "28 days"), (0, "as_soon_as", "as soon as can be")],
)
def test_a_limit_in_words(duration: float, unit: str, words: str) -> None:
    """As a page says it."""
    assert duration_words(duration, unit) == words  # type: ignore[arg-type]
