"""TAXII 2.1: one API root, a collection for each channel that the key may read, its own to write."""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor
from tocsin.doors.taxii.filters import Asked, asked, object_id
from tocsin.doors.taxii.guard import TooLarge, Unprocessable, answer, check_media, guarded, writing
from tocsin.kernel.problems import BadInput, NotAllowed, NotFound
from tocsin.sharing import channels, contributions, feed, readings
from tocsin.sharing.models import Channel, Outgoing
from tocsin.wire import stix, stix_in, taxii

ROOT = "/taxii2/api/"
DESCRIPTION = "What circles of members share, and what one's own member says."
MAX_CONTENT_LENGTH = 10 * 1024 * 1024
OF_AN_OBJECT = ("added_after", "match[version]", "match[spec_version]")
OF_VERSIONS = ("added_after", "match[spec_version]")
OF_DELETING = ("match[version]", "match[spec_version]")
DATES = ("X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last")


@guarded
def discover(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Section 4.1."""
    return answer(
        taxii.Discovery(
            f"Tocsin at {settings.ORIGIN}", "Indicators that members share.", default=ROOT, api_roots=(ROOT,)
        )
    )


@guarded
def read_root(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Section 4.2."""
    return answer(
        taxii.ApiRoot(
            "Shared indicators",
            DESCRIPTION,
            (taxii.MEDIA,),
            MAX_CONTENT_LENGTH,
        )
    )


@guarded
def read_status(request: HttpRequest, actor: Actor, status: str) -> HttpResponse:
    """Section 4.3."""
    return answer(contributions.status_of(actor, status))


@guarded
def list_collections(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Section 5.1."""
    return answer(taxii.Collections(tuple(described(actor, channel) for channel in channels.readable(actor))))


@guarded
def read_collection(request: HttpRequest, actor: Actor, collection: str) -> HttpResponse:
    """Section 5.2."""
    return answer(described(actor, channels.channel_of(actor, collection)))


@guarded
def read_manifest(request: HttpRequest, actor: Actor, collection: str) -> HttpResponse:
    """Section 5.3."""
    channel = channels.channel_of(actor, collection)
    question = asked(request, actor)
    rows, more = feed.records(channel, question.wanted, question.limit)
    records = tuple(
        taxii.ManifestRecord(full_id(row), taxii.stamp(row.date_added), stix.version_stamp(row.modified))
        for row in rows
    )
    following = question.cursor(rows[-1].number) if more else ""
    return dated(answer(taxii.Manifest(more, following, records)), question, rows)


@writing("POST")
def objects(request: HttpRequest, actor: Actor, collection: str) -> HttpResponse:
    """Sections 5.4 and 5.5."""
    channel = channels.channel_of(actor, collection)
    if request.method == "POST":
        return take(request, actor, channel)
    question = asked(request, actor)
    page = feed.bodies(channel, question.wanted, question.limit)
    if request.method == "GET" and is_whole(question.wanted):
        # What stood when the channel was looked up, or the page's end: never more than was sent.
        readings.note_channel(actor, "taxii", channel, page.last if page.more else channel.number)
    return enveloped(page, question)


@writing("DELETE")
def one_object(request: HttpRequest, actor: Actor, collection: str, object_: str) -> HttpResponse:
    """Section 5.6: 404 for an object that is not there, an empty envelope for a version that is not.

    Section 5.7: what is deleted is gone, so all its versions go unless some are named.
    """
    channel = channels.channel_of(actor, collection)
    if request.method == "DELETE":
        if not channels.writable(actor, channel):
            raise NotAllowed("this collection is only read")
        found = known(channel, object_)
        question = asked(request, actor, OF_DELETING, ids=(found,), versions=("all",))
        contributions.delete(actor, channel, question.wanted)
        return HttpResponse(status=200, content_type=taxii.MEDIA)
    question = asked(request, actor, OF_AN_OBJECT, ids=(known(channel, object_),))
    return enveloped(feed.bodies(channel, question.wanted, question.limit), question)


@guarded
def read_versions(request: HttpRequest, actor: Actor, collection: str, object_: str) -> HttpResponse:
    """Section 5.8."""
    channel = channels.channel_of(actor, collection)
    question = asked(request, actor, OF_VERSIONS, ids=(known(channel, object_),), versions=("all",))
    rows, more = feed.records(channel, question.wanted, question.limit)
    following = question.cursor(rows[-1].number) if more else ""
    versions = tuple(stix.version_stamp(row.modified) for row in rows)
    return dated(answer(taxii.Versions(more, following, versions)), question, rows)


@guarded
def nothing_here(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every other address."""
    raise NotFound()


def take(request: HttpRequest, actor: Actor, channel: Channel) -> HttpResponse:
    """Section 5.5: 202 and the status, which is complete at once."""
    if not channels.writable(actor, channel):
        raise NotAllowed("this collection is only read")
    check_media(request)
    if int(request.headers.get("Content-Length") or 0) > MAX_CONTENT_LENGTH:
        raise TooLarge()
    body = request.body
    if len(body) > MAX_CONTENT_LENGTH:
        raise TooLarge()
    try:
        raws = stix_in.split(body)
    except stix_in.Malformed as problem:
        raise BadInput(str(problem)) from None
    except stix_in.NotStix as problem:
        raise Unprocessable(str(problem)) from None
    if not raws:
        raise Unprocessable("the envelope has no objects")
    return answer(contributions.take(actor, channel, raws), 202)


def described(actor: Actor, channel: Channel) -> taxii.Collection:
    """A channel as a collection."""
    return taxii.Collection(
        str(channel.channel_id),
        channel.title,
        channel.description,
        can_read=True,
        can_write=channels.writable(actor, channel),
        alias=channel.alias,
    )


def known(channel: Channel, given: str) -> uuid.UUID:
    """The UUID of an object that is or was in the feed. Raises NotFound."""
    found = object_id(given)
    if not feed.is_known(channel, found):
        raise NotFound()
    return found


def full_id(row: Outgoing) -> str:
    """The STIX identifier of an entry's object."""
    return f"{row.stix_type}--{row.stix_id}"


def is_whole(wanted: feed.Wanted) -> bool:
    """Does whoever reads on like this miss no withdrawal?"""
    every = not wanted.types or "indicator" in wanted.types
    return every and not wanted.ids and not wanted.nothing and bool({"last", "all"} & set(wanted.versions))


def enveloped(page: feed.Page, question: Asked) -> HttpResponse:
    """One page of objects, spliced from the bytes in which they are stored."""
    following = question.cursor(page.last) if page.more else None
    response = answer(taxii.envelope(page.bodies, following))
    if page.first_at is None or page.last_at is None:
        return dated(response, question, [])
    response[DATES[0]], response[DATES[1]] = taxii.stamp(page.first_at), taxii.stamp(page.last_at)
    return response


def dated(response: HttpResponse, question: Asked, rows: list[Outgoing]) -> HttpResponse:
    """With the headers of section 3.2. An empty page says where the asker stood, and never `now`."""
    if rows:
        first, last = taxii.stamp(rows[0].date_added), taxii.stamp(rows[-1].date_added)
        response[DATES[0]], response[DATES[1]] = first, last
    elif question.wanted.added_after is not None:
        response[DATES[0]] = response[DATES[1]] = taxii.stamp(question.wanted.added_after)
    return response
