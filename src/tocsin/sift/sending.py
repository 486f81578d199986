"""Sending what waits in the spool; every answer is checked before it is believed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx
import msgspec

from tocsin import __version__
from tocsin.kernel.problems import BadInput, NotGenuine, NotSignedIn, Problem, Unreachable
from tocsin.proof import receipts as proof
from tocsin.sift import trust
from tocsin.sift.spool import Spool
from tocsin.wire.report import Accepted

BATCH = 200
PAUSES = (0.5, 2.0, 8.0)


@dataclass
class Sent:
    """What came of the sending: counts, and the fault that stopped it."""

    sent: int = 0
    known: int = 0
    refused: int = 0
    fault: str = ""


class Exchange(msgspec.Struct, frozen=True):
    """What an exchange says of itself at `/api/v1/exchange`, as far as the edge needs it."""

    name: str
    public_key: str


def send(spool: Spool, url: str, key: str, say: Callable[[str], None]) -> Sent:
    """Send every pending report in batches until none is left or the exchange stops answering.

    A refused key raises; an exchange out of reach leaves the rest pending, with the fault in the result.
    """
    result = Sent()
    if not spool.pending(1):
        return result
    headers = {"Authorization": f"Bearer {key}", "User-Agent": f"tocsin/{__version__}"}
    with httpx.Client(base_url=url + "/api/v1", headers=headers, timeout=60) as client:
        try:
            public = _public_key(client, say)
            while batch := spool.pending(BATCH):
                _settle(spool, batch, _post(client, batch), public, result, say)
        except Unreachable as problem:
            result.fault = problem.detail
    return result


def _public_key(client: httpx.Client, say: Callable[[str], None]) -> bytes:
    answer = _ask(lambda: client.get("/exchange"))
    try:
        exchange = msgspec.json.decode(answer.content, type=Exchange)
        public = bytes.fromhex(exchange.public_key)
    except (msgspec.DecodeError, ValueError):
        raise BadInput("the address does not answer like a Tocsin exchange", hint="check --to") from None
    if trust.pin(exchange.name, public):
        say(f"pinned the key of {exchange.name}: {public.hex()}")
    return public


def _post(client: httpx.Client, batch: Sequence[tuple[str, bytes]]) -> Accepted:
    body = b'{"reports":[' + b",".join(report for _, report in batch) + b"]}"
    answer = _ask(
        lambda: client.post("/reports/batch", content=body, headers={"Content-Type": "application/json"})
    )
    try:
        return msgspec.json.decode(answer.content, type=Accepted)
    except msgspec.DecodeError as error:
        raise Unreachable(f"the exchange's answer cannot be read: {error}") from None


def _ask(request: Callable[[], httpx.Response]) -> httpx.Response:
    """One request, tried again after a pause while the exchange is out of reach or too busy."""
    fault = ""
    for pause in (*PAUSES, None):
        try:
            answer = request()
        except httpx.HTTPError as error:
            fault = f"the exchange is out of reach: {error}"
        else:
            if answer.status_code < 300:
                return answer
            if answer.status_code != 429 and answer.status_code < 500:
                raise _problem(answer)
            fault = f"the exchange answers {answer.status_code}"
        if pause is not None:
            time.sleep(pause)
    raise Unreachable(fault)


def _problem(answer: httpx.Response) -> Problem:
    try:
        said = str(msgspec.json.decode(answer.content).get("detail", ""))
    except (msgspec.DecodeError, AttributeError):
        said = ""
    if answer.status_code in (401, 403):
        return NotSignedIn(
            said or "the exchange does not know this key", hint="ask the operator for a current key"
        )
    return BadInput(said or f"the exchange answers {answer.status_code}", hint="check --to")


def _settle(
    spool: Spool,
    batch: Sequence[tuple[str, bytes]],
    answer: Accepted,
    public: bytes,
    result: Sent,
    say: Callable[[str], None],
) -> None:
    asked = {attack_id for attack_id, _ in batch}
    sent = {}
    for receipt, state in zip(answer.receipts, answer.states, strict=True):
        proof.check(receipt, public)
        sent[receipt.attack_id] = receipt
        result.known += state == "known"
        result.sent += state != "known"
    refused = {
        batch[r.position][0]: f"{r.title} {r.detail}" for r in answer.refusals if r.position < len(batch)
    }
    if set(sent) | set(refused) != asked:
        raise NotGenuine("the exchange did not answer for every report of the batch")
    spool.settle(sent, refused)
    result.refused += len(refused)
    for attack_id, fault in refused.items():
        say(f"refused: {attack_id}: {fault}")
