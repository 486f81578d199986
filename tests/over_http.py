"""Real HTTP to the exchange within a test's own transaction, for clients that speak nothing else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started

Answer = TypeVar("Answer")


class Quiet(WSGIRequestHandler):
    """Says nothing on standard error."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


def over_http(ask: Callable[[str], Answer], monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Answer over real HTTP from this thread, in this test's transaction, while `ask` runs in another."""
    with (
        make_server("127.0.0.1", 0, WSGIHandler(), handler_class=Quiet) as server,
        ThreadPoolExecutor(1) as pool,
    ):
        server.timeout = 0.02
        for signal in (request_started, request_finished):  # would close the connection that holds it
            monkeypatch.setattr(signal, "send", lambda *_, **__: [])
        asking = pool.submit(ask, f"http://127.0.0.1:{server.server_port}")
        while not asking.done():
            server.handle_request()
        return asking.result()
