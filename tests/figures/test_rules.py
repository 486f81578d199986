"""Suppression, and quantiles that a backlog cannot make look better."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.figures import rules

MINUTES = st.dictionaries(st.integers(0, 500), st.integers(1, 9), max_size=12)


@pytest.mark.parametrize(
    ("number", "said", "value"),
    [
        (0, "0", 0),  # nothing points at nobody
        (1, "under 5", None),
        (4, "under 5", None),
        (5, "5", 5),
        (41_200, "41,200", 41_200),
    ],
)
def test_small_numbers_are_not_told(number: int, said: str, value: int | None) -> None:
    """From 1 to 4 the words stand alone: no value travels with them."""
    cell = rules.told(number)
    assert (cell.said, cell.value) == (said, value)


@pytest.mark.parametrize(
    ("answered", "waiting", "share", "expected"),
    [
        ({10: 1, 20: 1, 30: 1, 40: 1}, {}, 0.5, 20),
        ({10: 1, 20: 1, 30: 1, 40: 1}, {}, 0.9, 40),
        ({10: 9, 500: 1}, {}, 0.9, 10),
        ({10: 1}, {50: 3}, 0.5, None),  # three of four still wait: no median yet
        ({10: 1}, {5: 3}, 0.5, 10),  # the same, but they came after the answer took: nothing is known of them
        ({}, {}, 0.5, None),
        ({}, {7: 2}, 0.9, None),
        # Freireich's 6-MP remissions in weeks (1963), the textbook's example: the median is 23.
        (
            {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1},
            {6: 1, 9: 1, 10: 1, 11: 1, 17: 1, 19: 1, 20: 1, 25: 1, 32: 2, 34: 1, 35: 1},
            0.5,
            23,
        ),
    ],
)
def test_quantiles_count_those_who_wait(
    answered: dict[int, int], waiting: dict[int, int], share: float, expected: int | None
) -> None:
    """The product limit, on cases worked by hand and on the textbook's."""
    assert rules.quantile(answered, waiting, share) == expected


@given(answered=MINUTES)
def test_without_a_backlog_it_is_the_ordinary_quantile(answered: dict[int, int]) -> None:
    """Nobody waits: the smallest time by which half have an answer."""
    times = sorted(Counter(answered).elements())
    expected = next((t for i, t in enumerate(times, 1) if 2 * i >= len(times)), None)
    assert rules.quantile(answered, {}, 0.5) == expected


@given(answered=MINUTES, waiting=MINUTES, more=MINUTES)
def test_a_backlog_never_makes_it_look_better(
    answered: dict[int, int], waiting: dict[int, int], more: dict[int, int]
) -> None:
    """More reports that wait without end: the figure stays or gets worse."""
    far = Counter({time + 1000: count for time, count in more.items()})
    before = rules.quantile(answered, waiting, 0.5)
    after = rules.quantile(answered, Counter(waiting) + far, 0.5)
    assert after is None or (before is not None and after >= before)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "0 minutes"),
        (1, "1 minute"),
        (119, "119 minutes"),
        (120, "2 hours"),
        (47 * 60, "47 hours"),
        (2880, "2 days"),
        (5 * 1440 + 720, "5.5 days"),
    ],
)
def test_times_are_said_as_people_say_them(minutes: int, words: str) -> None:
    """No more digits than somebody would say."""
    assert rules.duration_words(minutes) == words
