"""Attacks as a table that fits 80 columns."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TextIO

from tocsin.cli.terminal import colour, printable
from tocsin.kernel.time import parse_rfc3339
from tocsin.sift.values import Attack

MOST_ROWS = 100
_SHORT = {  # what a table has room for, where the type's own words are too long
    "unprivileged-account-compromise": "account taken",
    "privileged-account-compromise": "root taken",
    "application-compromise": "application taken",
    "system-compromise": "system taken",
    "malware-distribution": "malware offered",
    "unauthorised-information-access": "data read",
    "potentially-unwanted-accessible": "open service",
}
WIDTH = 80
_COLOURS = {"critical": "red", "high": "red", "medium": "yellow", "low": "bold", "info": "dim"}
_YIELDING = {2: 15, 3: 8, 1: 11}  # columns that may be shortened, in this order, and to what


def lines(attacks: Sequence[Attack], stream: TextIO, limit: int | None = MOST_ROWS) -> Iterator[str]:
    """The table, worst first, times in this machine's zone; nothing for no attacks."""
    if not attacks:
        return
    zone = dt.datetime.now().astimezone().tzname() or "local"
    head = ("severity", "what", "origin", "on", "seen", f"from ({zone})", "for")
    rows = [_row(attack) for attack in attacks[:limit]]
    widths = _fit([max(len(row[column]) for row in [head, *rows]) for column in range(len(head))])
    yield _line(head, widths)
    for row in rows:
        yield colour(_line(row, widths), _COLOURS[row[0]], stream)
    if any(attack.own for attack in attacks[:limit]):
        yield "  * yours"
    if limit is not None and len(attacks) > limit:
        yield f"  … and {len(attacks) - limit:,} more: --all shows them, --json gives them whole"


def _row(attack: Attack) -> tuple[str, ...]:
    first, last = parse_rfc3339(attack.first_seen_at), parse_rfc3339(attack.last_seen_at)
    return (
        attack.severity,
        _what(attack.kind),
        _origin(attack),
        printable(attack.targets[0] if attack.targets else "-") + "*" * ("target" in attack.own),
        f"{attack.count:,}",
        _when(first.astimezone()),
        duration(int((last - first).total_seconds())),
    )


def _when(at: dt.datetime) -> str:
    """`10 Dec 06:55`; what is not of this year with its year instead of the time."""
    this_year = at.year == dt.datetime.now(at.tzinfo).year
    return (f"{at:%d %b %H:%M}" if this_year else f"{at:%d %b %Y}").lstrip("0")


def _origin(attack: Attack) -> str:
    """The origin; of a flood how many it seemed to come from. `*` marks what is the provider's own."""
    if attack.vector or not attack.origins:
        return f"{attack.origin_count or len(attack.origins):,} origins"
    return printable(attack.origins[0]) + "*" * ("origin" in attack.own)


def _what(kind: str) -> str:
    name = kind.partition("/")[2]
    return _SHORT.get(name) or printable(name.replace("-", " "))


def duration(seconds: int) -> str:
    """`-`, `41 s`, `12 min`, `1 h 58 min`, `3 d 2 h`."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if seconds == 0:
        return "-"
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def _fit(widths: list[int]) -> list[int]:
    """Widths that fit: long origins, targets and names give way."""
    for column, least in _YIELDING.items():
        over = sum(widths) + len(widths) + 1 - WIDTH
        if over > 0:
            widths[column] = max(min(widths[column], least), widths[column] - over)
    return widths


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    apart = "  " if sum(widths) + 2 * len(widths) <= WIDTH else " "
    columns = enumerate(zip(cells, widths, strict=True))
    padded = [_pad(_short(cell, width), width, right=column == 4) for column, (cell, width) in columns]
    return ("  " + apart.join(padded)).rstrip()


def _pad(text: str, width: int, *, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


def _short(text: str, width: int) -> str:
    """The text in at most `width` signs, the middle left out."""
    if len(text) <= width:
        return text
    return text[: width - width // 2 - 1] + "…" + text[len(text) - width // 2 :]
