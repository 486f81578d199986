"""One call to an address that a member named: signed, short, and never into the exchange's own network.

Signatures follow Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, in `webhook-signature`.
"""

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from tocsin.kernel.problems import BadInput

TIMEOUT = 5.0
LONGEST_URL = 500
TAKEN = range(200, 300)


@dataclass(frozen=True)
class Call:
    """What is sent where; `secrets` are those that are valid now, the newest first."""

    url: str
    message_id: str
    body: str
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What came back: a status, or why there is none."""

    status: int | None
    error: str

    @property
    def is_taken(self) -> bool:
        """Did the other end take it?"""
        return self.status is not None and self.status in TAKEN


def check_url(url: str) -> None:
    """Raises BadInput for an address that is never called."""
    parts = urlsplit(url)
    allowed = {"https"} | ({"http"} if settings.WEBHOOKS_ANYWHERE else set())
    if parts.scheme not in allowed or not parts.hostname or len(url) > LONGEST_URL:
        raise BadInput("a webhook needs an address that begins with https://")
    if parts.username or parts.password or parts.fragment:
        raise BadInput("the address of a webhook has no user, password or fragment")


def signatures(call: Call, at: dt.datetime) -> str:
    """`v1,…` for each secret, separated by spaces."""
    signed = f"{call.message_id}.{int(at.timestamp())}.{call.body}".encode()
    return " ".join(
        "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()
        for secret in call.secrets
    )


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def send(call: Call, at: dt.datetime) -> Outcome:
    """Make the call. Never raises: what went wrong is the outcome."""
    try:
        check_url(call.url)
        address = resolved(call.url)
    except (BadInput, OSError) as error:
        return Outcome(None, str(error)[:200])
    parts = urlsplit(call.url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    shown = f"[{address}]" if ":" in address else address
    # The address that was judged is the one that is called: a name cannot change in between.
    target = parts._replace(netloc=f"{shown}{port}").geturl()
    headers = {
        "Host": f"{host}{port}",
        "Content-Type": "application/json",
        "User-Agent": "Tocsin-Webhooks",
        "webhook-id": call.message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signatures(call, at),
    }
    try:
        with httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
            request = client.build_request("POST", target, content=call.body.encode(), headers=headers)
            request.extensions["sni_hostname"] = host
            answer = client.send(request, stream=True)  # what the other end says is not read
            answer.close()
    except (httpx.HTTPError, ValueError) as error:
        return Outcome(None, type(error).__name__)
    return Outcome(answer.status_code, "" if answer.status_code in TAKEN else "not taken")


def resolved(url: str) -> str:
    """The address that a name stands for. Raises BadInput where one of them is not public, OSError."""
    parts = urlsplit(url)
    found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    addresses = [str(info[4][0]) for info in found]
    if not settings.WEBHOOKS_ANYWHERE:
        for address in addresses:
            known = ipaddress.ip_address(address.split("%")[0])
            if not known.is_global or known.is_multicast:
                raise BadInput("the address is not on the public internet")
    return addresses[0]
