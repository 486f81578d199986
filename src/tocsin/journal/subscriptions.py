"""Who hears of new entries."""

from typing import Any

_subscribed: list[tuple[str, Any]] = []


def subscribe(event_prefix: str, task: Any) -> None:
    """Enqueue `task(first_seq, last_seq)` once for every act with an entry whose event begins so."""
    _subscribed.append((event_prefix, task))
