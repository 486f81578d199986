"""Random walks through the life of a case: whatever people do, in whatever order, nobody can fall silent."""

import datetime as dt
import random
from collections.abc import Callable, Iterable, Sequence

import pytest
from django.db.models import Count, Min
from tests.cases.town import NOON, Town

from tocsin.cases import clocks, states
from tocsin.cases.audit import check_cases
from tocsin.cases.models import Case, Clock, Link, Move, Share
from tocsin.cases.services import (
    Responder,
    accept_case,
    answer_case,
    assess_case,
    attach_report,
    detach_report,
    merge_cases,
    redirect_case,
    split_case,
    undo_move,
    withdraw_answer,
)
from tocsin.cases.triage import DUTIES
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report
from tocsin.kernel.problems import Problem

pytestmark = pytest.mark.django_db


class Walker:
    """One walk: throws dice for who does what, to which case, when."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town, self.dice, self.at = town, random.Random(seed), NOON
        self.done: list[str] = []

    def step(self, names: Sequence[str] = ()) -> None:
        """One act; what the rules refuse is refused without a trace."""
        self.at += dt.timedelta(minutes=self.dice.choice((0.5, 60, 60 * 24, 60 * 24 * 7)))
        name = self.dice.choice(names or [*ACTS, "report", "report", "accept", "redirect", "answer"])
        before = snapshot()
        try:
            ACTS[name](self)
            self.done.append(name)
        except Problem:
            assert snapshot() == before, name

    def case(self) -> Case:
        return self.dice.choice(list(Case.objects.order_by("pk")))

    def by(self, case: Case) -> Responder:
        """An officer of whichever unit has it, as though all had joined."""
        return Responder("Olive", case.investigating_unit, self.town.people["olive"])

    def report(self) -> None:
        self.town.report(
            self.dice.choice(("ferry", "medway", "colne", "lakes")),
            origins=(f"203.0.113.{self.dice.randint(1, 2)}",),
            severity=self.dice.choice(("info", "low", "low", "critical")),
            received_at=self.at,
            delete_at=self.at + dt.timedelta(days=self.dice.randint(1, 30)),
        )

    def accept(self) -> None:
        case = self.case()
        accept_case(case, self.by(case), self.at)

    def assess(self) -> None:
        case = self.case()
        status = self.dice.choice(("X-INV", "X-INT", "X-DIV", "X-MOR", "X-NFA", "X-OUT", "X-ACK"))
        assess_case(case, self.by(case), status, "because", self.at)

    def answer(self) -> None:
        case = self.case()
        answer_case(case, self.by(case), self.dice.choice(("1", "18")), "So.", ["source-port"], at=self.at)

    def withdraw(self) -> None:
        case = self.case()
        withdraw_answer(case, self.by(case), self.at)

    def redirect(self) -> None:
        case = self.case()
        unit = self.town.unit(self.dice.choice(("kent", "essex", "nca-nccu")))
        redirect_case(case, self.by(case), unit, "theirs", self.at)

    def detach(self) -> None:
        case = self.case()
        link = Link.objects.filter(case=case, detached_at=None).first()
        if link is not None:
            detach_report(case, self.by(case), link.report, "another", self.at)

    def attach(self) -> None:
        case, report = self.case(), self.dice.choice(list(Report.objects.order_by("pk")))
        attach_report(case, self.by(case), report, "the same", self.at)

    def open_case(self, reports: int = 1) -> Case:
        """An open case above the threshold with so many reports, or whichever there is."""
        found = Case.objects.filter(closed_at=None, report_count__gte=reports).exclude(severity="info")
        return self.dice.choice(list(found.order_by("pk")) or [self.case()])

    def split(self) -> None:
        case = self.open_case(2)
        reports = list(Link.objects.filter(case=case, detached_at=None).values_list("report", flat=True))
        some = self.dice.sample(sorted(reports), self.dice.randint(0, len(reports)))
        split_case(case, self.by(case), some, "two things", self.at)

    def merge(self) -> None:
        case, other = self.open_case(), self.open_case()
        merge_cases(case, other, self.by(case), "one thing", self.at)

    def undo(self) -> None:
        made = self.dice.choice([*Move.objects.order_by("pk"), None])
        if made is not None:
            undo_move(made, self.by(made.target), "a mistake", self.at)

    def sweep(self) -> None:
        clocks.sweep(self.at)


ACTS: dict[str, Callable[[Walker], None]] = {
    name: getattr(Walker, name)
    for name in (
        "report",
        "accept",
        "assess",
        "answer",
        "withdraw",
        "redirect",
        "detach",
        "attach",
        "split",
        "merge",
        "undo",
        "sweep",
    )
}


def snapshot() -> list[object]:
    """Everything that a refused act must leave alone."""
    return [
        list(Case.objects.order_by("pk").values()),
        list(Clock.objects.order_by("pk").values()),
        list(Link.objects.order_by("pk").values()),
        list(Move.objects.order_by("pk").values()),
        set(shared()),
    ]


def shared() -> Iterable[tuple[int, ...]]:
    """The sums as kept."""
    return Share.objects.values_list("case_id", "member_id", "reports", "first_report")


def counted() -> Iterable[tuple[int, ...]]:
    """The sums as counted from the links."""
    links = Link.objects.filter(detached_at=None).values_list("case_id", "report__member")
    return links.annotate(Count("pk"), Min("report"))


def check() -> None:
    """What must hold after every step."""
    assert list(check_cases()) == []
    pack = current_pack()
    for case in Case.objects.all():
        duties = Clock.objects.filter(case=case, ended_at=None, clock_id__in=DUTIES)
        links = Link.objects.filter(case=case, detached_at=None)
        assert case.report_count == links.count()
        assert set(links.values_list("report__status", flat=True)) <= {case.status}
        assert case.is_open != pack.statuses[case.status].is_final
        assert bool(case.outcome_code) == (case.status == states.ANSWERED)
        if case.is_open and case.severity != "info":
            assert duties.exists(), "an open case in which nobody owes anybody anything"
            if not case.owner_name:
                assert duties.filter(clock_id="P02").exists(), "nobody owes it an owner"
        if not case.is_open:
            assert not Clock.objects.filter(case=case, ended_at=None).exists()
    assert set(shared()) == set(counted()), "what members have in cases is not what the links say"
    twice = Clock.objects.values("clock_id", "case", "report", "subject", "started_at").annotate(
        n=Count("pk")
    )
    assert not twice.filter(n__gt=1).exists(), "two clocks for one duty"
    for clock in Clock.objects.filter(ended_at=None):
        assert clock.step == 0 or clock.breached_at is not None
        assert clock.next_step_at is not None or clock.step == clocks.LAST_STEP
    assert Link.objects.filter(detached_at=None).count() == Report.objects.count()
    acknowledged = Clock.objects.filter(clock_id="P01").values("report").distinct().count()
    assert acknowledged == Report.objects.count()


@pytest.mark.parametrize("seed", range(5))
def test_whatever_people_do_somebody_always_owes_the_next_step(town: Town, seed: int) -> None:
    """Open cases have a running duty, closed ones none, reports say what their case says."""
    walker = Walker(town, seed)
    walker.report()
    for _ in range(35):
        walker.step()
        check()
    assert len(set(walker.done)) >= 4


@pytest.mark.parametrize("seed", range(100, 106))
def test_however_cases_are_joined_and_parted_every_report_is_in_one(town: Town, seed: int) -> None:
    """Joining, splitting, taking back and linking in any order: one case each, with its clocks and counts."""
    walker = Walker(town, seed)
    for _ in range(6):
        walker.report()
    for _ in range(30):
        walker.step(["report", "accept", "sweep", "redirect", *["merge", "split", "attach", "undo"] * 3])
        check()
    assert len({"merge", "split", "attach", "undo"} & set(walker.done)) >= 3
