"""Questions to the reporters: asked from a list, answered in one press, each seeing its own alone."""

import datetime as dt

import pytest
from tests.cases.town import NOON, Town

from tocsin.access.policy import NOBODY
from tocsin.cases import pausing, queries, questions
from tocsin.cases.audit import check_cases
from tocsin.cases.models import Case, Clock, Question
from tocsin.cases.services import (
    Responder,
    accept_case,
    answer_case,
    ask,
    assess_case,
    merge_cases,
    redirect_case,
    reply,
    undo_move,
    withdraw_answer,
    withdraw_question,
)
from tocsin.intake.models import Report
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound, NotSignedIn
from tocsin.notices import services as notices
from tocsin.notices.models import Notice

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)


def asked_case(town: Town, *codes: str) -> tuple[Case, Responder]:
    """A case of Ferry's and Medway's that Olive has, with questions to both, asked on Wednesday noon."""
    town.report()
    case = town.case_of(town.report("medway"))
    by = Responder.of(town.actor("olive"), case)
    accept_case(case, by, NOON)
    ask(case, by, codes or ("got-in",), at=NOON + DAY)
    return Case.objects.get(pk=case.pk), by


def decide(case: Case) -> Clock:
    return Clock.objects.get(case=case, clock_id="P03")


def of(member: str) -> Question:
    return Question.objects.get(report__member__name=member)


def test_while_a_question_is_open_the_decision_waits_and_the_news_is_due_anew(town: Town) -> None:
    """X-MOR, P03 stands still for ten working days at most, P04 begins again: asking is news, no decision."""
    case, _ = asked_case(town)
    assert case.status == "X-MOR"
    assert set(Report.objects.values_list("status", flat=True)) == {"X-MOR"}
    clock = decide(case)
    assert (clock.paused_at, clock.due_unpaused) == (NOON + DAY, NOON + 7 * DAY)
    assert clock.due_at == NOON + 21 * DAY
    assert Clock.objects.get(case=case, clock_id="P04", ended_at=None).due_at == NOON + 29 * DAY
    assert case.decisions.count() == 0
    view = queries.case_view(town.actor("olive"), case.case_id, NOON + 2 * DAY)
    assert next(c for c in view.clocks if c.clock_id == "P03").state == "paused"


def test_the_last_answer_lets_the_clock_go_on_as_much_later_as_it_stood(town: Town) -> None:
    """Two members, two answers; the weekend between counts for nothing."""
    case, _ = asked_case(town)
    for member, person, day in (("Ferry", "rita", 2), ("Medway", "max", 6)):
        question = of(member)
        reply(town.actor(person), question.report.report_id, question.question_id, "no", at=NOON + day * DAY)
        case.refresh_from_db()
        assert case.status == ("X-MOR" if member == "Ferry" else "X-ACC")
    clock = decide(case)  # it stood from Wednesday to Monday: three working days
    assert (clock.paused_at, clock.due_at) == (None, NOON + 10 * DAY)
    assert clock.pause_used == 3 * 86_400
    assert list(check_cases()) == []


def test_each_member_sees_its_own_question_and_answer_alone(town: Town) -> None:
    """The unit sees both; a notice goes to whom it concerns."""
    case, _ = asked_case(town)
    mine, other = of("Ferry"), of("Medway")
    rita, olive = town.actor("rita"), town.actor("olive")
    reply(rita, mine.report.report_id, mine.question_id, "yes, into one account", "since May", NOON + 2 * DAY)
    assert [q.question_id for q in queries.questions_of_report(rita, mine.report)] == [mine.question_id]
    assert queries.questions_of_report(rita, other.report) == ()
    with pytest.raises(NotFound):
        reply(rita, other.report.report_id, other.question_id, "no")
    with pytest.raises(NotFound):
        reply(rita, mine.report.report_id, other.question_id, "no")
    seen = {q.member_name: q for q in queries.questions_of_case(case)}
    assert (seen["Ferry"].answer_words, seen["Ferry"].note) == ("yes, into one account", "since May")
    assert seen["Medway"].is_open
    view = queries.case_view(olive, case.case_id, NOON + 2 * DAY)
    assert any("Ferry answered" in item.words for item in view.timeline)
    notices.tell(0, Entry.objects.count())
    told = Notice.objects.filter(event="cases:question:answered")
    assert {notice.member.name for notice in told} == {"Ferry"}
    home = queries.reporter_home(town.actor("max"), NOON + 2 * DAY)
    assert [row.report_id for row in home.questions] == [other.report.report_id]


def test_the_same_answer_twice_is_once_and_another_one_is_refused(town: Town) -> None:
    """A second click, and somebody quicker."""
    asked_case(town)
    question = of("Ferry")
    for _ in range(2):
        reply(town.actor("rita"), question.report.report_id, question.question_id, "no", at=NOON + 2 * DAY)
    assert Entry.objects.filter(event="cases:question:answered").count() == 1
    with pytest.raises(Conflict, match="answered"):
        reply(town.actor("rita"), question.report.report_id, question.question_id, "not known")


def test_asking_the_same_twice_asks_once(town: Town) -> None:
    """And nothing is journaled for it."""
    case, by = asked_case(town)
    ask(case, by, ["got-in"], at=NOON + 2 * DAY)
    assert Question.objects.count() == 2
    assert Entry.objects.filter(event="cases:question:asked").count() == 1


@pytest.mark.parametrize(
    ("code", "answer", "kept"),
    [
        ("source-port", "yes", "yes"),
        ("got-in", "not known", "not known"),
        ("machines", " 012 ", "12"),
        ("last-seen", "2026-11-09T10:00:00+01:00", "2026-11-09T09:00:00Z"),
        ("which-log", "auth-log", "auth-log"),
    ],
)
def test_every_kind_of_question_takes_its_kind_of_answer(
    town: Town, code: str, answer: str, kept: str
) -> None:
    """One of a list, a number, an instant, or one of one's own logs; nothing else."""
    report = town.report(delete_at=NOON + 30 * DAY)
    case = town.case_of(report)
    question = ask(case, Responder.of(town.actor("olive"), case), [code], at=NOON)[0]
    rita = town.actor("rita")
    for wrong in ("", "perhaps", "-1", "203.0.113.9", "2026-13-01", "9" * 30, "max-log"):
        with pytest.raises(BadInput):
            reply(rita, report.report_id, question.question_id, wrong, at=NOON)
    assert reply(rita, report.report_id, question.question_id, answer, at=NOON).answer == kept


@pytest.mark.parametrize(
    "note",
    ["ask bob@example.org", "customer at 198.51.100.7", "2001:db8::7", "call 0171 234 5678", "x" * 281],
)
def test_a_note_cannot_carry_who_a_customer_is(town: Town, note: str) -> None:
    """Who somebody is, only a request under a power may ask."""
    asked_case(town)
    question = of("Ferry")
    with pytest.raises(BadInput, match="note"):
        reply(town.actor("rita"), question.report.report_id, question.question_id, "no", note, NOON + 2 * DAY)
    assert of("Ferry").closed_at is None


def test_what_is_no_question_of_the_list_cannot_be_asked(town: Town) -> None:
    """Nor of a member that is not in the case."""
    case = town.case_of(town.report())
    by = Responder.of(town.actor("olive"), case)
    for codes, members, why in (
        (["who-is-it"], [], "no question of the list"),
        ([], [], "choose"),
        (["got-in"], [town.members["lakes"].member_id], "no report in the case"),
    ):
        with pytest.raises(BadInput, match=why):
            ask(case, by, codes, members, NOON)
    with pytest.raises(NotAllowed):
        ask(case, Responder("Cora", case.investigating_unit, party="coordinator"), ["got-in"], at=NOON)
    with pytest.raises(NotSignedIn):
        reply(NOBODY, "report_1", "question_1", "no")


def test_a_question_taken_back_lets_the_clock_go_on(town: Town) -> None:
    """When the last is gone; twice is once."""
    case, by = asked_case(town)
    for question in Question.objects.all():
        for _ in range(2):
            withdraw_question(case, by, question.question_id, NOON + 2 * DAY)
    case.refresh_from_db()
    assert (case.status, decide(case).paused_at) == ("X-ACC", None)
    assert Entry.objects.filter(event="cases:question:withdrawn").count() == 2


def test_a_question_that_lapsed_lets_the_clock_go_on_from_that_moment(town: Town) -> None:
    """However late the sweep runs."""
    case, _ = asked_case(town)
    lapses_at = of("Ferry").lapses_at
    questions.sweep(lapses_at + 2 * DAY)
    case.refresh_from_db()
    assert {q.how for q in Question.objects.all()} == {"lapsed"}
    assert {q.closed_at for q in Question.objects.all()} == {lapses_at}
    assert (case.status, decide(case).due_at) == ("X-ACC", NOON + 21 * DAY)
    assert questions.sweep(lapses_at + 2 * DAY) == 0


def test_pauses_are_capped_over_all_questions_together(town: Town) -> None:
    """Asking again and again does not put a decision off for ever."""
    case, by = asked_case(town)
    at = NOON + DAY
    for code in ("source-port", "loss", "still-going"):
        at = Question.objects.filter(closed_at=None).order_by("-lapses_at")[0].lapses_at
        questions.sweep(at)
        ask(case, by, [code], at=at)
    clock = decide(case)
    assert (clock.pause_used, clock.paused_at) == (10 * 86_400, None)
    questions.sweep(at + 30 * DAY)
    clock.refresh_from_db()
    assert clock.breached_at == NOON + 21 * DAY


def test_a_missed_clock_is_not_excused_by_a_question(town: Town) -> None:
    """Asking late hides nothing."""
    case = town.case_of(town.report())
    by = Responder.of(town.actor("olive"), case)
    accept_case(case, by, NOON)
    ask(case, by, ["got-in"], at=NOON + 8 * DAY)
    clock = decide(case)
    assert (clock.breached_at, clock.paused_at) == (NOON + 7 * DAY, None)


def test_a_decision_takes_open_questions_back(town: Town) -> None:
    """The case goes on; nobody is left with a question that no one reads."""
    case, by = asked_case(town)
    assess_case(case, by, "X-INV", "we go on without", NOON + 3 * DAY)
    case.refresh_from_db()
    assert case.status == "X-INV"
    assert {q.how for q in Question.objects.all()} == {"passed"}
    assert list(check_cases()) == []
    ask(case, by, ["loss"], at=NOON + 4 * DAY)
    question = Question.objects.filter(closed_at=None).first()
    assert question is not None
    for other in Question.objects.filter(closed_at=None):
        withdraw_question(case, by, other.question_id, NOON + 4 * DAY)
    case.refresh_from_db()
    assert case.status == "X-INV", "it was judged already"


def test_an_answer_taken_back_asks_again_what_it_had_passed_over(town: Town) -> None:
    """As though the answer had not been given."""
    case, by = asked_case(town)
    answer_case(case, by, "18", "We looked.", ["log:netflow-full"], at=NOON + 3 * DAY)
    assert not Question.objects.filter(closed_at=None).exists()
    withdraw_answer(case, by, NOON + 3 * DAY + 30 * SECOND)
    case.refresh_from_db()
    assert case.status == "X-MOR"
    assert Question.objects.filter(closed_at=None).count() == 2
    assert decide(case).paused_at is not None
    assert list(check_cases()) == []


def test_questions_go_where_their_report_goes(town: Town) -> None:
    """Joined cases, taken back: each question stays with its report, and its case waits for it."""
    case, by = asked_case(town)
    other = town.case_of(town.report("medway", origins=("203.0.113.50",)))
    accept_case(other, by, NOON)
    merge_cases(other, case, by, "one thing", NOON + 2 * DAY)
    other.refresh_from_db()
    assert (other.status, Question.objects.filter(case=other).count()) == ("X-MOR", 2)
    assert decide(other).paused_at is not None
    assert list(check_cases()) == []
    undo_move(case.moves_out.get(), by, "two things", NOON + 3 * DAY)
    other.refresh_from_db()
    case.refresh_from_db()
    assert (case.status, other.status) == ("X-MOR", "X-ACC")
    assert (decide(other).paused_at, decide(case).paused_at is None) == (None, False)
    assert list(check_cases()) == []


def test_passing_a_case_on_takes_its_questions_back(town: Town) -> None:
    """The next unit asks its own."""
    case, by = asked_case(town)
    redirect_case(case, by, town.unit("essex"), "theirs", NOON + 2 * DAY)
    assert {q.how for q in Question.objects.all()} == {"passed"}
    assert list(check_cases()) == []


def test_settling_what_is_settled_changes_nothing(town: Town) -> None:
    """It may be called at any time."""
    case, _ = asked_case(town)
    before = list(Clock.objects.order_by("pk").values())
    assert pausing.settle(case, NOON + 2 * DAY) is False
    assert list(Clock.objects.order_by("pk").values()) == before
