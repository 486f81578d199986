"""Who may give and take which role, and whom an administrator, a supervisor or the operator looks after."""

import datetime as dt

from django.db.models import Q, QuerySet

from tocsin.access.models import Invitation, Member, Person, Role, Unit
from tocsin.access.policy import Actor
from tocsin.kernel.problems import NotAllowed

Invitations = QuerySet[Invitation]
AT_MEMBER = frozenset({Role.Name.REPORTER.value, Role.Name.ADMINISTRATOR.value})
AT_UNIT = frozenset({Role.Name.OFFICER.value, Role.Name.SUPERVISOR.value})
AT_EXCHANGE = frozenset({Role.Name.COORDINATOR.value, Role.Name.OPERATOR.value, Role.Name.TRUSTED.value})


def is_operator(actor: Actor) -> bool:
    """Does the actor run the exchange?"""
    return Role.Name.OPERATOR in actor.role_names


def members_of(actor: Actor) -> list[Member]:
    """The members whose people and keys the actor looks after (an operator: every one, by `is_operator`)."""
    return [r.member for r in actor.roles if r.member is not None and r.name == Role.Name.ADMINISTRATOR]


def units_of(actor: Actor) -> list[Unit]:
    """The units whose people the actor looks after."""
    return [r.unit for r in actor.roles if r.unit is not None and r.name == Role.Name.SUPERVISOR]


def check(actor: Actor, role: str, *, member: Member | None, unit: Unit | None) -> None:
    """May the actor give or take this role there? Raises NotAllowed.

    A member's administrator decides about its people, a unit's supervisor about the unit's, the operator
    about everybody.
    """
    if is_operator(actor):
        return
    if member is not None and role in AT_MEMBER and member.pk in {m.pk for m in members_of(actor)}:
        return
    if unit is not None and role in AT_UNIT and unit.pk in {u.pk for u in units_of(actor)}:
        return
    raise NotAllowed(
        "that role is not yours to give or take",
        hint="ask the member's administrator, the unit's supervisor or the operator",
    )


def roles_of(actor: Actor) -> QuerySet[Role]:
    """The roles that the actor may take away, and see."""
    found = Role.objects.select_related("person", "member", "unit")
    if is_operator(actor):
        return found
    return found.filter(Q(member__in=members_of(actor)) | Q(unit__in=units_of(actor)))


def people_of(actor: Actor) -> QuerySet[Person]:
    """The people whom the actor looks after."""
    if is_operator(actor):
        return Person.objects.all()
    return Person.objects.filter(pk__in=roles_of(actor).values("person"))


def invitations_of(actor: Actor, at: dt.datetime) -> Invitations:
    """The open links that the actor may see and revoke."""
    found = Invitation.objects.filter(used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=at)
    if is_operator(actor):
        return found
    return found.filter(~Q(role="") & (Q(member__in=members_of(actor)) | Q(unit__in=units_of(actor))))
