"""Functions that the worker runs again and again: clock sweeps, heads to publish."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Periodic:
    """A function, its interval, and when it ran last by the monotonic clock."""

    seconds: float
    function: Callable[[], object]
    ran: float = field(default=float("-inf"))

    def is_due(self, clock: float) -> bool:
        return clock - self.ran >= self.seconds


_registered: dict[Callable[[], object], Periodic] = {}


def every(seconds: float, function: Callable[[], object]) -> None:
    """Run `function` at the worker's start and then every so many seconds; it must bear to be run twice.

    Registered in an `AppConfig.ready()`. Registering again changes the interval.
    """
    _registered[function] = Periodic(seconds, function)


def due() -> list[Periodic]:
    """What is due now; counts as run from here."""
    clock = time.monotonic()
    ready = [periodic for periodic in _registered.values() if periodic.is_due(clock)]
    for periodic in ready:
        periodic.ran = clock
    return ready
