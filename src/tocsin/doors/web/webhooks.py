"""Webhooks: one's own machine is told, and sees that it was."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.kernel.problems import BadInput, Conflict
from tocsin.notices import hooks, queries


@guards("webhook.manage", "GET", "POST")
def webhooks(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Which of my machines are told, and do they hear it?"""
    if request.method != "POST":
        return _show(request, actor, Typed.waiting(request))
    typed = Typed.posted(request)
    owner = typed.need("owner", "Choose for whom", among=[hooks.owner_id(one) for one in hooks.owners(actor)])
    url = typed.need("url", "Give the address that is called", longest=500)
    if not typed.errors:
        try:
            made = hooks.make(actor, owner, url, hears_indicators=typed.get("indicators") == "yes")
        except (BadInput, Conflict) as problem:
            typed.note("indicators" if "indicators" in problem.detail else "url", problem.detail)
        else:
            messages.success(request, "Made. Its secret stands on this page; send it a test.")
            return HttpResponseRedirect(reverse("webhook", kwargs={"hook_id": made.hook_id}))
    return _show(request, actor, typed, status=422)


@guards("webhook.manage", "GET", "POST")
def webhook(request: HttpRequest, actor: Actor, hook_id: str) -> HttpResponse:
    """What became of the messages to this one?"""
    found = hooks.fetch(actor, hook_id)
    if request.method != "POST":
        response = page(request, "webhook", {"hook": queries.endpoint_view(found), "errors": []})
        response["Cache-Control"] = "no-store"  # the secret stands on it
        return response
    name = request.POST.get("act", "")
    if name not in ACTS:
        raise BadInput("choose what is to be done")
    messages.success(request, ACTS[name](request, actor, hook_id))
    onward = reverse("webhooks") if name == "remove" else reverse("webhook", kwargs={"hook_id": hook_id})
    return HttpResponseRedirect(onward)


def _test(request: HttpRequest, actor: Actor, hook_id: str) -> str:
    hooks.send_test(actor, hook_id)
    return "A test is on its way; look at this page again in some seconds."


def _rotate(request: HttpRequest, actor: Actor, hook_id: str) -> str:
    hooks.rotate(actor, hook_id)
    return "There is a new secret. For a day the old one signs too."


def _resume(request: HttpRequest, actor: Actor, hook_id: str) -> str:
    hooks.resume(actor, hook_id)
    return "It is tried again now, from what waits first."


def _replay(request: HttpRequest, actor: Actor, hook_id: str) -> str:
    text = request.POST.get("position", "").strip()
    if not text.isdigit():
        raise BadInput("a position is a number from 0", hint="take one from the list of messages")
    return f"{hooks.replay(actor, hook_id, int(text)):,} messages are sent once more."


def _remove(request: HttpRequest, actor: Actor, hook_id: str) -> str:
    hooks.remove(actor, hook_id)
    return "The webhook is gone; nothing more is sent to it."


ACTS: dict[str, Callable[[HttpRequest, Actor, str], str]] = {
    "test": _test,
    "rotate": _rotate,
    "resume": _resume,
    "replay": _replay,
    "remove": _remove,
}


def _show(request: HttpRequest, actor: Actor, typed: Typed, *, status: int = 200) -> HttpResponse:
    owners = [{"value": hooks.owner_id(one), "text": one.name} for one in hooks.owners(actor)]
    context = {"hooks": queries.endpoints(actor), "owners": owners, "typed": typed, "errors": typed.errors}
    return page(request, "webhooks", context, status=status)
