"""Functions that a worker runs again and again: clock sweeps, heads to publish."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tocsin.jobs.queue import ORDINARY


@dataclass
class Periodic:
    """A function, its interval, the queue whose worker runs it, and when it ran last (monotonic clock)."""

    seconds: float
    function: Callable[[], object]
    queue: str
    ran: float = field(default=float("-inf"))

    def is_due(self, clock: float) -> bool:
        return clock - self.ran >= self.seconds


_registered: dict[Callable[[], object], Periodic] = {}


def every(seconds: float, function: Callable[[], object], *, queue: str = ORDINARY) -> None:
    """Run `function` at a worker's start and then every so many seconds; it must bear to be run twice.

    Registered in an `AppConfig.ready()`. Registering again changes the interval.
    """
    _registered[function] = Periodic(seconds, function, queue)


def due(queue: str) -> list[Periodic]:
    """What is due now for the worker of this queue; counts as run from here."""
    clock = time.monotonic()
    ready = [one for one in _registered.values() if one.queue == queue and one.is_due(clock)]
    for periodic in ready:
        periodic.ran = clock
    return ready
