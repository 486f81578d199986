"""Impact receipts: what a warning stopped, how many appealed, and numbers of any size."""

import datetime as dt
import itertools

import pytest
from tests.blocking.indicators import an_indicator, asserted
from tests.cases.town import NOON
from tests.exchange import a_member

from tocsin.blocking import queries
from tocsin.blocking.models import Tally
from tocsin.figures import stopped
from tocsin.kernel.time import now
from tocsin.sharing.models import Appeal, Assertion, Indicator

pytestmark = [pytest.mark.django_db, pytest.mark.database]
HOUR = dt.timedelta(hours=1)


def stopped_there(indicator: Indicator, hits: int) -> None:
    """One network stopped so many connections."""
    Tally.objects.create(
        member=a_member(), source_id="rpz", indicator=indicator, hour=NOON, hits=hits, told_at=NOON
    )


def test_a_receipt_says_how_many_appealed() -> None:
    """Made, and upheld by a person or by the clock; against the report's own warnings alone."""
    indicator, other = an_indicator(), an_indicator("198.51.100.8")
    report = asserted(indicator)
    stopped_there(indicator, 12_000)
    ends = (None, "rejected", "upheld", "lapsed", "moot")
    for number, (outcome, about) in enumerate([*((end, indicator) for end in ends), ("upheld", other)]):
        Appeal.objects.create(
            appeal_id=f"appeal_{number}",
            digest=bytes([number]) * 32,
            indicator=about,
            made_at=now(),
            due_at=now(),
            outcome=outcome or "",
        )
    effect = queries.effect_of_reports([report.pk])[report.pk]
    assert (effect.appeals, effect.upheld) == (5, 2)
    assert effect.receipt == (
        "stopped more than 10,000 connections at fewer than 5 networks; 5 appeals, 2 of them upheld"
    )


def test_a_months_blocks_of_a_large_provider_add_up_exactly() -> None:
    """135 million over nine networks, 720 hours and four names: to the last one, and readable."""
    names = [an_indicator(f"n{number}.example", "name") for number in range(4)]
    report, members = asserted(names[0]), [a_member() for _ in range(9)]
    for name in names[1:]:
        Assertion.objects.create(indicator=name, report=report, member=report.member, asserted_at=now())
    total, rows = 135_000_000, []
    places = list(itertools.product(members, range(720), names))
    share, rest = divmod(total, len(places))
    for place, (member, hour, name) in enumerate(places):
        rows.append(
            Tally(
                member=member,
                source_id="rpz",
                indicator=name,
                hour=NOON - hour * HOUR,
                hits=share + (place < rest),
                told_at=NOON,
            )
        )
    Tally.objects.bulk_create(rows, batch_size=2_000)
    effect = queries.effect_of_reports([report.pk])[report.pk]
    assert effect == queries.Effect(total, 9, "stopped 135,000,000 connections at 9 networks")
    assert effect.receipt == "stopped 135,000,000 connections at 9 networks; 0 appeals"
    figure = stopped.stopped(NOON)
    assert figure.sentence == "Warnings shared here have stopped 135,000,000 connections at 9 networks."
