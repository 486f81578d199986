"""How sure the exchange is, from independent voices and each source's own record. Pure sums over data.

Certainty is a sum of log-odds: a prior, and for each independent voice the log-odds that its best-known
speaker has been right before (a Beta prior over its record). The figures are data: `confidence.toml`.
"""

import datetime as dt
import math
import os
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

STIX = {"high": 85, "medium": 50, "low": 15, "none": 0}


class OfSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes a source's weight."""

    right: float
    wrong: float
    listed: float
    alone: float
    least: float
    most: float
    window_days: float


class OfReaders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a reader is late, silent, or counted at all; minutes by the way in which it reads."""

    within_minutes: dict[str, float]
    silent_minutes: dict[str, float]
    counted_after_minutes: float
    counted_days: float

    def within(self, way: str) -> dt.timedelta:
        """How long a reader has to take a withdrawal."""
        return dt.timedelta(minutes=self.within_minutes[way])

    def silent(self, way: str) -> dt.timedelta:
        """After which a reader that asks no more is silent."""
        return dt.timedelta(minutes=self.silent_minutes[way])


class OfSightings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far sightings keep something listed, and from how many members they are told."""

    longest_days: dict[str, float]
    least_members: int

    def longest(self, kind: str) -> dt.timedelta:
        """How long after the last word sightings alone keep it listed."""
        return dt.timedelta(days=self.longest_days[kind])


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The figures of `confidence.toml`."""

    prior: float
    enough: float
    appeal_working_days: int
    source: OfSource
    half_life_days: dict[str, float]
    expiry_days: dict[str, float]
    bands: dict[str, float]
    readers: OfReaders
    sightings: OfSightings

    def expiry(self, kind: str) -> dt.timedelta:
        """How long a word of this kind stands."""
        return dt.timedelta(days=self.expiry_days[kind])


class Record(msgspec.Struct, frozen=True):
    """How a source's words of the last months ended.

    Confirmed by another voice, refused by a person, about something that may never be shared, or confirmed by
    nobody within their life.
    """

    right: int = 0
    wrong: int = 0
    listed: int = 0
    alone: int = 0


def own_file() -> Path | None:
    """The exchange's own figures, where TOCSIN_CONFIDENCE names a file."""
    name = os.environ.get("TOCSIN_CONFIDENCE")
    return Path(name) if name else None


@cache
def figures(own: Path | None = None) -> Figures:
    """The figures as shipped, with what an exchange's own file changes. Raises ValueError."""
    shipped = tomllib.loads(resources.files(__package__).joinpath("confidence.toml").read_text("utf-8"))
    changes = tomllib.loads(own.read_text("utf-8")) if own is not None else {}
    try:
        return msgspec.convert(merged(shipped, changes), Figures)
    except msgspec.ValidationError as problem:
        raise ValueError(f"{own or 'confidence.toml'}: {problem}") from None


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of `base` with those that an exchange changes."""
    return dict(base) | {
        key: merged(base.get(key, {}), value) if isinstance(value, dict) else value
        for key, value in changes.items()
    }


def weight_of(record: Record, known: Figures) -> float:
    """What one word of this source adds, in log-odds."""
    source = known.source
    right = source.right + record.right
    wrong = source.wrong + record.wrong + source.listed * record.listed + source.alone * record.alone
    return min(max(math.log(right / wrong), source.least), source.most)


def certainty(weights: Iterable[float], known: Figures) -> float:
    """The probability, 0 to 1, that independent voices of these weights are right together."""
    return 1 / (1 + math.exp(-known.prior - sum(weights)))


def faded(weight: float, age: dt.timedelta, kind: str, known: Figures) -> float:
    """What a word of that age still weighs."""
    days = max(age.total_seconds(), 0) / 86_400
    return float(weight * 0.5 ** (days / known.half_life_days[kind]))


def band(sure: float, known: Figures) -> str:
    """The certainty in a word that does not count the sources: `high`, `medium`, `low` or `none`."""
    return next((name for name in ("high", "medium", "low") if sure >= known.bands[name]), "none")


def stix(sure: float, known: Figures) -> int:
    """The same band as STIX 2.1 tells it (appendix A, none, low, medium, high): one value for each band."""
    return STIX[band(sure, known)]
