"""When a warning is shared, and when it is taken back."""

import datetime as dt

import pytest
from tests.sharing.street import ATTACKER, DAY, NOON, PHISH, Street

from tocsin.sharing import queries
from tocsin.sharing.models import Assertion

pytestmark = pytest.mark.django_db


def on_list(kind: str = "address", at: dt.datetime = NOON) -> list[str]:
    return list(queries.shared(kind, at))


def test_one_member_alone_shares_nothing(street: Street) -> None:
    """Not by one report, and not by many of the same member."""
    street.report("ferry")
    street.report("ferry", target="elsewhere", service="imap") if False else street.report("ferry")
    assert on_list() == []
    assert street.indicator().reason == "Only one member has reported it so far."
    assert Assertion.objects.count() == 2


def test_two_members_share(street: Street) -> None:
    """The second independent word puts it on the list, for seven days."""
    street.report("ferry")
    street.report("medway", at=NOON + DAY)
    assert on_list(at=NOON + DAY) == [ATTACKER]
    assert street.indicator().valid_until == NOON + 8 * DAY
    assert street.indicator().reason == "At least two independent members reported it."


def test_names_are_shared_as_reported_for_thirty_days(street: Street) -> None:
    """The host, never the domain above it."""
    street.phish("ferry")
    street.phish("medway")
    assert on_list("name") == [PHISH]
    assert street.indicator(PHISH).valid_until == NOON + 30 * DAY
    assert on_list() == []
