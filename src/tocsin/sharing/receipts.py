"""Who has taken a withdrawal: counts for everybody, names for nobody but who looks after the exchange."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from tocsin.access.communities import communities_of
from tocsin.access.models import Community
from tocsin.access.policy import Actor
from tocsin.kernel.time import now
from tocsin.sharing import rules
from tocsin.sharing.lists import names_of
from tocsin.sharing.models import Indicator, Reading, Removal, Standing
from tocsin.sharing.publishing import head_key
from tocsin.sharing.readers import Place, counted_readings, place_of, sees_all
from tocsin.store import fence

LEAST_SHOWN = 5  # fewer networks are not counted out: each would know of the others


@dataclass(frozen=True)
class Network:
    """What one member's machines have taken of a withdrawal; `labels` are the keys that have not."""

    member: int
    name: str
    has_taken: bool
    read_at: dt.datetime
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """Who has taken a withdrawal of `at`, in words; `own` says it of the reader's own machines.

    `circle` is the community whose lists and channels it left, empty for everybody's; `waiting` are the
    networks that have not taken it, and empty for whoever may not know them.
    """

    at: dt.datetime
    words: str
    own: str = ""
    waiting: tuple[Network, ...] = ()
    circle: str = ""

    @property
    def where(self) -> str:
        """`in Ports: `; empty where it left everybody's lists."""
        return f"in {self.circle}: " if self.circle else ""


def receipts_of(actor: Actor, indicator: Indicator, at: dt.datetime | None = None) -> tuple[Receipt, ...]:
    """Who has taken what withdrew an indicator and is in force: everybody's, then one's communities'."""
    at = at or now()
    mine = {member.pk for member in actor.members}
    told = []
    for community in left_by(actor, indicator):
        removals = removals_of(indicator, community)
        if not removals:
            continue
        began = min(removal.at for removal in removals.values())
        with fence.lifted():  # counted over everybody; who they are stays here
            found = networks(community, indicator.kind, removals, at)
        told.append(
            Receipt(
                began,
                words(found, began, at),
                own_words([one for one in found if one.member in mine]),
                tuple(one for one in found if not one.has_taken) if sees_all(actor) else (),
                community.name if community is not None else "",
            )
        )
    return tuple(told)


def left_by(actor: Actor, indicator: Indicator) -> list[Community | None]:
    """The circles that an indicator has left, as far as the actor may know them; None is everybody."""
    gone = Standing.objects.filter(
        indicator=indicator,
        state=Indicator.State.WITHDRAWN,
        community__in=communities_of(actor).order_by().values("pk"),
    ).select_related("community")
    everybody: list[Community | None] = [None] if indicator.state == Indicator.State.WITHDRAWN else []
    return everybody + [one.community for one in gone.order_by("community__name")]


def removals_of(indicator: Indicator, community: Community | None) -> dict[Place, Removal]:
    """The last withdrawal of an indicator from each list and channel of an audience."""
    left = Q(list_key=head_key(community, indicator.kind), channel=None)
    found = Removal.objects.filter(
        left | Q(channel__isnull=False, channel__community=community), indicator=indicator
    )
    return {one.channel_id or one.list_key: one for one in found.order_by("number")}


def networks(
    community: Community | None, kind: str, removals: dict[Place, Removal], at: dt.datetime
) -> list[Network]:
    """Every network that was reading an audience's lists of that kind, or its channels, when something left.

    Those that have it still come first.
    """
    channels = [place for place in removals if isinstance(place, int)]
    lists = Q(channel=None, community=community, what__in=names_of(community, kind))
    places = lists | Q(channel__in=channels)
    by_member: defaultdict[int, list[Reading]] = defaultdict(list)
    gone_for = dt.timedelta(days=rules.DEFAULTS.readers.counted_days)
    for one in counted_readings(at).filter(places):
        removal = removals.get(place_of(one))
        if removal is None:
            continue
        if one.began_at <= removal.at and one.read_at > removal.at - gone_for:
            by_member[one.member_id].append(one)
    return sorted(
        (network(found, removals) for found in by_member.values()),
        key=lambda one: (one.has_taken, one.read_at),
    )


def network(found: list[Reading], removals: dict[Place, Removal]) -> Network:
    """One member's machines together: it has taken what all of them have."""
    lacking = [one for one in found if one.number < removals[place_of(one)].number]
    return Network(
        member=found[0].member_id,
        name=found[0].member.name,
        has_taken=not lacking,
        read_at=min(one.read_at for one in lacking or found),
        labels=tuple(sorted({one.key.label for one in lacking})),
    )


def words(found: Iterable[Network], began: dt.datetime, at: dt.datetime) -> str:
    """`withdrawn at 10:42 UTC, taken by 11 of 12 networks; one has not read since 10:40 UTC`."""
    found = list(found)
    start = f"withdrawn at {minute(began, at)}"
    waiting = [one for one in found if not one.has_taken]
    if not found:
        return f"{start}; no network was reading the lists"
    if len(found) < LEAST_SHOWN:
        return f"{start}, {'not yet ' if waiting else ''}taken by every network that reads the lists"
    if not waiting:
        return f"{start}, taken by all {len(found):,} networks that read the lists"
    start += f", taken by {len(found) - len(waiting):,} of {len(found):,} networks"
    first, last = min(one.read_at for one in waiting), max(one.read_at for one in waiting)
    if len(waiting) == 1:
        did = "has not read since" if first < began else "has not taken it, and last asked at"
        return f"{start}; one {did} {minute(first, at)}"
    when = f"between {minute(first, at)} and {minute(last, at)}"
    return f"{start}; {len(waiting):,} have not, and last asked {when}"


def at_the_deadline(found: Iterable[Network], within: dt.timedelta) -> str:
    """`11 of 12 networks within 5 minutes`, for the journal; few are not counted out, none says nothing."""
    found = list(found)
    taken = sum(one.has_taken for one in found)
    who = f"{taken:,} of {len(found):,} networks"
    if len(found) < LEAST_SHOWN:
        who = "every network that reads the lists" if taken == len(found) else "not yet every network"
    return f"{who} within {within.total_seconds() / 60:g} minutes" if found else ""


def own_words(mine: Iterable[Network]) -> str:
    """What the reader's own machines have taken; empty where none reads."""
    lacking = [label for one in mine for label in one.labels]
    if lacking:
        return f"not yet taken by your key {', '.join(lacking)}"
    return "taken by every machine of yours that reads the lists" if mine else ""


def minute(instant: dt.datetime, at: dt.datetime) -> str:
    """`10:42 UTC`, with its day where that is another than today; to the minute."""
    utc = instant.astimezone(dt.UTC)
    day = "" if utc.date() == at.astimezone(dt.UTC).date() else f" on {utc.day} {utc:%B}"
    return f"{utc:%H:%M} UTC{day}"
