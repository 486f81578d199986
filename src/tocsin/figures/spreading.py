"""What is spreading now: the last day of what is shared, by campaign and kind, and where it was stopped.

Everything here a member could add up from the feeds that it reads; of networks and connections only what
suppression leaves. Who reported is no part of it.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Sum

from tocsin.access.models import Member, Unit
from tocsin.access.policy import Actor, require
from tocsin.blocking import rules as blocking
from tocsin.blocking.models import Tally
from tocsin.cases.counted import counted
from tocsin.cases.units import current_pack
from tocsin.figures import together
from tocsin.figures.rules import FEW
from tocsin.figures.together import Entry
from tocsin.kernel.time import now
from tocsin.sharing import channels
from tocsin.sharing.models import Channel, Indicator, Outgoing, Standing
from tocsin.sharing.publishing import hour_of
from tocsin.store import fence
from tocsin.wire.lists import UNNAMED

HOURS = 24
NEWEST = 5  # addresses and names shown of each kind
MOST_CAMPAIGNS = 20
COUNTED_FOR = 60  # seconds, where there is much to count

HOUR = dt.timedelta(hours=1)
STANDS = ("indicator", "community", "attack_kind")
Told = tuple[int, int | None]  # an indicator, and the community whose channel told it (None: everybody's)


@dataclass(frozen=True)
class Example:
    """One address or name of a kind, newest first; `why` is the sentence that its own page says."""

    indicator_id: str
    value: str
    why: str


@dataclass(frozen=True)
class LastDay:
    """What was told of something over the last day; `kind_words` say of which kinds of attack.

    `by_hour` counts addresses and names that were shared or confirmed anew, oldest hour first; `values` are
    different ones. `networks` is how many stopped it, 0 where they are fewer than five; `words` say both.
    """

    kind_words: str
    values: int
    by_hour: tuple[int, ...]
    networks: int
    words: str
    examples: tuple[Example, ...]

    @property
    def highest(self) -> int:
        """The largest of the hours."""
        return max(self.by_hour)


@dataclass(frozen=True)
class Spread(LastDay):
    """One kind of attack."""

    kind: str


@dataclass(frozen=True)
class Campaign(LastDay):
    """What belongs together by what was shared; `ground` says why, `place` is the network or domain."""

    place: str
    ground: str


@dataclass(frozen=True)
class Region:
    """What the members of one region stopped, by their seat; `networks` is 0 where they are few."""

    name: str
    networks: int
    words: str


@dataclass(frozen=True)
class Tile:
    """A force's place on the map, with its region's networks; `has_few` where they are too few to tell."""

    short: str
    column: int
    row: int
    networks: int
    has_few: bool


@dataclass(frozen=True)
class SpreadingView:
    """What should my network worry about? Kinds by reach, then by what is new; `hours` are the columns'."""

    sentence: str
    kinds: tuple[Spread, ...]
    campaigns: tuple[Campaign, ...]
    regions: tuple[Region, ...]
    tiles: tuple[Tile, ...]
    hours: tuple[dt.datetime, ...]
    counted_at: dt.datetime

    @property
    def columns(self) -> int:
        """Of the map."""
        return 1 + max((tile.column for tile in self.tiles), default=-1)

    @property
    def rows(self) -> int:
        """Of the map."""
        return 1 + max((tile.row for tile in self.tiles), default=-1)


Stops = dict[int, dict[int, int]]  # connections by indicator's and member's row


def spreading(actor: Actor, at: dt.datetime | None = None) -> SpreadingView:
    """The last day as this actor's circles see it. Raises NotSignedIn, NotAllowed."""
    require(actor, "network.read")
    at = at or now()
    heard = [one for one in channels.readable(actor) if one.kind == Channel.Kind.SHARED]
    name = f"spreading-{'-'.join(str(channel.pk) for channel in heard)}"
    (entries, stops, seats), counted_at = counted(
        name,
        lambda: (entries_of(heard, at), stops_since(at), seats_of_members()),
        lambda found: len(found[0]) + len(found[1]),
        at,
        COUNTED_FOR,
    )
    hours = tuple(hour_of(counted_at) - HOUR * back for back in reversed(range(HOURS)))
    kinds = spreads(entries, stops, hours)
    regions = regions_of(stops, seats)
    return SpreadingView(
        sentence(kinds),
        kinds,
        campaigns_of(entries, stops, hours),
        regions,
        tiles_of(regions),
        hours,
        counted_at.astimezone(dt.UTC),
    )


def entries_of(heard: Iterable[Channel], at: dt.datetime) -> list[Entry]:
    """What these channels told of the last day that is shared still."""
    told = Outgoing.objects.filter(channel__in=list(heard), indicator__isnull=False, revoked=False)
    rows = told.filter(
        date_added__gte=hour_of(at) - HOUR * (HOURS - 1),
        indicator__in=told.filter(is_latest=True).values("indicator"),
    )
    fields = ("indicator_id", "channel__community", "date_added", "indicator__kind", "indicator__value")
    newest = list(rows.order_by("-date_added").values_list(*fields))
    kinds = kinds_of(newest)
    return [
        Entry(pk, kinds[pk, circle], at, kind == Indicator.Kind.NAME, value)
        for pk, circle, at, kind, value in newest
        if pk is not None
    ]


def kinds_of(newest: Sequence[tuple[int | None, int | None, dt.datetime, str, str]]) -> dict[Told, str]:
    """For which class each is shared where it was told: what is said to everybody, or in that community."""
    told = {(pk, circle) for pk, circle, *_ in newest if pk is not None}
    pks = {pk for pk, _ in told}
    shared = Indicator.objects.filter(pk__in=pks, state=Indicator.State.SHARED)
    public = dict(shared.values_list("pk", "attack_kind"))
    standings = Standing.objects.filter(indicator__in=pks, community__in={circle for _, circle in told})
    inside = {(pk, circle): kind for pk, circle, kind in standings.values_list(*STANDS)}
    return {(pk, circle): inside.get((pk, circle)) or public.get(pk) or UNNAMED for pk, circle in told}


def stops_since(at: dt.datetime) -> Stops:
    """Connections that each member stopped in the last day, by indicator. Never shown by member."""
    found: Stops = defaultdict(dict)
    with fence.lifted():  # summed over everybody, and suppressed before anybody reads it
        rows = Tally.objects.filter(hour__gte=hour_of(at) - HOUR * (HOURS - 1), hour__lte=at)
        sums = rows.order_by().values_list("indicator", "member").annotate(Sum("hits"))
        for indicator, member, hits in sums:
            found[indicator][member] = hits
    return dict(found)


def seats_of_members() -> dict[int, str]:
    """The region of each member's seat, by its row: its force's parent, or the force where it has none."""
    above = {
        unit_id: parent or unit_id
        for unit_id, parent in Unit.objects.values_list("unit_id", "parent__unit_id")
    }
    with fence.lifted():
        return {pk: above.get(force, force) for pk, force in Member.objects.values_list("pk", "force_id")}


def spreads(entries: Sequence[Entry], stops: Stops, hours: Sequence[dt.datetime]) -> tuple[Spread, ...]:
    """Each kind of attack, that with the widest reach first."""
    by_kind: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_kind[entry.kind].append(entry)
    known = _known(by_kind.values())
    pack = current_pack()
    found = []
    for kind, told in by_kind.items():
        values = {entry.indicator for entry in told}
        networks, words = reach(stops, values)
        found.append(
            Spread(
                kind=kind,
                kind_words=pack.kind_words(kind),
                values=len(values),
                by_hour=together.by_hour(told, hours),
                networks=networks,
                words=words,
                examples=_examples(told, known),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.networks, -one.values, one.kind)))


def campaigns_of(
    entries: Sequence[Entry], stops: Stops, hours: Sequence[dt.datetime]
) -> tuple[Campaign, ...]:
    """What belongs together by what was shared, that with the widest reach first; twenty at most."""
    groups = together.groups(entries)
    known, pack, found = _known(group.entries for group in groups), current_pack(), []
    for group in groups:
        values = {entry.indicator for entry in group.entries}
        networks, words = reach(stops, values)
        found.append(
            Campaign(
                place=group.place,
                ground=group.ground,
                kind_words=" and ".join(
                    pack.kind_words(kind) for kind in sorted({entry.kind for entry in group.entries})
                ),
                values=len(values),
                by_hour=together.by_hour(group.entries, hours),
                networks=networks,
                words=words,
                examples=_examples(group.entries, known),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.networks, -one.values, one.place))[:MOST_CAMPAIGNS])


def reach(stops: Stops, values: Iterable[int]) -> tuple[int, str]:
    """At how many networks these were stopped (0: few), and in words; empty where nowhere."""
    by_member: Counter[int] = Counter()
    for pk in values:
        by_member.update(stops.get(pk, {}))
    return _told(by_member)


def regions_of(stops: Stops, seats: dict[int, str]) -> tuple[Region, ...]:
    """What was stopped, by region; those with the most networks first."""
    by_region: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for by_member in stops.values():
        for member, hits in by_member.items():
            by_region[seats.get(member, "")][member] += hits
    names = dict(Unit.objects.filter(unit_id__in=by_region).values_list("unit_id", "name"))
    found = [
        Region(names.get(region, "Elsewhere"), *_told(by_member)) for region, by_member in by_region.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.networks, one.name)))


def tiles_of(regions: Sequence[Region]) -> tuple[Tile, ...]:
    """The map: each force's tile with the number of its region."""
    known = {region.name: region for region in regions}
    names = {
        unit_id: parent or name
        for unit_id, name, parent in Unit.objects.values_list("unit_id", "name", "parent__name")
    }
    found = []
    for tile in current_pack().tiles:
        region = known.get(names.get(tile.unit_id, ""))
        networks = region.networks if region is not None else 0
        found.append(Tile(tile.short, tile.column, tile.row, networks, region is not None and not networks))
    return tuple(sorted(found, key=lambda one: (one.row, one.column)))


def sentence(kinds: Sequence[Spread]) -> str:
    """What is new, in one line."""
    if not kinds:
        return "Nothing was shared or confirmed in the last 24 hours."
    values = sum(one.values for one in kinds)
    things = "1 address or name was" if values == 1 else f"{values:,} addresses and names were"
    first = f"{kinds[0].kind_words}, {kinds[0].words}" if kinds[0].words else kinds[0].kind_words
    return f"{things} shared or confirmed in the last 24 hours. Most widely: {first}."


def _newest(told: Iterable[Entry]) -> list[int]:
    return list(dict.fromkeys(entry.indicator for entry in told))[:NEWEST]


def _known(several: Iterable[Iterable[Entry]]) -> dict[int, Indicator]:
    newest = {pk for told in several for pk in _newest(told)}
    return {one.pk: one for one in Indicator.objects.filter(pk__in=newest)}


def _examples(told: Iterable[Entry], known: Mapping[int, Indicator]) -> tuple[Example, ...]:
    found = [known[pk] for pk in _newest(told) if pk in known]
    return tuple(Example(one.indicator_id, one.value, one.reason) for one in found)


def _told(by_member: Counter[int]) -> tuple[int, str]:
    networks = len(by_member)
    return networks if networks >= FEW else 0, blocking.words(0, by_member.total(), networks)
