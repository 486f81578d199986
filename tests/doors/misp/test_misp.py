"""The MISP feed: what STIX says and what MISP says are the same."""

import datetime as dt
import hashlib
import uuid
from typing import Any

import pymisp
import pytest
from django.test import Client
from tests.exchange import key_text
from tests.sharing.street import PHISH, Street

from tocsin.access.policy import Actor
from tocsin.kernel.time import now
from tocsin.sharing import services
from tocsin.sharing.channels import channel_id_of
from tocsin.sharing.models import Outgoing
from tocsin.wire import misp

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ATTACKERS = [f"80.94.92.{last}" for last in range(1, 8)]
MANIFEST, HASHES = "/misp/feed/manifest.json", "/misp/feed/hashes.csv"


@pytest.fixture
def tess(db: None) -> Actor:
    """Somebody whose word alone counts."""
    return Street().trusted()


@pytest.fixture
def street(tess: Actor) -> Street:
    """Seven addresses and a name that are shared, one of the addresses withdrawn again."""
    street = Street()
    for member in ("ferry", "medway"):
        street.reports(member, [{"origins": (origin,)} for origin in ATTACKERS], at=now())
        street.phish(member, at=now())
    services.withdraw(street.indicator(ATTACKERS[0]), tess, "a mistake")
    return street


@pytest.fixture
def reader(db: None) -> Client:
    """A client that sends the bare key, as MISP does."""
    return Client(headers={"Authorization": key_text(scopes=("lists:read",))})


def everything(reader: Client) -> dict[str, Any]:
    """Every event that the manifest names."""
    return {
        name: reader.get(f"/misp/feed/{name}.json").json()["Event"] for name in reader.get(MANIFEST).json()
    }


def test_misp_and_stix_say_the_same(street: Street, reader: Client) -> None:
    """The same values stand, the same are over; the manifest and the files agree."""
    (event,) = everything(reader).values()
    told = {one["value"]: one.get("deleted", False) for one in event["Attribute"]}
    rows = Outgoing.objects.filter(is_latest=True, indicator__isnull=False).select_related("indicator")
    assert told == {row.indicator.value: row.revoked for row in rows if row.indicator}
    assert {value for value, is_over in told.items() if is_over} == {ATTACKERS[0]}
    assert all(one["to_ids"] is not one.get("deleted", False) for one in event["Attribute"])
    types = {one["value"]: one["type"] for one in event["Attribute"]}
    assert (types[PHISH], types[ATTACKERS[1]]) == ("domain", "ip-src")
    (described,) = reader.get(MANIFEST).json().values()
    assert described == {name: event[name] for name in described}
    assert event["Tag"][0]["name"] == "tlp:green"


def test_an_event_keeps_its_name_and_moves_its_timestamp(street: Street, reader: Client, tess: Actor) -> None:
    """Withdrawn on a later day, an attribute still stands in the event of the day on which it left."""
    (name,) = reader.get(MANIFEST).json()
    row = Outgoing.objects.filter(indicator__value=PHISH).get()
    later = row.date_added + dt.timedelta(days=2)
    assert uuid.UUID(name).version == 5
    services.withdraw(street.indicator(PHISH), tess, "a mistake", at=later)
    Outgoing.objects.filter(indicator__value=PHISH, revoked=True).update(date_added=later, modified=later)
    (after,) = everything(reader).items()
    assert after[0] == name
    assert after[1]["timestamp"] == misp.seconds(later)
    assert {one["value"] for one in after[1]["Attribute"] if one.get("deleted")} == {ATTACKERS[0], PHISH}


def test_hashes_name_what_stands(street: Street, reader: Client) -> None:
    """MD5 of the value and the event, as MISP's feed generator writes them."""
    (name,) = reader.get(MANIFEST).json()
    lines = reader.get(HASHES).content.decode().split()
    digests = {
        hashlib.md5(value.encode(), usedforsecurity=False).hexdigest() for value in [*ATTACKERS[1:], PHISH]
    }
    assert set(lines) == {f"{digest},{name}" for digest in digests}


def test_what_did_not_change_is_not_sent_again(street: Street, reader: Client, tess: Actor) -> None:
    """304 for the same ETag, and a new one after a withdrawal."""
    for address in (MANIFEST, HASHES):
        tag = reader.get(address)["ETag"]
        assert reader.get(address, headers={"If-None-Match": tag}).status_code == 304
        services.withdraw(street.indicator(ATTACKERS[2]), tess, "a mistake")
        assert reader.get(address, headers={"If-None-Match": tag}).status_code == 200
        services.approve(street.indicator(ATTACKERS[2]), tess, True, "right")


def test_only_keys_that_read_lists_enter(street: Street, reader: Client) -> None:
    """401 without a key, 403 for another scope, 404 for what is not there, no member named."""
    assert Client().get(MANIFEST).status_code == 401
    assert Client(headers={"Authorization": key_text()}).get(MANIFEST).status_code == 403
    bearer = f"Bearer {key_text(scopes=('lists:read',))}"
    assert Client(headers={"Authorization": bearer}).get(MANIFEST).status_code == 200
    assert reader.post(MANIFEST).status_code == 405
    unknown = misp.event_id(channel_id_of(None, "green"), dt.date(2020, 1, 1))
    for path in (f"{unknown}.json", "x.json", "other"):
        assert reader.get(f"/misp/feed/{path}").status_code == 404
    text = str(everything(reader))
    assert not any(word in text for word in ("ferry", "medway", "report_", "member_", "a mistake"))


def test_pymisp_loads_what_the_feed_says(street: Street, reader: Client) -> None:
    """The library that MISP's users have reads each event."""
    for name, told in everything(reader).items():
        numbers = {one["uuid"] for one in told["Attribute"]}
        event = pymisp.MISPEvent()
        event.load({"Event": told})
        assert event.uuid == name
        assert {one.value for one in event.attributes if one.to_ids} == {*ATTACKERS[1:], PHISH}
        assert [tag.name for tag in event.tags] == ["tlp:green"]
        assert {str(one.uuid) for one in event.attributes} == numbers
