"""Who was sent away at a door, counted by reason: for the metrics, and to be said once."""

import threading
from collections import Counter

MOST = 50  # different reasons; what a stranger sends must not fill the memory
OTHER = "another reason"


class Refusals:
    """How often a door refused, by reason; and the first who was refused for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def add(self, reason: str, peer: str = "") -> None:
        """Count one."""
        with self._lock:
            if reason not in self._counts and len(self._counts) >= MOST:
                reason = OTHER
            self._first.setdefault(reason, peer)
            self._counts[reason] += 1

    def counts(self) -> dict[str, int]:
        """How often, by reason, so far."""
        with self._lock:
            return dict(self._counts)

    def words(self, reason: str) -> str:
        """One reason as it is said."""
        peer = self._first[reason]
        return f"refused: {reason}" + (f" (first to {peer})" if peer else "")
