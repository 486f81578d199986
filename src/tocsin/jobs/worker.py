"""A worker: runs what is due, puts back what fails, and never stops for an error.

Each queue has a worker of its own, so that a warning never waits for a sweep or a letter.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from django.db import close_old_connections
from django_tasks_db.models import DBTaskResult

from tocsin.jobs import periodic, queue

log = logging.getLogger("tocsin.jobs")

IDLE_SECONDS = {queue.ORDINARY: 0.1, queue.WARNINGS: 0.02}
RECLAIM_SECONDS = 60.0


def drain() -> int:
    """Run everything that is due now, also what that makes due; gives the number of jobs run.

    Every job is tried; then the failures are raised together as an ExceptionGroup, so that a test or a
    script cannot overlook them. The failed jobs stay in the queue.
    """
    ran, failures, worker = 0, [], queue.worker_name()
    while (job := queue.claim(worker)) is not None:
        ran += 1
        failure = run_job(job)
        if failure is not None:
            failures.append(failure)
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {ran} jobs failed", failures)
    return ran


def run(
    stopped: threading.Event | None = None,
    *,
    name: str = queue.ORDINARY,
    is_orphaned: Callable[[], bool] = lambda: False,
) -> None:
    """Work on the queue of this name until `stopped` is set, or until this process is an orphan."""
    stopped = stopped or threading.Event()
    worker = queue.worker_name()
    periodic.every(RECLAIM_SECONDS, _reclaim, queue=name)
    while not stopped.is_set() and not is_orphaned():
        close_old_connections()
        if not _one_round(worker, name):
            stopped.wait(IDLE_SECONDS[name])
    close_old_connections()


def run_job(job: "DBTaskResult[Any, Any]") -> Exception | None:
    """Run one claimed job; gives its error, with the job put back, or None."""
    try:
        result = job.task_result
        job.task.call(*result.args, **result.kwargs)
        queue.finish(job)
    except Exception as error:
        due = queue.put_back(job, error)
        log.warning(
            "job %s failed, next try at %s", job.task_path, due.isoformat(timespec="seconds"), exc_info=error
        )
        return error
    return None


def _one_round(worker: str, name: str) -> bool:
    """Run what is due of both kinds, none hindered by another's error; was there a job?"""
    for item in periodic.due(name):
        try:
            item.function()
        except Exception:
            log.exception("the worker goes on after an error")
    try:
        job = queue.claim(worker, name) if queue.waits(name) else None
        if job is not None:
            run_job(job)
    except Exception:
        log.exception("the worker goes on after an error")
        return False
    return job is not None


def _reclaim() -> None:
    queue.reclaim(queue.worker_name())
