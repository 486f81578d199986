"""Signing in and out."""

from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters

from tocsin.access.policy import Actor
from tocsin.doors.web import throttle
from tocsin.doors.web.guard import guards, unseal_typed
from tocsin.doors.web.pages import FieldError, home_of, page

WRONG = "Enter the e-mail address and password of a current account"


@sensitive_post_parameters("password")
@guards("session.open", "GET", "POST")
def sign_in(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The form, and its one answer to an unknown account, a wrong password and a closed account."""
    if request.method != "POST":
        if actor.person is not None:
            return HttpResponseRedirect(home_of(actor))
        return page(request, "sign_in", {"next": safe_next(request.GET.get("next", ""))})
    email = request.POST.get("email", "").strip().lower()
    address = request.META.get("REMOTE_ADDR", "")
    throttle.check(address, email)
    person = auth.authenticate(request, username=email, password=request.POST.get("password", ""))
    if person is None:
        throttle.count_failure(address, email)
        again = {name: request.POST.get(name, "") for name in ("email", "next", "typed")}
        return page(request, "sign_in", {**again, "errors": [FieldError("email", WRONG)]}, status=422)
    throttle.forget(address, email)
    auth.login(request, person)  # gives the session a new key
    return HttpResponseRedirect(_where_to(request))


@guards("session.close", "POST")
def sign_out(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ends the session, and asks the browser to forget the pages it kept for its back button."""
    auth.logout(request)
    messages.success(request, "You are signed out.")
    response = HttpResponseRedirect(reverse("start"))
    response["Clear-Site-Data"] = '"cache"'
    return response


def safe_next(address: str) -> str:
    """The address where it is one of ours, else nothing."""
    return address if url_has_allowed_host_and_scheme(address, allowed_hosts=None) else ""


def _where_to(request: HttpRequest) -> str:
    """Where the reader wanted to go; a form that waited goes into the session, to fill itself again there."""
    kept = unseal_typed(request.POST.get("typed", "")) if request.POST.get("typed") else None
    if kept is not None:
        path, fields = kept
        request.session["typed"] = {"path": path, "fields": fields}
        messages.warning(
            request, "You were signed out meanwhile. What you had typed is still here: send it again."
        )
        return path
    actor = Actor.of_person(request.user) if request.user.is_authenticated else Actor()
    return safe_next(request.POST.get("next", "")) or home_of(actor)
