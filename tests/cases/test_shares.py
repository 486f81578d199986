"""The sums of who has what in a case: kept as reports come and go, and filled in where they were not."""

import importlib

import pytest
from django.db import connection
from tests.cases.test_walks import counted, shared
from tests.cases.town import NOON, Town

from tocsin.cases import shares
from tocsin.cases.linking import link_reports
from tocsin.cases.models import Share

pytestmark = pytest.mark.django_db


def test_an_exchange_that_kept_no_sums_has_them_after_the_migration(town: Town) -> None:
    """The migration counts the links that are there, those taken out aside."""
    for member in ("ferry", "ferry", "medway"):
        town.report(member)
    Share.objects.all().delete()
    migration = importlib.import_module("tocsin.cases.migrations.0002_share")
    with connection.cursor() as cursor:
        cursor.execute(migration.FILL)
    assert set(shared()) == set(counted())
    assert sorted(Share.objects.values_list("reports", flat=True)) == [1, 2]


def test_the_first_reporter_stays_the_first_whoever_comes_later(town: Town) -> None:
    """Routing begins with where the first reporter is, even when a batch is linked out of order."""
    early, late = town.report("ferry", link=False), town.report("colne", link=False)
    link_reports([late.pk], NOON)
    link_reports([early.pk], NOON)
    case = town.case_of(early)
    assert (case.report_count, case.member_count) == (2, 2)
    assert [seat.force_id for seat in shares.seats([case.pk])[case.pk]] == ["kent", "essex"]
