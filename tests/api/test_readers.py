"""Readers and sightings over REST, and the words of `tocsin why`."""

import json

import pytest
from django.test import Client
from tests.exchange import a_key, a_member, key_text
from tests.sharing.street import ATTACKER, Street

from tocsin.kernel.time import now, rfc3339
from tocsin.sharing import services
from tocsin.sharing.models import Sighting
from tocsin.sift import asking
from tocsin.wire.indicators import Explained

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def shared(street: Street) -> Street:
    """One address on the list."""
    for member in ("ferry", "harbour"):
        street.report(member, at=now())
    return street


@pytest.fixture
def street(db: None) -> Street:
    """Members who report."""
    return Street()


def holder(*scopes: str) -> Client:
    """A machine of a new member."""
    return Client(headers={"Authorization": f"Bearer {key_text(a_member(), scopes)}"})


def test_a_machine_reads_where_its_members_machines_stand(shared: Street) -> None:
    """Its own number, what stands now, and nothing of others'."""
    other, own = holder("lists:read"), holder("lists:read")
    for client in (other, own):
        assert client.get("/api/v1/lists/addresses.nft").status_code == 200
    answer = own.get("/api/v1/readers")
    assert answer.json()["sentence"] == "The one reader of yours is in step."
    (reader,) = answer.json()["readers"]
    assert {
        name: reader[name] for name in ("way", "what", "state", "number", "current", "behind", "late")
    } == {
        "way": "List",
        "what": "addresses.nft",
        "state": "in step",
        "number": 1,
        "current": 1,
        "behind": 0,
        "late": False,
    }
    assert reader["read_at"].endswith("Z")
    assert holder("reports:read").get("/api/v1/readers").status_code == 403


def test_a_sighting_is_taken_once_by_its_name(shared: Street) -> None:
    """With an Idempotency-Key the same answer comes again; without, the second is known."""
    client = holder("indicators:write")
    address = f"/api/v1/indicators/{shared.indicator().indicator_id}/sightings"
    named = {"Idempotency-Key": "seen-1"}
    assert client.post(address, headers=named).json() == {"taken": 1, "known": 0, "unknown": 0}
    again = client.post(address, headers=named)
    assert again.json()["taken"] == 1
    assert again["Idempotency-Replayed"] == "true"
    assert client.post(address).json() == {"taken": 0, "known": 1, "unknown": 0}
    assert Sighting.objects.count() == 1
    assert client.delete(address).json()["taken"] == 1
    assert not Sighting.objects.exists()
    assert client.post("/api/v1/indicators/indicator_nothing/sightings").status_code == 404
    assert holder("lists:read").post(address).status_code == 403


def test_many_sightings_at_once(shared: Street) -> None:
    """By value; what is on no list is counted, and one that is malformed refuses the whole."""
    client = holder("indicators:write")

    def send(*sightings: dict[str, str]) -> object:
        body = json.dumps({"sightings": sightings})
        return client.post("/api/v1/indicators/sightings", body, content_type="application/json")

    seen_at = rfc3339(now())
    taken = send({"value": ATTACKER, "seen_at": seen_at}, {"value": "shop.example"})
    assert taken.json() == {"taken": 1, "known": 0, "unknown": 1}  # type: ignore[attr-defined]
    for wrong in ({"value": "no name"}, {"value": ATTACKER, "seen_at": "noon"}, {"address": ATTACKER}):
        refused = send({"value": ATTACKER}, wrong)
        assert refused.status_code == 400  # type: ignore[attr-defined]
        assert refused["Content-Type"] == "application/problem+json"  # type: ignore[index]


def test_why_says_who_has_taken_a_withdrawal(shared: Street) -> None:
    """And who met it; the terminal prints both."""
    services.withdraw(shared.indicator(), shared.trusted(), "it was ours")
    client = holder("lists:read")
    found = client.get("/api/v1/indicators", {"value": ATTACKER}).json()
    assert found["taken"].endswith("no network was reading the lists")
    assert (found["taken_by_us"], found["seen"]) == ("", "")
    told = asking.told(
        Explained(
            kind="address",
            value=ATTACKER,
            sentence="It was withdrawn.",
            taken="withdrawn at 10:42 UTC, taken by 11 of 12 networks",
            taken_by_us="not yet taken by your key south",
            seen="seen again by a few networks in 7 days",
        )
    )
    assert "taken           withdrawn at 10:42 UTC, taken by 11 of 12 networks; not yet taken by your" in told
    assert "seen            again by a few networks in 7 days" in told


def test_a_key_of_two_scopes_sees_its_own_sighting(shared: Street) -> None:
    """What a member says of an indicator shows nowhere in what another reads."""
    seer = a_key(a_member("seer"), ("indicators:write", "lists:read"))
    from tocsin.sharing import sightings

    sightings.see_one(seer, shared.indicator().indicator_id)
    body = holder("lists:read").get("/api/v1/indicators", {"value": ATTACKER}).content.decode()
    assert "seer" not in body
    assert '"seen":""' in body
