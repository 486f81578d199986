"""How a number becomes one that may be published: suppression, and quantiles that count those who wait."""

from collections.abc import Mapping

from tocsin.figures.values import Cell

FEW = 5  # a smaller number could point at one member
MINUTE, HOUR, DAY = 1, 60, 1440


def told(number: int) -> Cell:
    """The number, or `under 5` without it."""
    return Cell(f"under {FEW}") if 0 < number < FEW else Cell(f"{number:,}", number)


def quantile(answered: Mapping[int, int], waiting: Mapping[int, int], share: float) -> int | None:
    """The time within which `share` of all were answered, by Kaplan and Meier's product limit (1958).

    Both mappings give counts by time: how long an answer took, and how long those without one have waited so
    far. Who waits counts as longer than that, so that a backlog cannot make the figure look better. None
    where too many still wait for the share to have been reached.
    """
    at_risk = sum(answered.values()) + sum(waiting.values())
    left = 1.0  # the estimated share still without an answer
    for time in sorted({*answered, *waiting}):
        done = answered.get(time, 0)
        if done:
            left *= 1 - done / at_risk
            if left <= 1 - share + 1e-9:
                return time
        at_risk -= done + waiting.get(time, 0)
    return None


def duration_words(minutes: int) -> str:
    """`40 minutes`, `5 hours`, `3.5 days`: to the precision that somebody would say."""
    if minutes < 2 * HOUR:
        return f"{minutes} minute{'s' if minutes != 1 else ''}"
    if minutes < 2 * DAY:
        return f"{round(minutes / HOUR)} hours"
    days = f"{minutes / DAY:.1f}".removesuffix(".0")
    return f"{days} days"
