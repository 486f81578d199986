"""Background jobs: in order, retried, never lost."""

import datetime as dt
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from django_tasks_db.models import DBTaskResult
from tests.jobs import tasks

from tocsin.jobs import periodic, queue, worker
from tocsin.kernel.time import now

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_ran() -> Iterator[None]:
    tasks.ran.clear()
    tasks.broken.clear()
    yield
    tasks.broken.clear()


def test_jobs_run_in_the_order_in_which_they_came() -> None:
    """First in, first out, and the queue is empty afterwards."""
    for number in range(5):
        tasks.note.enqueue(number, number)
    assert worker.drain() == 5
    assert [first for first, _ in tasks.ran] == [0, 1, 2, 3, 4]
    assert not DBTaskResult.objects.exists()


def test_what_a_job_enqueues_is_run_too() -> None:
    """Draining ends when nothing is due, not when the first jobs are done."""
    tasks.chain.enqueue(3, 4)
    assert worker.drain() == 2
    assert tasks.ran == [(3, 4)]


def test_a_failing_job_stops_no_other_is_told_and_stays() -> None:
    """The failure is raised at the end; the job waits for its next try."""
    tasks.broken.add(1)
    for number in range(3):
        tasks.note.enqueue(number, number)
    with pytest.raises(ExceptionGroup, match="1 of 3 jobs failed"):
        worker.drain()
    assert [first for first, _ in tasks.ran] == [0, 2]
    job = DBTaskResult.objects.get()
    assert job.run_after > now()
    assert "broken at 1" in job.traceback


def test_a_repaired_job_runs_at_its_next_try() -> None:
    """Nothing is lost by failing."""
    tasks.broken.add(1)
    tasks.note.enqueue(1, 1)
    with pytest.raises(ExceptionGroup):
        worker.drain()
    tasks.broken.clear()
    assert worker.drain() == 0
    DBTaskResult.objects.update(run_after=now())
    assert worker.drain() == 1
    assert tasks.ran == [(1, 1)]


def test_each_try_waits_twice_as_long_and_never_more_than_an_hour() -> None:
    """2 s, 4 s, 8 s … one hour; after three tries the job is named as failing."""
    tasks.broken.add(1)
    tasks.note.enqueue(1, 1)
    waits = []
    for _ in range(14):
        DBTaskResult.objects.update(run_after=now())
        before = now()
        with pytest.raises(ExceptionGroup):
            worker.drain()
        waits.append(round((DBTaskResult.objects.get().run_after - before).total_seconds()))
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600]
    assert [job.task_path for job in queue.failing()] == ["tests.jobs.tasks.note"]


@pytest.mark.parametrize(
    ("holder", "age", "gone"),
    [
        (f"{socket.gethostname()}:999999999", dt.timedelta(0), True),  # its process is dead
        (f"{socket.gethostname()}:1", dt.timedelta(0), False),  # alive here
        ("elsewhere:1", dt.timedelta(minutes=1), False),  # may be alive there
        ("elsewhere:1", dt.timedelta(minutes=11), True),  # silent for too long
    ],
)
def test_a_dead_workers_job_is_taken_over(holder: str, age: dt.timedelta, gone: bool) -> None:
    """Killed in the middle, the job comes back to the queue; a living worker's does not."""
    tasks.note.enqueue(1, 1)
    job = queue.claim(holder)
    assert job is not None
    DBTaskResult.objects.update(started_at=now() - age)
    assert queue.reclaim(queue.worker_name()) == int(gone)
    assert worker.drain() == int(gone)


def test_two_workers_never_claim_one_job() -> None:
    """The second claim finds nothing."""
    tasks.note.enqueue(1, 1)
    assert queue.claim("here:1") is not None
    assert queue.claim("here:2") is None


def test_each_queue_has_a_worker_of_its_own() -> None:
    """What protects a network never waits behind what may wait; a worker of neither leaves nothing."""
    tasks.note.enqueue(1, 1)
    tasks.note.using(queue_name=queue.WARNINGS).enqueue(2, 2)
    job = queue.claim("here:1", queue.WARNINGS)
    assert job is not None
    assert job.task_result.args == [2, 2]
    assert queue.claim("here:1", queue.WARNINGS) is None
    assert worker.drain() == 1
    assert tasks.ran == [(1, 1)]


def test_periodic_functions_run_at_once_and_then_at_their_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's loop calls them; an error in one neither ends it nor hinders another."""
    # The loop drops stale connections; here that would drop the test's own transaction.
    monkeypatch.setattr(worker, "close_old_connections", lambda: None)
    calls: list[str] = []

    def well() -> None:
        calls.append("well")

    def ill() -> None:
        calls.append("ill")
        raise ValueError("ill")

    def other() -> None:
        calls.append("of the other queue")

    periodic.every(3600, ill)
    periodic.every(0.05, well)
    periodic.every(0.05, other, queue=queue.WARNINGS)
    stopped = threading.Event()
    ends = time.monotonic() + 0.5
    try:
        worker.run(stopped, is_orphaned=lambda: time.monotonic() > ends)
    finally:
        for function in (ill, well, other):
            del periodic._registered[function]
    assert calls.count("ill") == 1
    assert calls.count("well") >= 2
    assert "of the other queue" not in calls
