"""How long a log still lives, and how far its clock can be trusted."""

import datetime as dt

EXPIRING_WITHIN = dt.timedelta(days=3)  # as long before as P07 warns


def days_left(delete_at: dt.datetime | None, at: dt.datetime) -> int | None:
    """Whole days until the log is destroyed, 0 on its last day and after; None without a date."""
    return None if delete_at is None else max((delete_at - at).days, 0)


def is_gone(delete_at: dt.datetime | None, at: dt.datetime) -> bool:
    """Has the log been destroyed?"""
    return delete_at is not None and delete_at <= at


def is_expiring(delete_at: dt.datetime | None, at: dt.datetime) -> bool:
    """Will the log be destroyed within three days?"""
    return delete_at is not None and at < delete_at <= at + EXPIRING_WITHIN


def clock_words(error_ms: int | None, source: str) -> str:
    """`clock within 20 ms (ntp)`, or that nobody has measured it."""
    measured = f"clock within {_span(error_ms)}" if error_ms is not None else "clock error not measured"
    return measured if source in ("", "unknown") else f"{measured} ({source})"


def _span(error_ms: int) -> str:
    return f"{error_ms} ms" if error_ms < 1_000 else f"{error_ms / 1_000:g} s"
