"""One's own account, and a role as a page shows it."""

from dataclasses import dataclass

from allauth.socialaccount.models import SocialAccount
from django.conf import settings

from tocsin.access import factors, joining, leaving, services
from tocsin.access.models import Person, Role
from tocsin.access.policy import Actor, require
from tocsin.journal.acts import act
from tocsin.kernel.problems import Conflict, NotFound


@dataclass(frozen=True)
class RoleView:
    """What somebody is, where; `waits` while it needs a second factor that was not shown."""

    pk: int
    name: str
    words: str
    place: str
    is_suspended: bool
    waits: bool


def role_view(role: Role, actor: Actor | None = None) -> RoleView:
    """The role in words."""
    place = role.member or role.unit
    return RoleView(
        pk=role.pk,
        name=role.name,
        words=Role.Name(role.name).label,
        place=place.name if place else str(settings.ORIGIN),
        is_suspended=role.member is not None and role.member.suspended_at is not None,
        waits=actor is not None and role in actor.withheld,
    )


def rename(actor: Actor, name: str) -> None:
    """Change one's name. Raises BadInput."""
    person = _own(actor)
    name = services.checked_name(name)
    with act() as recorded:
        Person.objects.filter(pk=person.pk).update(name=name)
        recorded.record("access:person:renamed", services.subject_of(person), {})
    person.name = name


def change_password(actor: Actor, password: str) -> None:
    """Change one's password and end the sessions; the door keeps the present one. Raises BadInput."""
    person = _own(actor)
    joining.check_password(password, person)
    with act() as recorded:
        person.set_password(password)
        person.save(update_fields=["password"])
        leaving.end_sessions(person)
        recorded.record("access:person:password_changed", services.subject_of(person), {})


def tie(actor: Actor, identity: SocialAccount) -> None:
    """Let the actor sign in as this identity of the provider. Raises Conflict where they have one already."""
    person = _own(actor)
    with act() as recorded:
        if SocialAccount.objects.filter(user=person).exists():
            raise Conflict("your account is tied to an identity already", hint="untie that one first")
        identity.user = person
        identity.save()
        recorded.record("access:identity:tied", services.subject_of(person), {})


def untie(actor: Actor) -> None:
    """Take the tie away. Twice changes nothing. Raises Conflict where nothing else is left to sign in by."""
    person = _own(actor)
    if not person.has_usable_password() and not factors.held_by(person).passkeys:
        raise Conflict("then you could not sign in any more", hint="set a password or a passkey first")
    with act() as recorded:
        if SocialAccount.objects.filter(user=person).delete()[0]:
            recorded.record("access:identity:untied", services.subject_of(person), {})


def _own(actor: Actor) -> Person:
    require(actor, "account.change")
    if actor.person is None:
        raise NotFound()
    return actor.person
