"""Before and after every TAXII answer: who asks, what they can read, and every problem as a TAXII error."""

import logging
from collections.abc import Callable

import msgspec
from django.http import HttpRequest, HttpResponse

from tocsin.access.keys import actor_of_header
from tocsin.access.policy import Actor
from tocsin.doors.keyed import Door, View
from tocsin.kernel.problems import NotSignedIn, Problem
from tocsin.wire import taxii


class NotAcceptable(Problem):
    """This server speaks TAXII 2.1 and nothing else."""

    slug = "not-acceptable"
    status = 406
    exit_code = 2
    hint = f"accept {taxii.MEDIA}"


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
    """The view is reached by GET, HEAD and these methods.

    The key comes as a Bearer token, or as the password of HTTP Basic with any user name, which is what
    TAXII clients can send (section 1.6.9). Its scope is `lists:read`; what writes asks for more.
    """
    return lambda view: DOOR.guarded(view, ("GET", *methods))


def actor_of(request: HttpRequest) -> Actor:
    """Who asks. Raises NotSignedIn."""
    return actor_of_header(request.headers.get("Authorization", ""), request.META.get("REMOTE_ADDR", ""))


def check_accept(request: HttpRequest) -> None:
    """Raises NotAcceptable where none of the ranges holds TAXII 2.1; no version means the highest."""
    accept = request.headers.get("Accept", "")
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


def worded(problem: Problem) -> HttpResponse:
    """A problem as a TAXII error message (section 3.6.1)."""
    error = taxii.Error(problem.title, problem.detail, problem.slug, str(problem.status))
    response = answer(error, problem.status)
    if problem.status == NotSignedIn.status:
        response["WWW-Authenticate"] = 'Basic realm="tocsin", Bearer realm="tocsin"'
    return response


DOOR = Door(
    log=logging.getLogger("tocsin.taxii"),
    actor_of=actor_of,
    is_read=lambda request: request.method in {"GET", "HEAD"},
    check=check_accept,
    too_large=TooLarge(),
    worded=worded,
)
