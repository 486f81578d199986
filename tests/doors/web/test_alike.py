"""What reads the same is said once, and nothing that differs is lost."""

import datetime as dt

import pytest
from tests.doors.web.views_of import DAY, HOUR, a_clock, a_holding, an_item

from tocsin.doors.web import alike
from tocsin.doors.web.filters import browser

AT = dt.datetime(2026, 11, 10, 14, 5, 9, tzinfo=dt.UTC)


def test_a_duty_owed_for_several_reports_is_said_once_with_their_number() -> None:
    """By the minute: reports of one batch come milliseconds apart."""
    clocks = [a_clock(report_id=f"report_{n}", due_at=AT.replace(microsecond=n)) for n in range(3)]
    other = a_clock(clock_id="P04", due_at=AT)
    assert alike.clocks([clocks[0], other, *clocks[1:]]) == [(clocks[0], 3), (other, 1)]


@pytest.mark.parametrize(
    "changes",
    [{"due_at": AT + HOUR}, {"state": "paused"}, {"escalation_words": "taken on"}, {"ended_at": AT}],
    ids=lambda changes: next(iter(changes)),
)
def test_duties_that_stand_otherwise_stay_apart(changes: dict[str, object]) -> None:
    """Another due time, state, desk or end is another line."""
    first, second = a_clock(due_at=AT), a_clock(**{"due_at": AT, **changes})
    assert alike.clocks([first, second]) == [(first, 1), (second, 1)]


def test_logs_are_said_once_for_each_provider_and_day_of_destruction() -> None:
    """Whoever must ask needs to know whom, and until when."""
    log = a_holding(period_from=AT - DAY, period_to=AT, delete_at=AT + DAY)
    same = a_holding(source_id="auth-2", period_from=AT - DAY, period_to=AT, delete_at=AT + DAY)
    later = a_holding(period_from=AT - DAY, period_to=AT, delete_at=AT + 2 * DAY)
    others = a_holding(member_name="Harbour Net", period_from=AT - DAY, period_to=AT, delete_at=AT + DAY)
    assert alike.holdings([log, same, later, others]) == [(log, 2), (later, 1), (others, 1)]


def test_entries_keep_their_order_and_every_position() -> None:
    """Only neighbours come together, so what came between stays between."""
    items = [
        an_item(words, at=AT, seq=seq) for seq, words in enumerate(["late", "late", "taken on", "late"], 84)
    ]
    assert alike.entries(items) == [(items[0], [84, 85]), (items[2], [86]), (items[3], [87])]


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on an iPhone",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "unknown browser"),
    ],
)
def test_a_browser_is_called_as_people_call_it(agent: str, said: str) -> None:
    """What nobody knows is shown as it calls itself."""
    assert browser(agent) == said
