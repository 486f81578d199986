"""What was shared and belongs together by itself: campaigns as far as anybody may tell who reads the feeds.

Grounds are what the shared values say: addresses of one network, names below one domain. Who reported, which
reports are one case, and when they came is no part of it: nothing of that is read here.
"""

import datetime as dt
import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tocsin.sharing.publishing import hour_of
from tocsin.sharing.warning_lists import warning_lists

LEAST_ADDRESSES = 3  # of one network: two neighbours may be chance where many rent
LEAST_NAMES = 2  # below one domain, which somebody registered
PREFIX = {4: 24, 6: 48}  # what is announced, and given to one customer, as a whole


class Entry(NamedTuple):
    """One entry of a feed: the indicator's row, its kind of attack, when, and its value."""

    indicator: int
    kind: str
    at: dt.datetime
    is_name: bool
    value: str


@dataclass(frozen=True)
class Group:
    """Entries that belong together; `place` is the network or domain, `ground` the reason in words."""

    place: str
    ground: str
    entries: tuple[Entry, ...]


def groups(entries: Iterable[Entry]) -> tuple[Group, ...]:
    """What belongs together, by the ground, each value in one group; the largest first."""
    by_place: defaultdict[tuple[bool, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        place = domain_of(entry.value) if entry.is_name else network_of(entry.value)
        if place:
            by_place[entry.is_name, place].append(entry)
    found = []
    for (is_name, place), several in by_place.items():
        values = len({entry.indicator for entry in several})
        if values < (LEAST_NAMES if is_name else LEAST_ADDRESSES):
            continue
        ground = f"{values:,} names below one domain" if is_name else f"{values:,} addresses of one network"
        found.append((values, Group(place, ground, tuple(several))))
    return tuple(group for _, group in sorted(found, key=lambda one: (-one[0], one[1].place)))


def network_of(address: str) -> str:
    """The network that an address is held to be of."""
    length = PREFIX[ipaddress.ip_address(address).version]
    return str(ipaddress.ip_network(f"{address}/{length}", strict=False))


def domain_of(name: str) -> str:
    """The shortest domain, the name itself or one above it, that somebody has for itself; nothing if none is.

    What warning lists hold, public suffixes and hosts of anybody's names among them, is nobody's own.
    """
    labels, lists = name.split("."), warning_lists()
    for start in range(len(labels) - 2, -1, -1):
        domain = ".".join(labels[start:])
        is_anybodys = lists.of_name(domain) or lists.asks_of_name(f"any.{domain}")
        if not is_anybodys:
            return domain
    return ""


def by_hour(entries: Iterable[Entry], hours: Sequence[dt.datetime]) -> tuple[int, ...]:
    """How many different values each hour told of."""
    counts = Counter(hour for _, hour in {(entry.indicator, hour_of(entry.at)) for entry in entries})
    return tuple(counts[hour] for hour in hours)
