"""Background work of cases: one job for each act that brought reports."""

from django.db.models import Max
from django_tasks import task

from tocsin.cases import leaving, questions, succeeding, terms
from tocsin.cases.gathering import gather_campaigns
from tocsin.cases.linking import link_reports
from tocsin.cases.models import Link
from tocsin.intake.models import Report
from tocsin.journal.queries import entries

NEWS, CHANGES, PEOPLE = "intake:report:", "cases:", "access:"


@task()
def link_new(first_seq: int, last_seq: int) -> None:
    """Link the reports that these journal entries tell of. Running it twice changes nothing."""
    report_ids = {entry.subject for entry in entries(first_seq, last_seq, NEWS)}
    link_reports(Report.objects.filter(report_id__in=report_ids).values_list("pk", flat=True))


@task()
def notice_leaving(first_seq: int, last_seq: int) -> None:
    """Tell supervisors of open cases whose owner has gone. Running it twice changes nothing."""
    gone = [entry for entry in entries(first_seq, last_seq, PEOPLE) if entry.event in leaving.GONE]
    leaving.tell_of_leaving({int(entry.subject.removeprefix("person_")) for entry in gone})


@task()
def fill_terms(first_seq: int, last_seq: int) -> None:
    """Let the cases that these entries tell of be found by what they say now. Twice changes nothing."""
    terms.fill_from(first_seq, last_seq)


def sweep_clocks() -> None:
    """What the worker runs every fifteen seconds."""
    questions.sweep()


def succeed_units() -> None:
    """What the worker runs every hour, so that a unit's last day has no morning after."""
    succeeding.succeed()


_looked_at = 0  # the newest link at the last look, of this process


def join_campaigns() -> None:
    """What the worker runs every ten minutes, where anything was linked since it last did."""
    global _looked_at
    newest = Link.objects.aggregate(newest=Max("pk"))["newest"] or 0
    if newest > _looked_at:
        gather_campaigns()
        _looked_at = newest
