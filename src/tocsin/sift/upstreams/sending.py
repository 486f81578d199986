"""Sending what waits, by the exchange's TAXII: into the member's own contributions, and nowhere else."""

from collections.abc import Callable, Sequence

import httpx
import msgspec

from tocsin import __version__
from tocsin.kernel.problems import BadInput, NotGenuine, Unreachable
from tocsin.sift import calling
from tocsin.sift.upstreams.store import Store
from tocsin.wire import taxii

AT_ONCE = 1_000
LARGEST = 4 * 1024 * 1024
ROOT = "/taxii2/api/"
Waiting = tuple[str, str, bytes]


class Writable(msgspec.Struct):
    """A collection, as far as it is needed."""

    id: str
    can_write: bool = False


class Collections(msgspec.Struct):
    """Section 5.1."""

    collections: list[Writable] = []


class Failure(msgspec.Struct):
    """One object that was refused."""

    id: str
    message: str = ""


class Status(msgspec.Struct):
    """Section 4.3, as far as it is needed."""

    total_count: int
    success_count: int
    failure_count: int
    failures: list[Failure] = []


class Sent(msgspec.Struct):
    """How many the exchange took and refused, and what stopped the sending."""

    sent: int = 0
    refused: int = 0
    fault: str = ""


def send(
    store: Store, url: str, key: str, say: Callable[[str], None], patience: Sequence[float] | None = None
) -> Sent:
    """Send all that waits. An exchange out of reach leaves the rest waiting, with the fault in the result.

    Raises NotSignedIn, BadInput for a key that may not write, NotGenuine.
    """
    done = Sent()
    if not store.count_waiting():
        return done
    headers = {
        "Authorization": f"Bearer {key}",
        "Accept": taxii.MEDIA,
        "User-Agent": f"tocsin/{__version__}",
    }
    with httpx.Client(base_url=url.rstrip("/") + ROOT, headers=headers, timeout=120) as client:
        try:
            collection = own_collection(client, patience)
            while batch := store.waiting(AT_ONCE):
                refused = post(client, collection, fitting(batch), patience)
                store.settle(fitting(batch), refused)
                done.sent += len(fitting(batch)) - len(refused)
                done.refused += len(refused)
                for named, reason in refused.items():
                    say(f"refused: {named}: {reason}")
        except Unreachable as problem:
            done.fault = problem.detail
    return done


def fitting(batch: Sequence[Waiting]) -> list[Waiting]:
    """As many as one request may have; one at least."""
    size = 0
    fits: list[Waiting] = []
    for one in batch:
        size += len(one[2]) + 1
        if fits and size > LARGEST:
            break
        fits.append(one)
    return fits


def own_collection(client: httpx.Client, patience: Sequence[float] | None = None) -> str:
    """The collection that this key writes. Raises BadInput."""
    answer = calling.ask(lambda: client.get("collections/"), patience)
    try:
        known = msgspec.json.decode(answer.content, type=Collections)
    except msgspec.DecodeError:
        raise BadInput("the address does not answer like a Tocsin exchange", hint="check its URL") from None
    found = next((one.id for one in known.collections if one.can_write), None)
    if found is None:
        raise BadInput(
            "this key may not say anything", hint="it needs the scopes lists:read and indicators:write"
        )
    return found


def post(
    client: httpx.Client, collection: str, batch: Sequence[Waiting], patience: Sequence[float] | None = None
) -> dict[str, str]:
    """One request; gives the identifiers that were refused, and why."""
    body = b'{"objects":[' + b",".join(one[2] for one in batch) + b"]}"
    answer = calling.ask(
        lambda: client.post(
            f"collections/{collection}/objects/", content=body, headers={"Content-Type": taxii.MEDIA}
        ),
        patience,
    )
    try:
        status = msgspec.json.decode(answer.content, type=Status)
    except msgspec.DecodeError as error:
        raise Unreachable(f"the exchange's answer cannot be read: {error}") from None
    if status.total_count != len(batch) or status.failure_count != len(status.failures):
        raise NotGenuine("the exchange did not answer for every object")
    return {one.id: one.message or "refused" for one in status.failures}
