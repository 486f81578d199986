"""Instants, spans and numbers as people say them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.doors.web.views_of import a_clock

from tocsin.doors.web import words

LONDON = ZoneInfo("Europe/London")
NOW = dt.datetime(2026, 11, 10, 17, 5, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (dt.datetime(2026, 11, 10, 14, 5, 9, tzinfo=dt.UTC), "Tuesday 10 November, 14:05 GMT, 2 h ago"),
        (
            dt.datetime(2026, 7, 1, 23, 30, tzinfo=dt.UTC),
            "Thursday 2 July, 00:30 BST, 131 days ago",
        ),  # summer
        (
            dt.datetime(2025, 12, 31, 9, 0, tzinfo=dt.UTC),
            "Wednesday 31 December 2025, 09:00 GMT, 314 days ago",
        ),
        (dt.datetime(2026, 11, 12, 17, 5, tzinfo=dt.UTC), "Thursday 12 November, 17:05 GMT, in 2 days"),
        (NOW, "Tuesday 10 November, 17:05 GMT, just now"),
    ],
)
def test_an_instant_is_said_in_the_readers_zone(at: dt.datetime, said: str) -> None:
    """Day, time, zone and distance; the year only where it is another."""
    assert words.instant_words(at, NOW, LONDON) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86_400, "1 day"),
        (-172_800, "2 days"),
    ],
)
def test_a_span_is_said_by_its_largest_unit(seconds: int, said: str) -> None:
    """Rounded down, so that nothing is made to look longer than it is."""
    assert words.span_words(dt.timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("due_in", "ended_in", "said"),
    [
        (dt.timedelta(hours=3), None, "due in 3 h"),
        (dt.timedelta(days=-2), None, "2 days overdue"),
        (dt.timedelta(hours=3), dt.timedelta(0), "done in time"),
        (dt.timedelta(days=-2), dt.timedelta(days=-1), "done 1 day late"),
    ],
)
def test_a_clock_leads_with_its_word(due_in: dt.timedelta, ended_in: dt.timedelta | None, said: str) -> None:
    """Overdue is a word before it is a colour, and a late end stays late."""
    ended_at = None if ended_in is None else NOW + ended_in
    assert words.due_words(a_clock(due_at=NOW + due_in, ended_at=ended_at), NOW) == said


@given(st.datetimes(timezones=st.just(dt.UTC)), st.datetimes(timezones=st.just(dt.UTC)))
def test_the_past_is_never_said_as_future(at: dt.datetime, now: dt.datetime) -> None:
    """`ago` exactly for what lies behind."""
    said = words.distance_words(at, now)
    assert said == "just now" or (
        said.endswith(" ago") == (at < now) and said.startswith("in ") == (at > now)
    )


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, ""), (0, 9, "0 %"), (1, 1000, "less than 1 %"), (999, 1000, "99 %"), (9, 9, "100 %")],
)
def test_a_share_never_rounds_up_to_all(part: int, whole: int, said: str) -> None:
    """99.9 % is not everybody."""
    assert words.share_words(part, whole) == said
