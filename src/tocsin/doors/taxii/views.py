"""TAXII 2.1, read-only: one API root, a collection for each channel that the key may read."""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor
from tocsin.doors.taxii.filters import Asked, asked, object_id
from tocsin.doors.taxii.guard import answer, guarded
from tocsin.kernel.problems import NotFound
from tocsin.sharing import channels, feed
from tocsin.sharing.models import Channel, Outgoing
from tocsin.wire import stix, taxii

ROOT = "/taxii2/api/"
MAX_CONTENT_LENGTH = 10 * 1024 * 1024
OF_AN_OBJECT = ("added_after", "match[version]", "match[spec_version]")
OF_VERSIONS = ("added_after", "match[spec_version]")
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
    return answer(taxii.ApiRoot("Shared indicators", "Read-only.", (taxii.MEDIA,), MAX_CONTENT_LENGTH))


@guarded
def read_status(request: HttpRequest, actor: Actor, **_: str) -> HttpResponse:
    """Section 4.3: nothing is ever written here, so there is no status."""
    raise NotFound()


@guarded
def list_collections(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Section 5.1."""
    return answer(taxii.Collections(tuple(described(channel) for channel in channels.readable(actor))))


@guarded
def read_collection(request: HttpRequest, actor: Actor, collection: str) -> HttpResponse:
    """Section 5.2."""
    return answer(described(channels.channel_of(actor, collection)))


@guarded
def read_manifest(request: HttpRequest, actor: Actor, collection: str) -> HttpResponse:
    """Section 5.3."""
    channel = channels.channel_of(actor, collection)
    question = asked(request, actor)
    rows, more = feed.records(channel, question.wanted, question.limit)
    records = tuple(
        taxii.ManifestRecord(full_id(row), taxii.stamp(row.date_added), stix.stamp(row.modified))
        for row in rows
    )
    following = question.cursor(rows[-1].number) if more else ""
    return dated(answer(taxii.Manifest(more, following, records)), question, rows)


@guarded
def read_objects(request: HttpRequest, actor: Actor, collection: str) -> HttpResponse:
    """Section 5.4."""
    channel = channels.channel_of(actor, collection)
    return enveloped(channel, asked(request, actor))


@guarded
def read_object(request: HttpRequest, actor: Actor, collection: str, object_: str) -> HttpResponse:
    """Section 5.6: 404 for an object that never was there, an empty envelope for a version that was not."""
    channel = channels.channel_of(actor, collection)
    return enveloped(channel, asked(request, actor, OF_AN_OBJECT, ids=(known(channel, object_),)))


@guarded
def read_versions(request: HttpRequest, actor: Actor, collection: str, object_: str) -> HttpResponse:
    """Section 5.8."""
    channel = channels.channel_of(actor, collection)
    question = asked(request, actor, OF_VERSIONS, ids=(known(channel, object_),), versions=("all",))
    rows, more = feed.records(channel, question.wanted, question.limit)
    following = question.cursor(rows[-1].number) if more else ""
    versions = tuple(stix.stamp(row.modified) for row in rows)
    return dated(answer(taxii.Versions(more, following, versions)), question, rows)


@guarded
def nothing_here(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every other address."""
    raise NotFound()


def described(channel: Channel) -> taxii.Collection:
    """A channel as a collection."""
    return taxii.Collection(
        str(channel.channel_id), channel.title, channel.description, can_read=True, can_write=False
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


def enveloped(channel: Channel, question: Asked) -> HttpResponse:
    """One page of objects, spliced from the bytes in which they are stored."""
    page = feed.bodies(channel, question.wanted, question.limit)
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
