"""What `tocsin watch` shows: attacks now, rate, backlog, rejected; a line a minute where nobody watches."""

import datetime as dt
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from tocsin.cli import table, terminal

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.text import Text

    from tocsin.sift.live.meters import Meters
    from tocsin.sift.values import Attack

A_MINUTE = 60.0
REDRAWN = 0.5
MESSAGES = 4
# Names of the terminal's own palette, and weight: readable on dark and light, and without colour.
HEADINGS = ("seen (UTC)", "severity", "times", "what", "origin", "on")
WHAT, ORIGIN, ON = 3, 4, 5
GAP = "  "
MOST_WHAT, LEAST = 20, 8  # columns of the terminal
STYLES = {"critical": "bold red", "high": "bold red", "medium": "bold", "low": "", "info": "dim"}


class View(Protocol):
    """Shows meters and says what happens."""

    def show(self, meters: "Meters") -> None:
        """The meters as they are now."""

    def say(self, text: str) -> None:
        """Something a person should know."""


@contextmanager
def view_of(*, plain: bool) -> Iterator[View]:
    """A live view of the terminal, or plain lines on standard error."""
    if plain:
        yield Lines()
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    with Live(console=console, refresh_per_second=4, screen=True, vertical_overflow="crop") as live:
        screen = Screen(live)
        try:
            yield screen
        finally:
            live.stop()
            screen.say_again()  # what was said went with the screen


class Lines:
    """One line a minute."""

    def __init__(self) -> None:
        self._shown = time.monotonic()
        self._lines = 0

    def show(self, meters: "Meters") -> None:
        """A line when a minute is over and something happened."""
        if time.monotonic() - self._shown >= A_MINUTE and meters.lines != self._lines:
            self._shown, self._lines = time.monotonic(), meters.lines
            self.say(headline(meters))

    def say(self, text: str) -> None:
        """On standard error."""
        terminal.say(text)


class Screen:
    """A page that is drawn anew, as large as the terminal is at that moment."""

    def __init__(self, live: "Live") -> None:
        self._live = live
        self._drawn = 0.0
        self._before: tuple[float, int] | None = None
        self._rate = 0.0
        self._said: deque[str] = deque(maxlen=MESSAGES)

    def show(self, meters: "Meters") -> None:
        """Draw the page again, twice a second at most."""
        at = time.monotonic()
        if at - self._drawn < REDRAWN:
            return
        if self._before is not None:
            now = (meters.bytes_read - self._before[1]) / (at - self._before[0])
            self._rate = 0.7 * self._rate + 0.3 * now
        self._before, self._drawn = (at, meters.bytes_read), at
        self._live.update(page(meters, self._rate, list(self._said), self._live.console))

    def say(self, text: str) -> None:
        """Below the attacks, with the time, as long as nothing newer needs the room."""
        self._said.append(f"{dt.datetime.now():%H:%M:%S} {text}")  # noqa: DTZ005 (the clock of who looks at it)

    def say_again(self) -> None:
        """Leave the last of it on the terminal."""
        for text in self._said:
            terminal.say(text)


def page(meters: "Meters", rate: float, said: list[str], console: "Console") -> "RenderableType":
    """Everything on one page of a terminal: how it goes, what is wrong, the latest attacks, what was said."""
    from rich.console import Group
    from rich.text import Text

    def line(text: str, style: str = "") -> Text:
        return Text(text, style=style, no_wrap=True, overflow="ellipsis")

    up = table.duration(max(round(time.monotonic() - meters.started), 1))
    sources = f"{meters.source_count:,} source{'s' * (meters.source_count != 1)}"
    head = [
        line(f"tocsin watch: {sources}, since {up}", "bold"),
        line(f"{meters.lines:,} lines: {meters.observed:,} observed, {meters.rejected:,} rejected"),
        line(f"reading {size(rate)}/s, {size(meters.backlog)} behind"),
        line(_told(meters)),
    ]
    faults = [line(f"! {fault}", "bold red") for fault in meters.faults]
    room = console.height - len(head) - min(len(faults), 5) - len(said) - 5
    more = [line(f"! and {len(faults) - 4} more", "bold red")] if len(faults) > 5 else []
    faults = [*faults[: 5 - len(more)], *more]
    shown = [line(text, "dim") for text in said]
    return Group(*head, *faults, Text(), *_attacks(meters, max(room, 1), console.width), Text(), *shown)


def _attacks(meters: "Meters", room: int, width: int) -> list["Text"]:
    from rich.text import Text

    if not meters.newest:
        return [Text("no attacks since this watch began")]
    today = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    shown = meters.newest[:room]
    rows = [HEADINGS, *(_row(attack, today) for attack in shown)]
    widths = _widths(rows, width)
    styles = ["bold", *(STYLES[attack.severity] for attack in shown)]
    return [
        Text(GAP.join(map(_fitted, row, widths)).rstrip(), style=style, no_wrap=True, overflow="crop")
        for row, style in zip(rows, styles, strict=True)
    ]


def _widths(rows: Sequence[tuple[str, ...]], width: int) -> list[int]:
    """Every column as wide as it needs; where that is too much, the target gives way, then the origin."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[WHAT] = min(widths[WHAT], MOST_WHAT)
    over = sum(widths) + len(GAP) * (len(widths) - 1) - width
    while over > 0 and max(widths[ORIGIN], widths[ON]) > LEAST:
        is_origin = widths[ON] <= LEAST or widths[ORIGIN] > widths[ON] + LEAST
        widths[ORIGIN if is_origin else ON] -= 1
        over -= 1
    return widths


def _fitted(text: str, width: int) -> str:
    cut = text if len(text) <= width else text[: width - 1] + "…"
    return cut.rjust(width) if text.replace(",", "").isdigit() else cut.ljust(width)


def _row(attack: "Attack", today: str) -> tuple[str, str, str, str, str, str]:
    at = attack.last_seen_at
    origin = attack.origins[0] if len(attack.origins) == 1 else f"{attack.origin_count:,} origins"
    return (
        at[11:19] if at.startswith(today) else f"{at[5:10]} {at[11:16]}",
        attack.severity,
        f"{attack.count:,}",
        attack.kind.rpartition("/")[2].replace("-", " "),
        origin,
        ", ".join(attack.targets) or "-",
    )


def _told(meters: "Meters") -> str:
    if not meters.to and not meters.untold:
        return "nothing is reported"
    told = f"{meters.sent:,} reports sent, {meters.pending:,} wait"
    told += f", {meters.refused:,} refused" if meters.refused else ""
    told += f"; {meters.untold:,} wait for SIEM or tickets" if meters.untold else ""
    return told


def size(number: float) -> str:
    """Bytes as a person reads them: `0 B`, `12.3 MB`."""
    for unit in ("B", "kB", "MB"):
        if number < 999.5:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} GB"


def headline(meters: "Meters") -> str:
    """The state of a watch in one line."""
    line = (
        f"{meters.lines:,} lines, {meters.observed:,} observed, {meters.rejected:,} rejected; "
        f"{meters.sent:,} reports sent, {meters.pending:,} wait"
    )
    return "; ".join([line, *meters.faults])
