"""The life left in a log, and the words about its clock."""

import datetime as dt

import pytest
from tests.cases.town import NOON

from tocsin.inventory.rules import clock_words, days_left, is_expiring, is_gone

DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("delete_at", "left", "expiring", "gone"),
    [
        (None, None, False, False),  # no date was given: nothing is promised
        (NOON + 10 * DAY, 10, False, False),
        (NOON + 3 * DAY, 3, True, False),  # as P07 warns
        (NOON + dt.timedelta(hours=5), 0, True, False),  # its last day
        (NOON, 0, False, True),
        (NOON - DAY, 0, False, True),
    ],
)
def test_days_left(delete_at: dt.datetime | None, left: int | None, expiring: bool, gone: bool) -> None:
    """Whole days, and what they mean."""
    assert days_left(delete_at, NOON) == left
    assert is_expiring(delete_at, NOON) is expiring
    assert is_gone(delete_at, NOON) is gone


@pytest.mark.parametrize(
    ("error", "source", "words"),
    [
        (20, "ntp", "clock within 20 ms (ntp)"),
        (2_500, "unknown", "clock within 2.5 s"),
        (None, "unknown", "clock error not measured"),
        (None, "free-running", "clock error not measured (free-running)"),
    ],
)
def test_clock_words(error: int | None, source: str, words: str) -> None:
    """Wrong time, wrong door: what nobody measured is said."""
    assert clock_words(error, source) == words
