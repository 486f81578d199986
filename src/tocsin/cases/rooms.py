"""The case room: named outsiders read chosen parts of one case, for some days, by a link of their own.

Another force, a member's analyst, a specialist. They act upon nothing; every day on which they look is
recorded; the link ends by itself, by revocation, and with the seal of a case that does not name the inviter.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tocsin.access.policy import Actor, require
from tocsin.cases import casework, parts, reach
from tocsin.cases.models import Case, CaseOrigin, Guest, Look
from tocsin.cases.newest import networks_of
from tocsin.cases.responders import Responder
from tocsin.cases.units import current_pack
from tocsin.cases.views import HoldingView, LinkView, OutcomeView, TimelineItem
from tocsin.intake.models import Report
from tocsin.journal import queries as journal
from tocsin.journal.acts import act
from tocsin.kernel.hashing import sha256
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound
from tocsin.kernel.time import now, rfc3339

PARTS = {
    "timeline": "what happened",
    "links": "the linked reports",
    "holdings": "the logs that are held",
    "indicators": "the origins and networks",
    "answers": "the answer",
    "members": "the names of the providers that report and hold",
}
SOMEBODY = "a provider’s system"  # a target's name would say whose it is
DAYS = (1, 3, 7, 14, 30)


class RoomNotFound(NotFound):
    """This link is not valid: it was never given out, has expired, or was revoked."""

    hint = "ask the officer who invited you for a new one"


@dataclass(frozen=True)
class GuestView:
    """Somebody who may look into the room, as the case's page lists them."""

    pk: int
    name: str
    organisation: str
    parts: tuple[str, ...]
    parts_words: str
    expires_at: dt.datetime
    is_current: bool
    looked_on: tuple[dt.date, ...]


@dataclass(frozen=True)
class RoomView:
    """What one guest reads; a part that was not chosen is None."""

    case_id: str
    guest_name: str
    inviter: str
    expires_at: dt.datetime
    timeline: tuple[TimelineItem, ...] | None
    links: tuple[LinkView, ...] | None
    holdings: tuple[HoldingView, ...] | None
    indicators: tuple[str, ...] | None
    outcome: OutcomeView | None
    has_answers: bool


def invite_guest(
    case: Case,
    actor: Actor,
    name: str,
    organisation: str,
    chosen: Sequence[str],
    days: int,
    at: dt.datetime | None = None,
) -> tuple[Guest, str]:
    """Let an outsider read parts of a case; gives the token of their link, which cannot be had again.

    Raises NotSignedIn, NotAllowed (the restricted lane has no room), BadInput.
    """
    by, at = _host(case, actor), at or now()
    name, organisation = " ".join(name.split()), " ".join(organisation.split())
    if not 2 <= len(name) <= 160 or not 2 <= len(organisation) <= 200:
        raise BadInput("name the guest and their organisation")
    picked = [part for part in PARTS if part in chosen]
    if not picked or len(picked) != len(set(chosen)):
        raise BadInput("choose what the guest may read", hint=", ".join(PARTS))
    if days not in DAYS:
        raise BadInput("choose for how many days")
    if by.person is None:
        raise NotAllowed()
    token, until = secrets.token_urlsafe(32), at + dt.timedelta(days=days)
    with act() as recorded:
        guest = Guest.objects.create(
            case=case,
            digest=sha256(token.encode()),
            name=name,
            organisation=organisation,
            parts=picked,
            invited_by=by.person,
            invited_at=at,
            expires_at=until,
        )
        content = {"parts": ", ".join(PARTS[part] for part in picked), "until": rfc3339(until)}
        who = by.signed | {"guest": _called(guest)}
        recorded.record("cases:room:opened", case.case_id, who | content)
    return guest, token


def revoke_guest(case: Case, actor: Actor, guest_pk: int, at: dt.datetime | None = None) -> None:
    """End a guest's link. Twice changes nothing. Raises NotSignedIn, NotAllowed, NotFound."""
    by = _host(case, actor)
    with act() as recorded:
        guest = Guest.objects.select_for_update().filter(case=case, pk=guest_pk).first()
        if guest is None:
            raise NotFound()
        if guest.revoked_at is None:
            guest.revoked_at = at or now()
            guest.save(update_fields=["revoked_at"])
            content = by.signed | {"guest": _called(guest)}
            recorded.record("cases:room:closed", case.case_id, content)


def extend_guest(
    case: Case, actor: Actor, guest_pk: int, days: int, at: dt.datetime | None = None
) -> dt.datetime:
    """Let a guest read on for so many days from now, by the link that they have; gives until when.

    It never ends sooner than before. Raises NotSignedIn, NotAllowed, NotFound, BadInput; Conflict for a link
    that has ended, which nobody makes work again.
    """
    by, at = _host(case, actor), at or now()
    if days not in DAYS:
        raise BadInput("choose for how many days")
    with act() as recorded:
        guest = Guest.objects.select_for_update().filter(case=case, pk=guest_pk).first()
        if guest is None:
            raise NotFound()
        if guest.revoked_at is not None or guest.expires_at <= at:
            raise Conflict("the guest's link has ended", hint="invite them anew")
        until = at + dt.timedelta(days=days)
        if until > guest.expires_at:
            guest.expires_at = until
            guest.save(update_fields=["expires_at"])
            content = by.signed | {"guest": _called(guest)}
            recorded.record("cases:room:extended", case.case_id, content | {"until": rfc3339(until)})
    return guest.expires_at


def close_room(case: Case, actor: Actor, at: dt.datetime | None = None) -> int:
    """End every guest's link at once; gives how many. Raises NotSignedIn, NotAllowed."""
    by, at = _host(case, actor), at or now()
    with act() as recorded:
        guests = Guest.objects.select_for_update().filter(case=case, revoked_at__isnull=True)
        current = list(guests.filter(expires_at__gt=at).order_by("pk"))
        for guest in current:
            guest.revoked_at = at
            guest.save(update_fields=["revoked_at"])
            content = by.signed | {"guest": _called(guest)}
            recorded.record("cases:room:closed", case.case_id, content)
    return len(current)


def find_guest(token: str, at: dt.datetime | None = None) -> Guest:
    """The guest behind a token. Raises RoomNotFound, the same for whatever reason.

    A seal shuts the room to guests whose host it does not name.
    """
    at = at or now()
    guest = (
        Guest.objects.select_related("case__investigating_unit", "case__support_unit", "invited_by")
        .filter(digest=sha256(token.encode("utf-8", "replace")), revoked_at__isnull=True, expires_at__gt=at)
        .first()
    )
    if guest is None or not guest.invited_by.is_active:
        raise RoomNotFound()
    if reach.is_sealed_from(Actor(person=guest.invited_by), guest.case):
        raise RoomNotFound()
    return guest


def look(guest: Guest, at: dt.datetime | None = None) -> RoomView:
    """What the guest may read; that they looked is recorded, once a day."""
    at, case, pack = at or now(), guest.case, current_pack()
    _note(guest, at)
    chosen = set(guest.parts)
    named = "members" in chosen  # else a rival's analyst would learn who was attacked
    origins = CaseOrigin.objects.filter(case=case).order_by("origin").values_list("origin", flat=True)
    seen = tuple(sorted({*networks_of(case), *origins[:200]}))
    return RoomView(
        case_id=case.case_id,
        guest_name=guest.name,
        inviter=f"{guest.invited_by.name}, {case.investigating_unit.name}",
        expires_at=guest.expires_at,
        timeline=parts.timeline(pack, journal.history([case.case_id]), "unit")
        if "timeline" in chosen
        else None,
        links=tuple(
            link if named else replace(link, member_name="", target=SOMEBODY)
            for link in casework.link_views(pack, case)
        )
        if "links" in chosen
        else None,
        holdings=tuple(
            held if named else replace(held, member_name="", source_id="")
            for held in casework.holding_views(pack, case, at)
        )
        if "holdings" in chosen
        else None,
        indicators=seen if "indicators" in chosen else None,
        outcome=casework.outcome_of(pack, case) if "answers" in chosen else None,
        has_answers="answers" in chosen,
    )


def guests_of(case: Case, at: dt.datetime | None = None) -> tuple[GuestView, ...]:
    """Who may look, or might, newest first, with the days on which they did."""
    at = at or now()
    return tuple(
        GuestView(
            pk=guest.pk,
            name=guest.name,
            organisation=guest.organisation,
            parts=tuple(guest.parts),
            parts_words=", ".join(PARTS[part] for part in guest.parts),
            expires_at=guest.expires_at,
            is_current=guest.revoked_at is None and guest.expires_at > at,
            looked_on=tuple(sorted(look.day for look in guest.looks.all())),
        )
        for guest in Guest.objects.filter(case=case).prefetch_related("looks").order_by("-pk")[:50]
    )


def _note(guest: Guest, at: dt.datetime) -> None:
    day = at.astimezone(dt.UTC).date()
    if Look.objects.filter(guest=guest, day=day).exists():
        return
    with act() as recorded:
        _, is_new = Look.objects.get_or_create(guest=guest, day=day, defaults={"at": at})
        if is_new:
            recorded.record("cases:room:looked", guest.case.case_id, {"guest": _called(guest)})


def _host(case: Case, actor: Actor) -> Responder:
    require(actor, "room.manage")
    if case.lane != Report.Lane.ORDINARY:
        raise NotAllowed("the restricted lane has no room for guests")
    by = Responder.of(actor, case)
    if by.party != "unit" or by.person is None:
        raise NotAllowed("the unit that has the case invites guests to it")
    return by


def _called(guest: Guest) -> str:
    """How the journal names a guest: by number; name and organisation stay in the row."""
    return f"guest {guest.pk}"
