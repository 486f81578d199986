"""Sightings as STIX has them: what the feeds tell of members' sightings, and what members write of theirs.

The feeds tell once an hour that an indicator was met by two members or more, and from which hour to which:
summed up, never how many met it or how often.
"""

import datetime as dt
import secrets
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from tocsin.access.models import Membership
from tocsin.access.policy import Actor
from tocsin.journal.acts import act
from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.ids import new_id
from tocsin.kernel.time import now
from tocsin.sharing import rules, sightings
from tocsin.sharing.models import Channel, Indicator, Outgoing, Sighting
from tocsin.sharing.publishing import INDICATOR, SECOND, NewObject, append, hour_of
from tocsin.sharing.queries import visible_to
from tocsin.wire import stix, stix_in

SIGHTING = "sighting"
TOLD = "sharing:sightings:told"
AT_ONCE = 1_000
UNKNOWN = "it is of an indicator that is not known here"
TO_COME = "last_seen is still to come"

Version = tuple[uuid.UUID, dt.datetime]
Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Known:
    """What an indicator names, what of it is on lists of the actor's, and did the actor's member write it?"""

    values: tuple[str, ...]
    listed: tuple[str, ...]
    is_own: bool = False


@dataclass
class Heard:
    """The sightings of one request: why some are refused, by their places; the values that others are of.

    `gone` are of those that were revoked.
    """

    refused: dict[int, str] = field(default_factory=dict)
    met: dict[Version, list[sightings.Met]] = field(default_factory=dict)
    gone: dict[Version, list[str]] = field(default_factory=dict)

    def keep(self, actor: Actor, fresh: Iterable[Version], at: dt.datetime) -> None:
        """The actor's member met these, as though by the button; what is not fresh was heard before."""
        versions = list(fresh)
        met = [one for version in versions for one in self.met.get(version, ())]
        for start in range(0, len(met), sightings.MOST):
            sightings.see(actor, met[start : start + sightings.MOST], at)
        take_back(actor, [value for version in versions for value in self.gone.get(version, ())])


def sighting_id_of(indicator: uuid.UUID) -> uuid.UUID:
    """Of the exchange's own summary of the sightings of an indicator: the same for ever."""
    return uuid.uuid5(stix.namespace_of(settings.ORIGIN), f"sightings of {indicator}")


def tell_sightings(at: dt.datetime | None = None) -> int:
    """Put what was met before this hour into the feeds in which it stands; gives how many objects.

    Running it twice tells nothing twice. In random order, so that no feed tells in which it was met.
    """
    at = at or now()
    due = Sighting.objects.filter(untold_since__lt=hour_of(at))
    pks = set(due.order_by("untold_since").values_list("indicator_id", flat=True)[:AT_ONCE])
    if not pks:
        return 0
    with act() as recorded:
        due.filter(indicator__in=pks).update(untold_since=None)
        by_channel = {channel: summaries(channel, found, at) for channel, found in standing(pks).items()}
        bodies = [one.body for objects in by_channel.values() for one in objects]
        if bodies:
            content = {"objects": len(bodies), "sha256": sha256_hex(b"".join(bodies))}
            stamp = recorded.record(TOLD, new_id("sightings"), content)
            for channel, objects in by_channel.items():
                append(recorded, channel, objects, stamp)
    return len(bodies)


def standing(pks: Iterable[int]) -> dict[Channel, list[Indicator]]:
    """The shared feeds in which these indicators stand now."""
    alive = Outgoing.objects.filter(
        indicator__in=list(pks), is_latest=True, revoked=False, channel__kind=Channel.Kind.SHARED
    )
    found: defaultdict[Channel, list[Indicator]] = defaultdict(list)
    for entry in alive.defer("body").select_related("channel", "indicator").order_by("channel", "number"):
        if entry.indicator is not None:
            found[entry.channel].append(entry.indicator)
    return dict(found)


def summaries(channel: Channel, found: Sequence[Indicator], at: dt.datetime) -> list[NewObject]:
    """The next version for a feed of what was met of each of these, where it says anything new."""
    spans = spans_of(channel, found)
    ids = {sighting_id_of(one.stix_id): one for one in found}
    before = {
        entry.stix_id: entry
        for entry in Outgoing.objects.filter(channel=channel, stix_id__in=ids, is_latest=True)
    }
    told = []  # never as revoked: a withdrawal is an indicator's
    for number, indicator in ids.items():
        known, span = before.get(number), spans.get(indicator.pk)
        if known is None and span is None:
            continue
        created, modified, is_over = hour_of(at), hour_of(at), span is None
        if known is not None:
            said = stix_in.sighting_of(bytes(known.body))
            if (said.span, said.revoked) == (span or said.span, is_over):
                continue
            created, span = stix_in.instant_of(said.created), span or said.span
            modified = max(modified, known.modified + SECOND)
        body = stix.sighting_body(
            number,
            indicator.stix_id,
            created=created,
            modified=modified,
            span=span or (created, created),
            tlp=channel.tlp,
            revoked=is_over,
        )
        told.append(NewObject(SIGHTING, number, modified, body))
    secrets.SystemRandom().shuffle(told)
    return told


def spans_of(channel: Channel, found: Sequence[Indicator]) -> dict[int, Span]:
    """From which hour to which enough members met each of these; left out where too few did.

    What is shared in a community alone is told there of its members alone.
    """
    inside: set[int] | None = None
    if channel.community_id is not None:
        members = Membership.objects.filter(community=channel.community_id, until=None)
        inside = set(members.values_list("member_id", flat=True))
    shared = {one.pk for one in found if one.state == Indicator.State.SHARED}
    met: defaultdict[int, list[Span]] = defaultdict(list)
    rows = Sighting.objects.filter(indicator__in=[one.pk for one in found], member__suspended_at=None)
    for pk, member, first_at, seen_at in rows.values_list("indicator_id", "member_id", "first_at", "seen_at"):
        if inside is None or pk in shared or member in inside:
            met[pk].append((min(first_at, seen_at), seen_at))
    least = max(rules.DEFAULTS.sightings.least_members, 2)
    return {
        pk: (hour_of(min(first for first, _ in spans)), hour_of(max(last for _, last in spans)))
        for pk, spans in met.items()
        if len(spans) >= least
    }


def hear(actor: Actor, own: Channel, incoming: Sequence[stix_in.Incoming | None], at: dt.datetime) -> Heard:
    """What the sightings in a request say, each judged by itself.

    One of an indicator must be of one that is shared with the actor now, or that its member wrote. What else
    a sighting may be of is kept and says nothing; so is our own summary, which is an echo.
    """
    heard = Heard()
    said: dict[int, tuple[stix_in.Incoming, uuid.UUID, dt.datetime, bool]] = {}
    for place, one in enumerate(incoming):
        if one is None or one.stix_type != SIGHTING:
            continue
        try:
            found = stix_in.sighting_of(one.body)
            number, seen_at = found.indicator, found.seen_at or one.modified
        except stix_in.NotStix as problem:
            heard.refused[place] = str(problem)
            continue
        if number is not None and one.stix_id != sighting_id_of(number):
            said[place] = one, number, seen_at, found.revoked
    known = indicators_of(actor, own, incoming, {number for _, number, _, _ in said.values()})
    for place, (one, number, seen_at, is_over) in said.items():
        of, version = known.get(number), (one.stix_id, one.modified)
        if of is None:
            heard.refused[place] = UNKNOWN
        elif is_over:
            heard.gone[version] = list(of.values)
        elif seen_at > at + sightings.AHEAD:
            heard.refused[place] = TO_COME
        elif not of.listed and not of.is_own:
            heard.refused[place] = sightings.OFF_THE_LISTS
        else:
            heard.met[version] = [sightings.Met(value, min(seen_at, at)) for value in of.listed]
    return heard


def indicators_of(
    actor: Actor, own: Channel, incoming: Sequence[stix_in.Incoming | None], wanted: set[uuid.UUID]
) -> dict[uuid.UUID, Known]:
    """The indicators of these identifiers: those that the actor sees here, and its member's own."""
    if not wanted:
        return {}
    seen = dict(visible_to(actor).filter(stix_id__in=wanted).values_list("stix_id", "value"))
    written = Outgoing.objects.filter(channel=own, stix_id__in=wanted - set(seen), stix_type=INDICATOR)
    bodies = {one.stix_id: bytes(one.body) for one in written.filter(is_latest=True)}
    bodies |= {one.stix_id: one.body for one in incoming if one is not None and one.stix_type == INDICATOR}
    claimed = {number: list(named_by(bodies[number])) for number in (wanted & set(bodies)) - set(seen)}
    everything = {*seen.values(), *(value for values in claimed.values() for value in values)}
    on_lists = sightings.on_lists(actor).filter(value__in=everything)
    listed = set(on_lists.values_list("value", flat=True))
    found = {number: Known((value,), tuple({value} & listed)) for number, value in seen.items()}
    for number, values in claimed.items():
        found[number] = Known(tuple(values), tuple(v for v in values if v in listed), is_own=True)
    return found


def named_by(body: bytes) -> Iterator[str]:
    """The addresses and names of an indicator that says nothing else."""
    try:
        claimed = stix_in.claim_of(body)
    except stix_in.NotStix:
        return
    values = stix_in.values_of(claimed.pattern) if claimed.pattern_type == "stix" else None
    for kind, text in values or ():
        value = rules.name_of(text) if kind == "name" else rules.address_of(text)
        if value is not None:
            yield value


def written_of(bodies: Iterable[bytes], own: Channel, actor: Actor) -> list[str]:
    """What the sightings are of that a member wrote earlier and now takes out."""
    said = [stix_in.sighting_of(body).indicator for body in bodies]
    known = indicators_of(actor, own, [], {number for number in said if number is not None})
    return [value for one in known.values() for value in one.values]


def take_back(actor: Actor, values: Iterable[str]) -> None:
    """The actor's member did not meet these after all."""
    found = visible_to(actor).filter(value__in=list(values), sightings__member__in=actor.members)
    for indicator in found.distinct().order_by("pk"):
        sightings.take_back(actor, indicator.indicator_id)
