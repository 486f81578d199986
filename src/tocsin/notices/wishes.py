"""What people wish to be told by mail, and when that is due."""

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from tocsin.access.models import Person
from tocsin.access.policy import Actor, require
from tocsin.cases.units import current_pack
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.notices.kinds import KINDS, Kind
from tocsin.notices.models import Address, Wish
from tocsin.reference.calendars import zone as home_zone

GATHER = dt.timedelta(minutes=1)  # what happens within it comes in one mail
DAYS = "1234567"


@dataclass(frozen=True)
class Wishes:
    """One person's: a channel by kind, and the person's hours."""

    channels: Mapping[str, str]
    address: Address

    def due_at(self, kind: str, at: dt.datetime) -> dt.datetime | None:
        """When a mail should tell news of this kind that came at `at`; None where no mail should."""
        channel = self.channels.get(kind, KINDS[kind].default)
        if channel == Wish.Channel.NONE or self.address.dead_at is not None:
            return None
        if channel == Wish.Channel.AT_ONCE:
            return outside_quiet(self.address, at + GATHER)
        return next_digest(self.address, at)


def wishes_of(person_pks: Iterable[int]) -> dict[int, Wishes]:
    """The wishes of these people, defaults where they said nothing."""
    wanted = set(person_pks)
    channels: dict[int, dict[str, str]] = {pk: {} for pk in wanted}
    for person, kind, channel in Wish.objects.filter(person__in=wanted).values_list(
        "person_id", "kind", "channel"
    ):
        channels[person][kind] = channel
    addresses = Address.objects.in_bulk(wanted)
    return {pk: Wishes(channels[pk], addresses.get(pk) or Address(person_id=pk)) for pk in wanted}


def kinds_for(actor: Actor) -> list[Kind]:
    """The kinds of news that can concern somebody with these roles."""
    places = {
        "member": bool(actor.members),
        "unit": bool(actor.units),
        "exchange": "coordinator" in actor.role_names,
    }
    return [kind for kind in KINDS.values() if places[kind.audience]]


def wish(
    actor: Actor,
    channels: Mapping[str, str],
    *,
    zone: str,
    digest_hour: int,
    digest_days: str,
    quiet: tuple[int, int] | None,
) -> None:
    """Keep somebody's wishes. Raises NotSignedIn, and BadInput for what cannot be wished."""
    person = _person(actor)
    for kind, channel in channels.items():
        if kind not in KINDS or channel not in Wish.Channel.values:
            raise BadInput(f"{channel!r} is no way to hear of {kind!r}")
    if zone and not is_zone(zone):
        raise BadInput(f"{zone!r} is no time zone", hint="such as Europe/London")
    hours = (digest_hour, *(quiet or ()))
    if any(not 0 <= hour <= 23 for hour in hours):
        raise BadInput("an hour is from 0 to 23")
    days = "".join(day for day in DAYS if day in digest_days)
    if not days:
        raise BadInput("choose a day for the digest at least, or no digest at all")
    with act():
        for kind, channel in channels.items():
            Wish.objects.update_or_create(person=person, kind=kind, defaults={"channel": channel})
        Address.objects.update_or_create(
            person=person,
            defaults={
                "zone": zone,
                "digest_hour": digest_hour,
                "digest_days": days,
                "quiet_from": quiet[0] if quiet else None,
                "quiet_to": quiet[1] if quiet else None,
            },
        )


def stop(person_pk: int, kinds: Iterable[str]) -> Person:
    """No more mail of these kinds; what waits of them is not sent. Raises NotFound."""
    person = Person.objects.filter(pk=person_pk).first()
    if person is None:
        raise NotFound("there is no such account any more")
    with act():
        for kind in kinds:
            if kind in KINDS:
                Wish.objects.update_or_create(
                    person=person, kind=kind, defaults={"channel": Wish.Channel.NONE}
                )
        person.news.filter(mail__isnull=True, kind__in=list(kinds)).delete()
    return person


def revive(actor: Actor) -> None:
    """The address takes mail again, its owner says. Raises NotSignedIn."""
    with act():
        Address.objects.filter(person=_person(actor)).update(dead_at=None, dead_reason="")


def next_digest(address: Address, at: dt.datetime) -> dt.datetime:
    """The first instant after `at` at which this person's digest is due (UTC)."""
    where = zone_of(address)
    day = at.astimezone(where).date()
    for later in range(9):
        found = day + dt.timedelta(days=later)
        due = dt.datetime.combine(found, dt.time(address.digest_hour), where).astimezone(dt.UTC)
        if due > at and str(found.isoweekday()) in address.digest_days:
            return due
    raise ValueError("a digest has a day at least")


def outside_quiet(address: Address, at: dt.datetime) -> dt.datetime:
    """`at`, or the end of the person's quiet hours that it falls into (UTC)."""
    start, end = address.quiet_from, address.quiet_to
    if start is None or end is None or start == end:
        return at
    where = zone_of(address)
    local = at.astimezone(where)
    is_quiet = start <= local.hour < end if start < end else local.hour >= start or local.hour < end
    if not is_quiet:
        return at
    day = local.date() + dt.timedelta(days=1 if local.hour >= end else 0)
    return dt.datetime.combine(day, dt.time(end), where).astimezone(dt.UTC)


def zone_of(address: Address) -> dt.tzinfo:
    """The person's zone, the exchange's home where none was chosen."""
    return zoneinfo.ZoneInfo(address.zone) if address.zone else home_zone(current_pack().info.home_nation)


@cache
def zones() -> tuple[str, ...]:
    """The zones that can be chosen."""
    return tuple(sorted(name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC"))


def is_zone(name: str) -> bool:
    """Is there such a zone?"""
    return name in zones()


def _person(actor: Actor) -> Person:
    require(actor, "notices.choose")
    if actor.person is None:  # the policy gives no key this action
        raise NotFound()
    return actor.person
