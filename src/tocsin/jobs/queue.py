"""The queue of background jobs: claiming, finishing, putting back. No job is ever lost.

Rows are those of django-tasks-db. A claim is one conditional update, so it needs no lock on either engine.
A finished job's row is removed: the journal, not the queue, remembers what was done.
"""

import datetime as dt
import os
import socket
from traceback import format_exception
from typing import Any

from django.db import connection
from django.db.models import F
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult, get_date_max

from tocsin.kernel.time import now

LEASE = dt.timedelta(minutes=10)  # after which a job of a worker elsewhere counts as abandoned
ORDINARY, WARNINGS = "default", "warnings"  # what may wait, and what a network is protected by
WAITS = f"SELECT 1 FROM {DBTaskResult._meta.db_table} WHERE status = %s AND queue_name = %s LIMIT 1"  # noqa: S608
FIRST_RETRY = dt.timedelta(seconds=2)
LAST_RETRY = dt.timedelta(hours=1)


def worker_name() -> str:
    """This process, as the queue names it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def waits(name: str) -> bool:
    """Is there any job in the queue of this name, due or not? The cheapest of questions, asked all day."""
    with connection.cursor() as cursor:
        cursor.execute(WAITS, (TaskResultStatus.READY.value, name))
        return cursor.fetchone() is not None


def claim(worker: str, name: str | None = None) -> "DBTaskResult[Any, Any] | None":
    """The next job that is due in the queue of this name, or in any; now this worker's. None: no job."""
    waiting = DBTaskResult.objects.ready()
    if name is not None:
        waiting = waiting.filter(queue_name=name)
    while True:
        # Due jobs that were put back carry an instant, fresh ones the end of time: oldest job first.
        job = waiting.order_by("enqueued_at", "id").first()
        if job is None:
            return None
        claimed = DBTaskResult.objects.filter(pk=job.pk, status=TaskResultStatus.READY).update(
            status=TaskResultStatus.RUNNING, started_at=now(), worker_ids=[*job.worker_ids, worker]
        )
        if claimed:
            job.worker_ids.append(worker)
            return job


def finish(job: "DBTaskResult[Any, Any]") -> None:
    """The job is done."""
    DBTaskResult.objects.filter(pk=job.pk).delete()


def put_back(job: "DBTaskResult[Any, Any]", error: Exception) -> dt.datetime:
    """The job failed: keep it with its error and try again, each time twice as late, at most an hour.

    Gives the instant of the next try.
    """
    attempts = len(job.worker_ids)
    wait: dt.timedelta = min(FIRST_RETRY * 2 ** min(attempts - 1, 16), LAST_RETRY)
    due = now() + wait
    DBTaskResult.objects.filter(pk=job.pk).update(
        status=TaskResultStatus.READY,
        run_after=due,
        exception_class_path=f"{type(error).__module__}.{type(error).__qualname__}",
        traceback="".join(format_exception(error)),
    )
    return due


def reclaim(worker: str) -> int:
    """Put back the jobs of workers that are gone: dead on this machine, or silent for ten minutes elsewhere.

    They may have been half done when power or a signal took the worker, which is why every task is written
    to be run twice. A job that `worker` itself still holds while it asks, between two jobs, is one that it
    could not put back. Gives their number.
    """
    reclaimed = 0
    for job in DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING):
        holder = job.worker_ids[-1] if job.worker_ids else ""
        if holder == worker or _is_gone(holder, job.started_at):
            DBTaskResult.objects.filter(pk=job.pk, status=TaskResultStatus.RUNNING).update(
                status=TaskResultStatus.READY, run_after=get_date_max()
            )
            reclaimed += 1
    return reclaimed


def failing(attempts: int = 3) -> "list[DBTaskResult[Any, Any]]":
    """Jobs that have failed so often that somebody should look."""
    waiting = DBTaskResult.objects.filter(status=TaskResultStatus.READY).exclude(exception_class_path="")
    return [job for job in waiting.order_by(F("enqueued_at")) if len(job.worker_ids) >= attempts]


def _is_gone(holder: str, started_at: dt.datetime | None) -> bool:
    host, _, pid = holder.rpartition(":")
    if started_at is None or now() - started_at > LEASE:
        return True
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
