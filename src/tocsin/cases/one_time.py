"""One-time links: an officer of a unit that has not joined accepts and answers one case without an account.

The token has 256 bits and is shown once; only its SHA-256 is kept. It opens one case and nothing else.
"""

import datetime as dt
import secrets

from tocsin.access.models import Person, Role
from tocsin.access.policy import Actor, require
from tocsin.cases import states
from tocsin.cases.decisions import UNDO_FOR, accept_case, lock_case
from tocsin.cases.models import Case, OneTimeLink
from tocsin.cases.opening import push_status
from tocsin.cases.responders import Responder
from tocsin.cases.units import current_pack
from tocsin.journal.acts import act
from tocsin.kernel.hashing import sha256
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound
from tocsin.kernel.time import now, rfc3339

VALID_FOR = dt.timedelta(days=14)


class LinkNotFound(NotFound):
    """This link is not valid: it was never given out, has expired, was replaced, or has done its work."""

    hint = "ask the coordinator of the exchange for a new one"


def make_one_time_link(
    case: Case, actor: Actor, at: dt.datetime | None = None, *, with_packet: bool = False
) -> str:
    """A new token for a case of a unit that has not joined, replacing earlier ones. Shown once, never kept.

    `with_packet` notes that it is typeset into the case's packet, to be sent as one document.

    Raises NotSignedIn, NotAllowed; Conflict where the unit has joined or the case is closed.
    """
    person, at, token = _coordinator(actor), at or now(), secrets.token_urlsafe(32)
    with act() as recorded:
        case = lock_case(case)
        if case.investigating_unit.has_joined:
            raise Conflict(f"{case.investigating_unit.name} has joined and needs no link")
        if not case.is_open:
            raise Conflict("the case is closed")
        _revoke(case, at)
        OneTimeLink.objects.create(
            case=case,
            digest=sha256(token.encode()),
            made_by=person,
            made_at=at,
            expires_at=at + VALID_FOR,
            with_packet=with_packet,
        )
        if case.status == states.OPENED:
            states.check(current_pack(), "send", case.status, states.SENT, "coordinator")
            case.status = states.SENT
            case.save()
            push_status(case, at)
        content = {
            "unit": case.investigating_unit.name,
            "expires_at": rfc3339(at + VALID_FOR),
            "with_packet": with_packet,
        }
        recorded.record("cases:link:made", case.case_id, content | _signed(actor, person))
    return token


def withdraw_one_time_link(case: Case, actor: Actor, at: dt.datetime | None = None) -> int:
    """End the case's links before they are used up; gives how many. Twice changes nothing.

    An officer who had taken the case by one keeps it, and needs a new link to go on.

    Raises NotSignedIn, NotAllowed.
    """
    person, at = _coordinator(actor), at or now()
    with act() as recorded:
        case = lock_case(case)
        ended = _revoke(case, at)
        if ended:
            content = {"unit": case.investigating_unit.name} | _signed(actor, person)
            recorded.record("cases:link:withdrawn", case.case_id, content)
    return ended


def find_link(token: str, at: dt.datetime | None = None) -> OneTimeLink:
    """The link behind a token. Raises LinkNotFound, the same for whatever reason.

    After the answer it stays for the minute in which the answer can be taken back.
    """
    at = at or now()
    link = (
        OneTimeLink.objects.select_related("case__investigating_unit", "case__support_unit", "made_by")
        .filter(digest=sha256(token.encode("utf-8", "replace")))
        .first()
    )
    if (
        link is None
        or link.revoked_at is not None
        or at >= link.expires_at
        or (link.answered_at is not None and at - link.answered_at > UNDO_FOR)
    ):
        raise LinkNotFound()
    return link


def accept_by_link(link: OneTimeLink, officer_name: str, at: dt.datetime | None = None) -> Case:
    """The officer gives a name and takes the case. Raises BadInput without one, Conflict for another."""
    at, name = at or now(), " ".join(officer_name.split())
    if not 2 <= len(name) <= 120:
        raise BadInput("give your name and rank, so that the reporter knows who has the case")
    with act() as recorded:
        case = lock_case(link.case)
        held = OneTimeLink.objects.select_for_update().get(pk=link.pk)
        if held.revoked_at is not None:
            raise LinkNotFound()
        if held.officer_name and held.officer_name != name:
            raise Conflict(f"{held.officer_name} has already accepted the case by this link")
        if not held.officer_name:
            held.officer_name, held.accepted_at = name, at
            held.save()
            content = {"by": name, "unit": case.investigating_unit.name}
            recorded.record("cases:link:used", case.case_id, content)
        link.officer_name, link.accepted_at = held.officer_name, held.accepted_at
        return accept_case(case, Responder(name, case.investigating_unit, None, held), at)


def _coordinator(actor: Actor) -> Person:
    """The coordinator who acts. Raises NotSignedIn, NotAllowed."""
    require(actor, "link.make")
    if actor.person is None or Role.Name.COORDINATOR not in actor.role_names:
        raise NotAllowed()
    return actor.person


def _revoke(case: Case, at: dt.datetime) -> int:
    """End every link of the case that still works."""
    current = OneTimeLink.objects.filter(case=case, revoked_at__isnull=True, answered_at__isnull=True)
    return current.filter(expires_at__gt=at).update(revoked_at=at)


def _signed(actor: Actor, person: Person) -> dict[str, str]:
    """How the journal names the coordinator, and the key by which a machine passed the act on."""
    return {"by": person.name} | ({"by_key": actor.key.label} if actor.key is not None else {})
