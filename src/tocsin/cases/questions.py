"""Questions to the reporters of a case: asked from the pack's list, answered in one press, never for people.

Every member asked sees its own question alone, at its first report in the case.
"""

import datetime as dt
import re
from collections.abc import Sequence

from django.db.models import QuerySet

from tocsin.access.policy import Actor, require
from tocsin.cases import clocks, pausing, states
from tocsin.cases.decisions import lock_case, own, record, refuse_coordinator
from tocsin.cases.models import Case, Question, Share
from tocsin.cases.opening import push_status
from tocsin.cases.responders import Responder
from tocsin.cases.units import current_pack
from tocsin.intake import queries as intake
from tocsin.intake.models import Report
from tocsin.inventory.models import Holding
from tocsin.journal.acts import Act, act
from tocsin.kernel.problems import BadInput, Conflict, NotFound
from tocsin.kernel.time import now, parse_rfc3339, rfc3339
from tocsin.reference import calendars
from tocsin.reference.values import Pack, QuestionRow

LONGEST_NOTE = 280
HIGHEST = 1_000_000_000
# What a note must not hold: a mail address, an address of a machine, a number as long as a telephone's.
PERSONAL = re.compile(
    r"@|\b\d{1,3}(?:\.\d{1,3}){3}\b|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:]*|(?:\d[ -]?){7,}"
)


def ask(
    case: Case,
    by: Responder,
    codes: Sequence[str],
    member_ids: Sequence[str] = (),
    at: dt.datetime | None = None,
) -> list[Question]:
    """Ask members of a case, all of them where none are named; gives what is now asked of them.

    What is asked already is not asked twice. Whoever asks takes the case where nobody had it. The clocks that
    the pack names stand still until all is answered. Raises BadInput, Conflict, NotAllowed.
    """
    at, pack = at or now(), current_pack()
    unknown = [code for code in codes if code not in pack.questions]
    if unknown or not codes:
        raise BadInput(
            f"{unknown[0]!r} is no question of the list" if unknown else "choose a question",
            hint=f"one of {', '.join(pack.questions)}",
        )
    with act() as recorded:
        case = own(recorded, case, by, at)
        states.check(pack, "ask", case.status, states.QUESTION, by.party)
        reports = _first_reports(case, member_ids)
        open_now = Question.objects.filter(case=case, report__in=reports, code__in=codes, closed_at=None)
        known = set(open_now.values_list("report_id", "code"))
        fresh = [
            _question(pack, case, by, report, code, at)
            for report in reports
            for code in dict.fromkeys(codes)
            if (report.pk, code) not in known
        ]
        if fresh:
            Question.objects.bulk_create(fresh)
            _tell_asked(recorded, pack, case, by, fresh, at)
        case.save()
        push_status(case, at)
        return list(open_now.order_by("pk"))


def _question(pack: Pack, case: Case, by: Responder, report: Report, code: str, at: dt.datetime) -> Question:
    row = pack.questions[code]
    return Question(
        case=case,
        report=report,
        code=code,
        asked_by=by.person,
        asked_by_name=by.name,
        unit=by.unit,
        asked_at=at,
        lapses_at=calendars.due(at, row.lapses_after, row.lapses_unit, case.investigating_unit.country),
    )


def _tell_asked(
    recorded: Act, pack: Pack, case: Case, by: Responder, fresh: Sequence[Question], at: dt.datetime
) -> None:
    moved = clocks.turn(recorded, case, "asked", at)
    pausing.settle(case, at)
    rows = [pack.questions[code] for code in dict.fromkeys(question.code for question in fresh)]
    content = moved | {
        "reports": list(dict.fromkeys(question.report.report_id for question in fresh)),
        "codes": [row.code for row in rows],
        "questions": " ".join(row.words for row in rows),
        "due_at": rfc3339(min(question.lapses_at for question in fresh)),
    }
    record(recorded, "cases:question:asked", case, by, content)


def _first_reports(case: Case, member_ids: Sequence[str]) -> list[Report]:
    """Of each member its first report in the case. Raises BadInput for who is not in it."""
    shares = Share.objects.filter(case=case)
    firsts = Report.objects.filter(pk__in=shares.values("first_report")).select_related("member")
    found = {report.member.member_id: report for report in firsts.order_by("pk")}
    missing = [member_id for member_id in member_ids if member_id not in found]
    if missing:
        raise BadInput("that member has no report in the case")
    return [found[member_id] for member_id in dict.fromkeys(member_ids)] or list(found.values())


def withdraw_question(case: Case, by: Responder, question_id: str, at: dt.datetime | None = None) -> Case:
    """Take a question back; the clocks go on when none is left. Twice is once. Raises NotFound."""
    at = at or now()
    with act() as recorded:
        refuse_coordinator(by)
        case = lock_case(case)
        question = Question.objects.filter(case=case, question_id=question_id).first()
        if question is None:
            raise NotFound()
        if question.closed_at is None:
            _close(recorded, case, question, Question.How.WITHDRAWN, at, by.signature)
    return case


def reply(
    actor: Actor,
    report_id: str,
    question_id: str,
    answer: str,
    note: str = "",
    at: dt.datetime | None = None,
) -> Question:
    """A member answers a question about its own report, in one press; the same answer twice is once.

    `answer` is one of the question's options, an instant (RFC 3339), a whole number, or the source id of one
    of the member's own logs. Raises NotSignedIn, NotAllowed, NotFound, BadInput, Conflict.
    """
    require(actor, "report.reply")
    at, pack = at or now(), current_pack()
    report = intake.visible_to(actor).filter(report_id=report_id).select_related("member").first()
    found = Question.objects.filter(report=report, question_id=question_id).first() if report else None
    if report is None or found is None:
        raise NotFound("there is no such question, or it is not for you")
    said = check_reply(pack.questions[found.code], report, answer)
    note = check_note(note)
    with act() as recorded:
        case = lock_case(found.case)
        question = Question.objects.select_for_update().get(pk=found.pk)
        if question.closed_at is not None:
            if (question.how, question.answer, question.note) == (Question.How.ANSWERED, said, note):
                return question
            raise Conflict(
                "the question is closed: " + Question.How(question.how).label.lower(),
                hint="a later version of your report can still say more",
            )
        if question.case_id != case.pk:
            raise Conflict("your report has just moved to another case", hint="open the report again")
        question.answer, question.note, question.answered_by_name = said, note, actor.label
        _close(recorded, case, question, Question.How.ANSWERED, at, report.member.name)
    return question


def check_reply(row: QuestionRow, report: Report, answer: str) -> str:
    """The answer as it is kept. Raises BadInput for what does not answer the question."""
    said = answer.strip()
    if row.options and said in row.options:
        return said
    if row.answer == "number" and said.isascii() and said.isdigit() and int(said) <= HIGHEST:
        return str(int(said))
    if row.answer == "when":
        try:
            return rfc3339(parse_rfc3339(said))
        except ValueError:
            pass
    if row.answer == "holding" and _holdings(report).filter(source_id=said).exists():
        return said
    wanted = {"when": "an instant such as 2026-11-10T14:05:00Z", "number": "a whole number"}
    raise BadInput(
        f"{said!r} does not answer: {row.words}",
        hint=wanted.get(row.answer) or f"one of: {', '.join(row.options) or 'your own logs'}",
    )


def check_note(note: str) -> str:
    """The note, trimmed. Raises BadInput where it is long, or seems to name a person or a machine."""
    note = " ".join(note.split())
    if len(note) > LONGEST_NOTE:
        raise BadInput(f"a note has at most {LONGEST_NOTE} characters")
    if PERSONAL.search(note):
        raise BadInput(
            "a note may not hold an address or a long number",
            hint="who a customer is, only a request under a power may ask; leave it out",
        )
    return note


def _holdings(report: Report) -> QuerySet[Holding]:
    return Holding.objects.filter(member=report.member)


def _close(
    recorded: Act, case: Case, question: Question, how: Question.How, at: dt.datetime, by: str
) -> None:
    """Close a question of a locked case, let the clocks go on where it was the last, and journal it."""
    question.closed_at, question.how = at, how
    question.save()
    moved = pausing.settle(case, at)
    row = current_pack().questions.get(question.code)
    content = {
        "reports": [question.report.report_id],
        "code": question.code,
        "questions": row.words if row else question.code,
        "status": case.status,
        "by": by,
    }
    recorded.record(f"cases:question:{how.value}", case.case_id, content)
    if moved:
        case.save(update_fields=["status"])
        push_status(case, at)


def sweep(at: dt.datetime | None = None) -> int:
    """Let time pass for clocks and questions, each in its turn; gives how many things fell due.

    A question that lapsed lets the clocks go on from the moment at which it did, however late this runs.
    """
    at, total = at or now(), 0
    waiting = Question.objects.filter(closed_at__isnull=True, lapses_at__lte=at).order_by("lapses_at", "pk")
    while (first := waiting.first()) is not None:
        total += clocks.sweep(first.lapses_at) + _lapse(first)
    return total + clocks.sweep(at)


def _lapse(question: Question) -> int:
    with act() as recorded:
        case = lock_case(question.case)
        fresh = Question.objects.select_for_update().get(pk=question.pk)
        if fresh.closed_at is not None:
            return 0
        if fresh.case_id != case.pk:  # it has just moved: the next round finds it there
            return 0
        _close(recorded, case, fresh, Question.How.LAPSED, fresh.lapses_at, "")
    return 1
