"""People who read the pages."""

import pytest
from django.core.cache import cache, caches
from django.test import Client
from tests.exchange import a_member

from tocsin.access import services
from tocsin.access.models import Member, Person, Unit
from tocsin.kernel.time import now

PASSWORD = "a password of some length"


@pytest.fixture(autouse=True)
def no_attempts_yet() -> None:
    """Sign-in attempts and figures of one test must not count in another."""
    cache.clear()
    caches["figures"].clear()


@pytest.fixture
def member(db: None) -> Member:
    """A provider."""
    return a_member("Northgate Broadband")


@pytest.fixture
def london(db: None) -> Unit:
    """A unit that has joined."""
    return Unit.objects.update_or_create(
        unit_id="mps", defaults={"name": "Metropolitan Police", "kind": "force", "joined_at": now()}
    )[0]


def a_person(name: str) -> Person:
    """Somebody with an account, at name@example.org."""
    return services.add_person(f"{name.split()[0].lower()}@example.org", name, PASSWORD)


def signed_in(person: Person) -> Client:
    """That person's browser."""
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def reporter(member: Member) -> Client:
    """A reporter of the provider."""
    person = a_person("Rosa Lind")
    services.give_role(person, "reporter", member=member)
    return signed_in(person)


@pytest.fixture
def officer(london: Unit) -> Client:
    """An officer of the unit."""
    person = a_person("Ada Moss")
    services.give_role(person, "officer", unit=london)
    return signed_in(person)


@pytest.fixture
def coordinator(db: None) -> Client:
    """The exchange's coordinator."""
    person = a_person("Iris Holt")
    services.give_role(person, "coordinator")
    return signed_in(person)
