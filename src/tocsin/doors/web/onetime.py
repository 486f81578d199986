"""One case for an officer of a unit that has not joined: the token in the address is the permission."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor
from tocsin.cases import queries, services
from tocsin.cases.models import Case, OneTimeLink
from tocsin.cases.one_time import LinkNotFound
from tocsin.cases.papers.filling import fill
from tocsin.cases.views import Act, CaseView
from tocsin.doors.web import asking, deciding, papers, throttle
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.kernel.problems import BadInput, Conflict
from tocsin.store import fence


@guards("link.use")
def one_time(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """The case, and what to do with it."""
    return _show(request, token, _found(request, token), Typed())


@guards("link.use", "GET", "POST")
def accept(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """The officer gives a name and takes the case."""
    link = _found(request, token)
    typed = Typed.posted(request)
    if request.method != "POST" or link.officer_name:
        return HttpResponseRedirect(reverse("one-time", kwargs={"token": token}))
    name = typed.need("officer", "Give your name, rank or number", longest=160)
    if typed.errors:
        return _show(request, token, link, typed, status=422)
    services.accept_by_link(link, name)
    messages.success(request, "The case is yours. The reporters see that a named person has it.")
    return HttpResponseRedirect(reverse("one-time", kwargs={"token": token}))


@guards("link.use", "GET", "POST")
def assess(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """A decision with its reason."""
    return _act(request, token, "assess", deciding.assess)


@guards("link.use", "GET", "POST")
def answer(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """The outcome, told to every reporter of the case."""

    def act(view: CaseView, typed: Typed, case: Case, by: services.Responder) -> str:
        deciding.answer(view, typed, case, by)
        return ""  # the page says it itself

    return _act(request, token, "answer", act)


@guards("link.use", "GET", "POST")
def ask(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Questions to the reporters, from the pack's list."""
    return _act(request, token, "ask", lambda view, typed, case, by: asking.ask(typed, case, by))


@guards("link.use", "GET", "POST")
def update(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """How it stands where nothing is new, in one press."""
    return _act(request, token, "update", lambda view, typed, case, by: asking.update(typed, case, by))


@guards("link.use", "GET", "POST")
def withdraw(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Takes an answer back within its minute."""

    def act(view: CaseView, typed: Typed, case: Case, by: services.Responder) -> str:
        services.withdraw_answer(case, by)
        return "The answer is taken back. The reporters see that it was."

    return _act(request, token, "withdraw", act)


@guards("link.use", "POST")
def crime_number(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """The crime number that came back, pasted by the officer who took the case."""
    link = _found(request, token)
    papers.note_number(request, link.case, services.Responder.of_link(link))
    return HttpResponseRedirect(reverse("one-time", kwargs={"token": token}))


@guards("link.use")
def form(request: HttpRequest, actor: Actor, token: str, form: str) -> HttpResponse:
    """A form filled from the case, to copy or print."""
    link = _found(request, token)
    services.Responder.of_link(link)  # only for somebody who gave a name
    back = {"text": "The case", "href": reverse("one-time", kwargs={"token": token})}
    response = page(request, "form", {"form": fill(link.case, form), "files": [], "back": back})
    response["Cache-Control"] = "no-store"
    return response


def _found(request: HttpRequest, token: str) -> OneTimeLink:
    """The link; an address that tries many links that are none is held up."""
    address = request.META.get("REMOTE_ADDR", "")
    throttle.check_link(address)
    try:
        with fence.lifted():
            link = services.find_link(token)
    except LinkNotFound:
        throttle.count_wrong_link(address)
        raise
    fence.open_case(link.case_id)
    return link


def _act(
    request: HttpRequest,
    token: str,
    name: Act,
    act: Callable[[CaseView, Typed, Case, services.Responder], str],
) -> HttpResponse:
    link = _found(request, token)
    if request.method != "POST":
        return _show(request, token, link, deciding.asked(request))
    view = queries.case_by_link(link)
    if not link.officer_name or name not in view.acts:
        raise Conflict("That cannot be done now.", hint="open your link again and see what the case needs")
    typed = Typed.posted(request)
    said = ""
    try:
        said = act(view, typed, link.case, services.Responder.of_link(link))
    except (BadInput, Conflict) as problem:
        typed.refuse(problem.detail)
    if typed.errors:
        return _show(request, token, link, typed, status=422)
    if said:
        messages.success(request, said)
    return HttpResponseRedirect(reverse("one-time", kwargs={"token": token}))


def _show(
    request: HttpRequest, token: str, link: OneTimeLink, typed: Typed, *, status: int = 200
) -> HttpResponse:
    view = queries.case_by_link(link)
    to = {
        name: reverse(f"one-time-{name}", kwargs={"token": token})
        for name in ("accept", "assess", "answer", "withdraw", "ask", "update")
    }
    context = {"view": view, "typed": typed, "to": to, "errors": typed.errors}
    context["likeliest"] = deciding.likeliest(view)
    context |= asking.of_case(link.case, view)
    context |= {"officer": link.officer_name, "expires_at": link.expires_at}
    context["papers"] = papers.shelf_of_link(link, token)
    response = page(request, "one_time", context, status=status)
    response["Cache-Control"] = "no-store"  # the address holds the token
    return response
