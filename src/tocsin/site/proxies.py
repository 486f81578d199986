"""Who is at the other end, when a reverse proxy stands between: limits by address need the true one."""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class ProxyMiddleware:
    """Puts the address that the last trusted proxy saw in place of the proxy's own.

    Only proxies named in `TOCSIN_PROXIES` are believed, and of `X-Forwarded-For` only what they added:
    read from the right, the first address that is none of theirs. Anybody can write the rest.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.PROXIES and request.META.get("REMOTE_ADDR", "") in settings.PROXIES:
            request.META["REMOTE_ADDR"] = true_address(request)
        return self.get_response(request)


def true_address(request: HttpRequest) -> str:
    """The address before our own proxies; the proxy's where the header holds no address."""
    at = str(request.META.get("REMOTE_ADDR", ""))
    for told in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        try:
            at = str(ipaddress.ip_address(told.strip()))
        except ValueError:
            return at
        if at not in settings.PROXIES:
            return at
    return at
