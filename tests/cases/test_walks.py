"""Random walks through the life of a case: whatever people do, in whatever order, nobody can fall silent."""

import datetime as dt
import random
from collections.abc import Callable, Iterable, Sequence

import pytest
from django.db.models import Count, Min, Q
from tests.cases.town import NOON, Town

from tocsin.cases import clocks, states
from tocsin.cases.audit import check_cases
from tocsin.cases.models import Case, Clock, Link, Move, Question, Share
from tocsin.cases.questions import sweep
from tocsin.cases.services import (
    Responder,
    accept_case,
    answer_case,
    ask,
    assess_case,
    attach_report,
    detach_report,
    merge_cases,
    redirect_case,
    reply,
    say_update,
    split_case,
    undo_move,
    withdraw_answer,
    withdraw_question,
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
        status = self.dice.choice(("X-INV", "X-INV", "X-INT", "X-DIV", "X-NFA", "X-OUT", "X-ACK"))
        assess_case(case, self.by(case), status, "because", self.at)

    def ask(self) -> None:
        case = self.open_case()
        some = self.dice.sample(("source-port", "got-in", "still-going"), 2)
        ask(case, self.by(case), some, at=self.at)

    def question(self) -> Question | None:
        """Any question, mostly an open one."""
        found = list(Question.objects.filter(closed_at=None).order_by("pk"))
        found = found if found and self.dice.random() < 0.8 else list(Question.objects.order_by("pk"))
        return self.dice.choice(found) if found else None

    def reply(self) -> None:
        question = self.question()
        if question is not None:
            names = {"Ferry": "rita", "Medway": "max", "Colne": "carl", "Lakes": "lena"}
            report = question.report
            actor = self.town.actor(names[report.member.name])
            said = "not known" if question.code == "got-in" else "yes"
            reply(actor, report.report_id, question.question_id, said, at=self.at)

    def take_back(self) -> None:
        question = self.question()
        if question is not None:
            withdraw_question(question.case, self.by(question.case), question.question_id, self.at)

    def update(self) -> None:
        case = self.open_case()
        say_update(case, self.by(case), "looking", self.at)

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
        sweep(self.at)


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
        "ask",
        "reply",
        "take_back",
        "update",
    )
}


def snapshot() -> list[object]:
    """Everything that a refused act must leave alone."""
    return [
        list(Case.objects.order_by("pk").values()),
        list(Clock.objects.order_by("pk").values()),
        list(Link.objects.order_by("pk").values()),
        list(Move.objects.order_by("pk").values()),
        list(Question.objects.order_by("pk").values()),
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
            owed_to_victims = Q(clock_id="V01")
            assert not Clock.objects.filter(~owed_to_victims, case=case, ended_at=None).exists()
        asked = Question.objects.filter(case=case, closed_at=None).exists()
        assert asked == (case.status == states.QUESTION)
        still = Clock.objects.filter(case=case, ended_at=None, paused_at__isnull=False)
        assert asked or not still.exists(), "a clock stands still, and nothing is asked"
    assert set(shared()) == set(counted()), "what members have in cases is not what the links say"
    twice = Clock.objects.values("clock_id", "case", "report", "subject", "started_at").annotate(
        n=Count("pk")
    )
    assert not twice.filter(n__gt=1).exists(), "two clocks for one duty"
    for clock in Clock.objects.filter(ended_at=None):
        assert clock.step == 0 or clock.breached_at is not None
        assert clock.next_step_at is not None or clock.step == clocks.LAST_STEP
        assert (clock.paused_at is None) == (clock.due_unpaused is None)
    assert Link.objects.filter(detached_at=None).count() == Report.objects.count()
    acknowledged = Clock.objects.filter(clock_id="P01").values("report").distinct().count()
    assert acknowledged == Report.objects.count()


@pytest.mark.parametrize("seed", range(5))
def test_whatever_people_do_somebody_always_owes_the_next_step(town: Town, seed: int) -> None:
    """Open cases have a running duty, closed ones none, reports say what their case says."""
    town.person("carl", "reporter", member="colne")
    town.person("lena", "reporter", member="lakes")
    walker = Walker(town, seed)
    walker.report()
    for _ in range(45):
        walker.step()
        check()
    assert len(set(walker.done)) >= 4


@pytest.mark.parametrize("seed", range(100, 106))
def test_however_cases_are_joined_and_parted_every_report_is_in_one(town: Town, seed: int) -> None:
    """Joining, splitting, taking back and linking in any order: one case each, with its clocks and counts."""
    town.person("carl", "reporter", member="colne")
    town.person("lena", "reporter", member="lakes")
    walker = Walker(town, seed)
    for _ in range(6):
        walker.report()
    for _ in range(30):
        walker.step(
            [
                "report",
                "accept",
                "sweep",
                "redirect",
                "ask",
                "ask",
                "reply",
                *["merge", "split", "attach", "undo"] * 3,
            ]
        )
        check()
    assert len({"merge", "split", "attach", "undo"} & set(walker.done)) >= 3
