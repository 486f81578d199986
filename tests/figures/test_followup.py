"""The funnel, the first answer and what is overdue, against a past that is known."""

import datetime as dt
from typing import Any

import pytest
from tests.cases.town import NOON, Town

from tocsin.cases import clocks, services
from tocsin.cases.models import Case
from tocsin.figures import followup
from tocsin.figures.values import Figure

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def said(figure: Figure) -> dict[str, tuple[str, ...]]:
    """The table as it is read: label to cells."""
    return {row.label: tuple(cell.said for cell in row.cells) for row in figure.rows}


def decide(town: Town, case: Case, at: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Olive of Kent Police takes the case and records a decision."""
    monkeypatch.setattr("tocsin.cases.decisions.now", lambda: at)
    who = services.Responder.of(town.actor("olive"), case)
    services.accept_case(case, who)
    case.refresh_from_db()
    services.assess_case(case, who, "X-INV", "we look into it")


def some_reports(town: Town, count: int, **options: Any) -> list[Case]:
    """That many reports, each with a case of its own; gives the cases."""
    found = [town.report(origins=(f"203.0.113.{number + 10}",), **options) for number in range(count)]
    return [town.case_of(report) for report in found]


def test_the_funnel_is_whole_and_suppressed(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six came, one was assessed: the one is told as under five, and no share of it is given."""
    cases = some_reports(town, 6)
    decide(town, cases[0], NOON + HOUR, monkeypatch)
    figure = followup.funnel()
    assert figure.sentence == "Of 6 reports, under 5 were followed up by a person."
    assert said(figure)["Received"] == ("6", "100")
    assert said(figure)["Assessed"] == ("under 5", "–")
    assert said(figure)["Charged"] == ("0", "0")


def test_fewer_than_five_reports_make_no_figures(town: Town) -> None:
    """The first reports of an exchange would point at its first member."""
    some_reports(town, 4)
    assert followup.funnel().rows == ()
    assert followup.first_answer(NOON + DAY).rows == ()


def test_a_person_answers_and_a_machine_does_not(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receipt is no answer; a decision is; a report that joins a decided case is counted apart."""
    cases = some_reports(town, 6)
    for number, case in enumerate(cases[:3]):
        decide(town, case, NOON + (number + 1) * HOUR, monkeypatch)
    town.report("medway", origins=("203.0.113.10",), received_at=NOON + 5 * HOUR)
    town.report("medway", kind="availability/misconfiguration", received_at=NOON + 5 * HOUR)
    found = followup.waits(NOON + 6 * HOUR)
    assert found.answered == {60: 1, 120: 1, 180: 1}
    assert found.waiting == {360: 3}
    assert (found.joined, found.diverted) == (1, 1)


def test_the_median_counts_who_waits(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of six answered within two hours: the median is not two hours, it is not reached."""
    cases = some_reports(town, 6)
    for case in cases[:2]:
        decide(town, case, NOON + 2 * HOUR, monkeypatch)
    figure = followup.first_answer(NOON + DAY)
    assert figure.sentence == "More than half of the reports still wait for a first answer."
    assert said(figure)["Median"] == ("–", "not reached")
    for case in cases[2:4]:
        decide(town, case, NOON + 30 * HOUR, monkeypatch)
    figure = followup.first_answer(NOON + 2 * DAY)
    assert said(figure)["Median"] == ("–", "30 hours")
    assert figure.sentence.endswith("nine in ten is not reached: too many still wait.")
    assert said(figure)["Still waiting"] == ("under 5", "–")


def test_what_came_long_ago_does_not_colour_today(town: Town) -> None:
    """The time to the first answer is of the last 90 days."""
    some_reports(town, 6)
    assert followup.waits(NOON + 91 * DAY).total == 0


def test_a_unit_is_named_from_five_overdue_cases_on(town: Town) -> None:
    """Kent owes five, Essex one: Essex stays unnamed, and no total gives it away."""
    some_reports(town, 5)
    town.report("colne", origins=("192.0.2.1",))
    at = NOON + 10 * DAY
    clocks.sweep(at)
    figure = followup.overdue(at)
    assert [row.label for row in figure.rows] == ["Kent Police", "1 other unit"]
    assert said(figure)["Kent Police"][0] == "5"
    assert said(figure)["1 other unit"] == ("under 5 each", "–")
    assert figure.sentence == "At least 5 cases are overdue; the most are at Kent Police."


def test_nothing_overdue_is_said_plainly(town: Town) -> None:
    """Also that only few are."""
    some_reports(town, 2)
    assert followup.overdue(NOON + HOUR).sentence == "No unit owes an answer past its due time."
    late = followup.overdue(NOON + 10 * DAY)
    assert late.sentence == "One unit owes overdue answers, in fewer than 5 cases."
    assert "Kent" not in str(said(late))


def test_a_unit_that_has_not_joined_is_no_excuse(town: Town) -> None:
    """Its cases are overdue like any other's, and it is said that it has not joined."""
    some_reports(town, 5, member="lakes")
    figure = followup.overdue(NOON + 10 * DAY)
    assert [row.label for row in figure.rows] == ["Cumbria Constabulary (not joined)"]


def test_silence_is_said_in_plain_words(town: Town) -> None:
    """Nobody has looked: no percentage softens it."""
    some_reports(town, 6)
    assert followup.funnel().sentence == "None of 6 reports has been followed up by a person yet."
