"""Hidden sources: how one's own member is hidden, and the two-person opening of somebody else's pseudonym."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor, may
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed
from tocsin.sharing import batching, opened, opening
from tocsin.sharing.hiding import DEFAULTS


@guards("source.read")
def own(request: HttpRequest, actor: Actor) -> HttpResponse:
    """How is my member hidden?"""
    context = {
        "batching": batching.batching_of(actor),
        "opened": opened.opened_of(actor),
        "figures": DEFAULTS,
    }
    return page(request, "source", context)


@guards("source.batch", "GET", "POST")
def batch(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A small source, or no longer."""
    if request.method == "POST":
        is_small = Typed.posted(request).get("small") == "yes"
        batching.call_small(actor, is_small)
        said = (
            "Your warnings wait for their batch from now on."
            if is_small
            else "Your warnings go at once again."
        )
        messages.success(request, said)
    return HttpResponseRedirect(reverse("source"))


@guards("source.review")
def waiting(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Whose name was asked for, and what waits for a second person?"""
    return _list(request, actor, Typed())


@guards("source.ask", "GET", "POST", fresh=True)
def ask(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask who stands behind one pseudonym."""
    if request.method != "POST":
        return _list(request, actor, Typed.waiting(request))
    typed = Typed.posted(request)
    found, pseudonym = typed.get("indicator"), typed.need("pseudonym", "Choose one of the sources")
    reason = typed.need("reason", "Say why; the member reads it, too", longest=500)

    def act() -> str:
        opening.ask(actor, found, pseudonym, reason, is_harmful=typed.get("harm") == "yes")
        return "Asked. An operator or a trusted person decides within a week."

    return _act(request, actor, typed, act)


@guards("source.ask", "GET", "POST")
def withdraw(request: HttpRequest, actor: Actor, opening_id: str) -> HttpResponse:
    """Take it back before anybody has decided."""
    if request.method != "POST":
        return _list(request, actor, Typed.waiting(request))

    def act() -> str:
        opening.withdraw(actor, opening_id)
        return "Taken back. Nobody was named."

    return _act(request, actor, Typed.posted(request), act)


@guards("source.open", "GET", "POST", fresh=True)
def decide(request: HttpRequest, actor: Actor, opening_id: str) -> HttpResponse:
    """The second person of two approves or refuses."""
    if request.method != "POST":
        return _list(request, actor, Typed.waiting(request))
    typed = Typed.posted(request)
    answer = typed.need("answer", "Choose one of the two answers", among=("approved", "refused"))
    reason = typed.need("reason", "Say why; it stands in the journal under your name", longest=500)

    def act() -> str:
        opening.decide(actor, opening_id, answer == "approved", reason)
        return "Approved: each of you two may read the name once." if answer == "approved" else "Refused."

    return _act(request, actor, typed, act, opening_id)


@guards("source.review", "GET", "POST", fresh=True)
def look(request: HttpRequest, actor: Actor, opening_id: str) -> HttpResponse:
    """The name, shown once."""
    if request.method != "POST":
        return _list(request, actor, Typed.waiting(request))
    try:
        name = opening.look(actor, opening_id)
    except (Conflict, NotAllowed) as problem:
        typed = Typed.posted(request)
        typed.refuse(problem.detail)
        return _list(request, actor, typed, status=422)
    response = page(request, "source_opened", {"name": name})
    response["Cache-Control"] = "no-store"
    return response


def _act(
    request: HttpRequest, actor: Actor, typed: Typed, act: Callable[[], str], typed_for: str = ""
) -> HttpResponse:
    """Do one act and go back; what is wrong is shown above what was typed."""
    if not typed.errors:
        try:
            messages.success(request, act())
            return HttpResponseRedirect(reverse("sources"))
        except (BadInput, Conflict, NotAllowed) as problem:
            typed.refuse(problem.detail)
    return _list(request, actor, typed, typed_for, status=422)


def _list(
    request: HttpRequest, actor: Actor, typed: Typed, typed_for: str = "", *, status: int = 200
) -> HttpResponse:
    found = opened.openings(actor)
    context = {
        "open": [one for one in found if one.is_open],
        "ended": [one for one in found if not one.is_open],
        "typed": typed,
        "typed_for": typed_for,
        "errors": typed.errors,
        "figures": DEFAULTS,
        "may_read": may(actor, "indicator.read"),
    }
    return page(request, "sources", context, status=status)
