"""`Idempotency-Key`: an act that is sent again because its answer was lost is done once."""

from collections.abc import Callable

import msgspec
from django.http import HttpRequest, HttpResponse

from tocsin.access import answered
from tocsin.doors.api.guards import actor_of
from tocsin.kernel.hashing import sha256
from tocsin.kernel.problems import NotSignedIn

HEADER = "Idempotency-Key"
REPEATED = "Idempotency-Replayed"


def once(request: HttpRequest, do: Callable[[], HttpResponse], *, told_once: str = "") -> HttpResponse:
    """The answer of `do`, or the one that this key was given for exactly this request within a day.

    A field that is `told_once`, such as a token, is given the first time alone, and never kept.
    """
    name = request.headers.get(HEADER)
    if name is None:
        return do()
    actor = actor_of(request)
    if actor.key is None:
        raise NotSignedIn()
    person = actor.person.pk if actor.person is not None else 0
    asked = f"{request.method} {request.get_full_path()} {person} {request.headers.get('If-Match', '')}\n"
    digest = sha256(asked.encode() + request.body)

    first: list[HttpResponse] = []

    def done() -> answered.Answer:
        response = do()
        first.append(response)
        body = _without(response.content, told_once) if told_once else response.content
        return answered.Answer(response.status_code, response.get("ETag", ""), body)

    answer, was_known = answered.once(actor.key, name, digest, done)
    if not was_known:
        return first[0]
    response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
    if answer.etag:
        response["ETag"] = answer.etag
    response[REPEATED] = "true"
    return response


def _without(body: bytes, field: str) -> bytes:
    """The answer, that field of it empty."""
    return msgspec.json.encode({**msgspec.json.decode(body), field: ""})
