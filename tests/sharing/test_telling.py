"""Webhooks of indicators: what a member's circles share and withdraw, signed, once, and nobody else's."""

import json

import pytest
from django.utils import timezone
from tests.exchange import a_member
from tests.sharing.street import ATTACKER, NOON, Street
from tests.sharing.test_audiences import a_community, said

from tocsin.access import services as access
from tocsin.access.models import Member
from tocsin.journal import queries as journal
from tocsin.notices import delivering, hooks
from tocsin.notices.models import Delivery, Endpoint
from tocsin.sharing import services, telling

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def a_hook(member: Member, *, hears: bool = True) -> Endpoint:
    """A machine of a member's."""
    person = access.add_person(f"amy@{member.member_id}.example", "Amy", "secret")
    return Endpoint.objects.create(
        member=member,
        url="https://hook.example/",
        secret=hooks.new_secret(),
        made_by=person,
        made_at=timezone.now(),
        next_at=timezone.now(),
        hears_indicators=hears,
    )


def told(endpoint: Endpoint) -> list[tuple[str, str, bool]]:
    """What an endpoint was told: what happened, in which channel, is it over?"""
    return [
        (one["event"].rpartition(":")[2], one["channel"], one["object"].get("revoked", False))
        for delivery in endpoint.deliveries.order_by("entry_seq")
        for one in json.loads(delivery.body)["data"]["indicators"]
    ]


def tell_all() -> int:
    """As the worker would, of everything."""
    return telling.tell(0, journal.size())


def test_new_and_withdrawn_indicators_are_told_to_those_who_ask(street: Street) -> None:
    """In order, each once however often it is worked through; not to a machine that did not ask."""
    hears, does_not = a_hook(a_member("harbour")), a_hook(a_member("kent"), hears=False)
    tess = street.trusted()
    for member in ("ferry", "medway"):
        street.report(member)
    assert tell_all() == 1
    services.withdraw(street.indicator(), tess, "a mistake")
    first = Delivery.objects.get()
    tell_all()
    assert told(hears)[-1] == ("withdrawn", "everybody-green", True)
    assert next(kind for kind, _, _ in told(hears)) == "shared"
    count = Delivery.objects.count()
    tell_all()
    assert Delivery.objects.count() == count
    assert (
        json.loads(first.body)["data"]["indicators"][0]["object"]["pattern"]
        == f"[ipv4-addr:value = '{ATTACKER}']"
    )
    assert not does_not.deliveries.exists()
    assert not any(word in first.body for word in ("ferry", "medway", "report", "member"))


def test_a_communitys_indicators_are_told_inside_alone(street: Street) -> None:
    """Whoever left, or never was there, hears nothing."""
    inside, outside = a_hook(street.member("ferry")), a_hook(a_member("harbour"))
    ports = a_community(street.member("ferry"), street.member("medway"))
    for member in ("ferry", "medway"):
        services.assert_said(street.member(member), [said(community=ports.pk)], NOON)
    tell_all()
    assert told(inside) == [("shared", "ports-green", False)]
    assert told(outside) == []
    ports.memberships.filter(member=street.member("ferry")).update(until=NOON)
    Delivery.objects.all().delete()
    tell_all()
    assert told(inside) == []


def test_many_changes_are_few_messages(street: Street) -> None:
    """A hundred to a message, whose position is that of its last change."""
    endpoint = a_hook(a_member("harbour"))
    values = [f"80.94.{last // 200 + 1}.{last % 200 + 1}" for last in range(250)]
    for member in ("ferry", "medway"):
        services.assert_said(street.member(member), [said(value) for value in values], NOON)
    assert tell_all() == 3
    sizes = [
        len(json.loads(one.body)["data"]["indicators"]) for one in endpoint.deliveries.order_by("entry_seq")
    ]
    assert sizes == [100, 100, 50]


def test_the_journal_leads_to_the_machines(street: Street) -> None:
    """By the worker's own task, and what waits is delivered as every message is."""
    endpoint = a_hook(a_member("harbour"))
    for member in ("ferry", "medway"):
        street.report(member)
    from django_tasks_db.models import DBTaskResult

    waiting = DBTaskResult.objects.filter(task_path="tocsin.sharing.tasks.tell_machines")
    for job in waiting:
        telling.tell(*job.args_kwargs["args"])
    assert waiting.count() == 1
    assert delivering._first_waiting(timezone.now()) == [endpoint.deliveries.get()]
