"""My account: who I am here, how I sign in, where I am signed in, and how I leave."""

import json
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from tocsin.access import accounts, alerts, factors, leaving
from tocsin.access.policy import Actor
from tocsin.doors.web import throttle
from tocsin.doors.web.confirming import person_of
from tocsin.doors.web.guard import guards
from tocsin.doors.web.openid import is_tied
from tocsin.doors.web.pages import FieldError, page
from tocsin.doors.web.passkeys import credential_of
from tocsin.kernel.problems import BadInput


@guards("account.read")
def account(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Who am I here, and how do I sign in?"""
    return _show(request, actor, [])


@guards("account.change", "POST")
def rename(request: HttpRequest, actor: Actor) -> HttpResponse:
    """How others read one's name from now on; what was decided keeps the name it was decided under."""
    try:
        accounts.rename(actor, request.POST.get("name", ""))
    except BadInput as problem:
        return _show(request, actor, [FieldError("name", _capital(problem.detail))])
    messages.success(request, "Your name is changed.")
    return _back()


@sensitive_post_parameters("password", "password_new")
@guards("account.change", "POST")
def password(request: HttpRequest, actor: Actor) -> HttpResponse:
    """A new password; every other session ends."""
    person = person_of(actor)
    throttle.check_code(person.pk)
    if person.has_usable_password() and not person.check_password(request.POST.get("password", "")):
        throttle.count_wrong_code(person.pk)
        return _show(request, actor, [FieldError("password", "That is not your password")])
    try:
        accounts.change_password(actor, request.POST.get("password_new", ""))
    except BadInput as problem:
        return _show(request, actor, [FieldError("password_new", problem.detail)])
    auth.update_session_auth_hash(request, person)
    UserSession.objects.filter(user=person).update(session_key=request.session.session_key)
    messages.success(request, "Your password is changed, and every other session has ended.")
    return _back()


@sensitive_post_parameters("code")
@guards("account.change", "GET", "POST", fresh=True)
def codes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Sets up an authenticator app: scan, type its first code, keep the recovery codes."""
    person = person_of(actor)
    if request.method == "POST":
        try:
            spare = factors.confirm_codes(person, request.POST.get("code", ""))
        except BadInput as problem:
            return _codes(request, actor, [FieldError("code", _capital(problem.detail))])
        request.session["second"] = True
        return page(request, "recovery_codes", {"codes": spare})
    return _codes(request, actor, [])


@guards("account.change", "POST", fresh=True)
def codes_off(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Turns the app's codes off."""
    factors.drop_codes(person_of(actor))
    _forget_second(request, actor)
    messages.success(request, "Codes are off, and the recovery codes are void.")
    return _back()


@guards("account.change", "POST", fresh=True)
def recovery(request: HttpRequest, actor: Actor) -> HttpResponse:
    """New recovery codes in place of the old, shown once."""
    return page(request, "recovery_codes", {"codes": factors.fresh_recovery_codes(person_of(actor))})


@guards("account.change", "GET", "POST", fresh=True)
def passkey(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Makes a passkey on this device or a key that is plugged in."""
    person = person_of(actor)
    errors: list[FieldError] = []
    if request.method == "POST":
        try:
            factors.add_passkey(person, request.POST.get("name", "").strip(), credential_of(request))
            request.session["second"] = True
            messages.success(request, "The passkey is kept. You can sign in with it from now on.")
            return _back()
        except BadInput as problem:
            errors = [FieldError("passkey", _capital(problem.detail))]
    context = {"options": json.dumps(factors.begin_passkey(person)), "errors": errors}
    return page(request, "passkey_add", context, status=422 if errors else 200)


@guards("account.change", "POST", fresh=True)
def passkey_off(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Removes a passkey."""
    factors.drop_passkey(person_of(actor), pk)
    _forget_second(request, actor)
    messages.success(request, "The passkey is removed.")
    return _back()


@guards("account.change", "POST")
def session_end(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ends another session of one's own, or all others."""
    person, mine = person_of(actor), request.session.session_key or ""
    chosen = request.POST.get("session", "")
    if chosen.isdigit():
        for found in UserSession.objects.filter(user=person, pk=int(chosen)).exclude(session_key=mine):
            found.end()
    else:
        leaving.end_sessions(person, but=mine)
    messages.success(request, "Ended.")
    return _back()


@guards("account.change", "POST", fresh=True)
def role_leave(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Gives up a role of one's own."""
    person_roles = {role.pk for role in (*actor.roles, *actor.withheld)}
    if pk in person_roles:
        leaving.take_role(actor, pk)
        messages.success(request, "The role is given up.")
    return _back()


@guards("account.change", "GET", "POST", fresh=True)
def leave(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Gives up the account itself: name and address are erased, decisions stay."""
    if request.method != "POST":
        return page(request, "leave")
    leaving.leave(actor)
    auth.logout(request)
    messages.success(request, "Your account is gone, with your name and address.")
    return HttpResponseRedirect(reverse("start"))


@guards("account.read", "POST")
def alerts_seen(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Somebody has read what was told to them."""
    alerts.mark_seen(actor)
    return _back()


def _show(request: HttpRequest, actor: Actor, errors: list[FieldError]) -> HttpResponse:
    person = person_of(actor)
    mine = request.session.session_key
    context: dict[str, Any] = {
        "person": person,
        "held": factors.held_by(person),
        "roles": [accounts.role_view(role, actor) for role in (*actor.roles, *actor.withheld)],
        "waits": actor.withheld,
        "sessions": [
            (s.pk, s.user_agent, s.ip, s.created_at, s.session_key == mine)
            for s in UserSession.objects.purge_and_list(person)
        ],
        "provider": settings.IDENTITY_PROVIDER,
        "is_tied": is_tied(person),
        "told": alerts.for_person(actor),
        "has_password": person.has_usable_password(),
        "errors": errors,
    }
    return page(request, "account", context, status=422 if errors else 200)


def _codes(request: HttpRequest, actor: Actor, errors: list[FieldError]) -> HttpResponse:
    secret, picture = factors.begin_codes(person_of(actor))
    spaced = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    context = {"secret": spaced, "picture": picture, "errors": errors}
    return page(request, "codes", context, status=422 if errors else 200)


def _forget_second(request: HttpRequest, actor: Actor) -> None:
    """Without any second factor left, roles that need one wait again."""
    if not factors.held_by(person_of(actor)).is_any:
        request.session["second"] = False


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("account"))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
