"""Communities: which circles is my member in, and what do they share?"""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access import gathering
from tocsin.access.communities import communities_of
from tocsin.access.models import Community
from tocsin.access.policy import Actor
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed
from tocsin.sharing import circles

CEILINGS = {
    Community.Tlp.CLEAR: "TLP:CLEAR, anybody may read it",
    Community.Tlp.GREEN: "TLP:GREEN, members may pass it on to those they know",
    Community.Tlp.AMBER: "TLP:AMBER, members and those of their clients who need it",
    Community.Tlp.AMBER_STRICT: "TLP:AMBER+STRICT, members alone",
}


@guards("community.read")
def communities(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Which circles is my member in?"""
    return _list(request, actor, Typed())


@guards("community.manage", "GET", "POST")
def make(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A new circle, in a minute."""
    if request.method != "POST":
        return _list(request, actor, Typed.waiting(request))
    typed = Typed.posted(request)
    name = typed.need("name", "Give it a name", longest=gathering.LONGEST_NAME)
    ceiling = typed.need("ceiling", "Choose how far its words may go", among=tuple(CEILINGS))
    if not typed.errors:
        try:
            made = gathering.make(actor, name, typed.get("purpose"), ceiling)
            messages.success(request, f"{made.name} is made. Let others in below.")
            return HttpResponseRedirect(reverse("community", kwargs={"community_id": made.community_id}))
        except (BadInput, Conflict) as problem:
            typed.note("name", problem.detail[:1].upper() + problem.detail[1:])
    return _list(request, actor, typed, status=422)


@guards("community.read")
def community(request: HttpRequest, actor: Actor, community_id: str) -> HttpResponse:
    """What does this circle share, and who is in it?"""
    return _show(request, actor, community_id, Typed())


@guards("community.manage", "GET", "POST")
def let_in(request: HttpRequest, actor: Actor, community_id: str) -> HttpResponse:
    """Another member joins."""

    def act(typed: Typed) -> str:
        member = typed.need("member", "Choose a member")
        if not typed.errors:
            gathering.let_in(actor, community_id, member)
        return "Let in. What is said from now on reaches it, too."

    return _act(request, actor, community_id, act)


@guards("community.manage", "GET", "POST")
def let_out(request: HttpRequest, actor: Actor, community_id: str) -> HttpResponse:
    """A member leaves."""

    def act(typed: Typed) -> str:
        gathering.let_out(actor, community_id, typed.need("member", "Choose a member"))
        return "It belongs to it no longer, and reads nothing of it from now on."

    return _act(request, actor, community_id, act)


@guards("community.manage", "GET", "POST")
def close(request: HttpRequest, actor: Actor, community_id: str) -> HttpResponse:
    """It ends."""
    if request.method == "POST":
        gathering.close(actor, community_id)
        messages.success(request, "Closed. Its feeds and lists are read by nobody any more.")
    return HttpResponseRedirect(reverse("communities"))


def _act(request: HttpRequest, actor: Actor, community_id: str, act: Callable[[Typed], str]) -> HttpResponse:
    if request.method != "POST":
        return _show(request, actor, community_id, Typed.waiting(request))
    typed = Typed.posted(request)
    try:
        said = act(typed)
    except (BadInput, Conflict, NotAllowed) as problem:
        typed.refuse(problem.detail)
        said = ""
    if typed.errors:
        return _show(request, actor, community_id, typed, status=422)
    messages.success(request, said)
    still = communities_of(actor).filter(community_id=community_id).exists()
    where = reverse("community", kwargs={"community_id": community_id}) if still else reverse("communities")
    return HttpResponseRedirect(where)


def _list(request: HttpRequest, actor: Actor, typed: Typed, *, status: int = 200) -> HttpResponse:
    context = {
        "communities": gathering.communities(actor),
        "ceilings": CEILINGS,
        "typed": typed,
        "errors": typed.errors,
    }
    return page(request, "communities", context, status=status)


def _show(
    request: HttpRequest, actor: Actor, community_id: str, typed: Typed, *, status: int = 200
) -> HttpResponse:
    view = gathering.community(actor, community_id)
    context = {
        "view": view,
        "ceiling": CEILINGS[Community.Tlp(view.tlp_ceiling)],
        "shared": circles.shared_in(actor, community_id),
        "feeds": circles.feeds_of(actor, community_id),
        "others": gathering.others_than(actor, community_id) if view.may_manage else [],
        "mine": {member.member_id for member in actor.members},
        "public_url": settings.PUBLIC_URL,
        "typed": typed,
        "errors": typed.errors,
    }
    return page(request, "community", context, status=status)
