"""What a page says once although it holds several times: duties, logs and entries that read the same."""

import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from tocsin.cases.views import ClockView, HoldingView, TimelineItem

T = TypeVar("T")


def clocks(items: Iterable[ClockView]) -> list[tuple[ClockView, int]]:
    """Each duty that reads the same, by the minute, with how often it is owed."""
    return [(group[0], len(group)) for group in _grouped(items, _clock)]


def holdings(items: Iterable[HoldingView]) -> list[tuple[HoldingView, int]]:
    """Each log that reads the same, by the day, with how many there are."""
    return [(group[0], len(group)) for group in _grouped(items, _holding)]


def entries(items: Sequence[TimelineItem]) -> list[tuple[TimelineItem, list[int]]]:
    """Neighbours of one minute that read the same, with the journal positions of each."""
    found: list[tuple[TimelineItem, list[int]]] = []
    for item in items:
        if found and _entry(found[-1][0]) == _entry(item):
            found[-1][1].append(item.seq)
        else:
            found.append((item, [item.seq]))
    return found


def _grouped(items: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def _clock(clock: ClockView) -> Hashable:
    ended = clock.ended_at and _minute(clock.ended_at)
    return clock.clock_id, clock.what, clock.state, clock.escalation_words, _minute(clock.due_at), ended


def _holding(log: HoldingView) -> Hashable:
    days = (log.period_from.date(), log.period_to.date(), log.delete_at and log.delete_at.date())
    return log.member_name, log.log_words, days, log.clock_words, log.confirmed, log.is_gone


def _entry(item: TimelineItem) -> Hashable:
    return item.words, item.by, item.is_automatic, item.event, _minute(item.at)


def _minute(at: dt.datetime) -> dt.datetime:
    return at.replace(second=0, microsecond=0)
