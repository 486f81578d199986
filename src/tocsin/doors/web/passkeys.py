"""Signing in by a passkey: the one page that needs JavaScript, because the browser's ceremony does."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from tocsin.access import factors
from tocsin.access.policy import Actor
from tocsin.doors.web import throttle
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import FieldError, page
from tocsin.doors.web.session import enter, halfway_person, safe_next, where_to
from tocsin.kernel.problems import BadInput

LARGEST = 20_000  # characters of what a browser says about a passkey; real ones have two thousand


@guards("session.open", "GET", "POST")
def sign_in_passkey(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Signs in whoever shows a passkey that is kept here; after a password, only that person."""
    halfway = request.session.get("halfway")
    person = halfway_person(halfway)
    wanted, typed = request.GET.get("next", ""), ""
    if halfway is not None and person is not None:
        wanted, typed = halfway["next"], halfway["typed"]
    if request.method == "POST":
        address = request.META.get("REMOTE_ADDR", "")
        throttle.check(address, "passkey")
        try:
            found = factors.person_of_passkey(credential_of(request), person)
        except BadInput as problem:
            throttle.count_failure(address, "passkey")
            return _show(request, safe_next(wanted), problem)
        enter(request, found, second=True)
        return HttpResponseRedirect(where_to(request, request.POST.get("next", "") or wanted, typed))
    return _show(request, safe_next(wanted), None)


def credential_of(request: HttpRequest) -> dict[str, Any]:
    """What the browser said about the passkey. Raises WrongCode."""
    try:
        found = json.loads(request.POST.get("credential", "")[:LARGEST])
    except (ValueError, RecursionError):
        raise factors.WrongCode("the browser said nothing about a passkey", hint="try again") from None
    if not isinstance(found, dict):
        raise factors.WrongCode("the browser said nothing about a passkey", hint="try again")
    return found


def _show(request: HttpRequest, wanted: str, problem: BadInput | None) -> HttpResponse:
    person = halfway_person(request.session.get("halfway"))
    options = json.dumps(factors.begin_signing_in(person))
    errors = [FieldError("passkey", problem.detail[:1].upper() + problem.detail[1:])] if problem else []
    context = {"options": options, "next": wanted, "errors": errors}
    return page(request, "passkey", context, status=422 if problem else 200)
