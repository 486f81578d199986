"""Sightings: a member met what is shared. No voice, and never more certainty; but it lives longer by them.

How much longer has an end, counted from the last word: without anybody's word nothing stays on a list.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from tocsin.access.communities import communities_of
from tocsin.access.policy import Actor, may, require
from tocsin.journal.acts import act
from tocsin.kernel.ids import new_id
from tocsin.kernel.problems import BadInput, Conflict, NotFound
from tocsin.kernel.time import now
from tocsin.sharing import rules
from tocsin.sharing.appealing import canonical
from tocsin.sharing.judging import judge_all
from tocsin.sharing.models import Indicator, Sighting, Standing
from tocsin.sharing.queries import visible_to
from tocsin.sharing.services import TURN
from tocsin.store import fence, locks
from tocsin.store.rows import insert_rows, update_rows

MADE, TAKEN_BACK = "sharing:sightings:made", "sharing:sightings:taken-back"
MOST = 1_000  # sightings of one request
AGAIN_AFTER = dt.timedelta(hours=1)  # sooner, the same sighting is no news
AHEAD = dt.timedelta(minutes=10)  # how far a member's clock may be ahead
STEPS = (5, 10, 20, 50, 100, 200, 500, 1_000)  # counts are told by the last of these that they reach
OFF_THE_LISTS = "it is on no list now, so a sighting keeps nothing there"


@dataclass(frozen=True)
class Met:
    """What a member met: an address or a name, and when (None: now)."""

    value: str
    seen_at: dt.datetime | None = None


@dataclass(frozen=True)
class Taken:
    """What became of sightings: new, said already within the hour, and of what is on no list."""

    taken: int
    known: int
    unknown: int


@dataclass(frozen=True)
class OwnSighting:
    """May the actor say that it met an indicator, and when did it last?"""

    may: bool
    seen_at: dt.datetime | None


def see(actor: Actor, met: Sequence[Met], at: dt.datetime | None = None) -> Taken:
    """A member met these. Saying it again within the hour changes nothing.

    Raises NotSignedIn, NotAllowed, and BadInput for too many, for what is neither address nor name, or for an
    instant that is still to come; then nothing was taken.
    """
    require(actor, "sighting.make")
    at = at or now()
    if len(met) > MOST:
        raise BadInput(f"one request may have {MOST:,} sightings", hint="send the rest in another")
    wanted: dict[tuple[str, str], dt.datetime] = {}
    for one in met:
        instant = one.seen_at or at
        if instant > at + AHEAD:
            raise BadInput(f"seen_at of {one.value[:60]!r} is still to come")
        key = canonical(one.value)
        wanted[key] = max(min(instant, at), wanted.get(key, instant))
    listed = on_lists(actor).filter(value__in={value for _, value in wanted})
    found = {(one.kind, one.value): one for one in listed}
    return _keep(actor, {found[key]: instant for key, instant in wanted.items() if key in found}, wanted, at)


def see_one(actor: Actor, indicator_id: str, at: dt.datetime | None = None) -> Taken:
    """A member met this one. Raises NotSignedIn, NotAllowed, NotFound, Conflict where it is on no list."""
    require(actor, "sighting.make")
    at = at or now()
    found = on_lists(actor).filter(indicator_id=indicator_id).first()
    if found is None:
        if visible_to(actor).filter(indicator_id=indicator_id).exists():
            raise Conflict(OFF_THE_LISTS, hint="report what it did: a report is a word for it")
        raise NotFound()
    return _keep(actor, {found: at}, {found: at}, at)


def take_back(actor: Actor, indicator_id: str) -> int:
    """It was something else; gives how many sightings went. Raises NotSignedIn, NotAllowed, NotFound.

    What the feeds tell of the others' is summed up anew.
    """
    require(actor, "sighting.make")
    found = visible_to(actor).filter(indicator_id=indicator_id).first()
    if found is None:
        raise NotFound()
    with act() as recorded:
        gone, _ = Sighting.objects.filter(indicator=found, member=actor.members[0]).delete()
        if gone:
            Sighting.objects.filter(indicator=found, untold_since=None).update(untold_since=now())
            recorded.record(TAKEN_BACK, new_id("sightings"), {"member": actor.members[0].member_id})
    return gone


def own_sighting(actor: Actor, indicator_id: str) -> OwnSighting:
    """What the actor's members said of an indicator."""
    members = [member.pk for member in actor.members]
    rows = Sighting.objects.filter(member__in=members, indicator__indicator_id=indicator_id)
    last = rows.aggregate(last=Max("seen_at"))["last"]
    allowed = may(actor, "sighting.make") and bool(members)
    return OwnSighting(allowed and on_lists(actor).filter(indicator_id=indicator_id).exists(), last)


def on_lists(actor: Actor) -> QuerySet[Indicator]:
    """What is shared now, with everybody or in a community of the actor's."""
    shared = Indicator.State.SHARED
    near = Standing.objects.filter(
        indicator=OuterRef("pk"), state=shared, community__in=communities_of(actor).order_by().values("pk")
    )
    return visible_to(actor).filter(Q(state=shared) | Q(Exists(near)))


def seen_words(indicator: Indicator, at: dt.datetime | None = None) -> str:
    """`seen again by at least 20 networks in 7 days`; empty where fewer than two members said so."""
    life = rules.EXPIRY[indicator.kind]
    with fence.lifted():  # counted over everybody, and told roughly
        count = Sighting.objects.filter(
            indicator=indicator, seen_at__gt=(at or now()) - life, member__suspended_at=None
        ).count()
    if count < max(rules.DEFAULTS.sightings.least_members, 2):
        return ""
    roughly = next((step for step in reversed(STEPS) if step <= count), 0)
    whose = f"at least {roughly:,} networks" if roughly else "a few networks"
    return f"seen again by {whose} in {life.days} days"


def _keep(
    actor: Actor, found: Mapping[Indicator, dt.datetime], wanted: Iterable[object], at: dt.datetime
) -> Taken:
    member, unknown = actor.members[0], len(list(wanted)) - len(found)
    if not found:
        return Taken(0, 0, unknown)
    with act() as recorded:
        locks.in_turn(TURN)
        before = {
            one.indicator_id: one for one in Sighting.objects.filter(member=member, indicator__in=found)
        }
        fresh: list[Sighting] = []
        later: list[Sighting] = []
        for indicator, instant in found.items():
            known = before.get(indicator.pk)
            if known is None:
                fresh.append(
                    Sighting(
                        indicator=indicator, member=member, first_at=at, seen_at=instant, untold_since=at
                    )
                )
            elif instant - known.seen_at >= AGAIN_AFTER:
                known.seen_at, known.untold_since = instant, at
                later.append(known)
        insert_rows(fresh)
        update_rows(later, ["seen_at", "untold_since"])
        touched = sorted(one.indicator_id for one in [*fresh, *later])
        if touched:
            content = {"member": member.member_id, "sightings": len(touched)}
            recorded.record(MADE, new_id("sightings"), content)
            judge_all(recorded, touched, at)
    return Taken(len(touched), len(found) - len(touched), unknown)
