"""The jobs that the journal's entries start."""

import pytest
from tests.cases.town import Town

from tocsin.cases import tasks
from tocsin.cases.models import Case, Clock
from tocsin.journal.models import Entry
from tocsin.notices import tasks as notices
from tocsin.notices.models import Notice

pytestmark = pytest.mark.django_db


def test_new_reports_are_linked_and_told_by_their_place_in_the_journal(town: Town) -> None:
    """Only those of the range; a diverted one is told why."""
    town.report(link=False)
    first = Entry.objects.count()
    town.report(kind="vulnerable/vulnerable-system", link=False)
    town.report(origins=("198.51.100.3",), link=False)
    last = Entry.objects.count() - 1
    tasks.link_new.func(first, last)
    assert [case.title for case in Case.objects.all()] == ["Password guessing against ssh from 198.51.100.3"]
    notices.tell.func(first, Entry.objects.count() - 1)
    assert "Early Warning service" in Notice.objects.get(event="cases:report:diverted").words


def test_the_worker_sweeps_the_clocks(town: Town) -> None:
    """By the time that it is now."""
    town.report()  # long ago
    tasks.sweep_clocks()
    assert Clock.objects.get(clock_id="P02").breached_at is not None
