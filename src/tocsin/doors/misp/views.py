"""MISP's feed format: a manifest, hashes, and one file for each event."""

from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor
from tocsin.doors.misp import days
from tocsin.doors.misp.guard import answer, guarded
from tocsin.kernel.problems import NotFound
from tocsin.sharing import by_day
from tocsin.wire import misp


@guarded("GET")
def read_manifest(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Each event with its timestamp: whoever follows the feed fetches only those that changed."""
    read = days.feeds(actor)
    by_day.note_asked(actor, read)
    tag = days.etag(read, "manifest")
    if request.headers.get("If-None-Match") == tag:
        return tagged(HttpResponse(status=304), tag)
    told = {
        one.uuid: {name: getattr(one, name) for name in misp.Described.__struct_fields__}
        for one in days.events(days.rows(read))
    }
    return tagged(answer(told), tag)


@guarded("GET")
def read_hashes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """By which MISP looks a value up without fetching every event; withdrawn ones are left out."""
    read = days.feeds(actor)
    if request.method != "HEAD":
        by_day.note_whole(actor, read, None, "/hashes")
    tag = days.etag(read, "hashes")
    if request.headers.get("If-None-Match") == tag:
        return tagged(HttpResponse(status=304), tag)
    found = days.events(days.rows(read).filter(revoked=False))
    lines = "".join(misp.hashes(one.Attribute, one.uuid) for one in found)
    return tagged(HttpResponse(lines, content_type="text/csv"), tag)


@guarded("GET")
def read_event(request: HttpRequest, actor: Actor, event: str) -> HttpResponse:
    """One event with all its attributes, withdrawn ones marked as deleted."""
    return answer(misp.Enveloped(days.named(actor, event, is_sent=request.method != "HEAD")))


@guarded("GET")
def nothing_here(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every other address."""
    raise NotFound()


def tagged(response: HttpResponse, tag: str) -> HttpResponse:
    """With the ETag; a private answer, since it depends on the key."""
    response["ETag"], response["Cache-Control"] = tag, "private, no-cache"
    return response
