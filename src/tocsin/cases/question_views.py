"""Questions as pages and the API show them: to the unit all of a case, to a member its own alone."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import QuerySet

from tocsin.access.policy import Actor
from tocsin.cases import words
from tocsin.cases.models import Case, Question, Share
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report
from tocsin.inventory.models import Holding
from tocsin.kernel.time import parse_rfc3339
from tocsin.reference.values import Pack, QuestionRow

ENDED = {
    Question.How.WITHDRAWN: "taken back",
    Question.How.PASSED: "taken back, because the case went on",
    Question.How.LAPSED: "not answered in time",
}


@dataclass(frozen=True)
class QuestionView:
    """A question and what became of it.

    `kind` says how it is answered: one of `options` (value and words), an instant, or a number of `unit`.
    `ended_words` is empty while it is open and once it is answered; `answer_words` until it is answered.
    """

    question_id: str
    report_id: str
    member_name: str
    words: str
    what_for: str
    kind: str
    options: tuple[tuple[str, str], ...]
    unit: str
    by: str
    unit_name: str
    asked_at: dt.datetime
    lapses_at: dt.datetime
    closed_at: dt.datetime | None
    answer_words: str
    ended_words: str
    note: str

    @property
    def is_open(self) -> bool:
        """Does it wait for an answer?"""
        return self.closed_at is None


@dataclass(frozen=True)
class Choice:
    """Something that can be chosen, with its words."""

    code: str
    words: str


@dataclass(frozen=True)
class AskForm:
    """What a unit may ask, of whom, and how it may say that nothing is new."""

    questions: tuple[Choice, ...]
    members: tuple[Choice, ...]
    updates: tuple[Choice, ...]


def questions_of_case(case: Case) -> tuple[QuestionView, ...]:
    """All questions of a case for its unit, open ones first, then the newest."""
    return _views(Question.objects.filter(case=case))


def questions_of_report(actor: Actor, report: Report) -> tuple[QuestionView, ...]:
    """The questions about one of the actor's own reports, open ones first. Empty for anybody else's."""
    if report.member not in actor.members:
        return ()
    return _views(Question.objects.filter(report=report))


def ask_form(case: Case) -> AskForm:
    """The choices of the form by which a unit asks, or says how it stands."""
    pack = current_pack()
    shares = Share.objects.filter(case=case).select_related("member").order_by("member__name")
    return AskForm(
        questions=tuple(Choice(row.code, row.words) for row in pack.questions.values()),
        members=tuple(Choice(share.member.member_id, share.member.name) for share in shares),
        updates=tuple(Choice(row.code, row.words) for row in pack.updates.values()),
    )


def _views(found: QuerySet[Question]) -> tuple[QuestionView, ...]:
    pack = current_pack()
    related = found.select_related("report__member", "unit").defer("report__content", "report__salt")
    rows = related.order_by("-pk")
    return tuple(_view(pack, row) for row in sorted(rows, key=lambda row: row.closed_at is not None))


def _view(pack: Pack, question: Question) -> QuestionView:
    row = pack.questions.get(question.code)
    return QuestionView(
        question_id=question.question_id,
        report_id=question.report.report_id,
        member_name=question.report.member.name,
        words=row.words if row else question.code,
        what_for=row.what_for if row else "",
        kind=row.answer if row else "",
        options=_options(pack, row, question) if row and question.closed_at is None else (),
        unit=row.unit if row else "",
        by=question.asked_by_name,
        unit_name=question.unit.name,
        asked_at=question.asked_at,
        lapses_at=question.lapses_at,
        closed_at=question.closed_at,
        answer_words=_answer_words(pack, row, question),
        ended_words=ENDED.get(Question.How(question.how), "") if question.how else "",
        note=question.note,
    )


def _options(pack: Pack, row: QuestionRow, question: Question) -> tuple[tuple[str, str], ...]:
    if row.answer != "holding":
        return tuple((option, option) for option in row.options)
    held = Holding.objects.filter(member=question.report.member).order_by("source_id")
    about = held.filter(reports__report=question.report)
    found = list(about.distinct()) or list(held[:20])
    return tuple((log.source_id, f"{log.source_id} ({_log_words(pack, log)})") for log in found)


def _log_words(pack: Pack, log: Holding) -> str:
    row = pack.log_types.get(log.log_type)
    return row.words if row else log.log_type


def _answer_words(pack: Pack, row: QuestionRow | None, question: Question) -> str:
    if question.how != Question.How.ANSWERED:
        return ""
    if row is not None and row.answer == "when":
        return words.when(pack, parse_rfc3339(question.answer))
    return f"{question.answer} {row.unit}" if row is not None and row.unit else question.answer
