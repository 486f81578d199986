"""What became of reports, added up the same way for every world."""

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.habits.effort import DEADLINE_DAYS

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Fate:
    """One report: who sent it, when it came, when a person first answered it and when it ended (None: never).

    `is_automatic` marks a report that joined a case which a person had decided before: never follow-up.
    """

    member: str
    received_at: dt.datetime
    answered_at: dt.datetime | None
    ended_at: dt.datetime | None
    is_automatic: bool = False


def row(what: str, fates: Sequence[Fate], minutes: float, ends_at: dt.datetime) -> dict[str, Any]:
    """The figures of one world. Shares are of reports that had their 28 days before the run ended."""
    old = [fate for fate in fates if ends_at - fate.received_at >= DEADLINE_DAYS * DAY] or list(fates)
    late = [fate for fate in old if _days(fate.answered_at, fate) > DEADLINE_DAYS and not fate.is_automatic]
    followed = sum(_days(fate.answered_at, fate) <= DEADLINE_DAYS and not fate.is_automatic for fate in old)
    usually, sometimes, never = experience(old)
    answered = sum(fate.answered_at is not None for fate in fates)
    return {
        "what": what,
        "reports": len(fates),
        "followed_up_percent": percent(followed, len(old)),
        "joined_later_percent": percent(sum(fate.is_automatic for fate in old), len(old)),
        "never_answered_percent": percent(len(late), len(old)),
        "first_answer_days": quantiles(_days(f.answered_at, f) for f in old if not f.is_automatic),
        "outcome_days": quantiles(_days(fate.ended_at, fate) for fate in old),
        "members_usually_occasionally_never_percent": (usually, sometimes, never),
        "officer_minutes": round(minutes),
        "officer_minutes_a_report": round(minutes / max(len(fates), 1), 2),
        "officer_minutes_an_answer": round(minutes / max(answered, 1), 2),
    }


def experience(fates: Iterable[Fate]) -> tuple[int, int, int]:
    """Percent of members whose reports were usually (two in three), occasionally or never answered."""
    sent, told = Counter[str](), Counter[str]()
    for fate in fates:
        sent[fate.member] += 1
        told[fate.member] += fate.is_automatic or _days(fate.answered_at, fate) <= DEADLINE_DAYS
    shares = [told[member] / sent[member] for member in sent]
    usually = sum(share >= 2 / 3 for share in shares)
    never = sum(share == 0 for share in shares)
    whole = len(shares)
    return (percent(usually, whole), percent(whole - usually - never, whole), percent(never, whole))


def percent(part: int, whole: int) -> int:
    """Rounded; 0 of nothing."""
    return round(100 * part / whole) if whole else 0


def quantiles(days: Iterable[float]) -> tuple[float | None, float | None]:
    """Median and 90th percentile in days; None where too many never came."""
    ordered = sorted(days)
    if not ordered:
        return None, None
    middle = statistics.median_low(ordered)
    late = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    return (_shown(middle), _shown(late))


def _shown(days: float) -> float | None:
    return None if days == float("inf") else round(days, 2)


def _days(at: dt.datetime | None, fate: Fate) -> float:
    return float("inf") if at is None else max(0.0, (at - fate.received_at) / DAY)
