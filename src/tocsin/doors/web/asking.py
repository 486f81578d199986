"""What a case's page shows of questions, duties and ratings, and the acts on them."""

from typing import Any

from tocsin.access.policy import Actor, may
from tocsin.cases import queries, services
from tocsin.cases.casework import CaseReading
from tocsin.cases.models import Case
from tocsin.cases.views import CaseView
from tocsin.doors.web.forms import Typed


def of_page(actor: Actor, reading: CaseReading) -> dict[str, Any]:
    """The parts of a case for this actor; nothing for who may not read what the reports say."""
    if not reading.sees:
        return {}
    case = reading.case
    is_theirs = case.investigating_unit_id in {unit.pk for unit in actor.units}
    return of_case(case, reading.view) | {"may_meet": is_theirs and may(actor, "case.duty")}


def of_case(case: Case, view: CaseView) -> dict[str, Any]:
    """The values of the parts that `case_questions.html` and `case_duties.html` draw."""
    may_ask = {"ask", "update"} & view.acts
    return {
        "questions": queries.questions_of_case(case),
        "asking": queries.ask_form(case) if may_ask else None,
        "duties": queries.duties_of_case(case),
        "ratings": queries.ratings_of(case),
    }


def ask(typed: Typed, case: Case, by: services.Responder) -> str:
    """Asks what is ticked; notes what is missing in `typed` instead."""
    codes = list(typed.all("question"))
    if not codes:
        typed.note("question", "Choose at least one question")
        return ""
    member_id = typed.get("asked_member")
    asked = services.ask(case, by, codes, [member_id] if member_id else [])
    return f"Asked: {len(asked)} question{'s' if len(asked) != 1 else ''}. Whoever is asked is told."


def update(typed: Typed, case: Case, by: services.Responder) -> str:
    """Tells the reporters how it stands, in the words pressed."""
    services.say_update(case, by, typed.get("update"))
    return "The reporters are told how it stands."
