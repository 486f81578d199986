"""Members, people, roles, units."""

import pytest
from tests.exchange import a_member

from tocsin.access import services
from tocsin.access.models import Person, Role, Unit
from tocsin.access.policy import Actor
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, Conflict, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def unit() -> Unit:
    return Unit.objects.get_or_create(unit_id="mps", defaults={"name": "Metropolitan", "kind": "force"})[0]


@pytest.fixture
def ann() -> Person:
    return services.add_person("Ann@Example.org", "Ann Example", "correct horse battery")


def test_a_member_joins_once() -> None:
    """A taken name is a conflict, an unknown kind or empty name bad input."""
    services.add_member("Northern", force_id="mps")
    with pytest.raises(Conflict):
        services.add_member("Northern", force_id="mps")
    for wrong in ({"name": " "}, {"name": "B", "kind": "bank"}):
        with pytest.raises(BadInput):
            services.add_member(**{"force_id": "mps", "kind": "provider", **wrong})


def test_a_persons_address_is_told_apart_by_no_case(ann: Person) -> None:
    """And the password works."""
    assert ann.email == "ann@example.org"
    assert ann.check_password("correct horse battery")
    with pytest.raises(Conflict):
        services.add_person("ANN@example.ORG", "Another", "correct horse battery")
    with pytest.raises(BadInput):
        services.add_person("ann", "Ann", "correct horse battery")


def test_no_name_or_address_enters_the_journal(ann: Person) -> None:
    """A person is a number there, in the entry and in its content."""
    entry = Entry.objects.get(event="access:person:added")
    assert entry.subject == f"person_{ann.pk}"
    assert b"ann" not in bytes(entry.content.content).lower().replace(b"person", b"")


@pytest.mark.parametrize(
    ("role", "at_member", "at_unit", "allowed"),
    [
        ("reporter", True, False, True),
        ("reporter", False, True, False),
        ("reporter", False, False, False),
        ("officer", False, True, True),
        ("officer", True, False, False),
        ("supervisor", False, True, True),
        ("supervisor", True, True, False),
        ("coordinator", False, False, True),
        ("coordinator", False, True, False),
        ("operator", False, False, True),
        ("emperor", False, False, False),
    ],
)
def test_a_role_belongs_to_its_place(
    ann: Person, unit: Unit, role: str, at_member: bool, at_unit: bool, allowed: bool
) -> None:
    """Reporters at members, officers and supervisors at units, the others at the exchange."""
    place = {"member": a_member() if at_member else None, "unit": unit if at_unit else None}
    if not allowed:
        with pytest.raises(BadInput):
            services.give_role(ann, role, **place)
        return
    services.give_role(ann, role, **place)
    services.give_role(ann, role, **place)
    assert Role.objects.count() == 1
    assert Actor.of_person(ann).role_names == {role}


def test_a_suspended_members_people_act_for_nobody(ann: Person) -> None:
    """Their role is there, and of no use."""
    member = a_member()
    services.give_role(ann, "reporter", member=member)
    services.suspend_member(member, "left")
    assert Actor.of_person(ann).members == ()


def test_a_unit_joins_once(unit: Unit) -> None:
    """The instant of the first time stays."""
    first = services.join_unit("mps").joined_at
    assert services.join_unit("mps").joined_at == first
    assert Entry.objects.filter(event="access:unit:joined").count() == 1
    with pytest.raises(NotFound):
        services.join_unit("nowhere")
