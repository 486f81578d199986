"""Takes the database's fence down after every request, whatever became of it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from tocsin.store import fence


class FenceMiddleware:
    """The guards put it up; a file that leaves line by line keeps it until its last line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        fence.take_down()  # a file whose reader went away may have left it up
        kept = False
        try:
            response = self.get_response(request)
            if isinstance(response, StreamingHttpResponse) and not response.is_async:
                lines: Iterable[Any] = response.streaming_content  # type: ignore[assignment]
                response.streaming_content = _until_the_end(lines)
                kept = True
            return response
        finally:
            if not kept:
                fence.take_down()


def _until_the_end(lines: Iterable[Any]) -> Iterator[Any]:
    try:
        yield from lines
    finally:
        fence.take_down()
