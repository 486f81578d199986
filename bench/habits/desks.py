"""People, hours and minutes: when a piece of work is done, by whoever has time for it."""

import datetime as dt
import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from tocsin.nation.people import Officer

LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Session:
    """The minutes that one officer has on one day, from an instant (UTC)."""

    starts_at: dt.datetime
    minutes: float
    officer: Officer


def sessions(officers: Sequence[Officer], first_day: dt.date, days: int, hours: float = 1.0) -> list[Session]:
    """Every officer's working days, in order; `hours` multiplies the minutes that each has."""
    found = [
        Session(_wall(day, officer.works_from), officer.minutes_a_day * hours, officer)
        for day in (first_day + dt.timedelta(days=number) for number in range(days))
        for officer in officers
        if day.isoweekday() in officer.weekdays
    ]
    return sorted(found, key=lambda one: (one.starts_at, one.officer.email))


def _wall(day: dt.date, time: str) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(time), LONDON).astimezone(dt.UTC)


@dataclass(order=True)
class Work:
    """Something that takes minutes at one unit, not before `ready_at`; the lowest `rank` goes first."""

    rank: tuple[float, ...]
    number: int
    ready_at: dt.datetime = field(compare=False)
    minutes: float = field(compare=False)
    gives_up_at: dt.datetime | None = field(default=None, compare=False)


def work_off(pile: Iterable[Work], shifts: Iterable[Session]) -> Iterator[tuple[Work, dt.datetime]]:
    """What one unit gets done, with the instant at which each piece is done; the rest never is.

    A piece that is begun is finished: in a later session where the minutes of this one are over.
    """
    coming = deque(sorted(pile, key=lambda work: work.ready_at))
    waiting: list[Work] = []
    begun: tuple[Work, float] | None = None
    for shift in shifts:
        left = shift.minutes
        while left > 0:
            at = shift.starts_at + dt.timedelta(minutes=shift.minutes - left)
            while coming and coming[0].ready_at <= at:
                heapq.heappush(waiting, coming.popleft())
            if begun is None:
                begun = _next(waiting, at)
            if begun is None:
                break
            work, missing = begun
            spent = min(left, missing)
            left -= spent
            begun = (work, missing - spent) if missing > spent else None
            if begun is None:
                yield work, at + dt.timedelta(minutes=spent)


def _next(waiting: list[Work], at: dt.datetime) -> tuple[Work, float] | None:
    while waiting:
        work = heapq.heappop(waiting)
        if work.gives_up_at is None or work.gives_up_at > at:
            return work, work.minutes
    return None
