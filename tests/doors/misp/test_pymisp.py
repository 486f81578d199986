"""What MISP's own client searches and writes, over HTTP."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pymisp
import pytest
from django.test import Client
from tests.exchange import a_member, key_text
from tests.over_http import over_http
from tests.sharing.street import PHISH, Street

from tocsin.access.models import Member
from tocsin.kernel.time import now
from tocsin.sharing import channels, contributions, queries, services
from tocsin.sharing.models import Appeal, Assertion, Indicator, Outgoing, Sighting, Status

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ATTACKERS = [f"80.94.92.{last}" for last in range(1, 8)]
NEW, NEW_NAME = "80.94.92.77", "pay.bad-site.top"
BOTH = ("lists:read", "indicators:write")


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
def harbour(db: None) -> Member:
    """Another member."""
    return a_member("harbour")


Speaks = Callable[[Callable[[pymisp.PyMISP], Any]], Any]


@pytest.fixture
def speaks(harbour: Member, monkeypatch: pytest.MonkeyPatch) -> Speaks:
    """Runs a function with a connected PyMISP that holds harbour's key."""
    key = key_text(harbour, BOTH)

    def run(ask: Callable[[pymisp.PyMISP], Any]) -> Any:
        return over_http(lambda url: ask(pymisp.PyMISP(f"{url}/misp/", key)), monkeypatch)

    return run


def believed() -> None:
    """What the worker does with requests that wrote something."""
    for status in Status.objects.order_by("pk"):
        contributions.believe(str(status.status_id))


def an_event(**more: Any) -> pymisp.MISPEvent:
    """An event of two attributes and an object."""
    event = pymisp.MISPEvent()
    event.from_dict(info="Phishing kit", **more)
    event.add_attribute("ip-dst", NEW)
    event.add_attribute("hostname", NEW_NAME.upper())
    return event


def test_a_search_finds_what_the_feed_says(street: Street, speaks: Speaks) -> None:
    """Attributes by value, type, time, tags and page, as PyMISP's own objects."""

    def ask(misp: pymisp.PyMISP) -> dict[str, Any]:
        def values(**more: Any) -> set[str]:
            found = misp.search("attributes", pythonify=True, **more)
            assert all("tlp:green" in [tag.name for tag in one.tags] for one in found)
            return {one.value for one in found}

        two = misp.build_complex_query(or_parameters=[PHISH, ATTACKERS[3]], not_parameters=[ATTACKERS[3]])
        return {
            "all": values(),
            "over": values(deleted=1),
            "both": values(deleted=[0, 1]),
            "one": values(value=ATTACKERS[2]),
            "like": values(value="80.94.92.%"),
            "not": values(value=two),
            "names": values(type_attribute="domain"),
            "not names": values(type_attribute="!domain"),
            "other types": values(type_attribute=["md5"]),
            "recent": values(timestamp="1d"),
            "future": values(timestamp=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)),
            "last": values(last="5m"),
            "amber": values(tags="tlp:amber"),
            "green": values(tags=["tlp:green", "tlp:amber"]),
            "to_ids": values(to_ids=0, deleted=[0, 1]),
            "pages": [values(limit=3, page=page) for page in (1, 2, 3, 4)],
        }

    told = over = speaks(ask)
    shared = {*ATTACKERS[1:], PHISH}
    assert told["all"] == told["recent"] == told["last"] == told["green"] == shared
    assert over["over"] == told["to_ids"] == {ATTACKERS[0]}
    assert told["both"] == {*shared, ATTACKERS[0]}
    assert told["one"] == {ATTACKERS[2]}
    assert told["like"] == told["not names"] == set(ATTACKERS[1:])
    assert told["names"] == told["not"] == {PHISH}
    assert told["other types"] == told["future"] == told["amber"] == set()
    assert [len(page) for page in told["pages"]] == [3, 3, 1, 0]
    assert set().union(*told["pages"]) == shared


def test_events_are_found_whole(street: Street, speaks: Speaks) -> None:
    """By a value that one holds, by UUID, and as metadata alone."""

    def ask(misp: pymisp.PyMISP) -> Any:
        (found,) = misp.search("events", value=PHISH, pythonify=True)
        (again,) = misp.search(eventid=found.uuid, pythonify=True)
        (bare,) = misp.search(metadata=True, pythonify=True)
        (one,) = misp.search("attributes", value=PHISH, pythonify=True)
        viewed = misp.get_event(found.uuid, pythonify=True)
        nothing = misp.search("events", value="unknown.example", pythonify=True)
        return found, again, bare, one, viewed, nothing

    found, again, bare, one, viewed, nothing = speaks(ask)
    assert {a.value for a in found.attributes if a.to_ids} == {*ATTACKERS[1:], PHISH}
    assert found.uuid == again.uuid == bare.uuid == viewed.uuid == one.Event.uuid
    assert (bare.attributes, nothing) == ([], [])


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"quickFilter": "x"}, "no filter here: quickFilter"),
        ({"returnFormat": "suricata"}, "returnFormat must be json"),
        ({"timestamp": "yesterday"}, "timestamp is no instant"),
        ({"limit": 0}, "limit must be a positive number"),
        ({"limit": 60_000}, "limit is at most"),
        ({"to_ids": "maybe"}, "to_ids is 0 or 1"),
        ({"value": {"AND": ["a"]}}, "value may have OR and NOT"),
        ({"value": [1]}, "value must be texts"),
        ({"eventid": "12"}, "eventid must be UUIDs"),
        ({"tags": "rsit:fraud"}, "tags are searched by label alone"),
        ({"published": 0}, "all that is shared is published"),
        ([], "a search is a JSON object"),
    ],
)
def test_a_filter_that_is_not_understood_is_refused(harbour: Member, sent: object, words: str) -> None:
    """Passing it over would give more than was asked for."""
    client = Client(headers={"Authorization": key_text(harbour, BOTH)})
    answer = client.post("/misp/attributes/restSearch", json.dumps(sent), content_type="application/json")
    assert (answer.status_code, answer.json()["message"].startswith(words)) == (400, True)


def test_an_event_becomes_its_members_words(street: Street, speaks: Speaks, harbour: Member) -> None:
    """Under its label; the same event again changes nothing; a second member's word shares it."""

    def ask(misp: pymisp.PyMISP) -> Any:
        event = an_event()
        event.add_tag("tlp:green")
        kit = pymisp.MISPObject("domain-ip")
        kit.add_attribute("domain", "kit.bad-site.top")
        kit.add_attribute("ip", "80.94.92.78")
        event.add_object(kit)
        first = misp.add_event(event, pythonify=True)
        second = misp.add_event(event, pythonify=True)
        return first, second

    first, second = speaks(ask)
    assert first.uuid == second.uuid
    believed()
    said = {NEW, NEW_NAME, "kit.bad-site.top", "80.94.92.78"}
    assert set(Assertion.objects.filter(member=harbour).values_list("indicator__value", flat=True)) == said
    assert Assertion.objects.filter(member=harbour).count() == 4
    assert NEW not in queries.shared("address")
    street.report("ferry", NEW, at=now())
    assert NEW in queries.shared("address")


def test_malformed_attributes_are_refused_one_by_one(speaks: Speaks, harbour: Member) -> None:
    """With the reason; the others are taken."""

    def ask(misp: pymisp.PyMISP) -> Any:
        event = an_event().to_dict()
        wrong = [
            {"type": "ip-src", "value": "80.94.92.0/24"},
            {"type": "md5", "value": "0" * 32},
            {"type": "domain", "value": "no name"},
            {"type": "ip-src"},
            {"type": "ip-src", "value": NEW, "uuid": "x"},
            {"type": "ip-src", "value": NEW, "timestamp": "soon"},
            {"type": "ip-src", "value": NEW, "Tag": [{"name": "tlp:purple"}]},
        ]
        event["Attribute"] = [*event["Attribute"], *wrong]
        return misp.add_event(json.loads(json.dumps(event, default=pymisp.pymisp_json_default)))

    told = speaks(ask)
    reasons = told["errors"]["Attribute"]
    assert [reasons[str(place)].partition(":")[0] for place in range(2, 9)] == [
        "no address",
        "md5 says nothing of an address or name",
        "no name",
        "no MISP attribute",
        "no UUID",
        "no timestamp",
        "no TLP label",
    ]
    assert {one["value"] for one in told["Event"]["Attribute"]} == {NEW, NEW_NAME}
    believed()
    assert Assertion.objects.filter(member=harbour).count() == 2


def test_an_attribute_has_the_label_of_its_event(speaks: Speaks, harbour: Member) -> None:
    """Added later, one or several; not to an event that nobody sent, and not when it says nothing."""

    def ask(misp: pymisp.PyMISP) -> Any:
        event = an_event()
        event.add_tag("tlp:amber")
        misp.add_event(event)
        attribute = pymisp.MISPAttribute()
        attribute.from_dict(type="ip-src", value="80.94.92.79")
        one = misp.add_attribute(event, attribute, pythonify=True)
        others = []
        for value in ("80.94.92.80", "80.94.92.81", "80.94.92.300"):
            other = pymisp.MISPAttribute()
            other.from_dict(type="ip-dst", value=value)
            others.append(other)
        several = misp.add_attribute(event, others, pythonify=True)
        lost = misp.add_attribute("d4a3f0a8-6a40-4a9c-8f52-000000000000", attribute)
        wrong = pymisp.MISPAttribute()
        wrong.from_dict(type="ip-src", value="nowhere")
        return one, several, lost, misp.add_attribute(event, wrong)

    one, several, lost, wrong = speaks(ask)
    assert one.value == "80.94.92.79"
    assert [each.value for each in several["attributes"]] == ["80.94.92.80", "80.94.92.81"]
    assert several["errors"] == {"2": "no address: '80.94.92.300'"}
    assert (lost["errors"][0], wrong["errors"][0]) == (404, 400)
    believed()
    labels = dict(Assertion.objects.filter(member=harbour).values_list("indicator__value", "tlp"))
    assert labels == dict.fromkeys([NEW, NEW_NAME, "80.94.92.79", "80.94.92.80", "80.94.92.81"], "amber")


def test_what_is_not_for_detection_any_more_is_taken_back(speaks: Speaks, harbour: Member) -> None:
    """A later version of the attribute, with `to_ids` false or deleted."""
    event = an_event(timestamp=1_700_000_000)
    for attribute in event.attributes:
        attribute.timestamp = 1_700_000_000
    speaks(lambda misp: misp.add_event(event))
    believed()
    assert Assertion.objects.filter(member=harbour, withdrawn_at=None).count() == 2
    event.attributes[0].to_ids = False
    event.attributes[1].delete()
    for attribute in event.attributes:
        attribute.timestamp = 1_700_000_100
    speaks(lambda misp: misp.add_event(event))
    believed()
    assert Assertion.objects.filter(member=harbour, withdrawn_at=None).count() == 0


def test_one_feeds_events_are_one_voice(street: Street, speaks: Speaks) -> None:
    """Whoever made an event speaks, not all who pass it on; what the exchange told is nobody's word."""
    maker = {"name": "A CSIRT", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"}

    def ask(misp: pymisp.PyMISP) -> Any:
        misp.add_event(
            {
                "Event": {
                    **an_event().to_dict(),
                    "Orgc": maker,
                    "uuid": "",
                    "Attribute": [{"type": "ip-src", "value": NEW}],
                }
            }
        )
        (own,) = misp.search("events", pythonify=True)
        return misp.add_event(own, pythonify=True)

    speaks(ask)
    believed()
    word = Assertion.objects.get(report=None)
    assert (word.indicator.value, word.upstream) == (NEW, f"identity--{maker['uuid']}")


def test_a_false_positive_is_an_objection(street: Street, speaks: Speaks) -> None:
    """By value or by attribute; a sighting of another type says clearly what it is."""

    def ask(misp: pymisp.PyMISP) -> Any:
        (found,) = misp.search("attributes", value=PHISH, pythonify=True)
        wrong = pymisp.MISPSighting()
        wrong.from_dict(type="1")
        by_attribute = misp.add_sighting(wrong, found, pythonify=True)
        wrong.from_dict(type="1", value=ATTACKERS[1])
        by_value = misp.add_sighting(wrong, pythonify=True)
        unknown = pymisp.MISPSighting()
        unknown.from_dict(type="1", value="80.94.92.250")
        expired = pymisp.MISPSighting()
        expired.from_dict(type="2", value=PHISH)
        return by_attribute, by_value, misp.add_sighting(unknown), misp.add_sighting(expired)

    by_attribute, by_value, unknown, expired = speaks(ask)
    assert (by_attribute.value, by_value.type) == (PHISH, "1")
    assert (unknown["errors"][0], expired["errors"][0]) == (404, 400)
    assert {one.indicator.value for one in Appeal.objects.select_related("indicator")} == {
        PHISH,
        ATTACKERS[1],
    }


def test_a_sighting_keeps_what_is_shared(street: Street, speaks: Speaks, harbour: Member) -> None:
    """By value or by attribute, as the exchange's own sightings; of what is on no list nothing is kept."""

    def ask(misp: pymisp.PyMISP) -> Any:
        (found,) = misp.search("attributes", value=PHISH, pythonify=True)
        seen = pymisp.MISPSighting()
        seen.from_dict(type="0", timestamp=int(now().timestamp()) - 60)
        by_attribute = misp.add_sighting(seen, found, pythonify=True)
        by_value = misp.add_sighting({"value": ATTACKERS[1]})
        return by_attribute, by_value, misp.add_sighting({"value": "80.94.92.250"})

    by_attribute, by_value, unknown = speaks(ask)
    assert (by_attribute.value, by_value["Sighting"]["type"]) == (PHISH, "0")
    assert unknown["errors"][0] == 404
    found = Sighting.objects.filter(member=harbour).values_list("indicator__value", flat=True)
    assert sorted(found) == sorted([PHISH, ATTACKERS[1]])


def test_who_may_only_read_writes_nothing(street: Street, harbour: Member) -> None:
    """403 with MISP's three words, and nothing kept."""
    client = Client(headers={"Authorization": key_text(harbour, ("lists:read",))})
    sent = json.dumps({"Event": {"info": "x", "Attribute": [{"type": "ip-src", "value": NEW}]}})
    for path in ("events/add", f"attributes/add/{PHISH}", "sightings/add"):
        answer = client.post(f"/misp/{path}", sent, content_type="application/json")
        assert (answer.status_code, set(answer.json())) == (403, {"name", "message", "url"})
    assert not Outgoing.objects.filter(channel=channels.contributions_of(harbour)).exists()
    assert not Indicator.objects.filter(value=NEW).exists()
