"""The REST interface: its routes, its guards, its description."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError
from ninja.operation import Operation

from tocsin import __version__
from tocsin.doors.api import (
    acts,
    bodies,
    cases,
    channels,
    communities,
    coordination,
    describing,
    desks,
    indicators,
    journal,
    lists,
    lists_of_cases,
    many,
    moves,
    own,
    problems,
    readers,
    reports,
    rooms,
    seals,
    source,
    tallies,
    words,
)
from tocsin.doors.api.guards import guard
from tocsin.doors.api.values import Exchange, Limits, described
from tocsin.intake import rules
from tocsin.journal import keys
from tocsin.kernel.problems import Problem
from tocsin.proof import signing


class Interface(NinjaAPI):
    """Ninja's, with operations named as the functions are: `accept_case`."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name that generated clients call it by."""
        return str(operation.view_func.__name__)


api = Interface(
    title="Tocsin",
    version=__version__,
    description=describing.INTRODUCTION,
    openapi_url=None,  # served below, guarded like every route
    docs_url=None,
    urls_namespace="api",
)
api.add_router("/reports", reports.router)
api.add_router("/reports", own.router)
api.add_router("/notices", own.news)
api.add_router("/tallies", tallies.router)
api.add_router("/indicators", indicators.router)
api.add_router("/readers", readers.router)
api.add_router("/source", source.router)
api.add_router("/cases", cases.router)
api.add_router("/cases", acts.router)
api.add_router("/cases", moves.router)
api.add_router("/cases", seals.router)
api.add_router("/cases", rooms.router)
api.add_router("/cases", coordination.links)
api.add_router("/suggestions", moves.suggestions)
api.add_router("/bulk", many.router)
api.add_router("/weights", many.weights)
api.add_router("/filters", desks.router)
api.add_router("/team", desks.team)
api.add_router("/coordination", coordination.router)
api.add_router("/communities", communities.router)
api.add_router("/imports", lists_of_cases.imports)
api.add_router("/exports", lists_of_cases.exports)
api.add_router("/journal", journal.router)
api.add_router("/lists", lists.router)
api.add_router("/channels", channels.router)
HANDLERS: dict[type[Exception], Any] = {
    Problem: problems.on_problem,
    ValidationError: problems.on_bad_parameter,
    AuthenticationError: problems.on_missing_key,
    Exception: problems.on_surprise,
}
for kind, handler in HANDLERS.items():
    api.add_exception_handler(kind, handler)


@api.get("/exchange", auth=guard("exchange.read"), openapi_extra=described(Exchange), tags=["exchange"])
def read_exchange(request: HttpRequest) -> HttpResponse:
    """Who answers here: name, public key, limits, and what it promises by when."""
    public = keys.public_key()
    limits = Limits(rules.MAX_BATCH, rules.MAX_REPORT_BYTES, bodies.MAX_SENT, bodies.MAX_UNPACKED)
    value = Exchange(settings.ORIGIN, public.hex(), signing.key_id(public), limits, words.charter_clocks())
    return reports.answer(value)


@api.get("/openapi.json", auth=guard("exchange.read"), include_in_schema=False)
def read_description(request: HttpRequest) -> HttpResponse:
    """This interface in OpenAPI 3.1."""
    return HttpResponse(describing.description(api), content_type="application/json")


@api.get("/docs", auth=guard("exchange.read"), include_in_schema=False)
def read_docs(request: HttpRequest) -> HttpResponse:
    """This interface as a page to read, made of its own description."""
    return HttpResponse(describing.page(api), content_type="text/html; charset=utf-8")
