"""The guard at every page: a line of the policy table, the actor, and problems as pages.

`@guards("report.read")` gives the view its actor, or answers in its place. Who is not signed in is sent to
sign in, and comes back to where they were with what they had typed.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, cast

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from tocsin.access.limits import TooManyAttempts
from tocsin.access.policy import POLICY, require
from tocsin.doors.web.pages import PROVED_AT, actor_of, page
from tocsin.kernel.problems import NotAllowed, NotSignedIn, Problem
from tocsin.store import fence


class WrongMethod(Problem):
    """This address does not take that kind of request."""

    slug = "wrong-method"
    status = 405
    exit_code = 2
    hint = "open the page again, and use its buttons"


READS = frozenset({"GET", "HEAD"})
FRESH_FOR = 900  # seconds
TYPED_SALT = "tocsin.web.typed"
TYPED_FOR = 3600  # seconds for which a form that met an ended session can still be taken up again

View = Callable[..., HttpResponseBase]


class GuardedView(Protocol):
    """A view that carries its line of the policy table."""

    action: str
    methods: tuple[str, ...]

    def __call__(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase: ...


def guards(action: str, *methods: str, fresh: bool = False) -> Callable[[View], GuardedView]:
    """The view takes `(request, actor, …)`, is reached by `methods` (GET) only, and may raise any Problem.

    `fresh` is for what is dangerous: whoever has not proved within a quarter of an hour who they are does it
    again first.
    """
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
                if fresh and not is_fresh(request):
                    return ask_to_confirm(request)
                if request.method in READS:
                    fence.put_up(actor.asker)  # the middleware takes it down
                return view(request, actor, **kwargs)
            except NotSignedIn:
                return ask_to_sign_in(request)
            except NotAllowed as problem:
                if actor_of(request).withheld and request.method != "POST":
                    return HttpResponseRedirect(f"{reverse('account')}#second")
                return problem_page(request, problem)
            except WrongMethod as problem:
                response = problem_page(request, problem)
                response["Allow"] = ", ".join(sorted(allowed))  # RFC 9110 section 15.5.6 wants it
                return response
            except Problem as problem:
                return problem_page(request, problem)

        guarded.action = action  # type: ignore[attr-defined]
        guarded.methods = tuple(methods or ("GET",))  # type: ignore[attr-defined]
        return cast(GuardedView, guarded)

    return decorate


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page in place of the one asked for; a form's content waits in it, signed and dated."""
    typed = ""
    if request.method == "POST":
        fields = {name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"}
        typed = signing.dumps({"path": request.path, "fields": fields}, salt=TYPED_SALT, compress=True)
    context = {"next": request.get_full_path(), "typed": typed, "asked": True}
    context |= {"provider": settings.IDENTITY_PROVIDER}
    return page(request, "sign_in", context, status=401)


def is_fresh(request: HttpRequest) -> bool:
    """Has the reader lately proved who they are?"""
    return time.time() - float(request.session.get(PROVED_AT, 0)) < FRESH_FOR


def ask_to_confirm(request: HttpRequest) -> HttpResponse:
    """To the page that asks for a proof; what was to be sent waits in the session, signed and dated."""
    request.session["waiting"] = {"path": request.get_full_path(), "typed": ""}
    if request.method == "POST":
        fields = {name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"}
        sealed = signing.dumps({"path": request.path, "fields": fields}, salt=TYPED_SALT, compress=True)
        request.session["waiting"] = {"path": request.path, "typed": sealed}
    return HttpResponseRedirect(reverse("confirm"))


def unseal_typed(sealed: str) -> tuple[str, dict[str, list[str]]] | None:
    """The path and fields of a form that waited, or None where the seal is broken or too old."""
    try:
        kept = signing.loads(sealed, salt=TYPED_SALT, max_age=TYPED_FOR)
    except signing.BadSignature:
        return None
    return kept["path"], kept["fields"]


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as a page: what happened, what to do next, and a way on."""
    response = page(request, "problem", {"problem": problem}, status=problem.status)
    if isinstance(problem, TooManyAttempts):
        response["Retry-After"] = str(problem.retry_after)  # RFC 9110 section 10.2.3
    return response
