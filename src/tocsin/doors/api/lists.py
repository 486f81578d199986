"""The lists over HTTPS: each with its number as entity tag, signed, and noted how far each key has read."""

import datetime as dt
import re

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control
from ninja import Router

from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.values import as_text, described
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import parse_rfc3339
from tocsin.sharing import lists, readings
from tocsin.wire.lists import CHANGES, SIGNATURE_HEADER, ListStatement

router = Router(tags=["lists"])

MEDIA = sorted({media.split(";")[0] for media in (CHANGES, *(form.media for form in lists.LISTS.values()))})


@router.get("/{name}.sig", auth=guard("list.read"), openapi_extra=described(ListStatement))
def read_statement(request: HttpRequest, name: str) -> HttpResponseBase:
    """The signed statement about a list's present number."""
    found = lists.named(actor_of(request), name)
    tag = f'"{name}.sig-{lists.number_of(found)}"'
    return unless_known(request, tag) or tagged(
        HttpResponse(lists.written(found).statement, content_type="application/json"), tag
    )


@router.get("/{name}", auth=guard("list.read"), openapi_extra=as_text(*MEDIA))
def read_list(request: HttpRequest, name: str, since: str = "", classes: bool = False) -> HttpResponseBase:
    """A list as a resolver or a firewall reads it: addresses.nft, addresses.txt, names.rpz, names.txt.

    That of a community has its slug before it: `ports.names.rpz`, for keys of its members alone.
    Send the `ETag` back as `If-None-Match`: 304 while nothing changed. `Tocsin-Signature` is the statement of
    `/lists/{name}.sig` in one line: the SHA-256 of these bytes, name, number and date, signed (Ed25519).

    Of names, `since`, the date in a statement that you have, asks for what changed after that number alone:
    lines `-name`, then `+name`, in a media type of their own, and a statement that repeats `since`. With
    `classes=true` these are `+name class/type`. Some may be as they were. Where too much changed the whole
    list comes.
    """
    actor = actor_of(request)
    one = lists.named(actor, name)
    number = lists.number_of(one)
    known = unless_known(request, tag_of(name, number))
    if known is not None:
        readings.note_list(actor, one, number, number)
        return known
    found = lists.written_since(one, instant(since), classes=classes) if since else lists.written(one)
    readings.note_list(actor, one, held_by(request, name), found.number)
    response = HttpResponse(found.body, content_type=found.media)
    response[SIGNATURE_HEADER] = found.statement.decode("ascii")
    return tagged(response, tag_of(name, found.number))


def instant(text: str) -> dt.datetime:
    """The date that was asked with. Raises BadInput."""
    try:
        return parse_rfc3339(text)
    except ValueError:
        raise BadInput("since is no date", hint="send the date of the statement that you have") from None


def tag_of(name: str, number: int) -> str:
    """A strong entity tag (RFC 9110 section 8.8.3): the same number, the same bytes."""
    return f'"{name}-{number}"'


def held_by(request: HttpRequest, name: str) -> int | None:
    """The number of this list that the asker says it has, or None."""
    found = re.search(rf'"{re.escape(name)}-(\d{{1,18}})"', request.headers.get("If-None-Match", ""))
    return int(found[1]) if found else None


def unless_known(request: HttpRequest, tag: str) -> HttpResponseBase | None:
    """304 where the asker has exactly this already, without reading the list."""
    response = get_conditional_response(request, etag=tag)
    return None if response is None else tagged(response, tag)


def tagged(response: HttpResponseBase, tag: str) -> HttpResponseBase:
    """The response with its tag; to be asked for again every time, and kept by nobody on the way."""
    response["ETag"] = tag
    patch_cache_control(response, private=True, no_cache=True)
    return response
