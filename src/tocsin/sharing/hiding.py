"""How a source is hidden, as figures: epochs of pseudonyms, batches, and what opening one takes.

The figures are data: `hiding.toml`, and an exchange's own changes where TOCSIN_HIDING names a file.
"""

import datetime as dt
import os
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec

from tocsin.sharing.confidence import merged


class OfPseudonyms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a pseudonym is one source's, and how long it can be opened."""

    epoch_days: int
    kept_days: int


class OfBatches(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the words of small sources are closed into a batch, and how long it takes to leave."""

    every_minutes: int
    words: int
    members: int
    spread_hours: int
    most_hours: int

    def tick(self, at: dt.datetime) -> dt.datetime:
        """The fixed instant, at or before this one, at which a batch could last be closed."""
        every = dt.timedelta(minutes=self.every_minutes)
        return at - (at - EPOCH) % every

    def is_due(self, waiting: int, members: int, oldest: dt.datetime, tick: dt.datetime) -> bool:
        """Are so many words of so many members, said before `tick`, closed into a batch at it?

        The oldest never waits for another tick that would come too late.
        """
        next_tick = tick + dt.timedelta(minutes=self.every_minutes)
        is_full = waiting >= self.words and members >= self.members
        return is_full or oldest + dt.timedelta(hours=self.most_hours - self.spread_hours) < next_tick


class OfOpenings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long an opening may take, and when the member hears of it."""

    lapses_days: int
    told_hours: int
    harm_days: int

    @property
    def lapse(self) -> dt.timedelta:
        """How long a request waits for a decision, and a name for whoever may read it."""
        return dt.timedelta(days=self.lapses_days)

    def told_after(self, is_harmful: bool) -> dt.timedelta:
        """How long after the opening the member is told."""
        return dt.timedelta(days=self.harm_days) if is_harmful else dt.timedelta(hours=self.told_hours)


class Hiding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The figures of `hiding.toml`."""

    pseudonym: OfPseudonyms
    batch: OfBatches
    opening: OfOpenings


EPOCH = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)  # a Monday, from which epochs and ticks are counted


@cache
def figures(own: Path | None = None) -> Hiding:
    """The figures as shipped, with what an exchange's own file changes. Raises ValueError."""
    shipped = tomllib.loads(resources.files(__package__).joinpath("hiding.toml").read_text("utf-8"))
    changes = tomllib.loads(own.read_text("utf-8")) if own is not None else {}
    try:
        return msgspec.convert(merged(shipped, changes), Hiding)
    except msgspec.ValidationError as problem:
        raise ValueError(f"{own or 'hiding.toml'}: {problem}") from None


def own_file() -> Path | None:
    """The exchange's own figures, where TOCSIN_HIDING names a file."""
    name = os.environ.get("TOCSIN_HIDING")
    return Path(name) if name else None


DEFAULTS = figures(own_file())
