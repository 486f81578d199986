"""The country pack's words for codes."""

from typing import Any

from django.conf import settings

from tocsin import reference
from tocsin.doors.api.values import CharterClock, State


def state_of(status: str) -> State:
    """A status code with its plain words; the code itself where the pack has none."""
    pack = _pack()
    row = pack.statuses.get(status) if pack is not None else None
    return State(status, row.words, row.explained) if row is not None else State(status, status)


def charter_clocks() -> list[CharterClock]:
    """The clocks that this exchange itself promises."""
    pack = _pack()
    clocks = pack.clocks.values() if pack is not None else ()
    rows = [row for row in clocks if row.regime == "exchange"]
    return [CharterClock(row.clock_id, row.actor, row.what, row.duration, row.unit) for row in rows]


def _pack() -> Any:
    load = getattr(reference, "pack", None)
    return load(settings.COUNTRY_PACK) if load is not None else None
