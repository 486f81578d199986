"""What doors for keys have in common: who asks, may they, and every problem in the door's own words."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from tocsin.access.limits import TooManyAttempts
from tocsin.access.policy import Actor, require
from tocsin.kernel.problems import Problem
from tocsin.store import fence

View = Callable[..., HttpResponse]
READ = "channel.read"


class WrongMethod(Problem):
    """This address does not take that kind of request."""

    slug = "wrong-method"
    status = 405
    exit_code = 2


@dataclass(frozen=True)
class Door:
    """How a door finds who asks, what it checks first, and how it words a problem.

    `is_read` says of a request that may read channels whether it does no more: then the fence goes up.
    """

    log: logging.Logger
    actor_of: Callable[[HttpRequest], Actor]
    is_read: Callable[[HttpRequest], bool]
    check: Callable[[HttpRequest], None]
    too_large: Problem
    worded: Callable[[Problem], HttpResponse]

    def guarded(self, view: View, methods: tuple[str, ...], action: str = READ) -> View:
        """The view takes `(request, actor, …)` of a key that has the scope, and may raise any Problem."""

        @csrf_exempt
        @wraps(view)
        def answering(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            try:
                actor = self.actor_of(request)
                require(actor, action)
                if action == READ and self.is_read(request):
                    fence.put_up(actor.asker)  # the middleware takes it down
                self.check(request)
                if request.method not in {*methods, "HEAD"}:
                    raise WrongMethod()
                return view(request, actor, **kwargs)
            except Problem as problem:
                return self._rendered(problem, methods)
            except RequestDataTooBig:
                return self._rendered(self.too_large, methods)
            except Exception as error:
                self.log.error("%s %s failed", request.method, request.path, exc_info=error)
                return self._rendered(Problem(), methods)

        answering.action = action  # type: ignore[attr-defined]  # as the web's guard does
        answering.methods = methods  # type: ignore[attr-defined]
        return answering

    def _rendered(self, problem: Problem, methods: tuple[str, ...]) -> HttpResponse:
        response = self.worded(problem)
        if isinstance(problem, TooManyAttempts):
            response["Retry-After"] = str(problem.retry_after)
        if problem.status == WrongMethod.status:
            response["Allow"] = ", ".join((*methods, "HEAD"))
        return response
