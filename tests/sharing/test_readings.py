"""How far each key has read: noted for every door, and asking again costs nothing."""

import datetime as dt

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.exchange import a_key, a_member, key_text
from tests.sharing.street import Street

from tocsin.access import gathering
from tocsin.access import services as access
from tocsin.access.models import ApiKey
from tocsin.access.policy import Actor
from tocsin.kernel.time import now
from tocsin.sharing import channels, readings, services
from tocsin.sharing.models import Channel, ListHead, Outgoing, Reading

pytestmark = [pytest.mark.django_db, pytest.mark.database]

READS = ("lists:read",)
MINUTE = dt.timedelta(minutes=1)
LIST = "/api/v1/lists/addresses.txt"


@pytest.fixture
def machine(db: None) -> Client:
    """A resolver with a key."""
    return Client(headers={"Authorization": f"Bearer {key_text(a_member('medway'), READS)}"})


def shared(street: Street, *addresses: str) -> None:
    """These are on the list now, each with a number of its own."""
    for address in addresses:
        for member in ("ferry", "harbour"):
            street.report(member, address, now())


def test_who_names_no_number_has_what_it_was_sent(street: Street, machine: Client) -> None:
    """A plain download is a receipt for that number."""
    shared(street, "80.94.92.17")
    assert machine.get(LIST).status_code == 200
    (reading,) = Reading.objects.all()
    assert (reading.way, reading.what, reading.number, reading.current) == ("list", "addresses.txt", 1, 1)
    assert reading.member.name == "medway"
    assert reading.channel is None


def test_who_names_the_number_it_holds_is_believed(street: Street, machine: Client) -> None:
    """What was sent counts only once the reader says that it has it: a list that fails its check is not."""
    shared(street, "80.94.92.17")
    tag = machine.get(LIST)["ETag"]
    shared(street, "80.94.92.18")
    answer = machine.get(LIST, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    reading = Reading.objects.get()
    assert (reading.number, reading.current) == (1, 2)
    assert machine.get(LIST, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    reading.refresh_from_db()
    assert (reading.number, reading.current) == (2, 2)


@pytest.mark.parametrize("claim", ['"addresses.txt-99"', '"names.txt-1"', "*", '"', '"addresses.txt-"'])
def test_a_number_that_never_was_is_not_believed(street: Street, machine: Client, claim: str) -> None:
    """Nor the tag of another list: the reader has what it was sent, or what stands."""
    shared(street, "80.94.92.17")
    machine.get(LIST, headers={"If-None-Match": claim})
    assert Reading.objects.get().number == 1


def test_asking_again_within_the_minute_writes_nothing(street: Street, machine: Client) -> None:
    """Four polls a second stay as cheap as before; the same number is noted again a minute later."""
    shared(street, "80.94.92.17")
    tag = machine.get(LIST)["ETag"]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        for _ in range(8):
            assert machine.get(LIST, headers={"If-None-Match": tag}).status_code == 304
    assert not [one["sql"] for one in asked if "sharing_reading" in one["sql"]]
    before = Reading.objects.get()
    key = ApiKey.objects.get(pk=before.key_id)
    later = [readings.Read(key, "list", "addresses.txt", 1, 1)]
    assert readings.note(later, before.read_at + MINUTE / 2) == 0
    assert readings.note(later, before.read_at + 2 * MINUTE) == 1
    after = Reading.objects.get()
    assert (after.began_at, after.taken_at) == (before.began_at, before.taken_at)
    assert after.read_at == before.read_at + 2 * MINUTE


def test_what_another_process_noted_stays_true(db: None) -> None:
    """A process that remembers less does not move the instant at which a number was taken."""
    key = a_key(a_member(), READS).key
    assert key is not None
    at = now()
    readings.note([readings.Read(key, "list", "names.rpz", 4, 4)], at)
    readings._noted.clear()
    readings.note([readings.Read(key, "list", "names.rpz", 4, 5)], at + MINUTE)
    reading = Reading.objects.get()
    assert (reading.taken_at, reading.read_at, reading.current) == (at, at + MINUTE, 5)


def test_a_list_that_was_restored_is_behind_again(db: None) -> None:
    """A machine back from its backup holds the older number, and says so."""
    key = a_key(a_member(), READS).key
    assert key is not None
    readings.note([readings.Read(key, "list", "names.rpz", 4, 4)])
    readings.note([readings.Read(key, "list", "names.rpz", 2, 4)])
    assert Reading.objects.get().number == 2


def test_taxii_pages_are_noted_up_to_where_they_go(street: Street, machine: Client) -> None:
    """Page by page, and to the channel's number at the last; reading anew from the start loses nothing."""
    shared(street, "80.94.92.17", "80.94.92.18")
    channel = channels.shared_channel(None, "green")
    objects = f"/taxii2/api/collections/{channel.channel_id}/objects/"
    accept = {"Accept": "application/taxii+json;version=2.1"}
    first = machine.get(objects, {"limit": 1}, headers=accept)
    assert Reading.objects.get().number == 1
    following = {"limit": 1_000, "next": first.json()["next"]}
    assert machine.get(objects, following, headers=accept).status_code == 200
    reading = Reading.objects.get()
    assert (reading.way, reading.what, reading.number) == ("taxii", "everybody-green", 3)
    assert reading.number == Channel.objects.get(pk=channel.pk).number
    machine.get(objects, {"limit": 1}, headers=accept)
    assert Reading.objects.get().number == 3


@pytest.mark.parametrize(
    "narrowed",
    [
        {"match[id]": "indicator--11111111-1111-4111-8111-111111111111"},
        {"match[type]": "marking-definition"},
        {"match[version]": "first"},
        {"match[spec_version]": "2.0"},
    ],
)
def test_a_narrowed_question_is_no_receipt(street: Street, machine: Client, narrowed: dict[str, str]) -> None:
    """Whoever asks for some things alone may have missed a withdrawal."""
    shared(street, "80.94.92.17")
    channel = channels.shared_channel(None, "green")
    objects = f"/taxii2/api/collections/{channel.channel_id}/objects/"
    accept = {"Accept": "application/taxii+json;version=2.1"}
    assert machine.get(objects, narrowed, headers=accept).status_code == 200
    assert not Reading.objects.exists()


def test_ones_own_contributions_are_nobodys_list(db: None) -> None:
    """Whoever reads what it wrote itself is no reader that others wait for."""
    member = a_member()
    client = Client(
        headers={"Authorization": f"Bearer {key_text(member, ('lists:read', 'indicators:write'))}"}
    )
    channel = channels.contributions_of(member)
    accept = {"Accept": "application/taxii+json;version=2.1"}
    address = f"/taxii2/api/collections/{channel.channel_id}/objects/"
    assert client.get(address, headers=accept).status_code == 200
    assert not Reading.objects.exists()


def test_a_withdrawal_is_kept_with_its_number_on_every_list_and_channel(street: Street) -> None:
    """What expires is not: its end was announced."""
    shared(street, "80.94.92.17", "80.94.92.18")
    services.withdraw(street.indicator("80.94.92.17"), street.trusted(), "a mistake")
    removals = street.indicator("80.94.92.17").removals.order_by("list_key")
    channel = channels.shared_channel(None, "green")
    assert [(one.list_key, one.channel, one.number) for one in removals] == [
        ("", channel, 4),
        ("address", None, 3),
    ]
    assert ListHead.objects.get(pk="address").number == 3
    assert channel.entries.get(number=4).revoked
    services.sweep(now() + dt.timedelta(days=8))
    assert not street.indicator("80.94.92.18").removals.exists()


def test_lines_of_a_channel_are_noted_as_far_as_they_go(street: Street, machine: Client) -> None:
    """NDJSON and CSV page by page, as TAXII."""
    shared(street, "80.94.92.17", "80.94.92.18")
    address = "/api/v1/channels/everybody-green/entries"
    assert machine.get(f"{address}.ndjson", {"limit": 1}).status_code == 200
    assert Reading.objects.get().number == 1
    assert machine.get(f"{address}.csv", {"after": 1}).status_code == 200
    reading = Reading.objects.get()
    assert (reading.way, reading.what, reading.number) == ("lines", "everybody-green", 3)


def test_a_communitys_list_is_noted_as_its_own(street: Street) -> None:
    """With its name and its number."""
    ferry = street.member("ferry")
    person = access.add_person("fay@example.org", "Fay", "secret")
    access.give_role(person, "reporter", member=ferry)
    ports = gathering.make(Actor.of_person(person), "Ports")
    client = Client(headers={"Authorization": f"Bearer {key_text(ferry, READS)}"})
    tag = client.get("/api/v1/lists/ports.addresses.txt")["ETag"]
    known = client.get("/api/v1/lists/ports.addresses.txt", headers={"If-None-Match": tag})
    assert known.status_code == 304
    reading = Reading.objects.get()
    assert (reading.what, reading.number, reading.community) == ("ports.addresses.txt", 0, ports)


def made_older(channel: Channel, hours: int, **which: int) -> None:
    """These entries left so many hours before."""
    before = F("date_added") - dt.timedelta(hours=hours)
    Outgoing.objects.filter(channel=channel, **which).update(date_added=before)


MANIFEST = "/misp/feed/manifest.json"


def numbers() -> list[tuple[str, int]]:
    """What is noted, and how far."""
    return list(Reading.objects.order_by("what").values_list("what", "number"))


def test_a_misp_feed_is_read_as_far_as_its_changed_events_were_fetched(
    street: Street, machine: Client
) -> None:
    """Whoever looks at the manifest alone is no reader; each event that changed must be fetched."""
    shared(street, "80.94.92.17")
    channel = channels.shared_channel(None, "green")
    made_older(channel, 24)
    (yesterday,) = machine.get(MANIFEST).json()
    assert numbers() == []
    assert machine.head(f"/misp/feed/{yesterday}.json").status_code == 200
    assert numbers() == []
    machine.get(f"/misp/feed/{yesterday}.json")
    assert numbers() == [("everybody-green", 2)]
    shared(street, "80.94.92.18")  # number 3, in today's event
    services.withdraw(street.indicator("80.94.92.17"), street.trusted(), "a mistake")  # 4, in yesterday's
    shared(street, "80.94.92.19")  # 5, in today's
    (today,) = set(machine.get(MANIFEST).json()) - {yesterday}
    assert numbers() == [("everybody-green", 2)]
    machine.get(f"/misp/feed/{yesterday}.json")
    assert numbers() == [("everybody-green", 2)], "a word of today is still to come"
    machine.get(f"/misp/feed/{today}.json")
    assert numbers() == [("everybody-green", 5)]
    assert Reading.objects.get().ahead is None
    assert machine.get(MANIFEST).status_code == 200
    assert numbers() == [("everybody-green", 5)]


def test_misp_hashes_and_searches_are_read_as_a_whole(street: Street, machine: Client) -> None:
    """A search for some things, or for what is later than the last number, is no receipt."""
    shared(street, "80.94.92.17")
    channel = channels.shared_channel(None, "green")
    made_older(channel, 24)

    def search(what: str = "attributes", **filters: object) -> None:
        answer = machine.post(f"/misp/{what}/restSearch", filters, content_type="application/json")
        assert answer.status_code == 200

    for filters in ({"value": "80.94.92.17"}, {"limit": 1}, {"last": "2d"}, {"to": "1h"}, {"deleted": [1]}):
        search(**filters)
    search("events", metadata=True)
    assert numbers() == []
    search(to_ids=True)
    assert numbers() == [("everybody-green", 2)]
    shared(street, "80.94.92.18")
    made_older(channel, 12, number=3)
    search(last="1h", deleted=[0, 1])
    assert numbers() == [("everybody-green", 2)], "what changed twelve hours ago was not asked for"
    search(last="1d", deleted=[0, 1])
    assert numbers() == [("everybody-green", 3)]
    shared(street, "80.94.92.19")
    search("events")
    assert numbers() == [("everybody-green", 4)]
    assert machine.get("/misp/feed/hashes.csv").status_code == 200
    assert numbers() == [("everybody-green", 4), ("everybody-green/hashes", 4)]
