"""Out by TAXII, through other people's libraries, and back: what a format can hold is not lost on the way."""

import datetime as dt
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pymisp
import pytest
from django.test import Client
from tests.conftest import missing
from tests.exchange import a_key, a_member, key_text
from tests.sharing.street import PHISH, Street

from tocsin.access.models import Member
from tocsin.jobs import worker
from tocsin.kernel.time import now
from tocsin.sharing import services, sighted, sightings
from tocsin.sharing.models import Assertion, Sighting
from tocsin.wire import stix_in

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ATTACKERS = [f"80.94.92.{last}" for last in range(1, 5)] + ["2a0b:6b80::17"]
BOTH = ("lists:read", "indicators:write")
MEDIA = "application/taxii+json;version=2.1"


def stix2() -> Any:
    """The standard's own library."""
    try:
        import stix2
    except ModuleNotFoundError:
        missing("stix2 is not installed")
    return stix2


def converted(how: str, given: object) -> Any:
    """By MISP's converters between its format and STIX."""
    if importlib.util.find_spec("misp_stix_converter") is None:
        missing("misp-stix is not installed")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(Path(__file__).with_name("converting.py")), how],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def harbour(db: None) -> Member:
    """Another member, who passes on."""
    return a_member("harbour")


@pytest.fixture
def client(harbour: Member) -> Client:
    """With its key."""
    return Client(headers={"Authorization": f"Bearer {key_text(harbour, BOTH)}"})


@pytest.fixture
def shared(client: Client) -> list[dict[str, Any]]:
    """What TAXII gives: addresses of both kinds and a name, one address withdrawn."""
    street = Street()
    tess = street.trusted()
    for member in ("ferry", "medway"):
        street.reports(member, [{"origins": (origin,)} for origin in ATTACKERS], at=now())
        street.phish(member, at=now())
    services.withdraw(street.indicator(ATTACKERS[0]), tess, "a mistake")
    for member in ("tamar", "lakes"):
        met = [sightings.Met(PHISH, now() - dt.timedelta(hours=2)), sightings.Met(ATTACKERS[1])]
        sightings.see(a_key(a_member(member), BOTH), met)
    assert sighted.tell_sightings(now() + dt.timedelta(hours=1)) == 2
    found = client.get("/taxii2/api/collections/everybody-green/objects/").json()["objects"]
    assert len(found) == 9
    return list(found)


def at_instants(one: dict[str, Any]) -> dict[str, Any]:
    """An object with its times as instants, however they are spelled."""
    times = {"created", "modified", "valid_from", "valid_until", "first_seen", "last_seen"} & set(one)
    return {**one, **{name: dt.datetime.fromisoformat(one[name]) for name in times}}


def value_of(pattern: str) -> str:
    """The one value of a pattern."""
    ((_, value),) = stix_in.values_of(pattern) or ()
    return value


def written(client: Client, objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Write objects into the own collection, and let the worker take them as words."""
    known = client.get("/taxii2/api/collections/").json()["collections"]
    (own,) = [one["id"] for one in known if one["can_write"]]
    path = f"/taxii2/api/collections/{own}/objects/"
    answer = client.post(path, json.dumps({"objects": objects}), content_type=MEDIA)
    worker.drain()
    return dict(answer.json())


def sighting_of(number: int) -> dict[str, Any]:
    """A sighting as MISP keeps it, an hour old."""
    whose = {"uuid": "5d1d1d1d-0000-4000-8000-0000000000aa", "name": "Ours"}
    made_up, at = f"5d1d1d1d-0000-4000-8000-0000000001{number:02d}", str(int(now().timestamp()) - 3_600)
    return {"type": "0", "uuid": made_up, "date_sighting": at, "Organisation": whose}


def as_misp(objects: list[dict[str, Any]]) -> pymisp.MISPEvent:
    """A bundle of these as MISP's converter reads it."""
    bundle = {
        "type": "bundle", "id": "bundle--1d1d1d1d-0000-4000-8000-000000000001", "objects": objects,
    }  # fmt: skip
    event = pymisp.MISPEvent()
    event.from_dict(**converted("to-misp", bundle))
    return event


def test_stix2_reads_and_writes_every_property(shared: list[dict[str, Any]]) -> None:
    """The standard's own library takes each object and gives the same back."""
    parse = stix2().parse
    for one in shared:
        again = json.loads(parse(one, allow_custom=True).serialize())
        assert {"revoked": False, **at_instants(again)} == {"revoked": False, **at_instants(one)}


def test_misps_converter_and_our_misp_feed_say_the_same(shared: list[dict[str, Any]], client: Client) -> None:
    """Value, label, certainty, since when and until when: by way of STIX, and from MISP's door directly."""
    standing = [one for one in shared if not one.get("revoked")]
    through = {one.value: one for one in as_misp(standing).attributes}
    answer = client.post("/misp/attributes/restSearch", "{}", content_type="application/json")
    direct = {}
    for one in answer.json()["response"]["Attribute"]:
        direct[one["value"]] = pymisp.MISPAttribute()
        direct[one["value"]].from_dict(**one)
    assert set(through) == set(direct) == {*ATTACKERS[1:], PHISH}
    for value, one in through.items():
        other = direct[value]
        assert {tag.name for tag in one.tags} == {tag.name for tag in other.tags}
        assert (one.first_seen, one.last_seen) == (other.first_seen, other.last_seen)
        assert (one.category, one.to_ids) == (other.category, other.to_ids)
        assert (
            one.type.partition("-")[0] == other.type.partition("-")[0]
        )  # ip-src or ip-dst: STIX does not say


def test_through_misp_and_back_nothing_is_lost(
    shared: list[dict[str, Any]], client: Client, harbour: Member
) -> None:
    """Into MISP's format, out of it as STIX, and into the exchange: same values, label, certainty, version.

    By then the objects are MISP's own, so that they are somebody's word; ours come back as nobody's. MISP's
    converter leaves out sightings that name no organisation, as ours do; those of MISP's own come in.
    """
    assert written(client, shared)["success_count"] == 9
    assert not Assertion.objects.filter(member=harbour).exists()
    assert not Sighting.objects.filter(member=harbour).exists()
    event = as_misp([one for one in shared if not one.get("revoked")])
    event.add_attribute("ip-src", "80.94.92.99", uuid="5d1d1d1d-0000-4000-8000-000000000099")
    assert not any(one.sightings for one in event.attributes)
    spelled = json.loads(event.to_json())
    for number, told in enumerate(spelled["Attribute"]):
        if told["value"] in (PHISH, ATTACKERS[1]):
            told["Sighting"] = [sighting_of(number)]
    objects = converted("to-stix", {"Event": spelled})
    indicators = [one for one in objects if one["type"] == "indicator"]
    before = {value_of(one["pattern"]): one for one in shared if one["type"] == "indicator"}
    for one in indicators:
        value = value_of(one["pattern"])
        if value in before:
            assert stix_in.tlp_of(one["object_marking_refs"]) == "green"
            assert one["confidence"] == before[value]["confidence"]
            assert one["id"] == before[value]["id"]
            assert one["modified"][:19] == before[value]["modified"][:19]  # MISP counts in seconds
    assert {value_of(one["pattern"]) for one in indicators} == {*ATTACKERS[1:], PHISH, "80.94.92.99"}
    status = written(client, objects)
    assert status["failure_count"] == 0
    words = Assertion.objects.filter(member=harbour)
    assert set(words.values_list("indicator__value", flat=True)) == {"80.94.92.99"}
    seen = {one["sighting_of_ref"] for one in objects if one["type"] == "sighting"}
    assert seen == {before[value]["id"] for value in (PHISH, ATTACKERS[1])}
    found = Sighting.objects.filter(member=harbour)
    assert set(found.values_list("indicator__value", flat=True)) == {PHISH, ATTACKERS[1]}
