"""A member sees its own logs and nobody else's."""

import datetime as dt

import pytest
from tests.cases.town import NOON, build_town

from tocsin.inventory import queries

pytestmark = pytest.mark.django_db


def test_expiring_logs_are_the_members_own() -> None:
    """The first to go first; those with time left are not listed."""
    town = build_town()
    town.report("ferry", delete_at=NOON + dt.timedelta(days=2))
    town.report("medway", delete_at=NOON + dt.timedelta(days=2))
    found = queries.expiring(town.actor("rita"), NOON)
    assert [holding.member.name for holding in found] == ["Ferry"]
    assert not queries.expiring(town.actor("rita"), NOON - dt.timedelta(days=5)).exists()
    assert not queries.expiring(town.actor("olive"), NOON).exists()
