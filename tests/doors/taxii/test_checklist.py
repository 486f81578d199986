"""TAXII 2.1, rule by rule: each test has its rule's number in our list, and the standard's section.

Sections are those of OASIS TAXII 2.1; a key writes to its own member's contributions and reads the rest.
"""

import datetime as dt
import json
import re
import uuid
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from tests.doors.taxii.test_taxii import basic
from tests.exchange import a_member, key_text
from tests.sharing.street import Street

from tocsin.doors.taxii import views
from tocsin.kernel.time import now
from tocsin.sharing.channels import channel_id_of
from tocsin.sharing.contributions import sweep_statuses
from tocsin.sharing.models import Outgoing
from tocsin.wire import taxii

pytestmark = [pytest.mark.django_db, pytest.mark.database]

DISCOVERY, ROOT = "/taxii2/", "/taxii2/api/"
SHARED = f"{ROOT}collections/{channel_id_of(None, 'green')}/"
FIRST, LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
OLD = "2020-01-01T00:00:00.000Z"
ADDRESSES = [f"80.94.92.{last}" for last in range(1, 6)]


@pytest.fixture
def writer() -> Client:
    """A member's machine that may read and write."""
    cache.clear()
    key = key_text(a_member("writer"), scopes=("lists:read", "indicators:write"))
    return Client(headers={"Authorization": basic(key)})


@pytest.fixture
def reader() -> Client:
    """A machine of another member that only reads."""
    cache.clear()
    return Client(headers={"Authorization": basic(key_text(a_member("reader"), scopes=("lists:read",)))})


@pytest.fixture
def street() -> Street:
    """Five addresses that are shared."""
    street = Street()
    for member in ("ferry", "medway"):
        street.reports(member, [{"origins": (origin,)} for origin in ADDRESSES], at=now())
    return street


def own(client: Client) -> str:
    """The address of the collection that the client may write."""
    found = client.get(f"{ROOT}collections/").json()["collections"]
    return f"{ROOT}collections/{next(one['id'] for one in found if one['can_write'])}/"


def indicator(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A STIX indicator."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.UUID(int=number, version=4)}",
        "created": OLD,
        "modified": OLD,
        "pattern": f"[ipv4-addr:value = '80.94.93.{number % 250}']",
        "pattern_type": "stix",
        "valid_from": OLD,
        **changes,
    }


def post(client: Client, *objects: Any, to: str = "", **more: Any) -> Any:
    """Write objects; gives the answer."""
    body = more.pop("data", json.dumps({"objects": objects}))
    return client.post(
        to or f"{own(client)}objects/", body, content_type=more.pop("media", taxii.MEDIA), **more
    )


def found(client: Client, collection: str = SHARED, rest: str = "objects/", **query: Any) -> list[Any]:
    """The objects of one page."""
    answer = client.get(collection + rest, query)
    assert answer.status_code == 200, answer.content
    return list(answer.json().get("objects", []))


def endpoints(client: Client) -> list[str]:
    """One of every address that answers with a body."""
    written = post(client, indicator()).json()
    mine, one = own(client), indicator()["id"]
    return [
        DISCOVERY,
        ROOT,
        f"{ROOT}status/{written['id']}/",
        f"{ROOT}collections/",
        mine,
        f"{mine}manifest/",
        f"{mine}objects/",
        f"{mine}objects/{one}/",
        f"{mine}objects/{one}/versions/",
    ]


def test_rule_01_every_path_ends_in_a_slash(writer: Client) -> None:
    """3.1; without one it is served, too."""
    for path in endpoints(writer):
        assert writer.get(path).status_code == 200
        if path != DISCOVERY:
            assert writer.get(path.rstrip("/")).status_code == 200


def test_rule_02_every_success_has_the_resource_of_its_endpoint(writer: Client) -> None:
    """3.1."""
    needed = [
        {"title", "default", "api_roots"},
        {"title", "versions", "max_content_length"},
        {"id", "status", "total_count", "success_count", "failure_count", "pending_count"},
        {"collections"},
        {"id", "title", "can_read", "can_write", "media_types"},
        {"objects"},
        {"objects"},
        {"objects"},
        {"versions"},
    ]
    for path, names in zip(endpoints(writer), needed, strict=True):
        assert names <= set(writer.get(path).json()), path


def test_rule_03_every_answer_has_the_media_type_with_its_version(writer: Client) -> None:
    """3.1, errors included."""
    for path in (*endpoints(writer), f"{ROOT}nowhere/", "/taxii2/nowhere/at/all", f"{SHARED}?limit=0"):
        assert writer.get(path)["Content-Type"] == "application/taxii+json;version=2.1", path
    assert Client().get(DISCOVERY)["Content-Type"] == taxii.MEDIA
    assert post(writer, indicator())["Content-Type"] == taxii.MEDIA


def test_rule_04_a_defined_accept_is_never_refused(writer: Client) -> None:
    """3.1."""
    for accept in ("application/taxii+json;version=2.1", "application/taxii+json"):
        for path in endpoints(writer):
            assert writer.get(path, headers={"Accept": accept}).status_code == 200


def test_rule_05_a_defined_content_type_is_never_refused(writer: Client) -> None:
    """3.1; another one is, with 415."""
    for media in ("application/taxii+json;version=2.1", "application/taxii+json"):
        assert post(writer, indicator(), media=media).status_code == 202
    for media in ("application/json", "application/taxii+json;version=2.0", "text/plain"):
        assert post(writer, indicator(), media=media).status_code == 415


def test_rule_06_lists_and_wildcards_are_understood(writer: Client) -> None:
    """3.1; no version means the highest."""
    for accept in (
        "*/*",
        "text/html, */*;q=0.1",
        "application/json, application/taxii+json",
        "application/*",
    ):
        assert writer.get(DISCOVERY, headers={"Accept": accept}).status_code == 200
    assert writer.get(DISCOVERY, headers={"Accept": "application/json"}).status_code == 406


def test_rule_07_endpoints_that_filter_really_filter(street: Street, reader: Client) -> None:
    """3.1."""
    one = f"indicator--{street.indicator(ADDRESSES[0]).stix_id}"
    for rest in ("objects/", "manifest/"):
        assert [item["id"] for item in found(reader, rest=rest, **{"match[id]": one})] == [one]


def test_rule_08_codes_and_headers_are_those_of_the_tables(writer: Client, reader: Client) -> None:
    """Sections 4 and 5: 200, 202, 400, 401, 403, 404, 405, 406, 413, 415, 422."""
    assert post(writer, indicator()).status_code == 202
    assert post(writer, data="{").status_code == 400
    assert Client().get(ROOT).status_code == 401
    assert post(reader, indicator(), to=f"{SHARED}objects/").status_code == 403
    assert writer.get(f"{ROOT}collections/nowhere/").status_code == 404
    refused = writer.put(f"{SHARED}objects/")
    assert (refused.status_code, refused["Allow"]) == (405, "GET, POST, HEAD")
    assert post(writer, data='{"objects": 1}').status_code == 422


@pytest.mark.parametrize("rest", ["manifest/", "objects/", "objects/{one}/", "objects/{one}/versions/"])
def test_rules_09_10_11_dates_are_on_every_answer(street: Street, reader: Client, rest: str) -> None:
    """3.2 and 2: first and last, in microseconds; an empty page echoes where the asker stood, never `now`."""
    one = f"indicator--{street.indicator(ADDRESSES[0]).stix_id}"
    address = SHARED + rest.format(one=one)
    answer = reader.get(address)
    assert STAMP.fullmatch(answer[FIRST])
    assert STAMP.fullmatch(answer[LAST])
    assert answer[FIRST] <= answer[LAST]
    empty = reader.get(address, {"added_after": "2099-01-01T00:00:00.000000Z"})
    assert empty[LAST] == "2099-01-01T00:00:00.000000Z"


def test_rule_12_objects_come_in_the_order_in_which_they_were_added(writer: Client) -> None:
    """3.4, whatever their own dates say."""
    for number, modified in ((1, "2025-01-01T00:00:00.000Z"), (2, "2021-01-01T00:00:00.000Z")):
        post(writer, indicator(number, modified=modified))
    mine = own(writer)
    dates = [item["date_added"] for item in found(writer, mine, "manifest/")]
    assert dates == sorted(set(dates))
    assert [item["id"] for item in found(writer, mine)] == [indicator(1)["id"], indicator(2)["id"]]


def test_rule_13_collections_have_a_stable_order(street: Street, writer: Client) -> None:
    """3.3."""
    answers = [writer.get(f"{ROOT}collections/").json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]["collections"]) == 2


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=x", "limit=", "added_after=now", "match[id]=x", "match[version]=newest",
     "match[type]=A", "match[spec_version]=x", "next=x"],
)  # fmt: skip
def test_rules_14_18_what_is_malformed_is_refused(reader: Client, query: str) -> None:
    """3.4: 400, for any parameter."""
    assert reader.get(f"{SHARED}objects/?{query}").status_code == 400


def test_rule_15_added_after_is_there_once(reader: Client) -> None:
    """3.4."""
    twice = f"added_after={OLD}&added_after={OLD}"
    assert reader.get(f"{SHARED}objects/?{twice}").status_code == 400
    assert reader.get(f"{SHARED}objects/?added_after={OLD},{OLD}").status_code == 400


def test_rule_16_added_after_is_strict(street: Street, reader: Client) -> None:
    """3.4."""
    dates = [item["date_added"] for item in found(reader, rest="manifest/")]
    rest = found(reader, rest="manifest/", added_after=dates[2])
    assert [item["date_added"] for item in rest] == dates[3:]


def test_rule_17_without_it_the_oldest_comes_first(street: Street, reader: Client) -> None:
    """3.4."""
    assert found(reader, limit=1)[0]["type"] == "marking-definition"


def test_rules_19_20_21_limits_and_more(street: Street, reader: Client) -> None:
    """3.4: never more than asked, all where they fit, `more` wherever others follow."""
    page = reader.get(f"{SHARED}objects/", {"limit": 4}).json()
    assert (len(page["objects"]), page["more"]) == (4, True)
    whole = reader.get(f"{SHARED}objects/", {"limit": 6}).json()
    assert (len(whole["objects"]), whole.get("more", False)) == (6, False)
    assert "next" not in whole


def test_rule_22_different_fields_narrow_each_other(street: Street, reader: Client) -> None:
    """3.4."""
    one = f"indicator--{street.indicator(ADDRESSES[0]).stix_id}"
    assert found(reader, **{"match[id]": one, "match[type]": "malware"}) == []
    assert len(found(reader, **{"match[id]": one, "match[type]": "indicator"})) == 1


def test_rule_23_values_are_alternatives(street: Street, reader: Client) -> None:
    """3.4."""
    both = ",".join(f"indicator--{street.indicator(value).stix_id}" for value in ADDRESSES[:2])
    assert len(found(reader, **{"match[id]": both})) == 2


def test_rule_24_a_field_twice_is_refused(reader: Client) -> None:
    """3.4."""
    assert reader.get(f"{SHARED}objects/?match[type]=indicator&match[type]=tool").status_code == 400


def test_rule_25_an_unknown_field_is_ignored(street: Street, reader: Client) -> None:
    """3.4."""
    assert len(found(reader, **{"match[confidence]": "80"})) == 6


def test_rules_26_27_spec_versions(street: Street, reader: Client) -> None:
    """3.4.1: others are excluded; without the filter the latest comes."""
    assert found(reader, **{"match[spec_version]": "2.0"}) == []
    assert len(found(reader, **{"match[spec_version]": "2.1"})) == len(found(reader)) == 6


@pytest.mark.parametrize(
    "kind", ["attack-pattern", "x-mitre-tactic", "identity", "software", "vulnerability"]
)
def test_rule_28_no_type_of_stix_is_an_error(reader: Client, kind: str) -> None:
    """3.4.1."""
    assert reader.get(f"{SHARED}objects/", {"match[type]": kind}).status_code == 200


def test_rules_29_31_33_versions(writer: Client) -> None:
    """3.4.1: the last by default; all, first, last, an instant, and mixes of them."""
    stamps = [f"202{year}-01-01T00:00:00.000Z" for year in range(1, 4)]
    for stamp in stamps:
        post(writer, indicator(modified=stamp))
    mine = own(writer)

    def asked(version: str | None) -> list[str]:
        query = {} if version is None else {"match[version]": version}
        return [item["modified"] for item in found(writer, mine, **query)]

    assert asked(None) == asked("last") == stamps[2:]
    assert asked("first") == stamps[:1]
    assert asked("all") == stamps
    assert asked(stamps[1]) == stamps[1:2]
    assert asked(f"first,{stamps[1]}") == stamps[:2]
    assert asked("2029-01-01T00:00:00.000Z") == []


def test_an_older_version_that_comes_late_is_not_the_last(writer: Client) -> None:
    """3.4.1: the last is the one with the latest `modified`, in whatever order they were sent."""
    new, old = "2025-01-01T00:00:00.000Z", "2021-01-01T00:00:00.000Z"
    post(writer, indicator(modified=new))
    post(writer, indicator(modified=old))
    mine = own(writer)
    assert [item["modified"] for item in found(writer, mine)] == [new]
    assert [item["modified"] for item in found(writer, mine, **{"match[version]": "first"})] == [old]


def test_rule_30_objects_without_versions(writer: Client) -> None:
    """3.4.1: `created` where there is no `modified`; one and the same instant where there is neither."""
    marking = {
        "type": "marking-definition", "spec_version": "2.1", "created": OLD, "definition_type": "statement",
        "id": f"marking-definition--{uuid.uuid4()}", "definition": {"statement": "ours"},
    }  # fmt: skip
    address = {"type": "ipv4-addr", "spec_version": "2.1", "value": "192.0.2.1",
               "id": f"ipv4-addr--{uuid.uuid5(uuid.NAMESPACE_DNS, 'x')}"}  # fmt: skip
    post(writer, marking, address)
    versions = [item["version"] for item in found(writer, own(writer), "manifest/")]
    assert versions == [OLD, "1970-01-01T00:00:00.000Z"]


@pytest.mark.parametrize("value", ["all,last", "all,all", "first,first", f"{OLD},{OLD}", "first,"])
def test_rule_32_all_goes_with_nothing_else(reader: Client, value: str) -> None:
    """3.4.1: nor is anything there twice."""
    assert reader.get(f"{SHARED}objects/", {"match[version]": value}).status_code == 400


def test_rule_34_next_keeps_the_filters(street: Street, reader: Client) -> None:
    """3.5."""
    query = {"match[type]": "indicator", "limit": 2}
    page = reader.get(f"{SHARED}objects/", query).json()
    following = reader.get(f"{SHARED}objects/", {**query, "next": page["next"]}).json()
    kinds = {item["type"] for item in (*page["objects"], *following["objects"])}
    assert kinds == {"indicator"}
    assert len({item["id"] for item in (*page["objects"], *following["objects"])}) == 4


def test_rule_35_next_is_not_trusted(street: Street, reader: Client, writer: Client) -> None:
    """Appendix B: signed, and bound to who asks, where, and for what."""
    given = reader.get(f"{SHARED}objects/", {"limit": 2}).json()["next"]
    assert writer.get(f"{SHARED}objects/", {"next": given}).status_code == 400
    assert reader.get(f"{SHARED}manifest/", {"next": given}).status_code == 400
    assert reader.get(f"{SHARED}objects/", {"next": given, "match[type]": "tool"}).status_code == 400
    assert reader.get(f"{SHARED}objects/", {"next": given + "x"}).status_code == 400


def test_rule_36_after_more_an_empty_page_is_an_end(writer: Client) -> None:
    """3.5: what was deleted meanwhile leaves `{}`, and no error."""
    post(writer, *[indicator(number) for number in range(1, 4)])
    mine = own(writer)
    given = writer.get(f"{mine}objects/", {"limit": 2}).json()["next"]
    writer.delete(f"{mine}objects/{indicator(3)['id']}/")
    assert writer.get(f"{mine}objects/", {"limit": 2, "next": given}).json() == {}


def test_rules_37_38_errors(reader: Client) -> None:
    """3.6.1: a title, and the header's status as text."""
    for path in (f"{ROOT}nowhere/", f"{SHARED}objects/?limit=0"):
        answer = reader.get(path)
        assert answer.json()["http_status"] == str(answer.status_code)
        assert answer.json()["title"]


def test_rules_39_40_nothing_is_an_empty_envelope(reader: Client) -> None:
    """3.7 and 2: `{}` without lists, everywhere."""
    for rest in ("objects/", "manifest/"):
        assert reader.get(SHARED + rest).json() == {}
    bare = Client(headers={"Authorization": basic(key_text(scopes=("lists:read",)))})
    assert bare.get(f"{ROOT}collections/").json()["collections"]


def test_rules_41_43_names_and_booleans_are_literal(street: Street, writer: Client) -> None:
    """3.8 and 2."""
    for one in writer.get(f"{ROOT}collections/").json()["collections"]:
        assert (one["can_read"], type(one["can_write"])) == (True, bool)
    page = writer.get(f"{SHARED}objects/", {"limit": 1}).json()
    assert page["more"] is True
    assert set(page) == {"more", "next", "objects"}


def test_rule_42_collections_and_statuses_have_uuids_of_version_4(writer: Client) -> None:
    """Section 2."""
    for one in writer.get(f"{ROOT}collections/").json()["collections"]:
        assert uuid.UUID(one["id"]).version == 4
    assert uuid.UUID(post(writer, indicator()).json()["id"]).version == 4


def test_rules_44_45_46_discovery_and_root(reader: Client) -> None:
    """4.1.1 and 4.2.1."""
    discovery = reader.get(DISCOVERY).json()
    assert discovery["default"] in discovery["api_roots"]
    for root in discovery["api_roots"]:
        assert re.fullmatch(r"/(?!/)[^?#]*", root)
        assert ".." not in root
    assert "application/taxii+json;version=2.1" in reader.get(ROOT).json()["versions"]


def test_rule_47_the_longest_body(writer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """4.2.1 and 5.5: never 413 below it, always above."""
    longest = writer.get(ROOT).json()["max_content_length"]
    assert longest > 0
    many = [indicator(number, description="x" * 9_000) for number in range(1, 900)]
    assert 8_000_000 < len(json.dumps(many)) < longest
    assert post(writer, *many).json()["success_count"] == 899
    monkeypatch.setattr(views, "MAX_CONTENT_LENGTH", 10_000)
    assert post(writer, *many[:2]).status_code == 413


def test_rules_48_49_statuses_are_kept_and_add_up(writer: Client, reader: Client) -> None:
    """4.3: for a day at least, for its author alone; unknown ones are 404."""
    made = post(writer, indicator(), {"type": "indicator"}, {"nonsense": 1}).json()
    assert made["status"] == "complete"
    counts = [made[f"{name}_count"] for name in ("success", "failure", "pending")]
    assert (counts, made["total_count"]) == ([1, 2, 0], 3)
    assert (len(made["successes"]), len(made["failures"])) == (1, 2)
    assert all(one["message"] for one in made["failures"])
    address = f"{ROOT}status/{made['id']}/"
    assert writer.get(address).json() == made
    assert reader.get(address).status_code == 404
    sweep_statuses(now() + dt.timedelta(hours=24))
    assert writer.get(address).status_code == 200
    sweep_statuses(now() + dt.timedelta(hours=49))
    assert writer.get(address).status_code == 404
    for unknown in (uuid.uuid4(), "1"):
        assert writer.get(f"{ROOT}status/{unknown}/").status_code == 404


def test_rule_50_details_name_object_and_version(writer: Client) -> None:
    """4.3.1."""
    (one,) = post(writer, indicator()).json()["successes"]
    assert one == {"id": indicator()["id"], "version": OLD}


def test_rule_51_who_is_not_known_is_asked_for_a_key(writer: Client) -> None:
    """5.x and 1.6.9: 401 with a challenge, on every address."""
    for path in endpoints(writer):
        answer = Client().get(path)
        assert answer.status_code == 401
        assert "Basic" in answer["WWW-Authenticate"]
        assert "Bearer" in answer["WWW-Authenticate"]


def test_rule_52_what_one_may_not_read_is_not_there(writer: Client, reader: Client) -> None:
    """5.x: another member's contributions are 404, whatever is asked of them."""
    one = indicator()["id"]
    post(writer, indicator())
    mine = own(writer)
    for rest in ("", "manifest/", "objects/", f"objects/{one}/", f"objects/{one}/versions/"):
        assert reader.get(mine + rest).status_code == 404


def test_rule_53_what_one_may_not_write_is_refused(street: Street, reader: Client, writer: Client) -> None:
    """5.5: 403 where it may be read."""
    for client in (reader, writer):
        assert post(client, indicator(), to=f"{SHARED}objects/").status_code == 403
    assert post(reader, indicator(), to=f"{own(writer)}objects/").status_code == 404


def test_rule_54_an_alias_is_unique_and_leads_there(writer: Client) -> None:
    """5.2.1."""
    listed = writer.get(f"{ROOT}collections/").json()["collections"]
    aliases = [one["alias"] for one in listed]
    assert len(set(aliases)) == len(aliases)
    for one in listed:
        assert writer.get(f"{ROOT}collections/{one['alias']}/").json() == one


def test_rule_55_media_types_say_what_is_stored(writer: Client) -> None:
    """5.2.1."""
    for one in writer.get(f"{ROOT}collections/").json()["collections"]:
        assert one["media_types"] == ["application/stix+json;version=2.1"]


def test_rule_56_the_manifest_has_a_record_for_each_version(writer: Client) -> None:
    """5.3, and its filters are those of the objects."""
    for year in (1, 2):
        post(writer, indicator(modified=f"202{year}-01-01T00:00:00.000Z"))
    mine = own(writer)
    records = found(writer, mine, "manifest/", **{"match[version]": "all"})
    assert [(one["id"], one["version"][:4]) for one in records] == [
        (indicator()["id"], "2021"),
        (indicator()["id"], "2022"),
    ]
    assert {one["media_type"] for one in records} == {"application/stix+json;version=2.1"}
    assert len(found(writer, mine, "manifest/")) == 1


def test_rule_57_a_success_is_202_with_its_status(writer: Client) -> None:
    """5.5, and what was written is read back byte for byte."""
    sent = '{"type":"indicator",  "spec_version":"2.1","id":"%s","created":"%s","modified":"%s"}'
    body = sent % (indicator()["id"], OLD, OLD)
    assert post(writer, data='{"objects":[' + body + "]}").status_code == 202
    assert body.encode() in writer.get(f"{own(writer)}objects/").content


def test_rule_58_what_is_there_already_is_no_error(writer: Client) -> None:
    """5.5: within a request and across requests, and it is not there twice."""
    for _ in range(2):
        assert post(writer, indicator(), indicator()).json()["success_count"] == 2
    assert len(found(writer, own(writer), **{"match[version]": "all"})) == 1


def test_rule_59_what_cannot_be_processed_is_422(writer: Client) -> None:
    """5.5."""
    for body in ("[]", '{"objects": {}}', '{"objects": []}', "{}", '"x"'):
        assert post(writer, data=body).status_code == 422, body


def test_rule_60_an_unknown_object_and_an_unknown_version(street: Street, reader: Client) -> None:
    """5.6: 404, and an empty envelope."""
    one = f"indicator--{street.indicator(ADDRESSES[0]).stix_id}"
    assert reader.get(f"{SHARED}objects/indicator--{uuid.uuid4()}/").status_code == 404
    assert reader.get(f"{SHARED}objects/nonsense/").status_code == 404
    assert reader.get(f"{SHARED}objects/{one}/", {"match[version]": OLD}).json() == {}


def test_rule_61_deleting(street: Street, writer: Client, reader: Client) -> None:
    """5.7: 200 where one reads and writes, 403 where one reads, 404 where neither; then it is gone."""
    for year in (1, 2):
        post(writer, indicator(modified=f"202{year}-01-01T00:00:00.000Z"))
    mine, one = own(writer), f"objects/{indicator()['id']}/"
    shared = f"{SHARED}objects/indicator--{street.indicator(ADDRESSES[0]).stix_id}/"
    assert writer.delete(shared).status_code == 403
    assert reader.delete(mine + one).status_code == 404
    assert writer.delete(f"{mine}{one}?match[version]=last").status_code == 200
    assert [item["modified"][:4] for item in found(writer, mine)] == ["2021"]
    post(writer, indicator(modified="2023-01-01T00:00:00.000Z"))
    assert writer.delete(mine + one).status_code == 200
    assert writer.get(mine + one).status_code == 404
    assert writer.get(f"{mine}manifest/").json() == {}
    assert writer.delete(mine + one).status_code == 404


def test_rule_62_custom_properties_are_kept_and_ignored(writer: Client) -> None:
    """7.1."""
    post(writer, indicator(x_ours={"a": [1]}))
    assert found(writer, own(writer))[0]["x_ours"] == {"a": [1]}


def test_rule_63_discovery_is_at_the_servers_root(reader: Client) -> None:
    """8.2.1: one root at least, and nobody needs a User-Agent."""
    answer = reader.get(DISCOVERY)
    assert answer.status_code == 200
    assert len(answer.json()["api_roots"]) >= 1


def test_rule_64_basic_with_a_key_and_bearer(writer: Client) -> None:
    """8.2.2; TLS is the proxy's, in front of this server."""
    key = key_text(a_member("bearer"), scopes=("lists:read",))
    assert Client(headers={"Authorization": f"Bearer {key}"}).get(DISCOVERY).status_code == 200
    assert Client(headers={"Authorization": basic(key, user="")}).get(DISCOVERY).status_code == 200
    assert Client(headers={"Authorization": basic("wrong")}).get(DISCOVERY).status_code == 401


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"id": "indicator--1"}, "UUID"),
        ({"id": f"malware--{uuid.uuid4()}"}, "identifier"),
        ({"id": f"indicator--{str(uuid.uuid4()).upper()}"}, "canonical"),
        ({"spec_version": "2.0"}, "2.1"),
        ({"spec_version": None}, "spec_version"),
        ({"modified": "yesterday"}, "timestamp"),
        ({"modified": "2026-01-01T00:00:00.1234567Z"}, "microseconds"),
        ({"created": None}, "created"),
        ({"id": 7}, "no STIX object"),
    ],
)
def test_one_bad_object_spoils_no_other(writer: Client, wrong: dict[str, Any], why: str) -> None:
    """4.3.1: it is named with its reason, and the rest is written."""
    made = post(writer, indicator(1), indicator(2, **wrong), indicator(3)).json()
    assert (made["success_count"], made["failure_count"]) == (2, 1)
    assert why in made["failures"][0]["message"]
    assert Outgoing.objects.count() == 2
