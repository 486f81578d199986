"""Joining: a one-time link leads one person to one role, or back into an account that was locked out.

The token has 256 bits and is shown once; only its SHA-256 is kept. A link ends with its use, after a week, or
when somebody revokes it. The journal knows roles, places and numbers, never an address or a name.
"""

import datetime as dt
import secrets

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage

from tocsin.access import granting, services
from tocsin.access.models import Invitation, Member, Person, Unit
from tocsin.access.policy import Actor, require
from tocsin.journal.acts import act
from tocsin.kernel.hashing import sha256
from tocsin.kernel.problems import BadInput, Conflict, NotFound
from tocsin.kernel.time import now, rfc3339

VALID_FOR = dt.timedelta(days=7)
BACK_IN_FOR = dt.timedelta(hours=24)


class InvitationNotFound(NotFound):
    """This link is not valid: it was never given out, has expired, was revoked, or has been used."""

    hint = "ask whoever invited you for a new one"


def invite(
    actor: Actor | None,
    email: str,
    role: str,
    *,
    member: Member | None = None,
    unit: Unit | None = None,
    at: dt.datetime | None = None,
) -> tuple[Invitation, str]:
    """A link for somebody, and its token, which cannot be had again. `actor` is None on the machine itself.

    An earlier open link for the same address, role and place ends. Raises NotSignedIn, NotAllowed, BadInput.
    """
    services.check_place(role, member=member, unit=unit)
    if actor is not None:
        require(actor, "person.invite")
        granting.check(actor, role, member=member, unit=unit)
    email, at, token = services.checked_email(email), at or now(), secrets.token_urlsafe(32)
    with act() as recorded:
        open_invitations(at).filter(email=email, role=role, member=member, unit=unit).update(revoked_at=at)
        made = Invitation.objects.create(
            digest=sha256(token.encode()),
            email=email,
            role=role,
            member=member,
            unit=unit,
            made_by=actor.person if actor else None,
            made_at=at,
            expires_at=at + VALID_FOR,
        )
        content = {
            "role": role,
            "at": services.place_of(member, unit),
            "by": services.by(actor),
            "expires_at": rfc3339(made.expires_at),
        }
        recorded.record("access:invitation:made", subject_of(made), content)
    return made, token


def invite_back(actor: Actor | None, person: Person, at: dt.datetime | None = None) -> tuple[Invitation, str]:
    """A link by which somebody who lost password or second factor sets a new password, for a day.

    Using it takes second factors off and ends every session. Raises NotSignedIn, NotAllowed, Conflict.
    """
    if actor is not None:
        require(actor, "person.let_in")
    if not person.is_active:
        raise Conflict("the account is off", hint="turn it on first")
    at, token = at or now(), secrets.token_urlsafe(32)
    with act() as recorded:
        open_invitations(at).filter(person=person, role="").update(revoked_at=at)
        made = Invitation.objects.create(
            digest=sha256(token.encode()),
            email=person.email,
            person=person,
            made_by=actor.person if actor else None,
            made_at=at,
            expires_at=at + BACK_IN_FOR,
        )
        content = {"by": services.by(actor), "expires_at": rfc3339(made.expires_at)}
        recorded.record("access:person:invited_back", services.subject_of(person), content)
    return made, token


def find_invitation(token: str, at: dt.datetime | None = None) -> Invitation:
    """The invitation behind a token. Raises InvitationNotFound, the same for whatever reason."""
    found = (
        open_invitations(at or now())
        .select_related("member", "unit", "made_by", "person")
        .filter(digest=sha256(token.encode("utf-8", "replace")))
        .first()
    )
    if found is None or (found.member is not None and found.member.suspended_at is not None):
        raise InvitationNotFound()
    return found


def join(invitation: Invitation, name: str, password: str | None) -> Person:
    """Make the account that the link is for, with its role. Without password, a passkey has to follow.

    Raises BadInput for a bad name or password, Conflict where the address has an account already.
    """
    if password is not None:
        check_password(password, Person(email=invitation.email, name=name))
    with act():
        held = _taken(invitation)
        person = services.add_person(held.email, name, password)
        _give(held, person)
    return person


def take_up(invitation: Invitation, person: Person) -> None:
    """Somebody with an account takes the role that the link offers. Raises Conflict for another address."""
    if person.email != invitation.email:
        raise Conflict(
            "this link is for another address than that of your account",
            hint="sign in with the account that the link was sent to",
        )
    with act():
        _give(_taken(invitation), person)


def come_back(invitation: Invitation, password: str) -> Person:
    """Set a new password by a link; the second factors go, and every session ends. Raises BadInput."""
    person = invitation.person
    if person is None or invitation.role:
        raise InvitationNotFound()
    check_password(password, person)
    with act() as recorded:
        held = _taken(invitation)
        held.used_at = now()
        held.save(update_fields=["used_at"])
        person.set_password(password)
        person.save(update_fields=["password"])
        person.authenticator_set.all().delete()  # type: ignore[attr-defined]  # allauth.mfa's
        recorded.record("access:person:came_back", services.subject_of(person), {})
    return person


def revoke_invitation(actor: Actor, invitation_pk: int, at: dt.datetime | None = None) -> None:
    """End a link before its use. Twice changes nothing. Raises NotSignedIn, NotAllowed, NotFound."""
    require(actor, "person.invite")
    at = at or now()
    found = granting.invitations_of(actor, at).filter(pk=invitation_pk).first()
    if found is None:
        raise NotFound()
    with act() as recorded:
        if Invitation.objects.filter(pk=found.pk, revoked_at__isnull=True).update(revoked_at=at):
            recorded.record("access:invitation:revoked", subject_of(found), {"by": services.by(actor)})


def send(invitation: Invitation, address: str) -> bool:
    """Mail the link; False where this exchange sends no mail or the server does not take it.

    At once and not in the background: a task would keep the token in the database.
    """
    if not settings.MAIL_IS_ON:
        return False
    what = "come back to your account" if not invitation.role else "join"
    body = (
        f"You are invited to {what} on the exchange {settings.ORIGIN}.\n\n{address}\n\n"
        "The link works once, for you alone, and ends by itself. If you expected nothing of the kind,\n"
        "leave it: without it nothing happens.\n"
    )
    mail = EmailMessage(f"Your link to {settings.ORIGIN}", body, to=[invitation.email])
    try:
        return mail.send() == 1
    except OSError:  # smtplib's errors are of this kind, too
        return False


def check_password(password: str, person: Person) -> None:
    """Raises BadInput with everything that is wrong with it."""
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise BadInput(" ".join(error.messages), hint="three or four words do well") from None


def open_invitations(at: dt.datetime) -> "granting.Invitations":
    """Links that still work."""
    return Invitation.objects.filter(used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=at)


def subject_of(invitation: Invitation) -> str:
    """How the journal names an invitation."""
    return f"invitation_{invitation.pk}"


def _taken(invitation: Invitation) -> Invitation:
    """The invitation, locked, if nobody was quicker."""
    held = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if held.used_at is not None or held.revoked_at is not None:
        raise InvitationNotFound()
    return held


def _give(held: Invitation, person: Person) -> None:
    held.used_at, held.person = now(), person
    held.save(update_fields=["used_at", "person"])
    services.give_role(person, held.role, member=held.member, unit=held.unit)
