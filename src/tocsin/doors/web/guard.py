"""The guard at every page: a line of the policy table, the actor, and problems as pages.

`@guards("report.read")` gives the view its actor, or answers in its place. Who is not signed in is sent to
sign in, and comes back to where they were with what they had typed.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, cast

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from tocsin.access.policy import POLICY, require
from tocsin.doors.web.pages import actor_of, page
from tocsin.kernel.problems import NotSignedIn, Problem


class WrongMethod(Problem):
    """This address does not take that kind of request."""

    slug = "wrong-method"
    status = 405
    exit_code = 2
    hint = "open the page again, and use its buttons"


TYPED_SALT = "tocsin.web.typed"
TYPED_FOR = 3600  # seconds for which a form that met an ended session can still be taken up again

View = Callable[..., HttpResponseBase]


class GuardedView(Protocol):
    """A view that carries its line of the policy table."""

    action: str

    def __call__(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase: ...


def guards(action: str, *methods: str) -> Callable[[View], GuardedView]:
    """The view takes `(request, actor, …)`, is reached by `methods` (GET) only, and may raise any Problem."""
    if action not in POLICY:
        raise KeyError(f"no line {action!r} in the policy table")

    allowed = {*(methods or ("GET",)), "HEAD"}

    def decorate(view: View) -> GuardedView:
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            try:
                if request.method not in allowed:
                    raise WrongMethod()
                actor = actor_of(request)
                require(actor, action)
                return view(request, actor, **kwargs)
            except NotSignedIn:
                return ask_to_sign_in(request)
            except WrongMethod as problem:
                response = problem_page(request, problem)
                response["Allow"] = ", ".join(sorted(allowed))  # RFC 9110 section 15.5.6 wants it
                return response
            except Problem as problem:
                return problem_page(request, problem)

        guarded.action = action  # type: ignore[attr-defined]
        return cast(GuardedView, guarded)

    return decorate


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page in place of the one asked for; a form's content waits in it, signed and dated."""
    typed = ""
    if request.method == "POST":
        fields = {name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"}
        typed = signing.dumps({"path": request.path, "fields": fields}, salt=TYPED_SALT, compress=True)
    context = {"next": request.get_full_path(), "typed": typed, "asked": True}
    return page(request, "sign_in", context, status=401)


def unseal_typed(sealed: str) -> tuple[str, dict[str, list[str]]] | None:
    """The path and fields of a form that waited, or None where the seal is broken or too old."""
    try:
        kept = signing.loads(sealed, salt=TYPED_SALT, max_age=TYPED_FOR)
    except signing.BadSignature:
        return None
    return kept["path"], kept["fields"]


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as a page: what happened, what to do next, and a way on."""
    return page(request, "problem", {"problem": problem}, status=problem.status)
