"""Functions that the worker runs again and again."""

from collections.abc import Callable

_registered: dict[Callable[[], object], float] = {}


def every(seconds: float, function: Callable[[], object]) -> None:
    """Have the worker run `function` every so many seconds. Registering twice changes nothing."""
    _registered[function] = seconds
