"""Reading notices, and what people wish to hear."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from tocsin.access.models import Member, Unit
from tocsin.access.policy import Actor, require
from tocsin.cases.views import NoticeView
from tocsin.kernel.problems import NotAllowed
from tocsin.notices.hooks import owners
from tocsin.notices.models import Address, Delivery, Endpoint, Mail, Notice
from tocsin.notices.wishes import kinds_for, wishes_of

SHOWN = 50
MAILS = 10
DELIVERIES = 20


def for_member(actor: Actor, limit: int = SHOWN) -> list[NoticeView]:
    """What the actor's members were told, newest first. Raises NotSignedIn, NotAllowed."""
    require(actor, "report.list")
    found = Notice.objects.filter(member__in=actor.members).select_related("report").order_by("-at", "-pk")
    return [
        NoticeView(notice.pk, notice.report.report_id, notice.at, notice.words, notice.seen_at is None)
        for notice in found.only("at", "words", "seen_at", "report__report_id")[:limit]
    ]


def told_from(actor: Actor, after: tuple[dt.datetime, int] | None, limit: int) -> list[NoticeView]:
    """What the actor's members were told behind this instant and notice, oldest first.

    Raises NotSignedIn, NotAllowed.
    """
    require(actor, "report.list")
    found = Notice.objects.filter(member__in=actor.members).select_related("report").order_by("at", "pk")
    if after is not None:
        at, pk = after
        found = found.filter(Q(at=at, pk__gt=pk) | Q(at__gt=at), at__gte=at)
    return [
        NoticeView(notice.pk, notice.report.report_id, notice.at, notice.words, notice.seen_at is None)
        for notice in found.only("at", "words", "seen_at", "report__report_id")[:limit]
    ]


def count_new(actor: Actor) -> int:
    """How many of them nobody has seen."""
    require(actor, "report.list")
    return Notice.objects.filter(member__in=actor.members, seen_at__isnull=True).count()


@dataclass(frozen=True)
class WishView:
    """One kind of news and how its reader hears of it."""

    kind: str
    words: str
    channel: str
    is_default: bool


@dataclass(frozen=True)
class WishesView:
    """What I am told by mail; `dead_words` says why nothing is sent ("" while it is)."""

    email: str
    wishes: tuple[WishView, ...]
    zone: str
    digest_hour: int
    digest_days: str
    quiet: tuple[int, int] | None
    dead_words: str
    mails: tuple[Mail, ...]


def wishes_view(actor: Actor) -> WishesView:
    """The actor's wishes, and the mails of late. Raises NotSignedIn, NotAllowed."""
    require(actor, "notices.choose")
    if actor.person is None:  # the policy gives no key this action
        raise NotAllowed()
    mine = wishes_of([actor.person.pk])[actor.person.pk]
    address = mine.address
    return WishesView(
        email=actor.person.email,
        wishes=tuple(
            WishView(
                kind.kind,
                kind.words,
                mine.channels.get(kind.kind, kind.default),
                kind.kind not in mine.channels,
            )
            for kind in kinds_for(actor)
        ),
        zone=address.zone,
        digest_hour=address.digest_hour,
        digest_days=address.digest_days,
        quiet=(address.quiet_from, address.quiet_to)
        if address.quiet_from is not None and address.quiet_to is not None
        else None,
        dead_words=address.dead_reason or "the server refused it" if address.dead_at else "",
        mails=tuple(Mail.objects.filter(person=actor.person).order_by("-made_at")[:MAILS]),
    )


def dead_addresses(actor: Actor) -> list[tuple[str, str, dt.datetime]]:
    """Name, reason and since when, of everybody whom no mail reaches; for the coordinator."""
    require(actor, "coordination.read")
    found = Address.objects.filter(dead_at__isnull=False, person__is_active=True).select_related("person")
    return [
        (one.person.name, one.dead_reason, one.dead_at) for one in found.order_by("dead_at") if one.dead_at
    ]


@dataclass(frozen=True)
class DeliveryView:
    """One message to an endpoint."""

    position: int
    event: str
    made_at: dt.datetime
    state: str
    attempts: int
    status: int | None
    error: str


@dataclass(frozen=True)
class EndpointView:
    """One webhook: `state` is well, failing or dead; `waiting` messages wait for it."""

    hook_id: str
    owner_name: str
    url: str
    hears_indicators: bool
    secret: str
    made_at: dt.datetime
    state: str
    waiting: int
    next_at: dt.datetime
    deliveries: tuple[DeliveryView, ...]


def endpoints(actor: Actor) -> list[EndpointView]:
    """The webhooks that the actor looks after. Raises NotSignedIn, NotAllowed."""
    mine = owners(actor)
    members = [one.pk for one in mine if isinstance(one, Member)]
    units = [one.pk for one in mine if isinstance(one, Unit)]
    found = Endpoint.objects.filter(Q(member__in=members) | Q(unit__in=units))
    return [endpoint_view(one) for one in found.select_related("member", "unit").order_by("made_at")]


def endpoint_view(endpoint: Endpoint) -> EndpointView:
    """One of them, with its newest messages."""
    owner = endpoint.member or endpoint.unit
    newest = endpoint.deliveries.order_by("-made_at", "-entry_seq")[:DELIVERIES]
    return EndpointView(
        hook_id=endpoint.hook_id,
        owner_name=owner.name if owner else "",
        url=endpoint.url,
        hears_indicators=endpoint.hears_indicators,
        secret=endpoint.secret,
        made_at=endpoint.made_at,
        state="dead" if endpoint.dead_at else "failing" if endpoint.failing_since else "well",
        waiting=endpoint.deliveries.filter(state=Delivery.State.WAITING).count(),
        next_at=endpoint.next_at,
        deliveries=tuple(
            DeliveryView(
                one.entry_seq, one.event, one.made_at, one.state, one.attempts, one.status, one.error
            )
            for one in newest
        ),
    )
