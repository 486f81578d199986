"""Every route of every door, found by walking Django's own resolver: nobody has to list them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from ninja.operation import PathView

from tocsin.doors.api.interface import api


@dataclass(frozen=True)
class Route:
    """An address with `{name}` in its places, a method, and the line of policy that guards it (or None)."""

    door: str
    address: str
    method: str
    action: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.address}"


def every_route() -> list[Route]:
    """Each method of each address of the exchange."""
    return list(dict.fromkeys(_walk(get_resolver().url_patterns, "/")))


def _walk(patterns: list[Any], before: str) -> Iterator[Route]:
    for pattern in patterns:
        address = before + _spelled(pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern):
            yield from _routes(pattern, address)


def _routes(pattern: URLPattern, address: str) -> Iterator[Route]:
    if address.startswith("/api/v1/"):
        if pattern.name == "api-root":  # django-ninja's name for the prefix; nothing answers there but a 404
            return
        yield from _operations(address)
        return
    doors = {"/taxii2/": "taxii", "/misp/": "misp"}
    door = next((name for before, name in doors.items() if address.startswith(before)), "web")
    methods = getattr(pattern.callback, "methods", ("GET",))
    for method in methods:
        yield Route(door, address, method, getattr(pattern.callback, "action", None))


def _operations(address: str) -> Iterator[Route]:
    """django-ninja's operations at an address; a path of its that we do not know has no action."""
    views = [
        view
        for prefix, router in api._routers
        for path, view in router.path_operations.items()
        if _joined("/api/v1", prefix, path) == address
    ]
    if not views:
        yield Route("api", address, "GET", None)
    for view in views:
        yield from _of_view(view, address)


def _of_view(view: PathView, address: str) -> Iterator[Route]:
    for operation in view.operations:
        actions = [getattr(callback, "action", None) for callback in operation.auth_callbacks]
        for method in operation.methods:
            yield Route("api", address, method, actions[0] if len(actions) == 1 else None)


def _joined(*parts: str) -> str:
    return "/" + "/".join(part.strip("/") for part in parts if part.strip("/"))


def _spelled(pattern: URLPattern | URLResolver) -> str:
    """`cases/{case_id}/accept` of any kind of pattern."""
    route = getattr(pattern.pattern, "_route", None)
    if route is not None:
        for converter in ("str:", "int:", "path:", "slug:", "uuid:"):
            route = route.replace(f"<{converter}", "<")
        return str(route).replace("<", "{").replace(">", "}")
    text = str(pattern.pattern).removeprefix("^").removesuffix("$").removesuffix("/?")
    for name in pattern.pattern.regex.groupindex:
        text = text.replace(f"(?P<{name}>[^/]+)", f"{{{name}}}")
    return text
