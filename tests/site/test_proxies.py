"""Behind a reverse proxy, the address that counts is the one the proxy saw."""

import pytest
from django.test import RequestFactory

from tocsin.site.proxies import ProxyMiddleware


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "counted"),
    [
        ((), "127.0.0.1", "192.0.2.1", "127.0.0.1"),
        (("127.0.0.1",), "127.0.0.1", "192.0.2.1", "192.0.2.1"),
        (("127.0.0.1",), "127.0.0.1", "10.9.9.9, 192.0.2.1", "192.0.2.1"),
        (("127.0.0.1", "10.0.0.2"), "127.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"),
        (("127.0.0.1",), "198.51.100.9", "192.0.2.1", "198.51.100.9"),
        (("127.0.0.1",), "127.0.0.1", "", "127.0.0.1"),
        (("127.0.0.1",), "127.0.0.1", "192.0.2.1, <script>", "127.0.0.1"),
    ],
)
def test_only_what_a_trusted_proxy_added_is_believed(
    settings: object, trusted: tuple[str, ...], peer: str, forwarded: str, counted: str
) -> None:
    """Read from the right; what the asker wrote is never reached."""
    settings.PROXIES = frozenset(trusted)  # type: ignore[attr-defined]
    seen = []
    middleware = ProxyMiddleware(lambda request: seen.append(request.META["REMOTE_ADDR"]))  # type: ignore[arg-type, func-returns-value, return-value]
    middleware(RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded))
    assert seen == [counted]
