"""What every way out tells of a source: no name, no pseudonym, and no instant finer than the hour."""

import datetime as dt
import json
import re
from dataclasses import replace

import pytest
import time_machine
from django.test import Client
from tests.exchange import a_key, key_text
from tests.sharing.street import ATTACKER, Street

from tocsin.access import services as access
from tocsin.kernel.time import parse_rfc3339
from tocsin.sharing import explaining, lists, pseudonyms, rules
from tocsin.sharing.models import Outgoing

pytestmark = [pytest.mark.django_db, pytest.mark.database]
FIRST = dt.datetime(2026, 11, 20, 9, 41, 17, 345_678, tzinfo=dt.UTC)
SECOND = dt.datetime(2026, 11, 20, 13, 52, 43, 987_654, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 11, 20, 15, 3, 4, tzinfo=dt.UTC)
TAXII = "application/taxii+json;version=2.1"


@pytest.fixture
def doors(street: Street) -> dict[str, str]:
    """What a third member reads at every door, of an address and a name that two others said at odd times."""
    with time_machine.travel(FIRST, tick=False) as clock:
        lists._written.clear()
        text = key_text(street.member("reader"), ("lists:read", "indicators:write"))
        person = access.add_person("rita@reader.example", "Rita", "secret")
        access.give_role(person, "reporter", member=street.member("reader"))
        street.report("ferry", at=FIRST)
        street.phish("ferry", at=FIRST)
        clock.move_to(SECOND)
        street.report("medway", at=SECOND)
        street.phish("medway", at=SECOND)
        clock.move_to(LATER)
        client = Client(headers={"Authorization": f"Bearer {text}"})
        everybody = "/taxii2/api/collections/everybody-green"
        manifest = client.get("/misp/feed/manifest.json").json()
        read = {
            "objects": client.get(f"{everybody}/objects/", headers={"Accept": TAXII}),
            "event": client.get(f"/misp/feed/{next(iter(manifest))}.json"),
            "why": client.get("/api/v1/indicators", {"value": ATTACKER}),
            "addresses.nft": client.get("/api/v1/lists/addresses.nft"),
            "names.rpz.sig": client.get("/api/v1/lists/names.rpz.sig"),
            "source": client.get("/api/v1/source"),
            "near": client.get(f"/api/v1/indicators/near/{street.indicator().lookup[:2]}"),
        }
        browser = Client()
        browser.force_login(person)
        read["network"] = browser.get("/network")
        read["page"] = browser.get(f"/indicators/{street.indicator().indicator_id}")
        assert {name: answer.status_code for name, answer in read.items()} == dict.fromkeys(read, 200)
        return {name: answer.content.decode() for name, answer in read.items()}


def test_no_door_names_a_source_or_tells_a_pseudonym(street: Street, doors: dict[str, str]) -> None:
    """Neither names nor ids of members, nor what stands for them where words are judged."""
    key = pseudonyms.key_of(pseudonyms.start_of(FIRST))
    assert key is not None
    for name in ("ferry", "medway"):
        member = street.member(name)
        hidden = (name, member.member_id, pseudonyms.pseudonym_of(key, member, None))
        for door, text in doors.items():
            assert not any(word in text.lower() for word in hidden), (door, name)


def test_what_is_shared_says_when_to_the_hour_alone(doors: dict[str, str]) -> None:
    """STIX, MISP and REST: whoever gets it from a member learns the hour, and not the second."""
    objects = [one for one in json.loads(doors["objects"])["objects"] if one["type"] == "indicator"]
    assert len(objects) == 2
    for one in objects:
        for name in ("created", "modified", "valid_from", "valid_until"):
            assert one[name].endswith(":00:00.000Z"), (name, one[name])
    attributes = json.loads(doors["event"])["Event"]["Attribute"]
    assert {int(one["timestamp"]) % 3_600 for one in attributes} == {0}
    why = json.loads(doors["why"])
    told = [why["since"], why["valid_until"], *(one["at"] for one in why["events"])]
    assert len(told) == 3
    assert {(at.minute, at.second, at.microsecond) for at in map(parse_rfc3339, told)} == {(0, 0, 0)}
    assert parse_rfc3339(json.loads(doors["names.rpz.sig"])["expires"]).minute == 0


def test_no_page_and_no_list_tells_the_second(doors: dict[str, str]) -> None:
    """Not the first member's instant, not the second's, and no end that would give it away."""
    for instant in (FIRST, SECOND):
        for spelled in (f"{instant:%H:%M}", f"{instant:%M:%S}"):
            for door in ("page", "why", "addresses.nft", "objects"):
                text = re.sub(
                    r"(?m)^#.*$", "", doors[door]
                )  # when a list changed is told to all as it happens
                assert spelled not in text, (door, spelled)
    life = int(re.search(r"timeout (\d+)s", doors["addresses.nft"])[1])  # type: ignore[index]
    ends = SECOND + dt.timedelta(seconds=life)
    assert abs(ends - rules.next_hour(ends - dt.timedelta(minutes=1))) < dt.timedelta(seconds=2)


def test_whether_anybody_said_something_is_told_to_nobody(street: Street) -> None:
    """What one member reported and what nobody did read alike, at every second."""
    street.report("ferry", at=FIRST)
    reader = a_key(street.member("reader"), ("lists:read",))
    held = explaining.explain(reader, ATTACKER, FIRST)
    unknown = explaining.explain(reader, "80.94.92.99", FIRST)
    assert replace(held, value="") == replace(unknown, value="")


def test_certainty_moves_with_the_hour_alone(street: Street) -> None:
    """A third member's word changes what is asked every second at the next full hour, not before."""
    reader = a_key(street.member("reader"), ("lists:read",))
    for name in ("ferry", "medway"):
        street.report(name, at=FIRST)
    before = explaining.explain(reader, ATTACKER, FIRST)
    street.report("harbour", at=FIRST + dt.timedelta(minutes=5))
    assert explaining.explain(reader, ATTACKER, FIRST + dt.timedelta(minutes=6)) == before
    after = explaining.explain(reader, ATTACKER, FIRST + dt.timedelta(hours=1))
    assert (before.certainty, after.certainty) == (explaining.BANDS["medium"], explaining.BANDS["high"])


def test_the_order_in_a_feed_is_not_that_of_the_words(street: Street) -> None:
    """Ten that are judged together leave in random order: in that of the words once in 3.6 million times."""
    values = [f"80.94.92.{last}" for last in range(1, 11)]
    for name in ("ferry", "medway"):
        street.reports(name, [{"origins": (value,)} for value in values], FIRST)
    left = Outgoing.objects.filter(indicator__value__in=values).order_by("number")
    order = list(left.values_list("indicator__value", flat=True))
    assert sorted(order) == sorted(values)
    assert order != values
