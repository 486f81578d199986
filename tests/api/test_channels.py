"""Channels as lines and as a table, from a number on."""

import csv
import io
import json

import pytest
from django.test import Client
from tests.exchange import a_member, key_text
from tests.sharing.street import PHISH, Street

from tocsin.kernel.time import now
from tocsin.sharing import services
from tocsin.sharing.models import Outgoing

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ATTACKERS = [f"80.94.92.{last}" for last in range(1, 8)]
GREEN = "/api/v1/channels/everybody-green/entries"


@pytest.fixture
def street(db: None) -> Street:
    """Seven addresses and a name that are shared, one of the addresses withdrawn again."""
    street = Street()
    tess = street.trusted()
    for member in ("ferry", "medway"):
        street.reports(member, [{"origins": (origin,)} for origin in ATTACKERS], at=now())
        street.phish(member, at=now())
    services.withdraw(street.indicator(ATTACKERS[0]), tess, "a mistake")
    return street


@pytest.fixture
def reader(db: None) -> Client:
    """Who reads lists."""
    return Client(headers={"Authorization": f"Bearer {key_text(a_member('harbour'), ('lists:read',))}"})


def test_following_by_number_meets_every_entry_once(street: Street, reader: Client) -> None:
    """Page by page, the stored bytes; what was withdrawn comes as revoked, and the end says so."""
    after, told, more = 0, [], "true"
    while more == "true":
        answer = reader.get(f"{GREEN}.ndjson?after={after}&limit=3")
        told += answer.content.splitlines()
        after, more = int(answer["Tocsin-Last"]), answer["Tocsin-More"]
    stored = Outgoing.objects.filter(channel__alias="everybody-green", is_latest=True).order_by("number")
    assert [json.loads(line)["number"] for line in told] == [row.number for row in stored]
    assert [line.partition(b'"object":')[2][:-1] for line in told] == [bytes(row.body) for row in stored]
    empty = reader.get(f"{GREEN}.ndjson?after={after}")
    assert (empty.content, empty["Tocsin-Last"], empty["Tocsin-More"]) == (b"", str(after), "false")


def test_a_table_has_a_row_for_each_value(street: Street, reader: Client) -> None:
    """With its state; markings are no rows."""
    rows = list(csv.DictReader(io.StringIO(reader.get(f"{GREEN}.csv").content.decode())))
    assert {row["value"] for row in rows} == {*ATTACKERS, PHISH}
    assert {row["value"] for row in rows if row["revoked"] == "true"} == {ATTACKERS[0]}
    assert {(row["kind"], row["tlp"], row["confidence"]) for row in rows if row["revoked"] == "false"} == {
        ("address", "green", "50"),
        ("name", "green", "50"),
    }
    assert all(row["valid_until"] and row["stix_id"].startswith("indicator--") for row in rows)


def test_channels_are_those_that_the_key_reads(street: Street, reader: Client) -> None:
    """By name and number; another's is not there, a malformed number is refused."""
    (green,) = reader.get("/api/v1/channels").json()["channels"]
    assert (green["alias"], green["tlp"]) == ("everybody-green", "green")
    assert green["number"] == Outgoing.objects.filter(channel__alias="everybody-green").count()
    assert reader.get(f"/api/v1/channels/{green['channel']}/entries.csv").status_code == 200
    assert reader.get("/api/v1/channels/from-ferry/entries.csv").status_code == 404
    assert reader.get(f"{GREEN}.csv?after=x").status_code in (400, 422)
    assert reader.get(f"{GREEN}.csv?limit=100000").status_code in (400, 422)
    assert Client(headers={"Authorization": f"Bearer {key_text()}"}).get(f"{GREEN}.csv").status_code == 403
