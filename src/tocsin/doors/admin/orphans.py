"""Ending with the process that started this one, however that ended."""

import os
import threading
from collections.abc import Callable

POLL_SECONDS = 0.5


def orphan_test() -> Callable[[], bool]:
    """A function that says whether the parent of now is gone."""
    parent = os.getppid()
    return lambda: os.getppid() != parent


def end_with_parent() -> None:
    """Exit at once when the parent is gone: a killed server must not leave half of itself behind."""
    is_orphaned, never = orphan_test(), threading.Event()

    def watch() -> None:
        while not is_orphaned():
            never.wait(POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
