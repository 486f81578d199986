"""Instants, spans and numbers as people say them; everything here is pure."""

import datetime as dt
from zoneinfo import ZoneInfo

from tocsin.cases.views import ClockView

MINUTE, HOUR, DAY = 60, 3600, 86400


def span_words(span: dt.timedelta) -> str:
    """A length of time by its largest unit: `40 s`, `5 min`, `3 h`, `2 days`; its sign does not matter."""
    seconds = int(abs(span.total_seconds()))
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < DAY:
        return f"{seconds // HOUR} h"
    days = seconds // DAY
    return "1 day" if days == 1 else f"{days:,} days"


def distance_words(at: dt.datetime, now: dt.datetime) -> str:
    """How far an instant is from now: `just now`, `3 h ago`, `in 2 days`."""
    span = now - at
    if abs(span) < dt.timedelta(seconds=45):
        return "just now"
    return f"{span_words(span)} ago" if span > dt.timedelta(0) else f"in {span_words(span)}"


def day_words(day: dt.date, today: dt.date) -> str:
    """`Tuesday 10 November`, with the year where it is another one than today's."""
    year = "" if day.year == today.year else f" {day.year}"
    return f"{day:%A} {day.day} {day:%B}{year}"


def instant_words(at: dt.datetime, now: dt.datetime, zone: ZoneInfo) -> str:
    """`Tuesday 10 November, 14:05 GMT, 3 h ago` in the reader's zone."""
    return f"{clock_time_words(at, now, zone)}, {distance_words(at, now)}"


def clock_time_words(at: dt.datetime, now: dt.datetime, zone: ZoneInfo) -> str:
    """`Tuesday 10 November, 14:05 GMT` in the reader's zone; midnight is the end of the day before."""
    local = at.astimezone(zone)
    if local.time() == dt.time():
        return f"end of {day_words(local.date() - dt.timedelta(days=1), now.astimezone(zone).date())}"
    return f"{day_words(local.date(), now.astimezone(zone).date())}, {local:%H:%M} {local.tzname()}"


def utc_words(at: dt.datetime) -> str:
    """`2026-11-10 14:05:09 UTC`, for the hover."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def due_words(clock: ClockView, now: dt.datetime) -> str:
    """Where a clock stands, leading with the word: `2 days overdue`, `due in 3 h`, `done`."""
    if clock.state == "does not apply":
        return "does not apply"
    if clock.ended_at is not None:
        late = clock.ended_at - clock.due_at
        return f"done {span_words(late)} late" if late > dt.timedelta(0) else "done in time"
    if clock.state == "paused":
        return f"waits for an answer, {due_at_words(clock.due_at, now)} at the latest"
    return due_at_words(clock.due_at, now)


def due_at_words(due_at: dt.datetime, now: dt.datetime) -> str:
    """`2 days overdue`, or `due in 3 h`."""
    if now > due_at:
        return f"{span_words(now - due_at)} overdue"
    return "due now" if due_at - now < dt.timedelta(seconds=45) else f"due {distance_words(due_at, now)}"


def number_words(number: int) -> str:
    """`1,214`."""
    return f"{number:,}"


def count_words(number: int, one: str, many: str = "") -> str:
    """`1 report`, `3 reports`; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def share_words(part: int, whole: int) -> str:
    """`42 %`, `less than 1 %`, and nothing where there is no whole."""
    if not whole:
        return ""
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "less than 1 %"
    return f"{int(percent)} %"
