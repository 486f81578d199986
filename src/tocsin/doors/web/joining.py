"""Joining by a one-time link, and coming back by one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from tocsin.access import joining
from tocsin.access.models import Invitation, Person
from tocsin.access.policy import Actor
from tocsin.doors.web import throttle
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import FieldError, actor_of, home_of, page
from tocsin.doors.web.session import enter
from tocsin.kernel.problems import BadInput


@sensitive_post_parameters("password")
@guards("invitation.use", "GET", "POST")
def join(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """What am I invited to, and how do I begin?"""
    invitation = found(request, token)
    if not invitation.role:
        return _come_back(request, invitation)
    if Person.objects.filter(email=invitation.email).exists():
        return _take_up(request, actor, invitation)
    if request.method != "POST":
        return _show(request, invitation, [])
    return _join(request, invitation)


def found(request: HttpRequest, token: str) -> Invitation:
    """The invitation; an address that tries many links that are none is held up."""
    address = request.META.get("REMOTE_ADDR", "")
    throttle.check_link(address)
    try:
        return joining.find_invitation(token)
    except joining.InvitationNotFound:
        throttle.count_wrong_link(address)
        raise


def _join(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    by_passkey = request.POST.get("way") == "passkey"
    name, password = request.POST.get("name", "").strip(), request.POST.get("password", "")
    errors = [] if name else [FieldError("name", "Give your name as others here should read it")]
    if not by_passkey and not errors:
        try:
            joining.check_password(password, Person(email=invitation.email, name=name))
        except BadInput as problem:
            errors = [FieldError("password", problem.detail)]
    if errors:
        return _show(request, invitation, errors)
    try:
        person = joining.join(invitation, name, None if by_passkey else password)
    except BadInput as problem:
        return _show(
            request, invitation, [FieldError("name", problem.detail[:1].upper() + problem.detail[1:])]
        )
    enter(request, person, second=False)
    if by_passkey:
        return HttpResponseRedirect(reverse("account-passkey"))
    messages.success(request, "Welcome. Your account is made.")
    return HttpResponseRedirect(home_of(actor_of(request)))


def _take_up(request: HttpRequest, actor: Actor, invitation: Invitation) -> HttpResponse:
    """Who has an account signs in and takes the role by one press."""
    if actor.person is None:
        return HttpResponseRedirect(f"{reverse('sign-in')}?next={request.path}")
    if request.method != "POST":
        return _show(request, invitation, [])
    joining.take_up(invitation, actor.person)
    messages.success(request, "The role is yours.")
    del request.tocsin_actor  # type: ignore[attr-defined]  # it has one role more now
    return HttpResponseRedirect(home_of(actor_of(request)))


def _come_back(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    if request.method != "POST":
        return _show(request, invitation, [])
    try:
        person = joining.come_back(invitation, request.POST.get("password", ""))
    except BadInput as problem:
        return _show(request, invitation, [FieldError("password", problem.detail)])
    enter(request, person, second=False)
    messages.success(request, "Your password is set. Set up a second factor again, if your role needs one.")
    return HttpResponseRedirect(reverse("account"))


def _show(request: HttpRequest, invitation: Invitation, errors: list[FieldError]) -> HttpResponse:
    place = invitation.member or invitation.unit
    context = {
        "email": invitation.email,
        "role": invitation.get_role_display() if invitation.role else "",
        "place": place.name if place else "the exchange",
        "by": invitation.made_by.name if invitation.made_by else "the operator",
        "expires_at": invitation.expires_at,
        "has_account": invitation.role and Person.objects.filter(email=invitation.email).exists(),
        "name": request.POST.get("name", ""),
        "way": request.POST.get("way", "password"),
        "errors": errors,
    }
    response = page(request, "join", context, status=422 if errors else 200)
    response["Cache-Control"] = "no-store"  # the address holds the token
    return response
