"""Background work of sharing: one job for each act that brought reports, and the sweep."""

from django_tasks import task

from tocsin.intake.models import Report
from tocsin.jobs.queue import WARNINGS
from tocsin.journal.queries import entries
from tocsin.sharing import (
    appealing,
    batching,
    contributions,
    opening,
    pseudonyms,
    services,
    sighted,
    telling,
    watching,
)
from tocsin.sharing.warning_lists import warning_lists

WRITTEN = contributions.TAKEN
NEWS = ("intake:report:received", "intake:report:updated")


@task(queue_name=WARNINGS)
def assert_new(first_seq: int, last_seq: int) -> None:
    """Take the reports that these journal entries tell of as words. Running it twice changes nothing."""
    report_ids = {entry.subject for entry in entries(first_seq, last_seq) if entry.event in NEWS}
    services.assert_reports(Report.objects.filter(report_id__in=report_ids).values_list("pk", flat=True))


@task(queue_name=WARNINGS)
def believe_contributions(first_seq: int, last_seq: int) -> None:
    """Take what these journal entries' requests wrote as words. Running it twice changes nothing."""
    for entry in entries(first_seq, last_seq):
        if entry.event == WRITTEN:
            contributions.believe(entry.subject)


@task()
def tell_machines(first_seq: int, last_seq: int) -> None:
    """Tell members' machines what these entries share and withdraw. Running it twice changes nothing."""
    telling.tell(first_seq, last_seq)


def sweep_indicators() -> None:
    """What the worker runs at its start and every fifteen seconds."""
    make_ready()
    services.sweep()
    batching.sweep_batches()
    appealing.sweep_appeals()
    contributions.sweep_statuses()
    opening.sweep_openings()
    sighted.tell_sightings()


def watch_readers() -> None:
    """What the worker runs every half minute."""
    watching.watch_readers()
    watching.settle()


def make_ready() -> None:
    """What each worker runs before its first act that asks the warning lists.

    The first time they take seconds, during which nobody else could write; later it costs nothing.
    """
    warning_lists()


def weigh_sources() -> None:
    """What the worker runs each hour."""
    services.weigh_anew()
    pseudonyms.sweep_epochs()
