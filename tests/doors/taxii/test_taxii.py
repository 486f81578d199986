"""TAXII 2.1 as its standard has it, rule by rule."""

import base64
import re
from typing import Any

import pytest
from django.test import Client
from stix2validator import ValidationOptions, validate_instance
from taxii2client.exceptions import AccessError
from taxii2client.v21 import Server, as_pages
from tests.exchange import a_member, key_text
from tests.over_http import over_http
from tests.sharing.street import ATTACKER, PHISH, Street

from tocsin.kernel.time import now
from tocsin.sharing import services
from tocsin.sharing.channels import channel_id_of
from tocsin.sharing.models import Outgoing
from tocsin.wire import taxii

pytestmark = pytest.mark.django_db

ROOT = "/taxii2/api/"
ATTACKERS = [f"80.94.92.{last}" for last in range(1, 8)]


def collection(rest: str = "") -> str:
    return f"{ROOT}collections/{channel_id_of(None, 'green')}/{rest}"


@pytest.fixture
def street() -> Street:
    """Seven addresses and a name that are shared, one of the addresses withdrawn again."""
    street = Street()
    for member in ("ferry", "medway"):
        street.reports(member, [{"origins": (origin,)} for origin in ATTACKERS], at=now())
        street.phish(member, at=now())
    services.withdraw(street.indicator(ATTACKERS[0]), street.trusted(), "a mistake")
    return street


@pytest.fixture
def reader(db: None) -> Client:
    """A client whose key comes as the password of HTTP Basic."""
    return Client(headers={"Authorization": basic(key_text(scopes=("lists:read",)))})


def basic(key: str, user: str = "anyone") -> str:
    return "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()


def ids(answer: Any) -> list[str]:
    return [item["id"] for item in answer.json().get("objects", [])]


def test_a_real_client_walks_from_discovery_to_objects(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """taxii2-client over HTTP, two objects a page; every object is valid by stix2-validator."""
    key = key_text(scopes=("lists:read",))

    def walk(url: str) -> tuple[list[Any], list[Any], Any, Any]:
        server = Server(url + "/taxii2/", user="x", password=key)
        (shared,) = server.default.collections
        assert (shared.can_read, shared.can_write) == (True, False)
        pages = list(as_pages(shared.get_objects, per_request=2))
        found = [item for page in pages for item in page["objects"]]
        manifest = [item for page in as_pages(shared.get_manifest, per_request=4) for item in page["objects"]]
        last = found[-1]["id"]
        answers = found, manifest, shared.get_object(last), shared.object_versions(last)
        server.close()
        return answers

    found, manifest, one, versions = over_http(walk, monkeypatch)
    assert len(found) == len({item["id"] for item in found}) == 9
    patterns = {item["pattern"]: item.get("revoked", False) for item in found if "pattern" in item}
    assert patterns[f"[domain-name:value = '{PHISH}']"] is False
    assert patterns[f"[ipv4-addr:value = '{ATTACKERS[0]}']"] is True
    assert sum(patterns.values()) == 1
    assert [item["id"] for item in manifest] == [item["id"] for item in found]
    assert (one["objects"], versions["versions"][-1]) == ([found[-1]], found[-1]["modified"])
    for item in found:
        result = validate_instance(item, ValidationOptions(version="2.1"))
        assert result.is_valid, result.errors


def test_versions_are_chosen_as_asked(street: Street, reader: Client) -> None:
    """The last by default; first, all and one of an exact instant; 400 for `all` among others."""
    withdrawn = f"indicator--{street.indicator(ATTACKERS[0]).stix_id}"
    objects = collection("objects/")

    def asked(version: str) -> list[bool]:
        answer = reader.get(objects, {"match[id]": withdrawn, "match[version]": version})
        return [item.get("revoked", False) for item in answer.json().get("objects", [])]

    assert asked("last") == [True]
    assert asked("first") == [False]
    assert asked("all") == asked("first,last") == [False, True]
    versions = reader.get(f"{objects}{withdrawn}/versions/").json()["versions"]
    assert [asked(version) for version in versions] == [[False], [True]]
    assert asked("2020-01-01T00:00:00.000Z") == []
    assert reader.get(f"{objects}{withdrawn}/", {"match[version]": "2020-01-01T00:00:00Z"}).json() == {}
    assert reader.get(objects, {"match[version]": "all,last"}).status_code == 400


def test_filters_narrow_each_other(street: Street, reader: Client) -> None:
    """Values of one are alternatives; unknown types match nothing, and are no error."""
    objects = collection("objects/")
    first, second = (f"indicator--{street.indicator(value).stix_id}" for value in ATTACKERS[1:3])
    assert set(ids(reader.get(objects, {"match[id]": f"{first},{second}"}))) == {first, second}
    assert ids(reader.get(objects, {"match[id]": first, "match[type]": "malware"})) == []
    assert len(ids(reader.get(objects, {"match[type]": "indicator"}))) == 8
    assert len(ids(reader.get(objects, {"match[type]": "marking-definition"}))) == 1
    assert len(ids(reader.get(objects, {"match[type]": "marking-definition,indicator"}))) == 9
    assert len(ids(reader.get(objects, {"match[spec_version]": "2.1,2.0"}))) == 9
    assert reader.get(objects, {"match[spec_version]": "2.0"}).json() == {}
    assert len(ids(reader.get(objects, {"match[confidence]": "80"}))) == 9  # unknown: ignored


def test_following_by_added_after_meets_everything_once(street: Street, reader: Client) -> None:
    """Strictly after, in order, and what is shared later comes; an empty page echoes where one stood."""
    seen: list[str] = []
    after = "2020-01-01T00:00:00.000000Z"
    while objects := (
        answer := reader.get(collection("objects/"), {"added_after": after, "limit": 2})
    ).json():
        assert len(objects["objects"]) <= 2
        assert answer["X-TAXII-Date-Added-First"] > after
        seen += ids(answer)
        after = answer["X-TAXII-Date-Added-Last"]
    assert len(seen) == len(set(seen)) == 9
    assert answer["X-TAXII-Date-Added-Last"] == after
    for member in ("ferry", "medway"):
        street.report(member, ATTACKER, at=now())
    assert len(ids(reader.get(collection("objects/"), {"added_after": after}))) == 1


def test_a_cursor_is_good_for_its_own_question_alone(street: Street, reader: Client) -> None:
    """Not with other filters, not for another key, not if changed."""
    objects = collection("objects/")
    first = reader.get(objects, {"limit": 3}).json()
    assert first["more"] is True
    rest = reader.get(objects, {"limit": 100, "next": first["next"]}).json()
    assert (len(rest["objects"]), "more" in rest) == (6, False)
    stranger = Client(headers={"Authorization": basic(key_text(scopes=("lists:read",)))})
    assert stranger.get(objects, {"next": first["next"]}).status_code == 400
    assert reader.get(objects, {"next": first["next"], "match[type]": "indicator"}).status_code == 400
    assert reader.get(objects, {"next": first["next"][:-1]}).status_code == 400
    assert reader.get(collection("manifest/"), {"next": first["next"]}).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=1&limit=2",
        "added_after=yesterday",
        "added_after=2026-01-01",
        "added_after=2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z",
        "match[id]=nonsense",
        "match[id]=",
        "match[type]=A B",
        "match[version]=newest",
        "match[version]=all,all",
        "match[spec_version]=two",
        "match[type]=a-b&match[type]=c-d",
        "next=1",
    ],
)
def test_what_is_malformed_is_refused(reader: Client, query: str) -> None:
    """400 as a TAXII error, its `http_status` that of the header."""
    answer = reader.get(collection("objects/") + "?" + query)
    assert answer.status_code == 400
    assert answer["Content-Type"] == taxii.MEDIA
    assert answer.json()["http_status"] == "400"


def test_every_answer_speaks_taxii(reader: Client) -> None:
    """With and without the last slash; nothing shared is `{}`, never an empty list; errors have titles."""
    for path in ("/taxii2/", ROOT, f"{ROOT}collections/", collection(), collection("objects/")):
        for spelled in {path, path.rstrip("/") if path != "/taxii2/" else path}:
            answer = reader.get(spelled)
            assert (answer.status_code, answer["Content-Type"]) == (200, taxii.MEDIA), spelled
    discovery = reader.get("/taxii2/").json()
    assert discovery["default"] in discovery["api_roots"]
    assert reader.get(collection("manifest/")).json() == {}
    unknown = "indicator--00000000-0000-4000-8000-000000000000"
    for path in (f"{ROOT}nowhere/", collection(f"objects/{unknown}/"), f"{ROOT}status/1/", "/taxii2/x"):
        answer = reader.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (404, taxii.MEDIA)
        assert answer.json()["title"]


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("", 200),
        ("*/*", 200),
        ("application/taxii+json", 200),
        ("application/taxii+json;version=2.1", 200),
        ("text/html, application/taxii+json; version=2.1", 200),
        ("application/taxii+json;version=2.0", 406),
        ("text/html", 406),
    ],
)
def test_what_the_client_accepts_is_respected(reader: Client, accept: str, status: int) -> None:
    """A range without a version means the highest."""
    answer = reader.get("/taxii2/", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (status, taxii.MEDIA)


def test_nobody_writes_and_only_keys_of_that_scope_read(reader: Client) -> None:
    """POST and DELETE are forbidden as can_write says; 401 carries a challenge for Basic."""
    envelope = {"data": b'{"objects": []}', "content_type": taxii.MEDIA}
    assert reader.post(collection("objects/"), **envelope).status_code == 403
    assert reader.delete(collection("objects/")).status_code == 405
    assert reader.put(collection("objects/")).status_code == 405
    for client in (Client(), Client(headers={"Authorization": "Basic nonsense"})):
        answer = client.get("/taxii2/")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Basic")
    key = key_text()
    assert Client(headers={"Authorization": f"Bearer {key}"}).get("/taxii2/").status_code == 403
    good = key_text(scopes=("lists:read",))
    assert Client(headers={"Authorization": f"Bearer {good}"}).get("/taxii2/").status_code == 200


def test_nothing_in_the_feed_names_a_source(street: Street) -> None:
    """No member, no report, no attack, and no time but the exchange's own that is finer than an hour."""
    for row in Outgoing.objects.all():
        body = bytes(row.body).decode()
        for word in ("ferry", "medway", "report_", "attack_", "member_", "a mistake"):
            assert word not in body
        if row.indicator_id is not None:
            assert body.count(":00:00.000Z") >= 3  # created, valid_from, valid_until
            assert re.search(r'"modified":"[^"]+:00:0\d\.000Z"', body)  # a second apart


def test_a_real_client_writes(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it adds comes back as it was sent, each judged by itself; what it deletes is gone."""
    member = a_member("writer")
    key = key_text(member, ("lists:read", "indicators:write"))
    at = "2026-11-26T10:00:00.000Z"
    wanted = {
        "type": "indicator", "spec_version": "2.1", "id": "indicator--0d3a4e1c-3c1e-4d2f-9d53-6d1f2b7c9a01",
        "created": at, "modified": at, "pattern": "[ipv4-addr:value = '80.94.92.99']",
        "pattern_type": "stix", "valid_from": at, "x_mitre_score": 0.5,
    }  # fmt: skip
    broken = {**wanted, "id": "indicator--1"}

    def write(url: str) -> tuple[Any, Any, Any]:
        server = Server(url + "/taxii2/", user="x", password=key)
        (own,) = [one for one in server.default.collections if one.can_write]
        (shared,) = [one for one in server.default.collections if not one.can_write]
        status = own.add_objects({"objects": [wanted, broken]})
        found = own.get_object(wanted["id"])["objects"]
        own.delete_object(wanted["id"])
        with pytest.raises(AccessError):
            shared.add_objects({"objects": [wanted]})
        after = own.get_objects()
        server.close()
        return status, found, after

    status, found, after = over_http(write, monkeypatch)
    assert (status.status, status.success_count, status.failure_count) == ("complete", 1, 1)
    assert status.failures[0]["id"] == "indicator--1"
    assert found == [wanted]
    assert after == {}
