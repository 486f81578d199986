"""How useful reporters found an answer: three steps and a short note, to be changed at any time."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import F

from tocsin.access.policy import Actor, require
from tocsin.cases.models import Case, Rating
from tocsin.cases.questions import check_note
from tocsin.intake import queries as intake
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, Conflict, NotFound
from tocsin.kernel.time import now

STEPS = {1: "of no use", 2: "of some use", 3: "useful"}


@dataclass(frozen=True)
class RatingView:
    """What one member said of the answer. `member_name` is for the unit; the member knows its own."""

    step: int
    words: str
    note: str
    member_name: str
    rated_at: dt.datetime


def rate_answer(
    actor: Actor, report_id: str, step: int, note: str = "", at: dt.datetime | None = None
) -> Rating:
    """Rate how the case of the actor's report ended; the last word of each member counts.

    Raises NotSignedIn, NotAllowed, NotFound, BadInput; Conflict where it has not ended.
    """
    require(actor, "report.rate")
    at = at or now()
    if step not in STEPS:
        raise BadInput("choose how useful the answer was", hint="1, 2 or 3")
    note = check_note(note)
    report = intake.visible_to(actor).select_related("member").filter(report_id=report_id).first()
    if report is None:
        raise NotFound("there is no such report, or it is not yours")
    with act() as recorded:
        links = Case.objects.filter(links__report=report, links__detached_at__isnull=True)
        case = Case.objects.select_for_update().filter(pk__in=links.values("pk")).first()
        if case is None or case.closed_at is None:
            raise Conflict("there is no answer yet that could be rated")
        rating, is_new = Rating.objects.get_or_create(
            case=case,
            member=report.member,
            ended_at=case.closed_at,
            defaults={"step": step, "note": note, "rated_at": at},
        )
        if not is_new and (rating.step, rating.note) == (step, note):
            return rating
        rating.step, rating.note, rating.rated_at = step, note, at
        rating.save()
        content = {"member_id": report.member.member_id, "member": report.member.name, "step": step}
        recorded.record("cases:answer:rated", case.case_id, content | {"words": STEPS[step]})
    return rating


def ratings_of(case: Case) -> tuple[RatingView, ...]:
    """What the members said of how the case ended last, the newest first."""
    if case.closed_at is None:
        return ()
    found = Rating.objects.filter(case=case, ended_at=case.closed_at)
    return tuple(_view(row) for row in found.select_related("member").order_by("-rated_at", "pk"))


def rating_of(report: Report) -> RatingView | None:
    """What the report's own member said of the answer that stands."""
    found = Rating.objects.filter(
        case__links__report=report,
        case__links__detached_at__isnull=True,
        case__closed_at=F("ended_at"),
        member=report.member,
    )
    row = found.select_related("member").first()
    return _view(row) if row is not None else None


def _view(row: Rating) -> RatingView:
    return RatingView(row.step, STEPS[row.step], row.note, row.member.name, row.rated_at)
