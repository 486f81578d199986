"""`tocsin check` finds every way in which a report could meet silence."""

from collections.abc import Callable

import pytest
from tests.cases.town import NOON, Town

from tocsin.cases.audit import check_cases
from tocsin.cases.models import Case, Clock, Link, Share
from tocsin.intake.models import Report
from tocsin.kernel.time import now

pytestmark = pytest.mark.django_db


def test_an_exchange_that_keeps_its_promise_has_no_findings(town: Town) -> None:
    """Linked, grouped, diverted and just arrived: all of it is in order."""
    for severity in ("info", "low", "critical"):
        town.report(severity=severity)
    town.report(kind="vulnerable/vulnerable-system")
    Report.objects.filter(pk=town.report(link=False).pk).update(received_at=now())
    assert list(check_cases()) == []


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda: Link.objects.update(detached_at=NOON), "in no case"),
        (lambda: Report.objects.update(status="X-INV"), "its status is not that of"),
        (lambda: Clock.objects.filter(clock_id="P01").delete(), "acknowledged"),
        (lambda: Clock.objects.update(ended_at=NOON), "nobody owes anybody"),
        (lambda: Clock.objects.filter(clock_id="P02").delete(), "owes it an owner"),
        (lambda: Case.objects.update(closed_at=NOON), "a clock of it still runs"),
        (lambda: Case.objects.update(closed_at=NOON), "it is closed, and its status is not"),
        (lambda: Case.objects.update(status="X-DUP"), "it is open, and its status is not"),
        (lambda: Share.objects.update(reports=7), "its counts are not"),
    ],
)
def test_whatever_breaks_the_promise_is_named(town: Town, harm: Callable[[], object], why: str) -> None:
    """One row of the database is enough."""
    town.report()
    harm()
    assert any(why in finding.why for finding in check_cases())
