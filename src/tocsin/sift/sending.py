"""Sending what waits in the spool; every answer is checked before it is believed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx
import msgspec

from tocsin.kernel.problems import NotGenuine, Unreachable
from tocsin.proof import receipts as proof
from tocsin.sift import calling
from tocsin.sift.spool import Spool
from tocsin.wire.report import Accepted

BATCH = 200


@dataclass
class Sent:
    """What came of the sending: counts, and the fault that stopped it."""

    sent: int = 0
    known: int = 0
    refused: int = 0
    fault: str = ""


def send(
    spool: Spool, url: str, key: str, say: Callable[[str], None], patience: Sequence[float] | None = None
) -> Sent:
    """Send every pending report in batches until none is left or the exchange stops answering.

    A refused key raises; an exchange out of reach leaves the rest pending, with the fault in the result.
    """
    result = Sent()
    if not spool.pending(1):
        return result
    with calling.client(url, key) as client:
        try:
            public = calling.introduced(client, say, patience)[1]
            while batch := spool.pending(BATCH):
                _settle(spool, batch, _post(client, batch, patience), public, result, say)
        except Unreachable as problem:
            result.fault = problem.detail
    return result


def _post(
    client: httpx.Client, batch: Sequence[tuple[str, bytes]], patience: Sequence[float] | None
) -> Accepted:
    body = b'{"reports":[' + b",".join(report for _, report in batch) + b"]}"
    answer = calling.ask(
        lambda: client.post("/reports/batch", content=body, headers={"Content-Type": "application/json"}),
        patience,
    )
    try:
        return msgspec.json.decode(answer.content, type=Accepted)
    except msgspec.DecodeError as error:
        raise Unreachable(f"the exchange's answer cannot be read: {error}") from None


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
