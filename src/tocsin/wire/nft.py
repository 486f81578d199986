"""Two nftables sets as a file for `nft -f`: replaced in one transaction, every address with its own end."""

import datetime as dt
from collections.abc import Iterable, Iterator

from tocsin.wire.lists import class_line

TABLE = "inet tocsin"
SETS = (("shared4", "ipv4_addr"), ("shared6", "ipv6_addr"))
COMMENT = "#"

Group = tuple[str, Iterable[tuple[str, dt.datetime]]]  # a class of attack, and its addresses with their ends


def ruleset(groups: Iterable[Group], number: int, at: dt.datetime | None, circle: str = "") -> Iterator[str]:
    """The file's parts: table and sets made where they are missing, emptied, and filled.

    Each address carries the seconds from `at`, the list's date, to its expiry, so that the kernel drops it by
    itself if no newer list comes. The sets count (`counter`); which traffic they drop is the reader's to say.
    A comment says for which class of attack the addresses after it are listed. A community's sets have its
    slug, `circle`, before their names.
    """
    sets = {f"{circle}-{name}" if circle else name: kind for name, kind in SETS}
    yield (
        f"# Tocsin: shared addresses, list {number}\n"
        f"# Drop them by a rule of your own, such as: {TABLE} input ip saddr @{next(iter(sets))} drop\n"
        f"add table {TABLE}\n"
    )
    for name, kind in sets.items():
        yield f"add set {TABLE} {name} {{ type {kind}; flags interval, timeout; counter; }}\n"
        yield f"flush set {TABLE} {name}\n"
    four, six = sets
    ends: dict[dt.datetime, str] = {}
    for kind, addresses in groups:
        yield class_line(COMMENT, kind)
        by_set: dict[str, list[str]] = {four: [], six: []}
        for value, until in addresses:
            end = ends.get(until)
            if end is None:
                left = int((until - at).total_seconds()) if at is not None else 0
                end = ends[until] = f" timeout {max(left, 1)}s"
            by_set[six if ":" in value else four].append(value + end)
        for name, elements in by_set.items():
            if elements:
                yield f"add element {TABLE} {name} {{\n"
                yield ",\n".join(elements)
                yield "\n}\n"
