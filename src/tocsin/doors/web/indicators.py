"""One indicator: may I block this, why was I blocked, and a trusted person's word on it."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor, may
from tocsin.cases.units import current_pack
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.figures import effects
from tocsin.kernel.problems import BadInput, Conflict, NotFound
from tocsin.sharing import explaining, pseudonyms, queries, services, sightings
from tocsin.sharing.models import Indicator

Verb = Callable[[Indicator, str], object]


@guards("indicator.read")
def indicator(request: HttpRequest, actor: Actor, indicator_id: str) -> HttpResponse:
    """May I block this? Why was I blocked?"""
    return _show(request, actor, indicator_id, Typed())


@guards("indicator.approve", "GET", "POST")
def approve(request: HttpRequest, actor: Actor, indicator_id: str) -> HttpResponse:
    """A trusted person's yes: it is shared from now on."""

    def act(found: Indicator, reason: str) -> None:
        services.approve(found, actor, is_yes=True, reason=reason)

    return _judge(request, actor, indicator_id, act, "Shared. Every list has it with its next number.")


@guards("indicator.withdraw", "GET", "POST")
def withdraw(request: HttpRequest, actor: Actor, indicator_id: str) -> HttpResponse:
    """A trusted person's no: it leaves every list at once."""

    def act(found: Indicator, reason: str) -> None:
        services.withdraw(found, actor, reason=reason)

    return _judge(request, actor, indicator_id, act, "Withdrawn. It has left every list.")


@guards("sighting.make", "POST")
def sighting(request: HttpRequest, actor: Actor, indicator_id: str) -> HttpResponse:
    """Seen here, too; or taken back."""
    if request.POST.get("undo"):
        sightings.take_back(actor, indicator_id)
        messages.success(request, "Taken back: you have not seen it.")
    else:
        sightings.see_one(actor, indicator_id)
        messages.success(
            request, "Noted. It keeps it on the lists for longer, and tells nobody that it was you."
        )
    return HttpResponseRedirect(reverse("indicator", kwargs={"indicator_id": indicator_id}))


def _judge(request: HttpRequest, actor: Actor, indicator_id: str, act: Verb, said: str) -> HttpResponse:
    """Do one act with its reason and go back; what is wrong is shown above what was typed."""
    if request.method != "POST":
        return _show(request, actor, indicator_id, Typed.waiting(request))
    found = queries.visible_to(actor).filter(indicator_id=indicator_id).first()
    if found is None:
        raise NotFound()
    typed = Typed.posted(request)
    reason = typed.need("reason", "Say why; it stands in the journal under your name", longest=500)
    if not typed.errors:
        try:
            act(found, reason)
        except (BadInput, Conflict) as problem:
            typed.refuse(problem.detail)
    if typed.errors:
        return _show(request, actor, indicator_id, typed, status=422)
    messages.success(request, said)
    return HttpResponseRedirect(reverse("indicator", kwargs={"indicator_id": indicator_id}))


def _show(
    request: HttpRequest, actor: Actor, indicator_id: str, typed: Typed, *, status: int = 200
) -> HttpResponse:
    view = queries.indicator_view(actor, indicator_id)
    context = {
        "view": view,
        "typed": typed,
        "errors": typed.errors,
        "kind_words": current_pack().kind_words(view.attack_kind),
        "may_go_back": may(actor, "network.read"),
        "stopped": effects.stopped_by(actor, indicator_id),
        "known": explaining.explain(actor, view.value),
        "sighting": sightings.own_sighting(actor, indicator_id),
        "sources": pseudonyms.sources_of(actor, indicator_id),
        "may_ask_source": may(actor, "source.ask"),
    }
    return page(request, "indicator", context, status=status)
