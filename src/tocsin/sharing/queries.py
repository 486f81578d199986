"""Reading indicators: what is shared now, why, and what a person may know of it. Never who said it."""

import datetime as dt
import ipaddress
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from tocsin.access.communities import communities_of
from tocsin.access.models import Community
from tocsin.access.policy import Actor, may, require
from tocsin.journal import queries as journal
from tocsin.kernel.problems import NotFound
from tocsin.kernel.time import now
from tocsin.sharing.models import Assertion, Channel, Indicator, ListHead, Outgoing, Standing
from tocsin.sharing.publishing import head_key, hour_of
from tocsin.wire.lists import UNNAMED

HAPPENED = {
    "sharing:indicator:shared": "Shared",
    "sharing:indicator:renewed": "Reported or seen again, so shared for longer",
    "sharing:indicator:withdrawn": "Withdrawn",
    "sharing:indicator:expired": "Expired",
    "sharing:withdrawal:taken": "Taken off by members' machines",
    "sharing:indicator:approved": "A trusted person said yes",
    "sharing:indicator:refused": "A trusted person said no",
}


@dataclass(frozen=True)
class ListVersion:
    """Which version of a list stands now: its number, since when (None: never changed), how many values."""

    number: int
    changed_at: dt.datetime | None
    count: int


class Listed(NamedTuple):
    """One value on a list: for which class of attack it is listed there, what it is, and until when."""

    attack_kind: str
    value: str
    until: dt.datetime


@dataclass(frozen=True)
class Event:
    """One line of an indicator's life; `words` is what happened, `why` the reason where one was given."""

    at: dt.datetime
    event: str
    words: str
    why: str = ""


@dataclass(frozen=True)
class InCircle:
    """Where an indicator stands in one community of the reader's, that it was shared in at some time."""

    name: str
    state: str
    reason: str
    valid_until: dt.datetime | None
    attack_kind: str


@dataclass(frozen=True)
class IndicatorView:
    """What a person may know of an indicator: never who reported it, nor how many did.

    `asserted_at` is told to the day and everything else to the hour. `reported_by_us`: one of the actor's own
    members did; `waits`: its word waits for a batch. `may_approve` and `may_withdraw` are for buttons.
    """

    indicator_id: str
    kind: str
    value: str
    attack_kind: str
    state: str
    reason: str
    is_shared: bool
    asserted_at: dt.datetime
    changed_at: dt.datetime
    valid_until: dt.datetime | None
    reported_by_us: bool
    waits: bool
    may_approve: bool
    may_withdraw: bool
    events: tuple[Event, ...]
    circles: tuple[InCircle, ...] = ()

    @property
    def shared_in(self) -> str:
        """The reader's communities in which it is shared now, in words; empty where it is in none."""
        return " and ".join(one.name for one in self.circles if one.state == Indicator.State.SHARED)


def visible_to(actor: Actor) -> QuerySet[Indicator]:
    """What was ever shared is for all on the exchange; what is held, for who reported it and the trusted."""
    if may(actor, "indicator.approve"):
        return Indicator.objects.all()
    if actor.is_nobody:
        return Indicator.objects.none()
    own = _own_words(actor).filter(indicator=OuterRef("pk"))
    near = Standing.objects.filter(
        indicator=OuterRef("pk"), community__in=communities_of(actor).order_by().values("pk")
    )
    known = ~Q(state=Indicator.State.HELD) | Q(Exists(own))
    return Indicator.objects.filter(known | Q(Exists(near.exclude(state=Indicator.State.HELD))))


def asserted_by(report_pks: Collection[int]) -> list[int]:
    """The rows of the indicators that these reports point at: to count by, or to be asked of `visible_to`."""
    said = Assertion.objects.filter(report__in=report_pks, withdrawn_at__isnull=True).order_by()
    return list(said.values_list("indicator_id", flat=True).distinct())


def shared(kind: str, at: dt.datetime | None = None) -> Iterator[str]:
    """The values on the list now, in its order."""
    for one in shared_until(kind, at):
        yield one.value


def shared_until(
    kind: str, at: dt.datetime | None = None, community: Community | None = None
) -> list[Listed]:
    """What stands on everybody's or a community's list now, sorted by class, then names by their text.

    Addresses go by number, IPv4 first.
    """
    at = at or now()
    found: Iterable[tuple[str, str, dt.datetime | None]]
    if community is None:
        found = _on_list(kind, at).values_list("attack_kind", "value", "valid_until")
    else:
        here = _on_list_of(community, kind, at)
        found = here.values_list("attack_kind", "indicator__value", "valid_until")
    rows = [Listed(attack_kind, value, until) for attack_kind, value, until in found if until is not None]
    return sorted(rows, key=_by_number) if kind == Indicator.Kind.ADDRESS else sorted(rows)


def changed_since(
    kind: str, since: dt.datetime, at: dt.datetime, most: int
) -> tuple[list[str], list[tuple[str, str]]] | None:
    """What is off everybody's list, and what is on it, of all that may have changed; None: more than `most`.

    What is on it has its class beside it. `since` and `at` are dates of numbers. Whatever an act changes
    stands in a feed with a date later than those of all acts before it; what ends by itself does so at its
    own instant. Some may be as before.
    """
    everybodys = Channel.objects.filter(kind=Channel.Kind.SHARED, community=None).values_list("pk", flat=True)
    left = Outgoing.objects.filter(
        channel__in=list(everybodys), date_added__gt=since, indicator__kind=kind
    ).order_by()
    moved = set(left.values_list("indicator_id", flat=True)[: most + 1])
    ended = _on_list(kind, since).filter(valid_until__lte=at).values_list("pk", flat=True)[: most + 1]
    moved.update(ended)
    if len(moved) > most:
        return None
    gone: list[str] = []
    come: list[tuple[str, str]] = []
    rows = Indicator.objects.filter(pk__in=moved).values_list("value", "attack_kind", "state", "valid_until")
    for value, attack_kind, state, until in rows:
        if state == Indicator.State.SHARED and until is not None and until > at:
            come.append((value, attack_kind))
        else:
            gone.append(value)
    return sorted(gone), sorted(come)


def counted_by_class(kind: str, at: dt.datetime) -> dict[str, int]:
    """How many values of that kind stand on everybody's list at that instant for each class."""
    rows = _on_list(kind, at).order_by().values_list("attack_kind").annotate(Count("pk"))
    return dict(rows)


def last_end(kind: str, at: dt.datetime) -> dt.datetime | None:
    """When the last value on everybody's list at that instant leaves it by itself; None: there is none."""
    return _on_list(kind, at).order_by("-valid_until").values_list("valid_until", flat=True).first()


def list_version(kind: str, community: Community | None = None) -> ListVersion:
    """The version of a list. Its number grows with every change, withdrawals and expiries among them."""
    head = ListHead.objects.filter(pk=head_key(community, kind)).first()
    if head is None:
        return ListVersion(0, None, 0)
    if community is None:
        return ListVersion(head.number, head.changed_at, _on_list(kind, head.changed_at).count())
    return ListVersion(head.number, head.changed_at, _on_list_of(community, kind, head.changed_at).count())


def indicator_view(actor: Actor, indicator_id: str) -> IndicatorView:
    """One indicator as this actor may know it. Raises NotSignedIn, NotAllowed, NotFound."""
    require(actor, "indicator.read")
    found = visible_to(actor).filter(indicator_id=indicator_id).first()
    if found is None:
        raise NotFound()
    is_shared = found.state == Indicator.State.SHARED
    circles = circles_of(actor, found)
    return IndicatorView(
        indicator_id=found.indicator_id,
        kind=found.kind,
        value=found.value,
        attack_kind=_class_told(actor, found, circles),
        state=found.state,
        reason=found.reason,
        is_shared=is_shared,
        asserted_at=hour_of(found.asserted_at).replace(hour=0),
        changed_at=hour_of(found.changed_at),
        valid_until=found.valid_until if is_shared else None,
        reported_by_us=_own_words(actor).filter(indicator=found).exists(),
        waits=_own_words(actor)
        .filter(indicator=found, waits_since__isnull=False, withdrawn_at=None)
        .exists(),
        may_approve=may(actor, "indicator.approve") and not is_shared,
        may_withdraw=may(actor, "indicator.withdraw") and is_shared,
        events=tuple(life_of(found, {one.community_id: one.name for one in communities_of(actor)})),
        circles=circles,
    )


def circles_of(actor: Actor, indicator: Indicator) -> tuple[InCircle, ...]:
    """Where it stands in the actor's communities; none in which it was never shared."""
    near = Standing.objects.filter(
        indicator=indicator, community__in=communities_of(actor).order_by().values("pk")
    ).exclude(state=Indicator.State.HELD)
    return tuple(
        InCircle(
            name=one.community.name,
            state=one.state,
            reason=one.reason,
            valid_until=one.valid_until if one.state == Indicator.State.SHARED else None,
            attack_kind=one.attack_kind,
        )
        for one in near.select_related("community").order_by("community__name")
    )


def life_of(indicator: Indicator, circles: Mapping[str, str]) -> Iterator[Event]:
    """What happened to an indicator, oldest first, to the hour; also in the communities that are named."""
    for item in journal.history([indicator.indicator_id]):
        content = item.content or {}
        circle = content.get("community")
        if circle is not None and circle not in circles:
            continue
        yield Event(
            hour_of(item.at),
            item.event,
            HAPPENED.get(item.event, item.event) + (f" in {circles[circle]}" if circle is not None else ""),
            str(content.get("why") or content.get("reason") or ""),
        )


def indicators_of_reports(report_pks: Iterable[int]) -> dict[int, list[Indicator]]:
    """What each of these reports says something of; reports that say nothing are left out."""
    found: dict[int, list[Indicator]] = defaultdict(list)
    words = Assertion.objects.filter(report__in=list(report_pks)).select_related("indicator")
    for word in words.order_by("report", "indicator"):
        found[word.report_id or 0].append(word.indicator)
    return dict(found)


def find(kind: str, value: str) -> Indicator | None:
    """The indicator of a value that was ever shared, or None."""
    return ever_shared().filter(kind=kind, value=value).first()


def ever_shared() -> QuerySet[Indicator]:
    """All that ever stood on a list: once shared, an indicator is never held again."""
    return Indicator.objects.exclude(state=Indicator.State.HELD)


def _on_list(kind: str, at: dt.datetime) -> QuerySet[Indicator]:
    return Indicator.objects.filter(state=Indicator.State.SHARED, kind=kind, valid_until__gt=at)


def _on_list_of(community: Community, kind: str, at: dt.datetime) -> QuerySet[Standing]:
    return Standing.objects.filter(
        community=community, state=Indicator.State.SHARED, valid_until__gt=at, indicator__kind=kind
    )


def _class_told(actor: Actor, found: Indicator, circles: Iterable[InCircle]) -> str:
    """The class for which it is shared where the actor reads it; of what is held, what the own report says.

    That of another's report would tell that there is one.
    """
    if found.state != Indicator.State.HELD or may(actor, "indicator.approve"):
        return found.attack_kind
    own = _own_words(actor).filter(indicator=found, report__isnull=False).order_by("-asserted_at", "-pk")
    said = own.values_list("report__kind", flat=True).first()
    return said or next((one.attack_kind for one in circles if one.attack_kind), UNNAMED)


def _own_words(actor: Actor) -> QuerySet[Assertion]:
    members = [member.pk for member in actor.members]
    return Assertion.objects.filter(member__in=members)


def _by_number(row: Listed) -> tuple[str, int, int]:
    address = ipaddress.ip_address(row.value)
    return row.attack_kind, address.version, int(address)
