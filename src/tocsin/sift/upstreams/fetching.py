"""Reading what lies elsewhere: by HTTP with patience, or from a folder."""

import base64
from collections.abc import Callable
from pathlib import Path

import httpx

from tocsin import __version__
from tocsin.kernel.problems import BadInput, NotSignedIn
from tocsin.sift import calling

Fetcher = Callable[[str], bytes]
TIMEOUT = 60
WRONG_KEY = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


def client(url: str, authorisation: str | None) -> httpx.Client:
    """A client for an upstream server. `user:password` goes as Basic, anything else as it is."""
    headers = {"User-Agent": f"tocsin/{__version__}"}
    if authorisation:
        is_pair = ":" in authorisation and " " not in authorisation
        encoded = base64.b64encode(authorisation.encode()).decode()
        headers["Authorization"] = f"Basic {encoded}" if is_pair else authorisation
    return httpx.Client(
        base_url=url.rstrip("/") + "/", headers=headers, timeout=TIMEOUT, follow_redirects=True
    )


def by_http(from_: httpx.Client) -> Fetcher:
    """Files below an address. Raises Unreachable, NotSignedIn, BadInput for what is not there."""

    def fetch(name: str) -> bytes:
        return asked(lambda: from_.get(name), name).content

    return fetch


def asked(request: Callable[[], httpx.Response], what: str) -> httpx.Response:
    """One request to an upstream server. Raises Unreachable, NotSignedIn, BadInput."""
    refused: list[httpx.Response] = []

    def once() -> httpx.Response:
        answer = request()
        if 400 <= answer.status_code < 500 and answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            refused.append(answer)
            return httpx.Response(204)
        return answer

    answer = calling.ask(once, who=what)
    if refused:
        status = refused[-1].status_code
        if status in WRONG_KEY:
            raise NotSignedIn(f"{what}: answers {status}", hint="give --auth, or set TOCSIN_UPSTREAM_AUTH")
        raise BadInput(f"{what}: answers {status}", hint="check the address")
    return answer


def from_folder(folder: Path) -> Fetcher:
    """Files of a folder. Raises BadInput."""

    def fetch(name: str) -> bytes:
        try:
            return (folder / name).read_bytes()
        except OSError as error:
            raise BadInput(f"{folder / name}: {(error.strerror or 'cannot be read').lower()}") from None

    return fetch
