"""What is kept up to date within the very transaction that changes it: projections of the entries of an act.

A noun registers in its `AppConfig.ready()`. Its function is called once at the end of every act that has a
matching entry, before positions are given and so before the head is locked. It changes rows, records nothing.
"""

from collections.abc import Callable, Sequence

Happened = tuple[str, str]  # event, subject
Projection = Callable[[Sequence[Happened]], None]

_registered: dict[Projection, str] = {}


def follow(event_prefix: str, projection: Projection) -> None:
    """Call `projection` with the (event, subject) of every act's entries whose event begins so."""
    _registered[projection] = event_prefix


def run(happened: Sequence[Happened]) -> None:
    """Call each projection with what concerns it."""
    for projection, prefix in _registered.items():
        concerned = [pair for pair in happened if pair[0].startswith(prefix)]
        if concerned:
            projection(concerned)
