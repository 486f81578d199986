"""What a member gives and gets, told to it alone."""

import datetime as dt

import pytest
from tests.sharing.street import ATTACKER, PHISH, Street
from tests.sharing.test_circles import somebody

from tocsin.access.policy import Actor
from tocsin.blocking.models import Tally
from tocsin.figures.benefit import benefit
from tocsin.kernel.time import now
from tocsin.sharing.confidence import Record

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def stopped(street: Street, member: str, value: str, hits: int, days: int = 1) -> None:
    """A member's machines stopped so many connections."""
    hour = (now() - dt.timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    Tally.objects.create(
        member=street.member(member), source_id=f"log{hits}", indicator=street.indicator(value), hour=hour,
        hits=hits, told_at=now(),
    )  # fmt: skip


def test_what_is_given_and_what_comes_back() -> None:
    """Own words by how they ended; connections by others' warnings apart from those by own ones."""
    street = Street()
    for member in ("ferry", "medway"):
        street.report(member, at=now())
    for member in ("medway", "harbour"):
        street.phish(member, at=now())
    rita = somebody("rita", street.member("ferry"))
    stopped(street, "ferry", ATTACKER, 10)
    stopped(street, "ferry", PHISH, 700)
    stopped(street, "ferry", PHISH, 9_000, days=40)
    for other in range(5):
        stopped(street, f"other{other}", ATTACKER, 100 + other)
    found = benefit(rita)
    assert found is not None
    assert (found.record, found.words) == (Record(right=1), 1)
    assert (found.from_own, found.from_others) == (10, 700)
    assert "at 5 other networks" in found.others
    assert "stopped 700 connections at your network" in found.sentence


def test_who_acts_for_no_member_has_none() -> None:
    """A trusted person, say."""
    assert benefit(Street().trusted()) is None
    assert benefit(Actor()) is None
