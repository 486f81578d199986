"""What a unit does about a case: take it, judge it, answer it, pass it on, ask, and say how it stands.

Whatever a person of the unit does by a page, its machine does here: in that person's name where the request
says `On-Behalf-Of`, and otherwise as `key LABEL`, which counts as automatic and never as follow-up.
"""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from tocsin.access.services import fetch_unit
from tocsin.cases import services
from tocsin.cases.answers import prepared_reason
from tocsin.cases.bulk import prepared_answer
from tocsin.cases.models import Case, Clock
from tocsin.cases.newest import case_facts
from tocsin.cases.reassigning import people_at
from tocsin.cases.units import current_pack
from tocsin.doors.api import case_values as values
from tocsin.doors.api.acting import body_for, on_case
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.values import described
from tocsin.kernel.problems import BadInput, NotFound

router = Router(tags=["acts"])


@router.post("/{case_id}/accept", auth=guard("case.accept"), openapi_extra=described(values.CaseState))
def accept_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """A person takes the case. Needs `On-Behalf-Of`: a case belongs to a person, never to a key."""
    return on_case(request, case_id, lambda case, by: _kept(services.accept_case(case, by)))


@router.post(
    "/{case_id}/assess",
    auth=guard("case.assess"),
    openapi_extra=described(values.CaseState, body=values.Assess),
)
def assess_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Decide what is to be done, with a reason that every reporter of the case reads."""
    body = body_for(request, case_id, values.Assess)

    def do(case: Case, by: services.Responder) -> None:
        reason = body.reason.strip()
        row = current_pack().statuses.get(body.status)
        if not reason and row is not None:
            reason = prepared_reason(row, case_facts(case))
        services.assess_case(case, by, body.status, reason)

    return on_case(request, case_id, do)


@router.post(
    "/{case_id}/answer",
    auth=guard("case.answer"),
    openapi_extra=described(values.CaseState, body=values.Answer),
)
def answer_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Close the case with an outcome: one act answers every report in it."""
    body = body_for(request, case_id, values.Answer)

    def do(case: Case, by: services.Responder) -> None:
        words = body.words.strip()
        if not words and body.outcome_code in current_pack().outcomes:
            words = prepared_answer(body.outcome_code, case)
        services.answer_case(
            case, by, body.outcome_code, words, body.would_have_helped, receiving_body=body.receiving_body
        )

    return on_case(request, case_id, do)


@router.post("/{case_id}/withdraw", auth=guard("case.answer"), openapi_extra=described(values.CaseState))
def withdraw_answer(request: HttpRequest, case_id: str) -> HttpResponse:
    """Take the answer back within its minute; the clocks go on as though it had not been given."""
    return on_case(request, case_id, lambda case, by: _kept(services.withdraw_answer(case, by)))


@router.post(
    "/{case_id}/redirect",
    auth=guard("case.redirect"),
    openapi_extra=described(values.CaseState, body=values.Redirect),
)
def redirect_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Pass the case to the unit whose it is. No clock stops."""
    body = body_for(request, case_id, values.Redirect)
    return on_case(
        request,
        case_id,
        lambda case, by: _kept(services.redirect_case(case, by, fetch_unit(body.unit_id), body.reason)),
    )


@router.post(
    "/{case_id}/enquiry",
    auth=guard("case.enquire"),
    openapi_extra=described(values.CaseState, body=values.Enquiry),
)
def state_enquiry(request: HttpRequest, case_id: str) -> HttpResponse:
    """State where a line of enquiry points, or that a life is in danger: the rules route the case at once."""
    body = body_for(request, case_id, values.Enquiry)

    def do(case: Case, by: services.Responder) -> None:
        if body.where == "threat to life":
            services.state_threat_to_life(case, by, body.said)
        else:
            services.state_enquiry(case, by, body.where, body.said)

    return on_case(request, case_id, do, is_move=True)


@router.post(
    "/{case_id}/owner",
    auth=guard("case.reassign"),
    openapi_extra=described(values.CaseState, body=values.NewOwner),
)
def reassign_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Give the case to somebody of the unit. Needs `On-Behalf-Of` its supervisor; no clock begins anew."""
    body = body_for(request, case_id, values.NewOwner)

    def do(case: Case, by: services.Responder) -> None:
        people = people_at([case.investigating_unit_id])
        person = people.filter(email=body.owner.strip().lower()[:254]).first()
        if person is None:
            raise BadInput("nobody with that address works at the unit")
        services.reassign_case(case, by, person, body.reason)

    return on_case(request, case_id, do)


@router.post(
    "/{case_id}/update",
    auth=guard("case.update"),
    openapi_extra=described(values.CaseState, body=values.Update),
)
def update_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Say how it stands where nothing is new, in the country's prepared words."""
    body = body_for(request, case_id, values.Update)
    return on_case(request, case_id, lambda case, by: _kept(services.say_update(case, by, body.code)))


@router.post(
    "/{case_id}/ask", auth=guard("case.ask"), openapi_extra=described(values.CaseState, body=values.Ask)
)
def ask_reporters(request: HttpRequest, case_id: str) -> HttpResponse:
    """Ask the reporters from the country's list; what is asked already is not asked twice."""
    body = body_for(request, case_id, values.Ask)

    def do(case: Case, by: services.Responder) -> None:
        services.ask(case, by, body.codes, body.member_ids)

    return on_case(request, case_id, do)


@router.post(
    "/{case_id}/questions/{question_id}/withdraw",
    auth=guard("case.ask"),
    openapi_extra=described(values.CaseState),
)
def withdraw_question(request: HttpRequest, case_id: str, question_id: str) -> HttpResponse:
    """Take a question back that is not needed any more."""
    return on_case(
        request, case_id, lambda case, by: _kept(services.withdraw_question(case, by, question_id))
    )


@router.post(
    "/{case_id}/duties/{duty_id}",
    auth=guard("case.duty"),
    openapi_extra=described(values.CaseState, body=values.Duty),
)
def meet_duty(request: HttpRequest, case_id: str, duty_id: str) -> HttpResponse:
    """Say that a duty of the unit is done, or that it does not apply. Twice is once."""
    body = body_for(request, case_id, values.Duty)

    def do(case: Case, by: services.Responder) -> None:
        found = whole_number(duty_id)
        if not Clock.objects.filter(pk=found, case=case, member__isnull=True).exists():
            raise NotFound()
        services.meet_duty(actor_of(request), found, applies=body.applies)

    return on_case(request, case_id, do)


@router.post(
    "/{case_id}/crime-number",
    auth=guard("case.record"),
    openapi_extra=described(values.CaseState, body=values.CrimeNumber),
)
def record_crime_number(request: HttpRequest, case_id: str) -> HttpResponse:
    """Keep the crime number that came back, and tell the reporters; another one replaces it."""
    body = body_for(request, case_id, values.CrimeNumber)

    def do(case: Case, by: services.Responder) -> None:
        services.record_crime_number(case, by, body.number)

    return on_case(request, case_id, do)


def whole_number(text: str) -> int:
    """The number in an address. Raises NotFound, as for anything that is not there."""
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise NotFound()
    return int(text)


def _kept(case: Case) -> None:
    """The act was about the case itself: its own state is the answer."""
