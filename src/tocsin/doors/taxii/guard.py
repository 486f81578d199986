"""Before and after every TAXII answer: who asks, what they can read, and every problem as a TAXII error."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from tocsin.access.keys import actor_of_header
from tocsin.access.limits import TooManyAttempts
from tocsin.access.policy import Actor, require
from tocsin.kernel.problems import NotSignedIn, Problem
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
    """This address does not take that kind of request."""

    slug = "wrong-method"
    status = 405
    exit_code = 2


class WrongMedia(Problem):
    """What is sent must be a TAXII 2.1 envelope."""

    slug = "wrong-media-type"
    status = 415
    exit_code = 2
    hint = f"send it as {taxii.MEDIA}"


class TooLarge(Problem):
    """That is more than this server takes at once."""

    slug = "too-large"
    status = 413
    exit_code = 2
    hint = "send it in several requests; max_content_length of the API root says how much fits into one"


class Unprocessable(Problem):
    """It is no envelope with STIX 2.1 objects."""

    slug = "unprocessable"
    status = 422
    exit_code = 2


def guarded(view: View) -> View:
    """A view that only reads: `writing()` is for those that do more."""
    return writing()(view)


def writing(*methods: str) -> Callable[[View], View]:
    """The view is reached by GET, HEAD and these methods, beside what `answered` does."""
    return lambda view: answered(view, ("GET", *methods))


def answered(view: View, methods: tuple[str, ...]) -> View:
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
            check_method(request, methods)
            return view(request, actor, **kwargs)
        except Problem as problem:
            return rendered(problem, methods)
        except RequestDataTooBig:
            return rendered(TooLarge())
        except Exception as error:
            log.error("%s %s failed", request.method, request.path, exc_info=error)
            return rendered(Problem())

    answering.action = ACTION  # type: ignore[attr-defined]  # as the web's guard does
    answering.methods = methods  # type: ignore[attr-defined]
    return answering


def actor_of(request: HttpRequest) -> Actor:
    """Who asks. Raises NotSignedIn."""
    return actor_of_header(request.headers.get("Authorization", ""), request.META.get("REMOTE_ADDR", ""))


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


def check_method(request: HttpRequest, methods: tuple[str, ...]) -> None:
    """Raises WrongMethod."""
    if request.method not in {*methods, "HEAD"}:
        raise WrongMethod()


def check_media(request: HttpRequest) -> None:
    """Raises WrongMedia for what is not sent as TAXII 2.1; no version means the highest."""
    media, *parameters = (part.strip().lower() for part in request.headers.get("Content-Type", "").split(";"))
    versions = [text[8:].strip('" ') for text in parameters if text.startswith("version=")]
    if media != "application/taxii+json" or versions not in ([], ["2.1"]):
        raise WrongMedia()


def answer(body: bytes | msgspec.Struct, status: int = 200) -> HttpResponse:
    """A TAXII resource."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return HttpResponse(content, content_type=taxii.MEDIA, status=status)


def rendered(problem: Problem, methods: tuple[str, ...] = ("GET",)) -> HttpResponse:
    """A problem as a TAXII error message (section 3.6.1)."""
    error = taxii.Error(problem.title, problem.detail, problem.slug, str(problem.status))
    response = answer(error, problem.status)
    if problem.status == NotSignedIn.status:
        response["WWW-Authenticate"] = 'Basic realm="tocsin", Bearer realm="tocsin"'
    if isinstance(problem, TooManyAttempts):
        response["Retry-After"] = str(problem.retry_after)
    if problem.status == WrongMethod.status:
        response["Allow"] = ", ".join((*methods, "HEAD"))
    return response
