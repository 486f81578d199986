"""Joining by a link, roles given and taken by who may, and leaving."""

import datetime as dt

import pytest
from tests.exchange import a_key, a_member

from tocsin.access import granting, joining, keys, leaving, services
from tocsin.access.models import Invitation, Person, Role, Unit
from tocsin.access.policy import Actor
from tocsin.journal.models import Content, Entry
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound, NotSignedIn
from tocsin.kernel.time import now

pytestmark = pytest.mark.django_db
PASSWORD = "four words of brass"


@pytest.fixture
def unit() -> Unit:
    return Unit.objects.get_or_create(unit_id="mps", defaults={"name": "Metropolitan", "kind": "force"})[0]


def somebody(role: str, **place: object) -> Actor:
    """An actor with one role."""
    number = Person.objects.count()
    person = services.add_person(f"p{number}@example.org", f"Person {number}", PASSWORD)
    services.give_role(person, role, **place)
    return Actor.of_person(person)


def test_a_link_makes_one_account_with_one_role(unit: Unit) -> None:
    """Used once; the second time it is no link any more."""
    operator = somebody("operator")
    made, token = joining.invite(operator, "Olive@Example.org", "officer", unit=unit)
    person = joining.join(joining.find_invitation(token), "DC Olive Green", PASSWORD)
    assert person.email == "olive@example.org"
    assert Actor.of_person(person).units == (unit,)
    with pytest.raises(joining.InvitationNotFound):
        joining.find_invitation(token)
    with pytest.raises(NotFound):
        joining.join(made, "DC Olive Green", PASSWORD)


def test_the_token_is_nowhere_and_no_address_enters_the_journal(unit: Unit) -> None:
    """Only its hash is kept, and the journal knows numbers, roles and places."""
    made, token = joining.invite(None, "olive@example.org", "officer", unit=unit)
    joining.join(joining.find_invitation(token), "Olive Green", PASSWORD)
    assert token.encode() not in bytes(Invitation.objects.get(pk=made.pk).digest)
    for content in Content.objects.values_list("content", flat=True):
        assert b"olive" not in bytes(content).lower()
        assert token.encode() not in bytes(content)


@pytest.mark.parametrize("end", ["expired", "revoked", "suspended", "replaced"])
def test_a_link_that_ended_is_no_link(end: str) -> None:
    """In the same words, whatever ended it."""
    member = a_member()
    operator = somebody("operator")
    made, token = joining.invite(operator, "new@example.org", "reporter", member=member)
    at = now()
    if end == "expired":
        at += joining.VALID_FOR
    elif end == "revoked":
        joining.revoke_invitation(operator, made.pk)
    elif end == "suspended":
        services.suspend_member(member, "left")
    else:
        joining.invite(operator, "new@example.org", "reporter", member=member)
    with pytest.raises(joining.InvitationNotFound):
        joining.find_invitation(token, at)


@pytest.mark.parametrize("password", ["short", "password1234", "", "new@example.org"])
def test_a_weak_password_makes_no_account(password: str) -> None:
    """And the link stays good."""
    _, token = joining.invite(None, "new@example.org", "reporter", member=a_member())
    with pytest.raises(BadInput):
        joining.join(joining.find_invitation(token), "New", password)
    assert not Person.objects.filter(email="new@example.org").exists()
    joining.find_invitation(token)


def test_who_has_an_account_takes_the_role_with_it_and_nobody_elses(unit: Unit) -> None:
    """The link is for one address."""
    olive = services.add_person("olive@example.org", "Olive", PASSWORD)
    other = services.add_person("other@example.org", "Other", PASSWORD)
    _, token = joining.invite(None, "olive@example.org", "supervisor", unit=unit)
    found = joining.find_invitation(token)
    with pytest.raises(Conflict):
        joining.take_up(found, other)
    joining.take_up(found, olive)
    assert Actor.of_person(olive).role_names == {"supervisor"}


def test_an_administrator_decides_about_the_own_member_alone(unit: Unit) -> None:
    """Reporters and administrators there; nobody elsewhere, no unit, no role of the exchange."""
    mine, other = a_member(), a_member()
    amy = somebody("administrator", member=mine)
    joining.invite(amy, "a@example.org", "reporter", member=mine)
    joining.invite(amy, "b@example.org", "administrator", member=mine)
    for role, place in (
        ("reporter", {"member": other}),
        ("officer", {"unit": unit}),
        ("operator", {}),
        ("trusted", {}),
    ):
        with pytest.raises(NotAllowed):
            joining.invite(amy, "c@example.org", role, **place)
    stranger = somebody("reporter", member=other)
    role = Role.objects.get(person=stranger.person)
    with pytest.raises(NotFound):
        leaving.take_role(amy, role.pk)
    assert not granting.people_of(amy).filter(pk=stranger.person.pk).exists()


def test_a_supervisor_decides_about_the_own_unit_alone(unit: Unit) -> None:
    """Officers and supervisors there."""
    other = Unit.objects.create(unit_id="kent-x", name="Another", kind="force")
    saul = somebody("supervisor", unit=unit)
    joining.invite(saul, "a@example.org", "officer", unit=unit)
    for role, place in (
        ("officer", {"unit": other}),
        ("coordinator", {}),
        ("reporter", {"member": a_member()}),
    ):
        with pytest.raises(NotAllowed):
            joining.invite(saul, "a@example.org", role, **place)


@pytest.mark.parametrize("role", ["reporter", "officer", "coordinator", "trusted"])
def test_other_roles_invite_nobody(unit: Unit, role: str) -> None:
    """Neither does a key or nobody."""
    place = {"reporter": {"member": a_member()}, "officer": {"unit": unit}}.get(role, {})
    with pytest.raises(NotAllowed):
        joining.invite(somebody(role, **place), "a@example.org", "officer", unit=unit)
    with pytest.raises(NotAllowed):
        joining.invite(a_key(), "a@example.org", "officer", unit=unit)
    with pytest.raises(NotSignedIn):
        joining.invite(Actor(), "a@example.org", "officer", unit=unit)


def test_a_role_that_is_taken_acts_no_more() -> None:
    """Recorded once, with role and place; one's own may be given up by oneself."""
    member = a_member()
    amy, rita = somebody("administrator", member=member), somebody("reporter", member=member)
    leaving.take_role(amy, Role.objects.get(person=rita.person).pk)
    assert Actor.of_person(rita.person).role_names == frozenset()
    leaving.take_role(amy, Role.objects.get(person=amy.person).pk)
    assert Entry.objects.filter(event="access:role:taken").count() == 2


def test_an_administrator_reads_no_report() -> None:
    """Looking after people is no reason to read what they report."""
    from tocsin.intake.queries import visible_to

    amy = somebody("administrator", member=a_member())
    assert amy.members == ()
    assert not visible_to(amy).exists()


def test_an_account_that_is_off_has_no_role_and_comes_back_with_all() -> None:
    """The operator's act; not upon oneself."""
    operator, rita = somebody("operator"), somebody("reporter", member=a_member())
    assert rita.person is not None
    leaving.turn_off(operator, rita.person)
    leaving.turn_off(operator, rita.person)
    off = Person.objects.get(pk=rita.person.pk)
    assert Actor.of_person(off).role_names == frozenset()
    leaving.turn_on(operator, off)
    assert Actor.of_person(Person.objects.get(pk=off.pk)).role_names == {"reporter"}
    assert Entry.objects.filter(event="access:person:off").count() == 1
    with pytest.raises(Conflict):
        leaving.turn_off(operator, operator.person)
    with pytest.raises(NotAllowed):
        leaving.turn_off(rita, operator.person)


def test_who_leaves_is_erased_and_cannot_be_turned_on() -> None:
    """Name, address, password, roles; the row stays for what it decided."""
    rita = somebody("reporter", member=a_member())
    leaving.leave(rita)
    left = Person.objects.get(pk=rita.person.pk)
    assert left.name == leaving.FORMER
    assert "p" + "0@example.org" not in left.email
    assert not left.has_usable_password()
    assert not left.roles.exists()
    with pytest.raises(Conflict):
        leaving.turn_on(None, left)


def test_a_suspended_member_comes_back() -> None:
    """With its people and its keys."""
    member = a_member()
    rita = somebody("reporter", member=member)
    _, text = keys.make_key(member, "edge", ["reports:read"])
    services.suspend_member(member, "unpaid")
    with pytest.raises(NotSignedIn):
        keys.actor_of_key(text)
    leaving.resume_member(somebody("operator"), member)
    assert keys.actor_of_key(text).members == (member,)
    assert Actor.of_person(rita.person).members == (member,)


def test_an_administrator_makes_and_ends_keys_of_the_own_member_alone() -> None:
    """Another member's key is not even known."""
    mine, other = a_member(), a_member()
    amy = somebody("administrator", member=mine)
    made, _ = keys.make_key(mine, "edge", ["reports:write"], actor=amy)
    with pytest.raises(NotAllowed):
        keys.make_key(other, "edge", ["reports:write"], actor=amy)
    foreign, _ = keys.make_key(other, "edge", ["reports:write"])
    with pytest.raises(NotFound):
        keys.revoke_key(foreign.prefix, actor=amy)
    assert keys.revoke_key(made.prefix, actor=amy).revoked_at is not None


def test_a_link_back_sets_a_password_once_within_a_day() -> None:
    """The old one stops; the address of another kind of link opens no account."""
    operator, rita = somebody("operator"), somebody("reporter", member=a_member())
    _, token = joining.invite_back(operator, rita.person)
    with pytest.raises(NotAllowed):
        joining.invite_back(rita, operator.person)
    joining.come_back(joining.find_invitation(token), "another four words")
    again = Person.objects.get(pk=rita.person.pk)
    assert again.check_password("another four words")
    with pytest.raises(NotFound):
        joining.find_invitation(token)
    _, late = joining.invite_back(operator, rita.person)
    with pytest.raises(NotFound):
        joining.find_invitation(late, now() + dt.timedelta(days=1, seconds=1))
