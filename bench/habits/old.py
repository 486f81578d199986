"""The world of 2016: reports as single mails, read one by one, answered as each force was used to."""

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.habits.desks import Session, Work, work_off
from bench.habits.effort import INVESTIGATED, TELLING, Habits
from bench.habits.sums import Fate

HEAVIEST = ("critical", "high", "medium", "low", "info")


@dataclass(frozen=True)
class Told:
    """A report as it reaches a force: whose, from when, how grave, and how much there was of it."""

    member: str
    force: str
    received_at: dt.datetime
    severity: str
    count: int


def chosen(reports: Iterable[Told], habits: Habits) -> list[Told]:
    """What a desk finds the time to report by hand: the heaviest of each week."""
    weeks: dict[tuple[str, tuple[int, int]], list[Told]] = defaultdict(list)
    for report in reports:
        year, week, _ = report.received_at.isocalendar()
        weeks[report.member, (year, week)].append(report)
    most = int(habits.desk_minutes_a_week // habits.desk_report)
    kept = [
        report
        for found in weeks.values()
        for report in sorted(found, key=lambda one: (HEAVIEST.index(one.severity), -one.count))[:most]
    ]
    return sorted(kept, key=lambda one: (one.received_at, one.member))


def customs(forces: Iterable[str], dice: random.Random) -> dict[str, float]:
    """With which chance each force tells what became of a report: the survey's own shares."""
    ordered = sorted(forces)
    dice.shuffle(ordered)
    found: dict[str, float] = {}
    for share, chance in TELLING:
        for _ in range(round(share * len(ordered))):
            if len(found) < len(ordered):
                found[ordered[len(found)]] = chance
    return {force: found.get(force, 0.0) for force in ordered}


def answer(
    reports: Sequence[Told],
    shifts: Sequence[Session],
    custom: dict[str, float],
    habits: Habits,
    dice: random.Random,
) -> tuple[list[Fate], float]:
    """What became of every report, and the officer-minutes that it took. Oldest first, at each force."""
    by_force: dict[str, list[int]] = defaultdict(list)
    for number, report in enumerate(reports):
        by_force[report.force].append(number)
    answered: dict[int, dt.datetime] = {}
    minutes = 0.0
    for force, numbers in sorted(by_force.items()):
        mine = [shift for shift in shifts if shift.officer.unit_id == force]
        told = {number for number in numbers if dice.random() < custom.get(force, 0.0)}
        pile = [_work(number, reports[number], habits, number in told) for number in numbers]
        for work, done_at in work_off(pile, mine):
            minutes += work.minutes
            if work.number in told:
                answered[work.number] = done_at + dt.timedelta(days=habits.answer_waits_days)
    fates = [
        Fate(report.member, report.received_at, answered.get(number), answered.get(number))
        for number, report in enumerate(reports)
    ]
    return fates, minutes


def _work(number: int, report: Told, habits: Habits, is_told: bool) -> Work:
    minutes = habits.first_look + habits.to_decide + (habits.write_back if is_told else 0)
    if report.severity in INVESTIGATED:
        minutes += habits.investigate
    ends = report.received_at + dt.timedelta(days=habits.gives_up_days)
    return Work((report.received_at.timestamp(),), number, report.received_at, minutes, ends)
