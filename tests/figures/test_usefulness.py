"""How useful answers are found, without telling what any one member said."""

import datetime as dt

import pytest
from tests.cases.town import NOON, Town

from tocsin.access.models import Member
from tocsin.cases.models import Case, Rating
from tocsin.cases.services import Responder, answer_case, ask, reply, say_update
from tocsin.figures import followup
from tocsin.figures.usefulness import usefulness

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def rated(town: Town, *steps: int) -> None:
    """A case that as many members rated."""
    case = town.case_of(town.report())
    answer_case(case, Responder.of(town.actor("olive"), case), "18", "We looked.", ["sooner"], at=NOON)
    case.refresh_from_db()
    for number, step in enumerate(steps):
        member = Member.objects.create(name=f"Member {number}", force_id="kent")
        Rating.objects.create(case=case, member=member, ended_at=case.closed_at, step=step, rated_at=NOON)


def test_few_ratings_tell_nothing(town: Town) -> None:
    """Four could be four competitors."""
    rated(town, 3, 3, 3, 1)
    assert usefulness(NOON + DAY).rows == ()


def test_a_step_that_few_chose_hides_the_shares_of_all(town: Town) -> None:
    """Or it could be told from the rest."""
    rated(town, *[3] * 7, 1)
    figure = usefulness(NOON + DAY)
    assert [[cell.said for cell in row.cells] for row in figure.rows] == [
        ["7", "–"],
        ["0", "–"],
        ["under 5", "–"],
    ]
    assert "8" not in figure.sentence


def test_enough_of_each_are_told(town: Town) -> None:
    """With their shares; an answer that was opened again since is not counted."""
    rated(town, *[3] * 6, *[2] * 6)
    assert usefulness(NOON + DAY).sentence == "Reporters called 6 of 12 rated answers useful."
    Case.objects.update(closed_at=None)
    assert usefulness(NOON + DAY).rows == ()


def test_questions_answers_of_members_and_updates_are_no_follow_up(town: Town) -> None:
    """Only a person's decision with a reason, or an outcome, is."""
    cases = [town.case_of(town.report(origins=(f"203.0.113.{n}",))) for n in range(20, 26)]
    for case in cases:
        by = Responder.of(town.actor("olive"), case)
        say_update(case, by, "looking", NOON + DAY)
        question = ask(case, by, ["got-in"], at=NOON + DAY)[0]
        waits = followup.waits(NOON + 2 * DAY)
        assert not waits.answered
        reply(town.actor("rita"), question.report.report_id, question.question_id, "no", at=NOON + DAY)
    assert followup.waits(NOON + 2 * DAY).waiting.total() == 6
    assessed = next(row for row in followup.funnel().rows if row.label == "Assessed")
    assert assessed.cells[0].said == "0"
