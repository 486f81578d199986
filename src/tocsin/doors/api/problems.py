"""Every error of the REST interface as a problem document (RFC 9457), whoever raised it."""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Fault:
    """What is wrong at one place: a JSON pointer into the body (RFC 6901), or the name of a parameter."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None

    def spelled(self) -> dict[str, str]:
        """As it stands in the problem document."""
        place = {"pointer": self.pointer, "parameter": self.parameter}
        return {"detail": self.detail} | {name: value for name, value in place.items() if value is not None}


class BadBody(BadInput):
    """The body is not what this address takes."""

    slug = "bad-body"

    def __init__(self, faults: Sequence[Fault], *, hint: str | None = None) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.detail for fault in self.faults)[:500], hint=hint)

    @classmethod
    def of(cls, said: str) -> "BadBody":
        """From what the decoder says, such as ``Expected `int`, got `str` - at `$.reports[0].count```."""
        detail, _, place = said.partition(" - at `$")
        pointer = "".join(f"/{name or number}" for name, number in _step.findall(place.rstrip("`")))
        unknown = _unknown.search(detail)
        if unknown is not None:
            pointer += f"/{unknown[1].replace('~', '~0').replace('/', '~1')}"
        return cls([Fault(detail[:300], pointer)])


class BadParameter(BadInput):
    """A parameter is not what this address takes."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.parameter}: {fault.detail}" for fault in self.faults)[:500])


_step = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_unknown = re.compile(r"unknown field `([^`]*)`")


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
    if isinstance(problem, BadBody | BadParameter):
        document["errors"] = [fault.spelled() for fault in problem.faults]
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
    faults = [Fault(str(item["msg"]), parameter=".".join(map(str, item["loc"][1:]))) for item in error.errors]
    return rendered(BadParameter(faults))


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
