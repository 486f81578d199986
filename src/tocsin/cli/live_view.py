"""What `tocsin watch` shows: attacks now, rate, backlog, rejected; a line a minute where nobody watches."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from tocsin.cli import terminal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from tocsin.sift.live.meters import Meters

A_MINUTE = 60.0
REDRAWN = 0.5
ROWS = 12


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

    with Live(console=Console(stderr=True), refresh_per_second=4, screen=False) as live:
        yield Screen(live)


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
    """A table that is drawn anew."""

    def __init__(self, live: "Live") -> None:
        self._live = live
        self._drawn = 0.0
        self._before: tuple[float, int] | None = None
        self._rate = 0.0

    def show(self, meters: "Meters") -> None:
        """Draw the table again, twice a second at most."""
        at = time.monotonic()
        if at - self._drawn < REDRAWN:
            return
        if self._before is not None and at > self._before[0]:
            now = (meters.bytes_read - self._before[1]) / (at - self._before[0])
            self._rate = 0.7 * self._rate + 0.3 * now
        self._before, self._drawn = (at, meters.bytes_read), at
        self._live.update(self._drawing(meters))

    def say(self, text: str) -> None:
        """Above the table."""
        self._live.console.print(f"  {text}", highlight=False, markup=False)

    def _drawing(self, meters: "Meters") -> "RenderableType":
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for name in ("last seen", "severity", "what", "origin", "on"):
            table.add_column(name, no_wrap=True, overflow="ellipsis")
        table.add_column("seen", justify="right")
        for attack in meters.newest[:ROWS]:
            what = attack.kind.rpartition("/")[2].replace("-", " ")
            origin = attack.origins[0] if len(attack.origins) == 1 else f"{attack.origin_count:,} origins"
            table.add_row(
                attack.last_seen_at[11:19],
                attack.severity,
                what,
                origin,
                attack.targets[0],
                f"{attack.count:,}",
            )
        lines = [
            Text(headline(meters)),
            Text(f"{self._rate / 1e6:,.1f} MB/s, {meters.backlog / 1e6:,.1f} MB behind"),
        ]
        if meters.fault:
            lines.append(Text(f"the exchange: {meters.fault}"))
        empty = Text("no attacks yet") if not meters.newest else table
        return Group(*lines, Text(), empty)


def headline(meters: "Meters") -> str:
    """The state of a watch in one line."""
    return (
        f"{meters.lines:,} lines, {meters.observed:,} observed, {meters.rejected:,} rejected; "
        f"{meters.sent:,} reports sent, {meters.pending:,} wait"
    )
