"""Before and after every MISP answer: who asks, and every problem as MISP words it."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from tocsin.access.keys import actor_of_header, actor_of_key
from tocsin.access.limits import TooManyAttempts
from tocsin.access.policy import Actor, require
from tocsin.kernel.problems import BadInput, Problem
from tocsin.store import fence

log = logging.getLogger("tocsin.misp")
View = Callable[..., HttpResponse]
ACTION = "channel.read"


class WrongMethod(Problem):
    """This address does not take that kind of request."""

    slug = "wrong-method"
    status = 405
    exit_code = 2


def guarded(*methods: str, action: str = ACTION) -> Callable[[View], View]:
    """The view takes `(request, actor, …)` of a key with the action's scope, and may raise any Problem."""

    def guarding(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answering(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            try:
                actor = actor_of(request)
                require(actor, action)
                if action == ACTION:  # what is searched for by POST is read, too
                    fence.put_up(actor.asker)  # the middleware takes it down
                if request.method not in {*methods, "HEAD"}:
                    raise WrongMethod()
                return view(request, actor, **kwargs)
            except Problem as problem:
                return rendered(problem, methods)
            except RequestDataTooBig:
                return rendered(BadInput("that is more than this server takes at once"), methods)
            except Exception as error:
                log.error("%s %s failed", request.method, request.path, exc_info=error)
                return rendered(Problem(), methods)

        answering.action = action  # type: ignore[attr-defined]  # as the web's guard does
        answering.methods = methods  # type: ignore[attr-defined]
        return answering

    return guarding


def actor_of(request: HttpRequest) -> Actor:
    """Who asks: MISP's clients send the bare key, others Bearer or Basic. Raises NotSignedIn."""
    header, address = request.headers.get("Authorization", ""), request.META.get("REMOTE_ADDR", "")
    return (
        actor_of_header(header, address) if " " in header.strip() else actor_of_key(header.strip(), address)
    )


def answer(body: object, status: int = 200) -> HttpResponse:
    """JSON."""
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", status=status)


def rendered(problem: Problem, methods: tuple[str, ...]) -> HttpResponse:
    """A problem in MISP's three words, which PyMISP shows."""
    words = {"name": problem.title, "message": problem.detail or problem.title, "url": ""}
    response = answer(words, problem.status)
    if isinstance(problem, TooManyAttempts):
        response["Retry-After"] = str(problem.retry_after)
    if problem.status == WrongMethod.status:
        response["Allow"] = ", ".join(methods)
    return response
