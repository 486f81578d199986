"""The page of resolvers, sightings by a button, and who has taken a withdrawal."""

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from tests.doors.web.conftest import a_person, signed_in
from tests.doors.web.test_network import ADDRESS, page_of, reported
from tests.doors.web.test_pages import text_of
from tests.exchange import a_member

from tocsin.access import keys, services
from tocsin.access.models import Member
from tocsin.access.policy import Actor
from tocsin.kernel.time import now
from tocsin.sharing import readings
from tocsin.sharing import services as judging
from tocsin.sharing.models import Indicator, Reading, Sighting

MINUTE = dt.timedelta(minutes=1)
pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def pretended(settings: Any) -> None:
    """A range that counts as public here, whatever the warning lists of the day say."""
    settings.PRETEND_PUBLIC = ("100.128.0.0/16",)


@pytest.fixture
def shared(member: Member) -> Indicator:
    """What the member and another reported."""
    reported(member)
    reported(a_member("Harbour Net"))
    return Indicator.objects.get(value=ADDRESS)


def machine(member: Member, label: str, last: dt.timedelta, number: int = 1) -> None:
    """A key that began to read an hour ago and last did so long ago."""
    key, _ = keys.make_key(member, label, ("lists:read",))
    for before in (60 * MINUTE, last):
        readings.note([readings.Read(key, "list", "addresses.nft", number, number)], now() - before)


def withdraw(indicator: Indicator) -> None:
    """A trusted person's no."""
    person = a_person("Tara Quill")
    services.give_role(person, "trusted")
    judging.withdraw(indicator, Actor.of_person(person), "it was ours")


def test_nobody_reads_yet_is_taught(reporter: Client) -> None:
    """The command, the scope, and where to read on."""
    page = text_of(reporter.get(reverse("resolvers")))
    assert "No machine of yours reads the lists yet." in page
    for part in ("tocsin zone --from", "tocsin dns --example", "lists:read", "TOCSIN_KEY"):
        assert part in page


def test_ones_own_machines_and_nobody_elses(reporter: Client, member: Member, shared: Indicator) -> None:
    """Which list, which number, how far behind, and what to do."""
    machine(member, "south", MINUTE)
    machine(member, "north", 20 * MINUTE)
    machine(a_member("Rival"), "theirs", MINUTE)
    page = text_of(reporter.get(reverse("resolvers")))
    assert "1 of 2 readers of yours is out of step." in page
    for part in ("south addresses.nft", "Has number 1, the newest.", "Silent", "In step", "Forget it"):
        assert part in page
    assert "theirs" not in page
    assert "Rival" not in page
    assert 'href="/network/resolvers"' in reporter.get(reverse("network")).content.decode()


def test_the_operator_reads_everybodys(member: Member, shared: Indicator) -> None:
    """By name; it forgets nobody's machine."""
    machine(member, "south", 20 * MINUTE)
    machine(a_member("=Rival"), "theirs", MINUTE)
    person = a_person("Omar Field")
    services.give_role(person, "operator")
    client = signed_in(person)
    page = text_of(client.get(reverse("resolvers")))
    assert f"{member.name}: south" in page
    assert "=Rival: theirs" in page
    assert "Forget it" not in page
    answer = client.get(reverse("resolvers-csv"))
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["member"], row["state"], row["behind"], row["late"]) for row in rows] == [
        (member.name, "silent", "0", "no"),
        ("'=Rival", "in step", "0", "no"),
    ]
    assert client.post(reverse("resolver-forget", kwargs={"reading": 1})).status_code == 403


def test_a_machine_that_is_gone_is_forgotten_by_a_button(
    reporter: Client, member: Member, shared: Indicator
) -> None:
    """And what it was is said."""
    machine(member, "south", 20 * MINUTE)
    address = reverse("resolver-forget", kwargs={"reading": Reading.objects.get().pk})
    page = text_of(reporter.post(address, follow=True))
    assert "Forgotten: south, addresses.nft. If it reads again, it comes back here." in page
    assert not Reading.objects.exists()
    assert reporter.post(address).status_code == 404


def test_the_page_of_a_withdrawal_says_who_has_taken_it(
    reporter: Client, coordinator: Client, member: Member, shared: Indicator
) -> None:
    """Counts for a member, and its own machines; names for the coordinator alone."""
    machine(member, "south", MINUTE)
    for number in range(5):
        machine(a_member(f"Reader {number}"), f"box{number}", MINUTE)
    withdraw(shared)
    page = text_of(reporter.get(page_of(shared)))
    assert "taken by 0 of 6 networks; 6 have not, and last asked between" in page
    assert "Not yet taken by your key south." in page
    assert "Reader 0" not in page
    assert "box0" not in page
    assert "Reader 0 box0, last read" in text_of(coordinator.get(page_of(shared)))
    late = text_of(reporter.get(reverse("resolvers")))
    assert "Still has time for what was withdrawn" in late


def test_seen_here_too_by_one_press_and_taken_back(
    reporter: Client, member: Member, shared: Indicator
) -> None:
    """The button turns round; who said so is told to nobody."""
    address = reverse("indicator-sighting", kwargs={"indicator_id": shared.indicator_id})
    assert "Seen here too" in text_of(reporter.get(page_of(shared)))
    page = text_of(reporter.post(address, follow=True))
    assert "Noted. It keeps it on the lists for longer" in page
    assert "I have not seen it after all" in page
    assert Sighting.objects.get().member == member
    other = a_person("Sam Other")
    services.give_role(other, "reporter", member=a_member("Elsewhere"))
    assert "Seen" not in text_of(signed_in(other).get(page_of(shared))).replace("Seen here too", "")
    reporter.post(address, {"undo": "1"})
    assert not Sighting.objects.exists()


def test_what_is_on_no_list_has_no_such_button(reporter: Client, member: Member, shared: Indicator) -> None:
    """A sighting keeps nothing there; sent all the same, the answer says what helps."""
    withdraw(shared)
    assert "Seen here too" not in text_of(reporter.get(page_of(shared)))
    answer = reporter.post(reverse("indicator-sighting", kwargs={"indicator_id": shared.indicator_id}))
    assert answer.status_code == 409
    assert "report what it did" in answer.content.decode()
