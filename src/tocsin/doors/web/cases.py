"""A case's page and every act upon it: each act has an address of its own and its own line of policy."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor, may
from tocsin.blocking import queries as blocking
from tocsin.cases import casework, queries, reviewing, services
from tocsin.cases.casework import CaseReading
from tocsin.cases.explained import explain
from tocsin.cases.merging import moves_to_undo
from tocsin.cases.models import Case
from tocsin.cases.people import people_of
from tocsin.cases.sealing import SealedCase
from tocsin.cases.views import Act, CaseView
from tocsin.doors.web import asking, deciding, enquiry, paging, papers, sealing
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import home_of, page
from tocsin.figures import effects
from tocsin.kernel.problems import BadInput, Conflict, NotFound
from tocsin.sharing import queries as sharing

ACTS = (
    *("accept", "assess", "answer", "withdraw", "redirect", "detach", "attach", "link", "split", "merge"),
    *("ask", "update"),
)


@guards("case.read")
def case(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """Can I decide this in a minute?"""
    number = request.GET.get("reports", "1")
    wanted = int(number) if number.isdecimal() and len(number) < 8 else 1
    try:
        return _show(request, actor, queries.read_case(actor, case_id, links_page=wanted), Typed(), wanted)
    except SealedCase:
        return sealing.sealed_page(request, actor, case_id, [])


@guards("case.accept", "GET", "POST")
def accept(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """A named person takes the case; pressed twice, it is still theirs."""

    def act(view: CaseView, typed: Typed, case: Case) -> str:
        services.accept_case(case, services.Responder.of(actor, case))
        return "The case is yours."

    return _act(request, actor, case_id, "accept", act)


@guards("case.assess", "GET", "POST")
def assess(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """A decision with its reason."""

    def act(view: CaseView, typed: Typed, case: Case) -> str:
        return deciding.assess(view, typed, case, services.Responder.of(actor, case))

    return _act(request, actor, case_id, "assess", act)


@guards("case.answer", "GET", "POST")
def answer(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """The outcome, told to every reporter of the case."""

    def act(view: CaseView, typed: Typed, case: Case) -> str:
        deciding.answer(view, typed, case, services.Responder.of(actor, case))
        return ""  # the page says it itself, beside the button that takes it back

    return _act(request, actor, case_id, "answer", act)


@guards("case.answer", "GET", "POST")
def withdraw(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """Takes an answer back within its minute."""

    def act(view: CaseView, typed: Typed, case: Case) -> str:
        services.withdraw_answer(case, services.Responder.of(actor, case))
        return "The answer is taken back. The reporters see that it was."

    return _act(request, actor, case_id, "withdraw", act)


@guards("case.redirect", "GET", "POST")
def redirect(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """Another unit should have it; the clocks keep running."""

    def act(view: CaseView, typed: Typed, case: Case) -> str:
        units = {choice.unit_id: choice for choice in view.form.units}
        unit_id = typed.need("unit", "Choose the unit that should have the case", among=list(units))
        reason = typed.need("redirect_reason", "Say why this unit should have it")
        if not typed.errors:
            unit = deciding.unit_of(unit_id)
            services.redirect_case(case, services.Responder.of(actor, case), unit, reason)
        return f"Redirected to {units[unit_id].name}." if unit_id in units else ""

    return _act(request, actor, case_id, "redirect", act)


@guards("case.detach", "GET", "POST")
def detach(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """A report that does not belong leaves the case."""

    def act(view: CaseView, typed: Typed, case: Case) -> str:
        reason = typed.get("detach_reason")
        if not reason:
            raise BadInput("say why this report does not belong to the case")
        report = deciding.report_of(case, typed.get("report"))
        services.detach_report(case, services.Responder.of(actor, case), report, reason)
        return "The report is detached; both cases keep the record of it."

    return _act(request, actor, case_id, "detach", act)


@guards("case.detach", "GET", "POST")
def attach(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """Undoes a detaching: the report comes back, and both ways stay recorded."""

    def act(view: CaseView, typed: Typed, case: Case) -> str:
        report = deciding.report_of(case, typed.get("report"))
        services.attach_report(case, services.Responder.of(actor, case), report, "detached by mistake")
        return "The report is back in this case."

    return _act(request, actor, case_id, "detach", act)


@guards("case.ask", "GET", "POST")
def ask(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """Questions to the reporters, from the pack's list."""

    def act(view: CaseView, typed: Typed, case: Case) -> str:
        return asking.ask(typed, case, services.Responder.of(actor, case))

    return _act(request, actor, case_id, "ask", act)


@guards("case.ask", "GET", "POST")
def take_question_back(request: HttpRequest, actor: Actor, case_id: str, question_id: str) -> HttpResponse:
    """A question that is not needed any more."""

    def act(view: CaseView, typed: Typed, case: Case) -> str:
        services.withdraw_question(case, services.Responder.of(actor, case), question_id)
        return "The question is taken back."

    return _act(request, actor, case_id, "ask", act)


@guards("case.update", "GET", "POST")
def update(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """How it stands where nothing is new, in one press."""

    def act(view: CaseView, typed: Typed, case: Case) -> str:
        return asking.update(typed, case, services.Responder.of(actor, case))

    return _act(request, actor, case_id, "update", act)


@guards("case.duty", "GET", "POST")
def duty(request: HttpRequest, actor: Actor, case_id: str, duty_id: int) -> HttpResponse:
    """A duty that the unit says is done, or does not apply; the case may be closed long since."""
    queries.fetch_case(actor, case_id)
    if request.method == "POST":
        applies = request.POST.get("how") != "not ours"
        services.meet_duty(actor, duty_id, applies=applies)
        messages.success(request, "Recorded.")
    return HttpResponseRedirect(_onward(actor, case_id))


@guards("link.make", "GET", "POST")
def make_link(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """A one-time link for a unit that has not joined: shown once, kept by nobody."""
    view = queries.case_view(actor, case_id)
    if request.method != "POST":
        return HttpResponseRedirect(reverse("case", kwargs={"case_id": case_id}))
    _allow(view, "make_link")
    token = services.make_one_time_link(_fetch(actor, case_id), actor)
    address = request.build_absolute_uri(reverse("one-time", kwargs={"token": token}))
    context = {"address": address, "case_id": case_id, "unit_name": view.route.investigating_unit.name}
    response = page(request, "link_made", context)
    response["Cache-Control"] = "no-store"
    return response


@guards("link.make", "POST")
def withdraw_link(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """Ends the one-time link before it is used up."""
    ended = services.withdraw_one_time_link(_fetch(actor, case_id), actor)
    messages.success(request, "The link is withdrawn." if ended else "No link was left to withdraw.")
    return HttpResponseRedirect(reverse("case", kwargs={"case_id": case_id}))


@guards("packet.read")
def packet(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """The case to print, for a unit that has not joined."""
    return page(request, "packet", {"packet": queries.packet(_fetch(actor, case_id))})


def _act(
    request: HttpRequest,
    actor: Actor,
    case_id: str,
    name: Act,
    act: Callable[[CaseView, Typed, Case], str],
) -> HttpResponse:
    """Do one act and go back to the case; what is wrong is shown above what was typed.

    GET shows the case with the form as it waited for a sign-in, or with the outcome asked for.
    """
    reading = queries.read_case(actor, case_id)
    view = reading.view
    if request.method != "POST":
        typed = Typed.waiting(request) if "typed" in request.session else deciding.asked(request)
        return _show(request, actor, reading, typed)
    typed = Typed.posted(request)
    if name == "accept" and view.owner is not None and view.owner.name == actor.label:
        return HttpResponseRedirect(reverse("case", kwargs={"case_id": case_id}))
    _allow(view, name)
    try:
        said = act(view, typed, _fetch(actor, case_id))
    except (BadInput, Conflict) as problem:
        typed.refuse(problem.detail)
    if typed.errors:
        return _show(request, actor, reading, typed, status=422)
    if said:
        messages.success(request, said)
    return HttpResponseRedirect(_onward(actor, case_id))


def again(request: HttpRequest, actor: Actor, case_id: str, typed: Typed) -> HttpResponse:
    """The case once more, with what was typed and what is wrong with it."""
    return _show(request, actor, queries.read_case(actor, case_id), typed, status=422)


def _show(
    request: HttpRequest,
    actor: Actor,
    reading: CaseReading,
    typed: Typed,
    links_page: int = 1,
    *,
    status: int = 200,
) -> HttpResponse:
    view = reading.view
    to = {name: reverse(f"case-{name}", kwargs={"case_id": view.case_id}) for name in ACTS}
    to["take_back"] = "yes" if "ask" in view.acts else ""
    to["packet"] = reverse("packet", kwargs={"case_id": view.case_id})
    from_queue = may(actor, "queue.read")
    back = (
        {"text": "Queue", "href": reverse("queue")}
        if from_queue
        else {"text": "Coordination", "href": reverse("coordination")}
    )
    context = {"view": view, "typed": typed, "to": to, "back": back, "errors": typed.errors}
    context["likeliest"] = deciding.likeliest(view)
    context |= _more(actor, reading, links_page)
    context |= asking.of_page(actor, reading)
    return page(request, "case", context, status=status)


def _more(actor: Actor, reading: CaseReading, links_page: int) -> dict[str, Any]:
    """What stands beside a case: its score taken apart, people, what may be moved back, and its warnings."""
    case, view = reading.case, reading.view
    address = reverse("case", kwargs={"case_id": view.case_id})
    pages = max(1, -(-view.report_count // casework.LINKS))
    links = paging.pages_of(min(links_page, pages), pages, f"{address}?reports={{}}#links", "Linked reports")
    context: dict[str, Any] = {"report_pages": links}
    context["likely_status"] = deciding.likely_status(view)
    context["likely_help"] = deciding.likely_help(view, reading.logs)
    context |= {"score": explain(case), "victims": case.victim_count}
    context["access"] = sealing.access_of(actor, case)
    context["enquiry"] = enquiry.enquiry_of(actor, case)
    context["papers"] = papers.shelf_of_case(actor, case)
    if reading.newest is None:
        return context
    context["people"] = people_of(case)
    if view.acts & {"assess", "detach", "redirect"} and may(actor, "case.merge"):
        context["moves"] = moves_to_undo(case)
        context["pairs"] = reviewing.waiting(actor, case)
    indicators = sharing.asserted_by(reading.newest.pks)
    return context | {
        "effect": blocking.effect_of(indicators),
        "warned": effects.warnings_of(actor, indicators),
    }


def _onward(actor: Actor, case_id: str) -> str:
    """The case, or the reader's own desk where the act has taken the case from it."""
    if queries.visible_to(actor).filter(case_id=case_id).exists():
        return reverse("case", kwargs={"case_id": case_id})
    return home_of(actor)


def _fetch(actor: Actor, case_id: str) -> Case:
    found = queries.visible_to(actor).filter(case_id=case_id).first()
    if found is None:
        raise NotFound()
    return found


def _allow(view: CaseView, name: Act) -> None:
    if name not in view.acts:
        raise Conflict(
            "The case has moved on: that can no longer be done, or not by you.",
            hint="go back to the case and see what it needs now",
        )
