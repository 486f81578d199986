"""Two workers at the same time: one case, one breach, one owner."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from tests.cases.town import NOON, Town, build_town

from tocsin.cases import clocks
from tocsin.cases.models import Case, Link
from tocsin.cases.services import Responder, accept_case, link_reports
from tocsin.journal.models import Entry
from tocsin.kernel.problems import Conflict


@pytest.fixture
def busy_town(transactional_db: None) -> Town:
    """A town whose rows other threads can see."""
    return build_town()


def together(*jobs: Callable[[], object]) -> list[BaseException]:
    """Run the jobs at once, each on a connection of its own; gives what they raised."""
    start, raised = threading.Barrier(len(jobs)), []

    def run(job: Callable[[], object]) -> None:
        try:
            start.wait()
            job()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_two_batches_about_one_origin_give_one_case(busy_town: Town) -> None:
    """Whoever comes second joins; and the same batch twice links once."""
    batches = [
        [busy_town.report(name, origins=(f"203.0.113.{n}",), link=False).pk for n in range(1, 11)]
        for name in ("ferry", "medway", "colne")
    ]
    jobs = [lambda batch=batch: link_reports(batch, NOON) for batch in (*batches, *batches)]
    assert together(*jobs) == []
    assert Case.objects.count() == 10
    assert Link.objects.filter(detached_at__isnull=True).count() == 30
    assert set(Case.objects.values_list("report_count", "member_count")) == {(3, 3)}


def test_a_breach_is_marked_once_by_two_sweeps(busy_town: Town) -> None:
    """Two workers may sweep."""
    busy_town.report()
    late = NOON.replace(day=20)
    assert together(*[lambda: clocks.sweep(late)] * 3) == []
    assert Entry.objects.filter(event="cases:clock:breached").count() == 1
    assert Entry.objects.filter(event="cases:clock:escalated").count() == 3


def test_of_two_officers_who_take_a_case_one_has_it(busy_town: Town) -> None:
    """The other is told that somebody was quicker."""
    case = busy_town.case_of(busy_town.report())
    by = [Responder.of(busy_town.actor(name), case) for name in ("olive", "saul")]
    raised = together(*[lambda who=who: accept_case(case, who) for who in by])
    assert [type(error) for error in raised] == [Conflict]
    assert Entry.objects.filter(event="cases:case:accepted").count() == 1
