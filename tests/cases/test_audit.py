"""`tocsin check` finds every way in which a report could meet silence."""

import datetime as dt
from collections.abc import Callable

import pytest
from tests.cases.town import NOON, Town

from tocsin.cases.audit import check_cases
from tocsin.cases.models import Case, CaseHolding, Clock, Link, Share
from tocsin.cases.services import Responder, detach_report, merge_cases
from tocsin.intake.models import Report, ReportHolding
from tocsin.inventory.models import Holding
from tocsin.kernel.time import now

pytestmark = pytest.mark.django_db


DAY = dt.timedelta(days=1)


def another_log(*, of_report: bool = False) -> None:
    """A second log, behind the case or the report alone."""
    first = Holding.objects.get()
    second = Holding.objects.create(
        member=first.member,
        source_id="another",
        log_type=first.log_type,
        period_from=first.period_from,
        period_to=first.period_to,
        delete_at=first.delete_at,
        updated_at=first.updated_at,
    )
    if of_report:
        ReportHolding.objects.create(report=Report.objects.get(), holding=second)
    else:
        CaseHolding.objects.create(case=Case.objects.get(), holding=second)


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
        (lambda: Link.objects.update(reason=""), "nothing says why"),
        (lambda: Link.objects.update(strength=101), "how strongly"),
        (lambda: CaseHolding.objects.all().delete(), "is not among what is held"),
        (lambda: ReportHolding.objects.all().delete(), "stands behind none of its reports"),
        (another_log, "stands behind none of its reports"),
        (lambda: another_log(of_report=True), "is not among what is held"),
    ],
)
def test_whatever_breaks_the_promise_is_named(town: Town, harm: Callable[[], object], why: str) -> None:
    """One row of the database is enough."""
    town.report(delete_at=NOON + 9 * DAY)
    assert list(check_cases()) == []
    harm()
    assert any(why in finding.why for finding in check_cases())


def test_a_log_that_left_with_its_report_is_behind_the_case_no_more(town: Town) -> None:
    """The report was there once and is elsewhere now: that it was is no reason to count on its log."""
    case, gone = town.case_of(town.report()), town.report(delete_at=NOON + 9 * DAY)
    by = Responder("Olive", case.investigating_unit, town.people["olive"])
    detach_report(case, by, gone, "another man", NOON)
    assert list(check_cases()) == []
    CaseHolding.objects.create(case=case, holding=Holding.objects.get())
    assert [finding.why for finding in check_cases()] == [
        "it counts on a log that stands behind none of its reports"
    ]


def test_a_log_that_a_case_forgot_is_told(town: Town) -> None:
    """What its reports hold is among what the case counts on."""
    town.report(delete_at=NOON + 9 * DAY)
    CaseHolding.objects.all().delete()
    assert "a log behind one of its reports is not among what is held" in [
        finding.why for finding in check_cases()
    ]


def test_what_joining_must_leave_behind_is_checked(town: Town) -> None:
    """A case that was joined is closed, and shares the lane of the one that has its reports."""
    case, other = town.case_of(town.report()), town.case_of(town.report(origins=("198.18.7.7",)))
    by = Responder("Olive", case.investigating_unit, town.people["olive"])
    merge_cases(case, other, by, "one man", NOON)
    assert list(check_cases()) == []
    Case.objects.filter(pk=other.pk).update(lane="restricted")
    assert [finding.why for finding in check_cases()] == ["it was joined with a case of another lane"]
    Case.objects.filter(pk=other.pk).update(lane="ordinary", closed_at=None)
    assert "it was joined with another, and is still open" in [finding.why for finding in check_cases()]
