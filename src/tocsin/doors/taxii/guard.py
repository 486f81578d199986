"""Before and after every TAXII answer: who asks, what they can read, and every problem as a TAXII error."""

import base64
import binascii
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from tocsin.access.keys import actor_of_key
from tocsin.access.limits import TooManyAttempts
from tocsin.access.policy import Actor, require
from tocsin.kernel.problems import NotAllowed, NotSignedIn, Problem
from tocsin.store import fence
from tocsin.wire import taxii

log = logging.getLogger("tocsin.taxii")
View = Callable[..., HttpResponse]
ACTION = "channel.read"


class NotAcceptable(Problem):
    """This server speaks TAXII 2.1 and nothing else."""

    slug = "not-acceptable"
    status = 406
    exit_code = 2
    hint = f"accept {taxii.MEDIA}"


class WrongMethod(Problem):
    """This address is only read."""

    slug = "wrong-method"
    status = 405
    exit_code = 2


def guarded(view: View) -> View:
    """The view takes `(request, actor, …)` of a key with scope `lists:read`, and may raise any Problem.

    The key comes as a Bearer token, or as the password of HTTP Basic with any user name, which is what
    TAXII clients can send (section 1.6.9).
    """

    @csrf_exempt
    @wraps(view)
    def answering(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            actor = actor_of(request)
            require(actor, ACTION)
            if request.method in {"GET", "HEAD"}:
                fence.put_up(actor.asker)  # the middleware takes it down
            check_accept(request.headers.get("Accept", ""))
            check_method(request)
            return view(request, actor, **kwargs)
        except Problem as problem:
            return rendered(problem)
        except Exception as error:
            log.error("%s %s failed", request.method, request.path, exc_info=error)
            return rendered(Problem())

    answering.action = ACTION  # type: ignore[attr-defined]  # as the web's guard does
    return answering


def actor_of(request: HttpRequest) -> Actor:
    """Who asks. Raises NotSignedIn."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return actor_of_key(given.strip(), request.META.get("REMOTE_ADDR", ""))
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(given, validate=True).decode()
        except (binascii.Error, ValueError):
            raise NotSignedIn() from None
        return actor_of_key(pair.partition(":")[2], request.META.get("REMOTE_ADDR", ""))
    raise NotSignedIn()


def check_accept(accept: str) -> None:
    """Raises NotAcceptable where none of the ranges holds TAXII 2.1; no version means the highest."""
    if not accept.strip():
        return
    for spoken in accept.split(","):
        media, *parameters = (part.strip().lower() for part in spoken.split(";"))
        versions = [text[8:].strip('" ') for text in parameters if text.startswith("version=")]
        if media in {"*/*", "application/*"} or (
            media == "application/taxii+json" and versions in ([], ["2.1"])
        ):
            return
    raise NotAcceptable()


def check_method(request: HttpRequest) -> None:
    """Raises NotAllowed for what would write (can_write is false, section 5.5), WrongMethod for the rest."""
    if request.method in {"POST", "DELETE"}:
        raise NotAllowed("this collection is only read")
    if request.method not in {"GET", "HEAD"}:
        raise WrongMethod()


def answer(body: bytes | msgspec.Struct, status: int = 200) -> HttpResponse:
    """A TAXII resource."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return HttpResponse(content, content_type=taxii.MEDIA, status=status)


def rendered(problem: Problem) -> HttpResponse:
    """A problem as a TAXII error message (section 3.6.1)."""
    error = taxii.Error(problem.title, problem.detail, problem.slug, str(problem.status))
    response = answer(error, problem.status)
    if problem.status == NotSignedIn.status:
        response["WWW-Authenticate"] = 'Basic realm="tocsin", Bearer realm="tocsin"'
    if isinstance(problem, TooManyAttempts):
        response["Retry-After"] = str(problem.retry_after)
    if problem.status == WrongMethod.status:
        response["Allow"] = "GET, HEAD"
    return response
