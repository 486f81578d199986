"""Calling an exchange: one client, patience while it is away, and the key that it was first met with."""

import time
from collections.abc import Callable, Sequence

import httpx
import msgspec

from tocsin import __version__
from tocsin.kernel.problems import BadInput, NotSignedIn, Problem, Unreachable
from tocsin.sift import trust

PAUSES = (0.5, 2.0, 8.0)


class Exchange(msgspec.Struct, frozen=True):
    """What an exchange says of itself at `/api/v1/exchange`, as far as the edge needs it."""

    name: str
    public_key: str


def client(url: str, key: str) -> httpx.Client:
    """A client for the exchange's REST interface, as the holder of `key`."""
    headers = {"Authorization": f"Bearer {key}", "User-Agent": f"tocsin/{__version__}"}
    return httpx.Client(base_url=url + "/api/v1", headers=headers, timeout=60)


def public_key(client: httpx.Client, say: Callable[[str], None]) -> bytes:
    """The exchange's key, pinned at the first contact. Raises KeyChanged, Unreachable, BadInput."""
    return introduced(client, say)[1]


def introduced(
    client: httpx.Client, say: Callable[[str], None], patience: Sequence[float] | None = None
) -> tuple[str, bytes]:
    """The exchange's name and key. Raises as `public_key` does."""
    answer = ask(lambda: client.get("/exchange"), patience)
    try:
        exchange = msgspec.json.decode(answer.content, type=Exchange)
        public = bytes.fromhex(exchange.public_key)
    except (msgspec.DecodeError, ValueError):
        raise BadInput("the address does not answer like a Tocsin exchange", hint="check its URL") from None
    if trust.pin(exchange.name, public):
        say(f"pinned the key of {exchange.name}: {public.hex()}")
    return exchange.name, public


def ask(
    request: Callable[[], httpx.Response], patience: Sequence[float] | None = None, who: str = "the exchange"
) -> httpx.Response:
    """One request, tried again after each pause (seconds) while the exchange is out of reach or too busy.

    `patience` are the pauses; where it is not given, the usual ones.
    Gives any answer below 400. Raises Unreachable, NotSignedIn, or BadInput with the exchange's own words.
    """
    fault = ""
    for pause in (*(PAUSES if patience is None else patience), None):
        try:
            answer = request()
        except httpx.HTTPError as error:
            fault = f"{who} is out of reach: {error}"
        else:
            if answer.status_code < 300 or answer.status_code == httpx.codes.NOT_MODIFIED:
                return answer
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS and answer.status_code < 500:
                raise _problem(answer)
            fault = f"{who} answers {answer.status_code}"
        if pause is not None:
            time.sleep(pause)
    raise Unreachable(fault)


def _problem(answer: httpx.Response) -> Problem:
    try:
        told = msgspec.json.decode(answer.content)
        said, hint = str(told.get("detail", "")), str(told.get("hint") or "")
    except (msgspec.DecodeError, AttributeError):
        said = hint = ""
    if answer.status_code in (401, 403):
        return NotSignedIn(
            said or "the exchange does not know this key", hint="ask the operator for a current key"
        )
    words = said or f"the exchange answers {answer.status_code}"
    return BadInput(words, hint=hint or "check the exchange's URL")
