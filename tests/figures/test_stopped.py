"""Connections stopped: sums that give no competitor away."""

import datetime as dt

import pytest
from tests.cases.town import NOON
from tests.exchange import a_member

from tocsin.access.models import Member
from tocsin.blocking.models import Tally
from tocsin.figures import stopped
from tocsin.sharing.models import Indicator

pytestmark = pytest.mark.django_db
WEEK = dt.timedelta(days=7)


@pytest.fixture
def indicator() -> Indicator:
    """An address that is shared."""
    return Indicator.objects.create(
        indicator_id="indicator_1", stix_id="5e6f3c9a-0000-5000-8000-000000000001", kind="address",
        value="203.0.113.7", attack_kind="intrusion-attempts/brute-force", state="shared",
        reason="two say so", asserted_at=NOON, changed_at=NOON,
    )  # fmt: skip


def tally(member: Member, indicator: Indicator, hits: int, hour: dt.datetime = NOON) -> None:
    """So many connections stopped there in that hour."""
    Tally.objects.create(
        member=member, source_id="resolver", indicator=indicator, hour=hour, hits=hits, told_at=hour
    )


def test_nothing_yet() -> None:
    """No table of zeros."""
    figure = stopped.stopped(NOON)
    assert figure.sentence == "No member has told of a stopped connection yet."
    assert figure.rows == ()


def test_few_networks_are_told_by_their_first_digit(indicator: Indicator) -> None:
    """What two stopped could be one competitor's volume: 41,213 is told as at least 40,000."""
    for hits in (41_000, 213):
        tally(a_member(), indicator, hits)
    figure = stopped.stopped(NOON)
    assert (
        figure.sentence
        == "Warnings shared here have stopped at least 40,000 connections at under 5 networks."
    )
    assert "41" not in str(figure.rows)


def test_a_round_sum_of_few_is_not_told_exactly(indicator: Indicator) -> None:
    """40,000 at one network: the words must not differ from those for 41,213."""
    tally(a_member(), indicator, 40_000)
    assert "at least 40,000" in stopped.stopped(NOON).sentence


def test_from_five_networks_on_the_sum_is_told_by_week(indicator: Indicator) -> None:
    """Weeks begin on Monday, UTC; twelve are shown, and what came before counts in the whole."""
    for number in range(5):
        member = a_member()
        tally(member, indicator, 100 + number)
        tally(member, indicator, 10, NOON - WEEK)
        tally(member, indicator, 1, NOON - 30 * WEEK)
    figure = stopped.stopped(NOON)
    assert figure.sentence == "Warnings shared here have stopped 565 connections at 5 networks."
    assert [tuple(cell.value for cell in row.cells) for row in figure.rows][-3:] == [
        (0, 0),
        (50, 5),
        (510, 5),
    ]
    assert (len(figure.rows), figure.rows[-1].label) == (12, "9 Nov")
