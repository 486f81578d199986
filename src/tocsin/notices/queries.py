"""Reading notices, and what people wish to hear."""

import datetime as dt
from dataclasses import dataclass

from tocsin.access.policy import Actor, require
from tocsin.cases.views import NoticeView
from tocsin.kernel.problems import NotAllowed
from tocsin.notices.models import Address, Mail, Notice
from tocsin.notices.wishes import kinds_for, wishes_of

SHOWN = 50
MAILS = 10


def for_member(actor: Actor, limit: int = SHOWN) -> list[NoticeView]:
    """What the actor's members were told, newest first. Raises NotSignedIn, NotAllowed."""
    require(actor, "report.list")
    found = Notice.objects.filter(member__in=actor.members).select_related("report").order_by("-at", "-pk")
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
