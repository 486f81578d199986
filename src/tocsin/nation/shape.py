"""What a nation is made from: a seed and a size. Everything else follows, byte for byte."""

import datetime as dt
import random
from dataclasses import dataclass

from tocsin.kernel.problems import BadInput

MOST_PROVIDERS = 400  # as many as there are networks for
MOST_DAYS = 366
MOST_INTENSE = 1_000
MOST_NOISE = 40
_EPOCH = dt.date(1970, 1, 1)
FIRST_DAY = dt.date(2026, 10, 5)  # a Monday; thirty days from it cross the end of summer time


@dataclass(frozen=True)
class Shape:
    """Seed, size and first day (UTC) of a nation. Raises BadInput for a size that cannot be made.

    `intensity` multiplies the campaigns: a few providers then see what the largest of a country sees. `noise`
    multiplies what misleads: people who mistype, old jobs and monitors, and days whose log is lost.
    """

    seed: int
    providers: int = 8
    forces: int = 5
    days: int = 7
    first_day: dt.date = FIRST_DAY
    intensity: int = 1
    noise: int = 1

    def __post_init__(self) -> None:
        for name, number, most in (
            ("providers", self.providers, MOST_PROVIDERS),
            ("forces", self.forces, 43),
            ("days", self.days, MOST_DAYS),
            ("times as many campaigns", self.intensity, MOST_INTENSE),
            ("times as much noise", self.noise, MOST_NOISE),
        ):
            if not 1 <= number <= most:
                raise BadInput(f"a nation has 1 to {most} {name}, not {number}")

    def dice(self, *what: object) -> random.Random:
        """Chance for one purpose: more of one thing never changes another."""
        return random.Random("/".join(map(str, (self.seed, *what))))  # noqa: S311 (no secret hangs on it)

    def day(self, number: int) -> dt.date:
        """The day of that number, from 0."""
        return self.first_day + dt.timedelta(days=number)

    def start(self, number: int) -> int:
        """Seconds since 1970 at which that day begins."""
        return ((self.first_day - _EPOCH).days + number) * 86_400
