"""Instants: always UTC, always aware, spelled as RFC 3339 with `Z`."""

import datetime as dt

UTC = dt.UTC


def now() -> dt.datetime:
    """This instant, UTC, microseconds."""
    return dt.datetime.now(UTC)


def rfc3339(instant: dt.datetime) -> str:
    """`2026-11-22T01:02:03Z`, with six digits of fraction only where there is one."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return utc.isoformat()[:-6] + "Z"


def parse_rfc3339(text: str) -> dt.datetime:
    """The instant that an RFC 3339 date-time names, in UTC. Raises ValueError where the offset is missing."""
    instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"no offset from UTC in {text!r}")
    return instant.astimezone(UTC)
