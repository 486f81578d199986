"""What is spreading now: what a circle may know, few networks suppressed, and nothing of who reported."""

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from tests.doors.web.conftest import a_person
from tests.doors.web.test_network import ADDRESS, reported
from tests.doors.web.test_pages import text_of
from tests.exchange import a_member

from tocsin.access import services
from tocsin.access.models import Community, Member
from tocsin.access.policy import Actor
from tocsin.blocking.models import Tally
from tocsin.cases import gathering
from tocsin.figures import spreading, together
from tocsin.kernel.time import now
from tocsin.sharing import services as judging
from tocsin.sharing.channels import shared_channel
from tocsin.sharing.models import Indicator, Outgoing, Standing
from tocsin.wire.lists import UNNAMED

pytestmark = pytest.mark.database
NAMES = ("Fen Net", "Dale Net", "Tyne Net", "Avon Net", "Trent Net")


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


def stopped(indicator: Indicator, count: int, hits: int = 100) -> None:
    """So many members stopped it so often in this hour."""
    hour = now().replace(minute=0, second=0, microsecond=0)
    for name in NAMES[:count]:
        where = {"member": a_member(name), "source_id": "rpz", "indicator": indicator, "hour": hour}
        Tally.objects.create(**where, hits=hits, told_at=now())


def test_nothing_yet_is_said_and_taught(reporter: Client) -> None:
    """What will appear, and how a network tells what it stopped."""
    page = text_of(reporter.get(reverse("spreading")))
    assert "Nothing was shared or confirmed in the last 24 hours." in page
    assert "tocsin tally" in page


def test_a_kind_is_told_with_its_hours_and_why(reporter: Client, shared: Indicator) -> None:
    """One address, in the current hour, with the sentence that its own page says."""
    page = text_of(reporter.get(reverse("spreading")))
    assert "1 address or name was shared or confirmed in the last 24 hours." in page
    assert ADDRESS in page
    assert shared.reason in page
    for name in ("Harbour Net", "report_", "member_"):
        assert name not in page
    rows = list(csv.DictReader(io.StringIO(reporter.get(reverse("spreading-csv")).content.decode())))
    assert [row["addresses_and_names"] for row in rows] == ["0"] * 23 + ["1"]
    assert {row["kind"] for row in rows} == {shared.attack_kind}


def test_few_networks_are_not_counted_out(reporter: Client, shared: Indicator) -> None:
    """Four are few, with a floor of their connections; five are told."""
    stopped(shared, 4, hits=110)
    page = text_of(reporter.get(reverse("spreading")))
    assert "stopped more than 400 connections at fewer than 5 networks" in page


def test_five_networks_are_counted_out(reporter: Client, shared: Indicator) -> None:
    """With what they stopped, in their region, too."""
    stopped(shared, 5, hits=1_000)
    page = text_of(reporter.get(reverse("spreading")))
    assert page.count("stopped 5,000 connections at 5 networks") == 3  # the sentence, the kind, the region


@pytest.mark.parametrize("age", [dt.timedelta(hours=25), dt.timedelta(days=3)])
def test_what_is_older_is_not_now(member: Member, shared: Indicator, age: dt.timedelta) -> None:
    """The last 24 hours alone."""
    person = a_person("Rosa Field")
    services.give_role(person, "reporter", member=member)
    actor = Actor.of_person(person)
    assert spreading.spreading(actor).kinds
    assert not spreading.spreading(actor, now() + age).kinds


def test_what_was_withdrawn_is_not_now(reporter: Client, shared: Indicator) -> None:
    """It spread, and nobody need worry about it any more."""
    person = a_person("Tara Quill")
    services.give_role(person, "trusted")
    judging.withdraw(shared, Actor.of_person(person), "it was ours")
    assert ADDRESS not in text_of(reporter.get(reverse("spreading")))


def test_what_a_community_alone_knows_stays_there(
    reporter: Client, shared: Indicator, django_assert_max_num_queries: Any
) -> None:
    """Only the channels that the reader may read are counted; and a page asks few questions."""
    others = Community.objects.create(name="Elsewhere", slug="elsewhere", made_at=now())
    Outgoing.objects.update(channel=shared_channel(others, "green"))
    with django_assert_max_num_queries(30):
        assert "Nothing was shared" in text_of(reporter.get(reverse("spreading")))


def test_the_class_is_the_one_said_where_it_was_told(member: Member, shared: Indicator) -> None:
    """What is said to everybody of the same address is another audience's word."""
    circle = Community.objects.create(name="Ports", slug="ports", made_at=now())
    Indicator.objects.update(state="held", attack_kind="fraud/phishing")
    fields = {"state": "shared", "reason": "two say so", "changed_at": now()}
    Standing.objects.create(indicator=shared, community=circle, attack_kind="availability/ddos", **fields)
    Outgoing.objects.update(channel=shared_channel(circle, "green"))
    told = spreading.entries_of([shared_channel(circle, "green")], now())
    assert {entry.kind for entry in told} == {"availability/ddos"}
    Standing.objects.update(attack_kind="")
    told = spreading.entries_of([shared_channel(circle, "green")], now())
    assert {entry.kind for entry in told} == {UNNAMED}


def test_what_belongs_together_is_told_with_its_ground(reporter: Client, member: Member) -> None:
    """Three addresses of one network are a campaign, two are not, nor is one elsewhere; never by a case."""
    harbour = a_member("Harbour Net")
    near = [f"100.128.9.{last}" for last in (4, 77, 200)]
    others = ["100.128.10.1", "100.128.10.2", "100.128.200.9"]
    for one in (member, harbour):
        for address in (*near, *others):
            reported(one, address)
    gathering.gather_campaigns()  # whatever the police hold together
    stopped(Indicator.objects.get(value=near[0]), 5, hits=10)
    page = text_of(reporter.get(reverse("spreading")))
    assert "By campaign, the widest reach first" in page
    assert "100.128.9.0/24" in page
    assert "3 addresses of one network, reported for" in page
    assert "100.128.10.0/24" not in page
    assert "Harbour Net" not in page
    rows = list(csv.DictReader(io.StringIO(reporter.get(reverse("spreading-csv")).content.decode())))
    mine = [row["addresses_and_names"] for row in rows if row["campaign"] == "100.128.9.0/24"]
    assert mine == ["0"] * 23 + ["3"]


def test_campaigns_are_read_from_values_alone() -> None:
    """Networks; names below what somebody registered, not what anybody uses. No table may be asked here."""
    values = [
        *(f"2a0b:6b80:1:{last}::1" for last in (1, 2, 3)),
        *(f"2a0b:6b80:2:{last}::1" for last in (1, 2)),
        *("login.bad-site.top", "pay.secure.bad-site.top", "bad-site.top"),
        *("one.co.uk", "two.co.uk", "lonely.example-shop.top"),
        *("mine.dyn.example.duckdns.org", "yours.duckdns.org"),
    ]
    entries = [
        together.Entry(pk, "fraud/phishing", now(), ":" not in value, value)
        for pk, value in enumerate(values)
    ]
    found = together.groups(entries + entries[:1])
    assert [(one.place, one.ground) for one in found] == [
        ("2a0b:6b80:1::/48", "3 addresses of one network"),
        ("bad-site.top", "3 names below one domain"),
    ]
