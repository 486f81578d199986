"""Proving again who one is, before something dangerous."""

import json
import time

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.debug import sensitive_post_parameters

from tocsin.access import factors
from tocsin.access.models import Person
from tocsin.access.policy import Actor
from tocsin.doors.web import throttle
from tocsin.doors.web.guard import guards, is_fresh, unseal_typed
from tocsin.doors.web.pages import PROVED_AT, SECOND, FieldError, actor_of, home_of, page
from tocsin.doors.web.passkeys import credential_of
from tocsin.kernel.problems import BadInput, NotFound


@sensitive_post_parameters("password", "code")
@guards("account.read", "GET", "POST")
def confirm(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Asks for the strongest thing that the reader has; then goes on where it was asked for."""
    person = person_of(actor)
    held = factors.held_by(person)
    if request.method == "POST":
        throttle.check_code(person.pk)
        try:
            _prove(request, person, held)
        except BadInput as problem:
            throttle.count_wrong_code(person.pk)
            field = "code" if held.has_codes else "passkey" if held.passkeys else "password"
            return _show(request, person, held, [FieldError(field, problem.detail)])
        request.session[PROVED_AT] = time.time()
        request.session[SECOND] = request.session.get(SECOND, False) or held.is_any
    elif not is_fresh(request):
        return _show(request, person, held, [])
    return _go_on(request, actor)


def person_of(actor: Actor) -> Person:
    """The person behind the actor. Raises NotFound for a key."""
    if actor.person is None:
        raise NotFound()
    return actor.person


def _prove(request: HttpRequest, person: Person, held: factors.Held) -> None:
    """Raises BadInput. Who has a second factor proves by it: whoever found an open session has none."""
    if held.passkeys and request.POST.get("credential"):
        factors.person_of_passkey(credential_of(request), person)
    elif held.is_any:
        factors.check_code(person, request.POST.get("code", ""))
    elif not person.check_password(request.POST.get("password", "")):
        raise BadInput("that is not your password")


def _show(request: HttpRequest, person: Person, held: factors.Held, errors: list[FieldError]) -> HttpResponse:
    options = json.dumps(factors.begin_signing_in(person)) if held.passkeys else ""
    context = {"held": held, "options": options, "has_password": person.has_usable_password()}
    return page(request, "confirm", context | {"errors": errors}, status=422 if errors else 200)


def _go_on(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Back to the page that asked; what was to be sent there is sent by one press, filled in already."""
    waiting = request.session.pop("waiting", None)
    if waiting is None:
        return HttpResponseRedirect(home_of(actor_of(request)))
    kept = unseal_typed(waiting["typed"]) if waiting["typed"] else None
    if kept is None:
        return HttpResponseRedirect(waiting["path"])
    path, fields = kept
    pairs = [(name, value) for name, values in fields.items() for value in values]
    return page(request, "go_on", {"path": path, "pairs": pairs})
