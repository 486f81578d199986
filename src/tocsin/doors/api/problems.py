"""Every error of the REST interface as a problem document (RFC 9457), whoever raised it."""

import logging
from collections.abc import Callable
from http import HTTPStatus

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja.errors import AuthenticationError, ValidationError

from tocsin.access.limits import TooManyAttempts
from tocsin.kernel.problems import BadInput, NotSignedIn, Problem

log = logging.getLogger("tocsin.api")

PROBLEM_JSON = "application/problem+json"
ROOT = "/api/"


class TooLarge(Problem):
    """The request is larger than the exchange takes."""

    slug = "too-large"
    status = 413
    exit_code = 2
    hint = "send fewer reports at once"


class UnknownMedia(Problem):
    """The request's body is of a kind that this address does not take."""

    slug = "unknown-media"
    status = 415
    exit_code = 2


def rendered(problem: Problem) -> HttpResponse:
    """The problem document. `type` is `about:blank#slug`, so that programs tell problems by their slug."""
    document: dict[str, object] = {
        "type": f"about:blank#{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.hint:
        document["hint"] = problem.hint
    response = HttpResponse(msgspec.json.encode(document), content_type=PROBLEM_JSON, status=problem.status)
    if isinstance(problem, TooManyAttempts):
        response["Retry-After"] = str(problem.retry_after)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="tocsin"'
    return response


def on_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    """What was raised on purpose."""
    return rendered(problem)


def on_bad_parameter(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """A parameter of the wrong type: named, and never echoed whole."""
    said = [f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in error.errors]
    return rendered(BadInput("; ".join(said)[:500]))


def on_missing_key(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    """No key at all, or not as a Bearer token."""
    return rendered(NotSignedIn())


def on_surprise(request: HttpRequest, error: Exception) -> HttpResponse:
    """A mistake of ours: logged with its trace, told without."""
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return rendered(Problem())


class ProblemMiddleware:
    """Outermost: turns what Django itself answers below /api/ into problem documents, statuses kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path.startswith(ROOT) and response.status_code >= HTTPStatus.BAD_REQUEST:
            return as_problem(response)
        return response


def as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """The response itself where it is a problem document, or one with its status and `Allow` header."""
    if response.get("Content-Type", "").startswith(PROBLEM_JSON):
        return response
    status = HTTPStatus(response.status_code)
    replaced = HttpResponse(
        msgspec.json.encode(
            {
                "type": f"about:blank#{status.phrase.lower().replace(' ', '-')}",
                "title": f"{status.phrase}.",
                "status": int(status),
                "detail": status.description or status.phrase,
            }
        ),
        content_type=PROBLEM_JSON,
        status=int(status),
    )
    if response.has_header("Allow"):
        replaced["Allow"] = response["Allow"]
    return replaced
