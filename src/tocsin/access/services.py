"""Who joins the exchange and what they may do: members, people, roles, units. Every change is recorded."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from tocsin.access.models import Member, Person, Role, Unit
from tocsin.access.policy import Actor
from tocsin.journal.acts import Act, act
from tocsin.kernel.problems import BadInput, Conflict, NotFound
from tocsin.kernel.time import now, rfc3339

Recorder = Act
PLACES = {"reporter": "member", "administrator": "member", "officer": "unit", "supervisor": "unit"}
_email = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def add_member(name: str, *, force_id: str, kind: str = Member.Kind.PROVIDER, country: str = "GB") -> Member:
    """Let an organisation join. Raises Conflict where the name is taken, BadInput for an unknown kind."""
    name = _filled(name, "name", 200)
    _one_of(kind, Member.Kind.values, "kind")
    with act() as recorded:
        if Member.objects.filter(name=name).exists():
            raise Conflict(f"there is already a member named {name}")
        member = Member.objects.create(name=name, kind=kind, country=country, force_id=force_id)
        recorded.record(
            "access:member:added",
            member.member_id,
            {"name": name, "kind": kind, "country": country, "force_id": force_id},
        )
    return member


def suspend_member(member: Member, reason: str) -> Member:
    """Suspend a member: its keys and its people's roles there stop working at once."""
    with act() as recorded:
        if member.suspended_at is None:
            member.suspended_at = now()
            member.save(update_fields=["suspended_at"])
            recorded.record("access:member:suspended", member.member_id, {"reason": reason})
    return member


def add_person(email: str, name: str, password: str | None) -> Person:
    """Give somebody an account. Raises Conflict where the address has one, BadInput where it is none.

    Without password nobody can sign in by one: a passkey or the identity provider has to do.

    The journal knows a person by number alone: name and address stay in rows that can be erased.
    """
    email = checked_email(email)
    with act() as recorded:
        if Person.objects.filter(email=email).exists():
            raise Conflict(f"there is already an account for {email}")
        person = Person.objects.create_user(email, password, name=checked_name(name))
        recorded.record("access:person:added", subject_of(person), {"person": subject_of(person)})
    return person


def give_role(person: Person, name: str, *, member: Member | None = None, unit: Unit | None = None) -> Role:
    """Give a person a role at a member, at a unit, or on the exchange. Giving it twice changes nothing.

    Raises BadInput where the role does not belong to such a place.
    """
    check_place(name, member=member, unit=unit)
    with act() as recorded:
        role, is_new = Role.objects.get_or_create(person=person, name=name, member=member, unit=unit)
        if is_new:
            content = {"role": name, "at": place_of(member, unit)}
            recorded.record("access:role:given", subject_of(person), content)
    return role


def join_unit(unit_id: str, at: dt.datetime | None = None) -> Unit:
    """Note that a unit has joined the exchange. Joining twice changes nothing. Raises NotFound."""
    with act() as recorded:
        unit = fetch_unit(unit_id)
        if unit.joined_at is None:
            unit.joined_at = at or now()
            unit.save(update_fields=["joined_at"])
            recorded.record("access:unit:joined", unit.unit_id, {"at": rfc3339(unit.joined_at)})
    return unit


def fetch_unit(unit_id: str) -> Unit:
    """A unit by its id in the country pack. Raises NotFound."""
    unit = Unit.objects.filter(unit_id=unit_id).first()
    if unit is None:
        raise NotFound(f"there is no unit {unit_id}", hint="list the units with: tocsin admin unit list")
    return unit


def fetch_member(name_or_id: str) -> Member:
    """A member by id or by exact name. Raises NotFound."""
    found = (
        Member.objects.filter(member_id=name_or_id).first() or Member.objects.filter(name=name_or_id).first()
    )
    if found is None:
        raise NotFound(
            f"there is no member {name_or_id}", hint="list the members with: tocsin admin member list"
        )
    return found


def fetch_person(email: str) -> Person:
    """A person by e-mail address. Raises NotFound."""
    person = Person.objects.filter(email=email.lower()).first()
    if person is None:
        raise NotFound(f"there is no account for {email}")
    return person


def subject_of(person: Person) -> str:
    """How the journal names a person."""
    return f"person_{person.pk}"


def by(actor: Actor | None) -> str:
    """How the journal names who did it: a person by number, or the exchange's own machine."""
    return subject_of(actor.person) if actor is not None and actor.person is not None else "exchange"


def place_of(member: Member | None, unit: Unit | None) -> str:
    """How the journal names where a role is held."""
    return member.member_id if member else unit.unit_id if unit else "exchange"


def check_place(role: str, *, member: Member | None, unit: Unit | None) -> None:
    """Raises BadInput where there is no such role, or it does not belong to such a place."""
    _one_of(role, Role.Name.values, "role")
    place = PLACES.get(role, "exchange")
    given = "member" if member is not None else "unit" if unit is not None else "exchange"
    if given != place or (member is not None and unit is not None):
        raise BadInput(f"a {role} acts for a {place}", hint=f"name the {place} to act for")


def checked_name(name: str) -> str:
    """The name of a person. Raises BadInput."""
    return _filled(name, "name", 120)


def checked_email(email: str) -> str:
    """The address in small letters. Raises BadInput where it is none."""
    email = _filled(email, "e-mail address", 254).lower()
    if not _email.fullmatch(email):
        raise BadInput(f"not an e-mail address: {email}")
    return email


def _filled(text: str, what: str, limit: int) -> str:
    text = text.strip()
    if not text or len(text) > limit or not text.isprintable():
        raise BadInput(f"the {what} must have 1 to {limit} printable characters")
    return text


def _one_of(value: str, known: Sequence[Any], what: str) -> None:
    if value not in known:
        raise BadInput(f"no such {what}: {value}", hint=f"choose of {', '.join(known)}")
