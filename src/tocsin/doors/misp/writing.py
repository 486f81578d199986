"""What MISP's clients write: events and attributes as the member's own words, sightings and objections.

An attribute is kept as a STIX indicator in the member's own contributions, as though it had come by TAXII; an
event as the grouping of what came with it, so that an attribute that is added later has its label.
"""

import uuid

import msgspec
from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor
from tocsin.doors.misp import days
from tocsin.doors.misp.guard import answer, guarded
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.kernel.time import now
from tocsin.sharing import appealing, channels, contributions, sightings
from tocsin.sharing.models import Channel, Outgoing
from tocsin.wire import misp, misp_in, said, stix_in

FALSE_POSITIVE, SEEN = "1", "0"
WRONG_WORDS = "A false positive, by a sighting in MISP."
LONGEST_INFO = 300
MOST_SIGHTINGS = 100


class Refusal(BadInput):
    """An attribute that is nobody's word."""


class Sighted(msgspec.Struct):
    """A sighting as PyMISP sends it, as far as it is needed."""

    type: str = SEEN
    value: str = ""
    values: list[str] = []
    id: str = ""
    uuid: str = ""
    timestamp: int | str | None = None


_group = msgspec.json.Decoder(said.Grouped)
_several = msgspec.json.Decoder(list[msgspec.Raw])
_sighted = msgspec.json.Decoder(Sighted, strict=False)


@guarded("POST", action="channel.write")
def add_event(request: HttpRequest, actor: Actor, option: str = "") -> HttpResponse:
    """An event: each attribute that says something of an address or name is the member's word.

    Those that do not are refused one by one: `errors` has each by its place, with the reason.
    """
    at = now()
    try:
        event = misp_in.event_of(request.body)
        label = misp_in.tlp_of([tag.name for tag in event.tags])
        number = uuid.UUID(event.uuid) if event.uuid else uuid.uuid4()
    except misp_in.NotMisp as problem:
        raise BadInput(str(problem)) from None
    except ValueError:
        raise BadInput("the event's uuid is no UUID") from None
    read = [misp_in.read(event, raw, at) for raw in event.raws()]
    words = [one for one in read if isinstance(one, said.Word)]
    refs = tuple(word.stix_id for word in words)
    when = misp_in.instant_of(None, event, at)
    group = said.grouping(number, event.info[:LONGEST_INFO], when, label, event.author, refs)
    keep(actor, words, [group])
    told = {
        "uuid": str(number),
        "info": event.info,
        "date": event.date or at.date().isoformat(),
        "timestamp": misp.seconds(when),
        "Tag": event.tags,
        "Attribute": [attribute(word, number) for word in words],
    }
    refused = errors(read)
    return answer({"Event": told, **({"errors": {"Attribute": refused}} if refused else {})})


@guarded("POST", action="channel.write")
def add_attributes(request: HttpRequest, actor: Actor, event: str, option: str = "") -> HttpResponse:
    """One attribute or several of an event that was added before: they have its label and its author."""
    at, body = now(), request.body
    try:
        number = uuid.UUID(event)
    except ValueError:
        raise NotFound("events are known by their UUID here") from None
    known = event_known(channels.contributions_of(actor.members[0]), number)
    is_list = body.lstrip().startswith(b"[")
    try:
        raws = _several.decode(body) if is_list else [msgspec.Raw(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadInput(f"no JSON: {problem}") from None
    read = [misp_in.read(known, raw, at) for raw in raws]
    words, refused = [one for one in read if isinstance(one, said.Word)], errors(read)
    if not words:
        raise Refusal("; ".join(refused.values())[:500] or "no attribute was sent")
    keep(actor, words, [])
    told = [attribute(word, number) for word in words]
    few = told[0] if len(raws) == 1 else told
    return answer({"Attribute": few, **({"errors": refused} if refused else {})})


@guarded("POST", action="indicator.object")
def add_sighting(request: HttpRequest, actor: Actor, attribute: str = "") -> HttpResponse:
    """Type 0: the member met what is shared. Type 1, a false positive: it objects.

    By an objection own words are taken back, and a person judges the rest.
    """
    try:
        given = _sighted.decode(request.body or b"{}")
        seen_at = misp_in.instant_of(given.timestamp, misp_in.Event(), now())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, misp_in.NotMisp) as problem:
        raise BadInput(f"no sighting: {problem}") from None
    if given.type not in (SEEN, FALSE_POSITIVE):
        raise BadInput("type is 0 for a sighting and 1 for a false positive")
    named = attribute or given.uuid or given.id
    values = [value_of(actor, named)] if named else list(filter(None, [given.value, *given.values]))
    if not 1 <= len(values) <= MOST_SIGHTINGS:
        raise BadInput(f"a sighting names an attribute, a value, or up to {MOST_SIGHTINGS} values")
    at = now()
    if given.type == SEEN:
        done = sightings.see(actor, [sightings.Met(value, seen_at) for value in values], at)
        if done.unknown == len(values):
            raise NotFound(sightings.OFF_THE_LISTS)
    else:
        for value in values:
            appealing.object_to(actor, value, WRONG_WORDS)
    told = {"type": given.type, "value": values[0], "date_sighting": misp.seconds(at), "source": ""}
    return answer({"Sighting": told})


def keep(actor: Actor, words: list[said.Word], others: list[bytes]) -> None:
    """Into the member's own contributions."""
    own = channels.contributions_of(actor.members[0])
    contributions.take(actor, own, [*(said.body(word) for word in words), *others])


def event_known(own: Channel, number: uuid.UUID) -> misp_in.Event:
    """An event that was added before, as far as its attributes need it. Raises NotFound."""
    found = Outgoing.objects.filter(channel=own, stix_id=number, stix_type="grouping", is_latest=True).first()
    if found is None:
        raise NotFound("there is no such event of yours", hint="add the event first")
    group = _group.decode(bytes(found.body))
    label = stix_in.tlp_of(list(group.object_marking_refs))
    return misp_in.Event(
        uuid=str(number),
        made_by=misp_in.Author(group.created_by_ref.removeprefix(said.IDENTITY)),
        tags=[misp_in.Tagged(f"tlp:{label}")] if label else [],
    )


def value_of(actor: Actor, named: str) -> str:
    """The value of an attribute that the actor may read. Raises NotFound."""
    try:
        number = uuid.UUID(named)
    except ValueError:
        raise NotFound("attributes are known by their UUID here") from None
    rows = days.rows(days.feeds(actor)).values_list("channel__channel_id", "stix_id", "indicator__value")
    for channel, stix_id, value in rows.iterator():
        if misp.attribute_id(channel, stix_id) == number:
            return str(value)
    raise NotFound("there is no such attribute here")


def attribute(word: said.Word, event: uuid.UUID) -> misp.Attribute:
    """What was taken, as MISP would answer."""
    return misp.attribute(word.number, event, word.kind, word.value, word.at, is_over=word.is_over)


def errors(read: list[said.Word | misp_in.Refused]) -> dict[str, str]:
    """Why each of those that were refused was, by its place."""
    return {str(place): one.reason for place, one in enumerate(read) if isinstance(one, misp_in.Refused)}
