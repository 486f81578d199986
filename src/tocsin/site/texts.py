"""No text holds the character NUL, which PostgreSQL keeps in none: it is refused at the door."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

NUL = "\0"


class TextMiddleware:
    """404 for an address with a NUL in it; 400 for one behind its question mark or in a field of a form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, named: dict[str, Any]
    ) -> None:
        """Raises Http404, BadRequest. Forms alone are read here: their doors read what programs send."""
        if NUL in request.path:
            raise Http404
        texts = _texts(request.GET)
        if request.method == "POST" and not getattr(view, "csrf_exempt", False):
            texts += _texts(request.POST)
        if any(NUL in text for text in texts):
            raise BadRequest("there is a NUL in it")


def _texts(given: Any) -> list[str]:
    return [text for name, values in given.lists() for text in (name, *values)]
