"""Background work of figures: count again when the last count is old, beside the worker's jobs."""

import logging
import threading

from django.db import connections

from tocsin.figures import queries

log = logging.getLogger("tocsin.figures")
_counting = threading.Lock()


def keep_fresh() -> None:
    """What the worker runs every fifteen seconds: counts in a thread of its own, one at a time.

    A count of a million reports takes many seconds, and in the worker's own turn every warning and every
    notice would wait for it.
    """
    if _counting.acquire(blocking=False):
        threading.Thread(target=_count, name="figures", daemon=True).start()


def _count() -> None:
    try:
        queries.refresh()
    except Exception:
        log.exception("the figures could not be counted; the last count stands")
    finally:
        connections.close_all()
        _counting.release()
