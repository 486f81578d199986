"""Background work of cases: one job for each act that brought reports."""

from django_tasks import task

from tocsin.cases import clocks, terms
from tocsin.cases.linking import link_reports
from tocsin.intake.models import Report
from tocsin.journal.queries import entries

NEWS, CHANGES = "intake:report:", "cases:"


@task()
def link_new(first_seq: int, last_seq: int) -> None:
    """Link the reports that these journal entries tell of. Running it twice changes nothing."""
    report_ids = {entry.subject for entry in entries(first_seq, last_seq, NEWS)}
    link_reports(Report.objects.filter(report_id__in=report_ids).values_list("pk", flat=True))


@task()
def fill_terms(first_seq: int, last_seq: int) -> None:
    """Let the cases that these entries tell of be found by what they say now. Twice changes nothing."""
    terms.fill_from(first_seq, last_seq)


def sweep_clocks() -> None:
    """What the worker runs every fifteen seconds."""
    clocks.sweep()
