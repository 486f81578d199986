"""What providers hold."""

import pytest
from tests.exchange import a_member

from tocsin.inventory.models import Holding
from tocsin.inventory.services import record_holdings
from tocsin.journal.acts import Misuse, act
from tocsin.wire import report as wire

pytestmark = pytest.mark.django_db

JUNE, JULY, AUGUST = "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z"


def test_mentions_of_one_holding_are_merged() -> None:
    """The widest period, the latest deletion, the newest clock, and confirmed once is confirmed."""
    member = a_member()
    with act():
        record_holdings(member, [wire.Holding("auth", "portal-login", JULY, JULY, JULY, confirmed=True)])
    with act():
        record_holdings(
            member,
            [
                wire.Holding("auth", "portal-login", JUNE, JULY, clock_error_ms=50, clock_source="ntp"),
                wire.Holding("auth", "portal-login", JULY, AUGUST, AUGUST, fields_present=("public_ip",)),
            ],
        )
    row = Holding.objects.get()
    assert (row.period_from.month, row.period_to.month) == (6, 8)
    assert row.delete_at is not None
    assert row.delete_at.month == 8
    assert (row.clock_error_ms, row.clock_source, row.fields_present) == (50, "ntp", ["public_ip"])
    assert row.confirmed


def test_the_same_mention_again_writes_nothing() -> None:
    """`updated_at` tells when something was learned."""
    member, told = a_member(), [wire.Holding("auth", "portal-login", JUNE, JULY)]
    with act():
        record_holdings(member, told)
    first = Holding.objects.get().updated_at
    with act():
        (row,) = record_holdings(member, told)
    assert row.pk == Holding.objects.get().pk
    assert Holding.objects.get().updated_at == first


def test_holdings_of_two_members_are_two() -> None:
    """A source's name means nothing across members."""
    for member in (a_member(), a_member()):
        with act():
            record_holdings(member, [wire.Holding("auth", "portal-login", JUNE, JULY)])
    assert Holding.objects.count() == 2


def test_recording_outside_an_act_is_loud() -> None:
    """The inventory changes with the report that tells of it."""
    with pytest.raises(Misuse):
        record_holdings(a_member(), [])
