"""The REST interface: its routes, its guards, its description."""

from functools import cache
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from tocsin import __version__
from tocsin.doors.api import bodies, journal, lists, problems, reports, tallies, words
from tocsin.doors.api.guards import guard
from tocsin.doors.api.values import Exchange, Limits, described, schemas
from tocsin.intake import rules
from tocsin.journal import keys
from tocsin.kernel.problems import Problem
from tocsin.proof import signing

api = NinjaAPI(
    title="Tocsin",
    version=__version__,
    description="Reports to an exchange, how they stand, and the proofs of its journal.",
    openapi_url=None,  # served below, guarded like every route
    docs_url=None,
    urls_namespace="api",
)
api.add_router("/reports", reports.router)
api.add_router("/tallies", tallies.router)
api.add_router("/journal", journal.router)
api.add_router("/lists", lists.router)
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
    return HttpResponse(description(), content_type="application/json")


@cache
def description() -> bytes:
    """The OpenAPI document: ninja's routes and parameters, the shapes of what msgspec codes."""
    document: dict[str, Any] = dict(api.get_openapi_schema(path_prefix="/api/v1/"))
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas())
    return msgspec.json.encode(document)
