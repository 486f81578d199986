"""Signing in and out: a password with a second factor beside it, a passkey, or the identity provider."""

import time
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters

from tocsin.access import factors
from tocsin.access.models import Person
from tocsin.access.policy import Actor
from tocsin.doors.web import throttle
from tocsin.doors.web.guard import guards, unseal_typed
from tocsin.doors.web.pages import PROVED_AT, SECOND, FieldError, actor_of, home_of, page

WRONG = "Enter the e-mail address and password of a current account"
HALFWAY_FOR = 600  # seconds between the password and the second factor
BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password")
@guards("session.open", "GET", "POST")
def sign_in(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The form, and its one answer to an unknown account, a wrong password and a closed account."""
    if request.method != "POST":
        if actor.person is not None:
            return HttpResponseRedirect(home_of(actor))
        return page(request, "sign_in", {"next": safe_next(request.GET.get("next", ""))} | ways())
    email = request.POST.get("email", "").strip().lower()
    address = request.META.get("REMOTE_ADDR", "")
    throttle.check(address, email)
    person = auth.authenticate(request, username=email, password=request.POST.get("password", ""))
    if not isinstance(person, Person):
        throttle.count_failure(address, email)
        again = {name: request.POST.get(name, "") for name in ("email", "next", "typed")}
        errors = {"errors": [FieldError("email", WRONG)]}
        return page(request, "sign_in", {**again, **errors} | ways(), status=422)
    throttle.forget(address, email)
    if factors.held_by(person).is_any:
        wanted = {name: request.POST.get(name, "") for name in ("next", "typed")}
        request.session.cycle_key()
        request.session["halfway"] = {"person": person.pk, "at": time.time(), **wanted}
        return HttpResponseRedirect(reverse("sign-in-second"))
    enter(request, person, second=False)
    return HttpResponseRedirect(
        where_to(request, request.POST.get("next", ""), request.POST.get("typed", ""))
    )


@sensitive_post_parameters("code")
@guards("session.open", "GET", "POST")
def second(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The second factor after the password: a code of the app, a recovery code, or a passkey."""
    halfway = request.session.get("halfway")
    person = halfway_person(halfway)
    if person is None or halfway is None:
        return HttpResponseRedirect(reverse("sign-in"))
    context: dict[str, Any] = {"held": factors.held_by(person)}
    if request.method == "POST":
        throttle.check_code(person.pk)
        try:
            factors.check_code(person, request.POST.get("code", ""))
        except factors.WrongCode as problem:
            throttle.count_wrong_code(person.pk)
            errors = [FieldError("code", problem.detail)]
            return page(request, "second", context | {"errors": errors}, status=422)
        enter(request, person, second=True)
        return HttpResponseRedirect(where_to(request, halfway["next"], halfway["typed"]))
    return page(request, "second", context)


@guards("session.close", "POST")
def sign_out(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ends the session, and asks the browser to forget the pages it kept for its back button."""
    UserSession.objects.filter(session_key=request.session.session_key).delete()
    auth.logout(request)
    messages.success(request, "You are signed out.")
    response = HttpResponseRedirect(reverse("start"))
    response["Clear-Site-Data"] = '"cache"'
    return response


def ways() -> dict[str, Any]:
    """How else than by password somebody may sign in."""
    return {"provider": settings.IDENTITY_PROVIDER}


def enter(request: HttpRequest, person: Person, *, second: bool) -> None:
    """The session is this person's from here, under a new key; `second`: were two factors shown?"""
    request.session.pop("halfway", None)
    auth.login(request, person, backend=BACKEND)
    request.session[SECOND], request.session[PROVED_AT] = second, time.time()
    request.session.save()
    UserSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "user": person,
            "ip": request.META.get("REMOTE_ADDR") or "0.0.0.0",  # noqa: S104 (says: not known)
            "user_agent": request.META.get("HTTP_USER_AGENT", "")[:200],
        },
    )
    if hasattr(request, "tocsin_actor"):
        del request.tocsin_actor


def halfway_person(halfway: dict[str, Any] | None) -> Person | None:
    """Who gave the password and owes the second factor; nobody after ten minutes."""
    if halfway is None or time.time() - halfway["at"] > HALFWAY_FOR:
        return None
    return Person.objects.filter(pk=halfway["person"], is_active=True).first()


def safe_next(address: str) -> str:
    """The address where it is one of ours, else nothing."""
    return address if url_has_allowed_host_and_scheme(address, allowed_hosts=None) else ""


def where_to(request: HttpRequest, wanted: str, typed: str) -> str:
    """Where the reader wanted to go; a form that waited goes into the session, to fill itself again there."""
    kept = unseal_typed(typed) if typed else None
    if kept is not None:
        path, fields = kept
        request.session["typed"] = {"path": path, "fields": fields}
        messages.warning(
            request, "You were signed out meanwhile. What you had typed is still here: send it again."
        )
        return path
    return safe_next(wanted) or home_of(actor_of(request))
