"""Before and after every MISP answer: who asks, and every problem as MISP words it."""

import logging
from collections.abc import Callable

import msgspec
from django.http import HttpRequest, HttpResponse

from tocsin.access.keys import actor_of_header, actor_of_key
from tocsin.access.policy import Actor
from tocsin.doors.keyed import READ, Door, View
from tocsin.kernel.problems import BadInput, Problem


def guarded(*methods: str, action: str = READ) -> Callable[[View], View]:
    """The view is reached by these methods, with a key of the action's scope; a search by POST is read."""
    return lambda view: DOOR.guarded(view, methods, action)


def actor_of(request: HttpRequest) -> Actor:
    """Who asks: MISP's clients send the bare key, others Bearer or Basic. Raises NotSignedIn."""
    header, address = request.headers.get("Authorization", ""), request.META.get("REMOTE_ADDR", "")
    return (
        actor_of_header(header, address) if " " in header.strip() else actor_of_key(header.strip(), address)
    )


def answer(body: object, status: int = 200) -> HttpResponse:
    """JSON."""
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", status=status)


def worded(problem: Problem) -> HttpResponse:
    """A problem in MISP's three words, which PyMISP shows."""
    words = {"name": problem.title, "message": problem.detail or problem.title, "url": ""}
    return answer(words, problem.status)


DOOR = Door(
    log=logging.getLogger("tocsin.misp"),
    actor_of=actor_of,
    is_read=lambda request: True,
    check=lambda request: None,
    too_large=BadInput("that is more than this server takes at once"),
    worded=worded,
)
