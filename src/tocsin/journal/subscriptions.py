"""Who hears of new entries: tasks, enqueued in the transaction that appended them.

A noun subscribes in its `AppConfig.ready()`. Nothing is polled and nothing can be missed: the job commits
with the entries or not at all.
"""

from collections.abc import Sequence
from typing import Any, Protocol


class Enqueueable(Protocol):
    """A django-tasks task of (first_seq, last_seq)."""

    def enqueue(self, first_seq: int, last_seq: int, /) -> Any:
        """Put it into the queue."""


_subscribed: dict[Enqueueable, set[str]] = {}


def subscribe(event_prefix: str, task: Enqueueable) -> None:
    """Enqueue `task(first_seq, last_seq)` once for every act with an entry whose event begins so.

    The positions span the act's matching entries; others may lie between them, so the task reads
    `queries.entries(first_seq, last_seq, event_prefix)`. Subscribing twice changes nothing.
    """
    _subscribed.setdefault(task, set()).add(event_prefix)


def unsubscribe(task: Enqueueable) -> None:
    """Forget every subscription of a task."""
    _subscribed.pop(task, None)


def announce(first_seq: int, events: Sequence[str]) -> None:
    """Enqueue a job for each task that hears of any of these events, the first of which is at `first_seq`."""
    known = dict.fromkeys(events)
    for task, prefixes in _subscribed.items():
        heard = {event for event in known if event.startswith(tuple(prefixes))}
        if heard:
            places = [offset for offset, event in enumerate(events) if event in heard]
            task.enqueue(first_seq + places[0], first_seq + places[-1])
