"""Leaving: a role is taken, an account is turned off or given up, a member is suspended or comes back."""

from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from tocsin.access import granting, services
from tocsin.access.models import Member, Person, Role
from tocsin.access.policy import Actor, require
from tocsin.journal.acts import act
from tocsin.kernel.problems import Conflict, NotFound

FORMER = "Somebody who left"


def take_role(actor: Actor | None, role_pk: int) -> None:
    """Take a role away; at once the person acts in it no more. Raises NotSignedIn, NotAllowed, NotFound.

    Everybody may give up a role of their own.
    """
    found = Role.objects.select_related("person", "member", "unit").filter(pk=role_pk).first()
    if actor is not None:
        require(actor, "account.change")
        own = found is not None and actor.person is not None and found.person_id == actor.person.pk
        if not own:
            require(actor, "role.take")
            found = granting.roles_of(actor).filter(pk=role_pk).first()
    if found is None:
        raise NotFound()
    with act() as recorded:
        _take(recorded, Role.objects.filter(pk=found.pk), services.by(actor))


def turn_off(actor: Actor | None, person: Person) -> None:
    """Turn an account off: no sign-in, no session, no role acts, until it is turned on again.

    The roles stay noted, so that turning it on gives back what there was. Twice changes nothing.
    """
    if actor is not None:
        require(actor, "person.off")
        if actor.person == person:
            raise Conflict("this is your own account", hint="ask another operator, or leave by your own page")
    with act() as recorded:
        if Person.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
            end_sessions(person)
            recorded.record("access:person:off", services.subject_of(person), {"by": services.by(actor)})


def turn_on(actor: Actor | None, person: Person) -> None:
    """Turn an account on again. Twice changes nothing."""
    if actor is not None:
        require(actor, "person.off")
    if person.email.endswith("@left.invalid"):
        raise Conflict("this person has left and is no longer known", hint="invite them anew")
    with act() as recorded:
        if Person.objects.filter(pk=person.pk, is_active=False).update(is_active=True):
            recorded.record("access:person:on", services.subject_of(person), {"by": services.by(actor)})


def leave(actor: Actor) -> None:
    """Give up one's own account: roles, sign-in and second factors go, name and address are erased.

    What the person decided stays with the name under which it was told to reporters.
    """
    require(actor, "account.change")
    person = actor.person
    if person is None:
        raise NotFound()
    with act() as recorded:
        held = Person.objects.select_for_update().get(pk=person.pk)
        _take(recorded, held.roles.all(), services.by(actor))
        end_sessions(held)
        held.authenticator_set.all().delete()  # type: ignore[attr-defined]  # allauth.mfa's
        held.socialaccount_set.all().delete()  # type: ignore[attr-defined]  # allauth.socialaccount's
        held.invitations.all().delete()
        held.email, held.name, held.is_active = f"person-{held.pk}@left.invalid", FORMER, False
        held.set_unusable_password()
        held.save()
        recorded.record("access:person:left", services.subject_of(held), {})


def resume_member(actor: Actor | None, member: Member) -> Member:
    """Let a suspended member act again. Twice changes nothing."""
    if actor is not None:
        require(actor, "member.suspend")
    with act() as recorded:
        if Member.objects.filter(pk=member.pk, suspended_at__isnull=False).update(suspended_at=None):
            recorded.record("access:member:resumed", member.member_id, {"by": services.by(actor)})
    member.suspended_at = None
    return member


def end_sessions(person: Person, *, but: str = "") -> int:
    """End a person's sessions, all of them or all but the one with this key; gives how many there were.

    Sessions that nobody noted (made before the exchange kept a list) end with their age.
    """
    noted = person.usersession_set.exclude(session_key=but)  # type: ignore[attr-defined]  # allauth's
    keys = list(noted.values_list("session_key", flat=True))
    with act():
        Session.objects.filter(session_key__in=keys).delete()
        noted.delete()
    return len(keys)


def _take(recorded: services.Recorder, roles: QuerySet[Role], by: str) -> None:
    for role in roles.select_related("person", "member", "unit"):
        content = {"role": role.name, "at": services.place_of(role.member, role.unit), "by": by}
        recorded.record("access:role:taken", services.subject_of(role.person), content)
    roles.delete()
