"""Numbers that are not counted again for every reader: where they are large, and said with their instant."""

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache

T = TypeVar("T")
MANY = 5_000  # of whatever is counted: fewer are counted every time


def counted(
    name: str, count: Callable[[], T], size: Callable[[T], int], at: dt.datetime, seconds: int
) -> tuple[T, dt.datetime]:
    """What `count` gives, and when it was counted: of many things no longer ago than so many seconds."""
    known: tuple[T, dt.datetime] | None = cache.get(name)
    if known is not None:
        return known
    found = count()
    if size(found) > MANY:
        cache.set(name, (found, at), seconds)
    return found, at
