"""Appeals: a public form for whoever is blocked, a link to the answer, and what waits for trusted persons."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.limits import Limit, take
from tocsin.access.policy import Actor
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.kernel.problems import BadInput, Conflict
from tocsin.sharing import appealing

APPEALS = Limit(20, 3600)  # from one address


@guards("appeal.make", "GET", "POST")
def appeal(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Why am I blocked, and how do I get off the list?"""
    if request.method != "POST":
        typed = Typed({"value": [request.GET.get("value", "")[:300]]})
        return page(request, "appeal", {"typed": typed, "errors": []})
    take("appeal", request.META.get("REMOTE_ADDR", ""), APPEALS)
    typed = Typed.posted(request)
    value = typed.need("value", "Give the address or name that is blocked", longest=300)
    words = typed.need("words", "Say why it is wrong", longest=appealing.LONGEST)
    if not typed.errors:
        try:
            token = appealing.appeal(value, words)
            return HttpResponseRedirect(reverse("appeal-read", kwargs={"token": token}))
        except appealing.NotListed:
            return page(request, "appeal", {"typed": typed, "errors": [], "not_listed": value})
        except (BadInput, Conflict) as problem:
            typed.note("value", problem.detail[:1].upper() + problem.detail[1:])
    return page(request, "appeal", {"typed": typed, "errors": typed.errors}, status=422)


@guards("appeal.read")
def read(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Was it answered?"""
    view = appealing.of_token(token)
    address = request.build_absolute_uri()
    return page(request, "appeal_answer", {"view": view, "address": address})


@guards("appeal.decide")
def waiting(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Who waits for an answer?"""
    return _list(request, actor, Typed())


@guards("appeal.decide", "GET", "POST")
def decide(request: HttpRequest, actor: Actor, appeal_id: str) -> HttpResponse:
    """Upheld or rejected, with the reason that whoever appealed reads."""
    if request.method != "POST":
        return _list(request, actor, Typed.waiting(request))
    typed = Typed.posted(request)
    answer = typed.need("answer", "Choose one of the two answers", among=("upheld", "rejected"))
    reason = typed.need("reason", "Say why; whoever appealed reads it", longest=500)
    if not typed.errors:
        try:
            done = appealing.decide(appeal_id, actor, answer == "upheld", reason)
            where = "is off every list" if answer == "upheld" else "stays on the lists"
            messages.success(request, f"Answered: {done.value} {where}.")
            return HttpResponseRedirect(reverse("appeals"))
        except (BadInput, Conflict) as problem:
            typed.refuse(problem.detail)
    return _list(request, actor, typed, appeal_id, status=422)


def _list(
    request: HttpRequest, actor: Actor, typed: Typed, typed_for: str = "", *, status: int = 200
) -> HttpResponse:
    found = appealing.open_appeals(actor)
    late = sum(one.is_overdue for one in found)
    context = {
        "open": found,
        "answered": appealing.answered_appeals(actor),
        "late": late,
        "typed": typed,
        "typed_for": typed_for,
        "errors": typed.errors,
    }
    return page(request, "appeals", context, status=status)
