"""How far the effort model may be wrong: the same cases worked off again, with other minutes and hours.

The exchange's run gives the cases; here their work alone is repeated, without a database. Its first row has
the very minutes of that run, to show how near the repetition comes.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.habits import old, sums
from bench.habits.desks import Session, Work, work_off
from bench.habits.effort import INVESTIGATED, Exchange, Habits
from bench.habits.sums import Fate

if TYPE_CHECKING:
    from bench.habits.world import Nation

FACTORS = (0.5, 1.0, 2.0, 4.0, 8.0)
HOURS = (0.25, 0.5, 1.0, 2.0)
MOST = 256.0
PAGE = 50  # groups that are decided in one press


@dataclass(frozen=True)
class Lived:
    """A case as the exchange's run left it; `reports` are (member, received at)."""

    unit_id: str
    has_joined: bool
    severity: str
    reports: tuple[tuple[str, dt.datetime], ...]


def sensitivity(nation: "Nation") -> list[dict[str, Any]]:
    """Rows for other minutes, other hours, and the factor at which nothing would be gained."""
    cases = lived()
    rows = [_row(f"Tocsin's acts take {factor:g}x", cases, nation, factor, 1.0) for factor in FACTORS]
    rows += [
        _row(f"Tocsin, {hours:g}x the hours", cases, nation, 1.0, hours) for hours in HOURS if hours != 1.0
    ]
    rows += [_habits(nation, hours) for hours in HOURS if hours != 1.0]
    return [*rows, break_even(cases, nation)]


def lived() -> list[Lived]:
    """The cases of the exchange in this process's home."""
    from tocsin.cases.models import Link

    reports: dict[int, list[tuple[str, dt.datetime]]] = defaultdict(list)
    known: dict[int, tuple[str, bool, str]] = {}
    rows = Link.objects.filter(detached_at__isnull=True).values_list(
        "case_id",
        "case__investigating_unit__unit_id",
        "case__investigating_unit__joined_at",
        "case__severity",
        "report__member__name",
        "report__received_at",
    )
    for case, unit_id, joined_at, severity, member, received_at in rows.iterator(5_000):
        known[case] = (unit_id, joined_at is not None, severity)
        reports[case].append((member, received_at))
    return [Lived(*known[case], tuple(found)) for case, found in reports.items()]


def repeat(cases: Sequence[Lived], shifts: Sequence[Session], effort: Exchange) -> tuple[list[Fate], float]:
    """What becomes of every report when its case's work takes so long; and the minutes spent."""
    by_unit: dict[str, list[tuple[int, Lived]]] = defaultdict(list)
    for number, case in enumerate(cases):
        by_unit[case.unit_id].append((number, case))
    found: list[Fate] = []
    minutes = 0.0
    for unit_id, mine in by_unit.items():
        pile = [work for number, case in mine for work in _works(number, case, effort)]
        done: dict[int, list[dt.datetime]] = defaultdict(list)
        for work, done_at in work_off(pile, [shift for shift in shifts if shift.officer.unit_id == unit_id]):
            minutes += work.minutes
            done[work.number].append(done_at)
        for number, case in mine:
            found += _fates(case, sorted(done.get(number, [])))
    return found, minutes


def _works(number: int, case: Lived, effort: Exchange) -> list[Work]:
    """To decide, first come first served; to investigate and answer, after all decisions."""
    opened_at = min(at for _, at in case.reports)
    if case.severity == "info":  # a group below the threshold: a page of them is one press, after all else
        share = effort.groups(PAGE) / PAGE
        return [Work((2.0, opened_at.timestamp()), number, opened_at, share)]
    more = 0.0 if case.has_joined else effort.by_link + effort.send_packet
    decide = effort.read_case(len(case.reports)) + effort.decide + more
    works = [Work((0.0, opened_at.timestamp()), number, opened_at, decide)]
    if case.severity in INVESTIGATED:
        rank = (1.0, opened_at.timestamp())
        works.append(Work(rank, number, opened_at, effort.investigate + effort.answer))
    return works


def _fates(case: Lived, done: list[dt.datetime]) -> list[Fate]:
    ends = len(done) == (2 if case.severity in INVESTIGATED else 1)
    fates = []
    for member, received_at in case.reports:
        later = [at for at in done if at >= received_at]
        is_automatic = not later and bool(done)
        fates.append(
            Fate(member, received_at, later[0] if later else None, done[-1] if ends else None, is_automatic)
        )
    return fates


def _row(what: str, cases: Sequence[Lived], nation: "Nation", factor: float, hours: float) -> dict[str, Any]:
    found, minutes = repeat(cases, nation.shifts(hours), Exchange().times(factor))
    return _short(sums.row(f"repeated: {what}", found, minutes, nation.ends_at))


def _habits(nation: "Nation", hours: float) -> dict[str, Any]:
    custom = old.customs({member["force"] for member in nation.members}, nation.shape.dice("customs"))
    told = old.chosen(nation.told(), Habits())
    found, minutes = old.answer(told, nation.shifts(hours), custom, Habits(), nation.shape.dice("habits"))
    what = f"repeated: habits of 2016, reports by hand, {hours:g}x the hours"
    return _short(sums.row(what, found, minutes, nation.ends_at))


def _short(row: dict[str, Any]) -> dict[str, Any]:
    names = ("what", "reports", "followed_up_percent", "never_answered_percent", "first_answer_days")
    return {name: row[name] for name in names} | {"a_report": row["officer_minutes_a_report"]}


def break_even(cases: Sequence[Lived], nation: "Nation") -> dict[str, Any]:
    """How many times as long Tocsin's acts may take until as many go unanswered as by the habits of 2016."""
    then = _habits(nation, 1.0)["never_answered_percent"]

    def worse(factor: float) -> bool:
        row = _row("", cases, nation, factor, 1.0)
        return int(row["never_answered_percent"]) >= then

    low, high = 0.0, 1.0
    while high < MOST and not worse(high):
        low, high = high, 2 * high
    if not worse(high):
        return {"what": "break-even", "acts_may_take": f"more than {MOST:g} times as long"}
    while high - low > 0.05 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if worse(middle) else (middle, high)
    return {"what": "break-even", "acts_may_take": f"{low:.1f} times as long", "never_answered_percent": then}
