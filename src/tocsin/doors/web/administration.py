"""Administration: who may do what, and every act upon people, keys, members and units."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access import granting, joining, keys, leaving, overview, services
from tocsin.access.models import Invitation, Member, Person, Unit
from tocsin.access.policy import Actor
from tocsin.doors.web import paging, throttle
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import FieldError, page
from tocsin.kernel.problems import BadInput, Conflict, NotFound

# The lists that come in pages: the field of the address that has the number, the heading, and what it is.
LISTS = {
    "people": ("people", "People"),
    "keys": ("keys-made", "Machine keys"),
    "members": ("members", "Members"),
}


@guards("admin.read")
def administration(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Whom do I look after, and what may they do?"""
    return _show(request, actor, [])


@guards("policy.read")
def policy(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Who may do what?"""
    roles, rows = overview.matrix()
    return page(request, "policy", {"roles": roles, "rows": rows})


@guards("person.invite", "POST", fresh=True)
def invite(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Invites somebody to a role: the link is mailed, or shown this once to be passed on."""
    role, _, place = request.POST.get("grant", "").partition("@")
    if actor.person is not None:
        throttle.count_invitation(actor.person.pk)
    try:
        member, unit = place_named(place)
        made, token = joining.invite(actor, request.POST.get("email", ""), role, member=member, unit=unit)
    except BadInput as problem:
        return _show(request, actor, [FieldError("email", problem.detail[:1].upper() + problem.detail[1:])])
    return _link(request, made, token)


@guards("person.invite", "POST")
def invitation_revoke(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Ends a link before its use."""
    joining.revoke_invitation(actor, pk)
    messages.success(request, "The link is void.")
    return _back()


@guards("role.take", "POST", fresh=True)
def role_take(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Takes a role away, at once."""
    leaving.take_role(actor, pk)
    messages.success(request, "The role is taken.")
    return _back()


@guards("person.off", "POST", fresh=True)
def person_switch(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Turns an account off, with its sessions, or on again."""
    person = _person(actor, pk)
    if request.POST.get("to") == "on":
        leaving.turn_on(actor, person)
        messages.success(request, f"The account of {person.name} is on.")
    else:
        leaving.turn_off(actor, person)
        messages.success(request, f"The account of {person.name} is off, and its sessions have ended.")
    return _back()


@guards("person.let_in", "POST", fresh=True)
def person_let_in(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """A link by which somebody who is locked out sets a new password."""
    made, token = joining.invite_back(actor, _person(actor, pk))
    return _link(request, made, token)


@guards("member.suspend", "POST", fresh=True)
def member_switch(request: HttpRequest, actor: Actor, member_id: str) -> HttpResponse:
    """Suspends a member: keys and people lose access at once, reports stay. Or lets it act again."""
    member = services.fetch_member(member_id)
    if request.POST.get("to") == "on":
        leaving.resume_member(actor, member)
        messages.success(request, f"{member.name} acts again.")
        return _back()
    reason = request.POST.get("reason", "").strip()
    if not reason:
        error = FieldError("member-" + member_id, "Say why; the journal keeps it")
        return _show(request, actor, [error], query=member.name)
    services.suspend_member(member, reason[:500])
    messages.success(request, f"{member.name} is suspended. Its reports stay and are still answered.")
    return _back()


@guards("unit.join", "POST", fresh=True)
def unit_join(request: HttpRequest, actor: Actor, unit_id: str) -> HttpResponse:
    """Notes that a unit has joined: its people answer by themselves from now on."""
    joined = services.join_unit(unit_id)
    messages.success(request, f"{joined.name} has joined. Invite its first supervisor.")
    return _back()


@guards("key.manage", "POST", fresh=True)
def key_make(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Makes a machine key and shows it this once."""
    place = _place(actor, request.POST.get("member", ""))
    label = request.POST.get("label", "").strip()[:80]
    scopes = request.POST.getlist("scope")
    if not label or not scopes:
        return _show(request, actor, [FieldError("label", "Name the key and choose what it may do")])
    made, text = keys.make_key(place, label, scopes, actor=actor)
    response = page(request, "key_made", {"text": text, "label": made.label, "member": made.place_name})
    response["Cache-Control"] = "no-store"
    return response


@guards("key.manage", "POST", fresh=True)
def key_revoke(request: HttpRequest, actor: Actor, prefix: str) -> HttpResponse:
    """Ends a key, at once."""
    keys.revoke_key(prefix, actor=actor)
    messages.success(request, "The key has ended.")
    return _back()


def place_named(place: str) -> tuple[Member | None, Unit | None]:
    """The member or unit of an invitation, or neither for the exchange. Raises BadInput."""
    if place == "exchange":
        return None, None
    member = Member.objects.filter(member_id=place).first()
    unit = Unit.objects.filter(unit_id=place).first() if member is None else None
    if member is None and unit is None:
        raise BadInput("choose what to invite to")
    return member, unit


def _person(actor: Actor, pk: int) -> Person:
    found = granting.people_of(actor).filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def _place(actor: Actor, place_id: str) -> keys.Place:
    """The member or unit whose key is to be made, or the exchange. Raises NotFound, Conflict."""
    if place_id == "exchange" and keys.manages(actor, None):
        return None
    member = Member.objects.filter(member_id=place_id).first()
    found = member or Unit.objects.filter(unit_id=place_id).first()
    if found is None or not keys.manages(actor, found):
        raise NotFound()
    if member is not None and member.suspended_at is not None:
        raise Conflict("the member is suspended")
    return found


def _link(request: HttpRequest, made: Invitation, token: str) -> HttpResponse:
    address = settings.PUBLIC_URL + reverse("join", kwargs={"token": token})
    context = {
        "address": address,
        "email": made.email,
        "is_mailed": joining.send(made, address),
        "expires_at": made.expires_at,
    }
    response = page(request, "invited", context)
    response["Cache-Control"] = "no-store"  # the page holds the token
    return response


def _show(request: HttpRequest, actor: Actor, errors: list[FieldError], *, query: str = "") -> HttpResponse:
    query = query or request.GET.get("q", "").strip()[:100]
    asked = {name: request.GET.get(name, "1") for name in LISTS}
    wanted = {name: int(one) for name, one in asked.items() if one.isdecimal() and len(one) < 8}
    view = overview.overview(actor, query, wanted)
    leaves = {name: getattr(view, name) for name in LISTS}
    context = {"view": view, "query": query, "scopes": sorted(keys.SCOPES), "errors": errors}
    context["links"] = {
        name: paging.pages_of(leaf.number, leaf.pages, others_of(query, leaves, name), LISTS[name][1])
        for name, leaf in leaves.items()
    }
    return page(request, "administration", context, status=422 if errors else 200)


def others_of(query: str, leaves: dict[str, overview.Leaf[Any]], name: str) -> str:
    """The address of another page of one list: the words and the pages of the other lists stay."""
    kept = {"q": query} | {other: leaf.number for other, leaf in leaves.items() if other != name}
    fixed = urlencode(kept).replace("{", "{{").replace("}", "}}")
    return f"?{fixed}&{name}={{}}#{LISTS[name][0]}"


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("administration"))
