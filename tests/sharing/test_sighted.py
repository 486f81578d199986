"""Sightings in STIX: told by the feeds each hour without whose they were, and taken from members by TAXII."""

import datetime as dt
import json
import uuid
from typing import Any

import pytest
from django.test import Client
from stix2validator import ValidationOptions, validate_instance
from taxii2client.v21 import Server
from tests.exchange import a_key, a_member, key_text
from tests.over_http import over_http
from tests.sharing.street import ATTACKER, PHISH, Street

from tocsin.access import gathering
from tocsin.access import services as access
from tocsin.access.models import Member
from tocsin.access.policy import Actor
from tocsin.jobs import worker
from tocsin.kernel.time import now
from tocsin.sharing import channels, contributions, services, sighted, sightings
from tocsin.sharing.models import Channel, Indicator, Outgoing, Sighting
from tocsin.sharing.publishing import hour_of
from tocsin.sharing.sightings import Met
from tocsin.sharing.words import Said
from tocsin.wire import stix

pytestmark = [pytest.mark.django_db, pytest.mark.database]

WRITES = ("indicators:write", "lists:read")
HOUR = dt.timedelta(hours=1)
MEDIA = "application/taxii+json;version=2.1"
NUMBER = "sighting--5d1d1d1d-0000-4000-8000-000000000001"


def key_of(name: str) -> Actor:
    """The machine of the member of that name."""
    return a_key(Member.objects.filter(name=name).first() or a_member(name), WRITES)


@pytest.fixture
def shared(street: Street) -> Indicator:
    """An address and a name that two members reported a day ago."""
    for member in ("ferry", "harbour"):
        street.report(member, at=now() - 24 * HOUR)
        street.phish(member, at=now() - 24 * HOUR)
    return street.indicator()


def told(alias: str = "everybody-green") -> list[dict[str, Any]]:
    """The sightings of a feed, in order."""
    rows = Outgoing.objects.filter(channel__alias=alias, stix_type="sighting").order_by("number")
    return [json.loads(bytes(row.body)) for row in rows]


def test_the_feed_tells_each_hour_what_two_members_met(shared: Indicator) -> None:
    """From which hour to which, of no one member, not before the hour is over, and nothing twice."""
    at = hour_of(now())
    sightings.see(key_of("medway"), [Met(ATTACKER, at - 3 * HOUR + dt.timedelta(minutes=7))], at)
    assert sighted.tell_sightings(at + HOUR) == 0, "one member's sighting is nobody else's business"
    sightings.see(key_of("lakes"), [Met(ATTACKER, at + dt.timedelta(minutes=11))], at + HOUR / 2)
    assert sighted.tell_sightings(at + HOUR - dt.timedelta(seconds=1)) == 0
    assert sighted.tell_sightings(at + HOUR) == 1
    assert sighted.tell_sightings(at + HOUR) == 0
    (one,) = told()
    assert one == {
        "type": "sighting",
        "spec_version": "2.1",
        "id": f"sighting--{sighted.sighting_id_of(shared.stix_id)}",
        "created": stix.stamp(at + HOUR),
        "modified": stix.stamp(at + HOUR),
        "sighting_of_ref": f"indicator--{shared.stix_id}",
        "first_seen": stix.stamp(at - 3 * HOUR),
        "last_seen": stix.stamp(at),
        "summary": True,
        "object_marking_refs": [f"marking-definition--{stix.TLP_MARKINGS['green']}"],
    }
    verdict = validate_instance(one, ValidationOptions(version="2.1"))
    assert verdict.is_valid, verdict.errors


def test_a_sighting_that_changes_nothing_for_readers_is_not_told_again(shared: Indicator) -> None:
    """Whoever meets it in the same hour; in the next, a version later; taken back, it is revoked."""
    at = hour_of(now())
    for name in ("medway", "lakes"):
        sightings.see(key_of(name), [Met(ATTACKER)], at)
    assert sighted.tell_sightings(at + HOUR) == 1
    sightings.see(key_of("tamar"), [Met(ATTACKER, at + dt.timedelta(minutes=5))], at + HOUR)
    assert sighted.tell_sightings(at + 2 * HOUR) == 0
    sightings.see(key_of("tamar"), [Met(ATTACKER, at + 2 * HOUR)], at + 2 * HOUR)
    assert sighted.tell_sightings(at + 3 * HOUR) == 1
    first, second = told()
    assert (first["created"], second["created"]) == (stix.stamp(at + HOUR), stix.stamp(at + HOUR))
    assert first["modified"] < second["modified"]
    assert second["last_seen"] == stix.stamp(at + 2 * HOUR)
    for name in ("tamar", "lakes"):
        sightings.take_back(key_of(name), shared.indicator_id)
    Sighting.objects.update(untold_since=at)
    assert sighted.tell_sightings(at + 4 * HOUR) == 1
    assert told()[-1]["revoked"] is True
    assert not Outgoing.objects.filter(stix_type="sighting", revoked=True).exists(), "no withdrawal"
    latest = Outgoing.objects.get(stix_type="sighting", is_latest=True)
    assert latest.number == Channel.objects.get(pk=latest.channel_id).number


def test_a_community_hears_of_its_own_members_sightings(street: Street) -> None:
    """What others met of the same, in another community, is no part of it."""
    found = {}
    for name, members in (("Ports", ("ferry", "harbour")), ("Hills", ("medway", "lakes"))):
        person = access.add_person(f"{name}@example.org", name, "secret")
        access.give_role(person, "reporter", member=street.member(members[0]))
        circle = found[name] = gathering.make(Actor.of_person(person), name, "", "amber")
        gathering.let_in(Actor.of_person(person), circle.community_id, street.member(members[1]).member_id)
        for member in members:
            services.assert_said(
                street.member(member), [Said("address", ATTACKER, "r", tlp="amber", community=circle.pk)]
            )
    for member in ("ferry", "medway", "lakes"):
        assert sightings.see(key_of(member), [Met(ATTACKER)]).taken == 1
    assert sighted.tell_sightings(now() + HOUR) == 1
    assert [len(told(alias)) for alias in ("ports-amber", "hills-amber", "everybody-green")] == [0, 1, 0]


def sighting(of: object, number: str = NUMBER, **changes: object) -> dict[str, Any]:
    """A sighting as somebody writes it."""
    at = stix.stamp(now() - HOUR)
    made = {"type": "sighting", "spec_version": "2.1", "id": number, "created": at, "modified": at}
    return {**made, "sighting_of_ref": f"indicator--{of}", **changes}


def written(client: Client, *objects: dict[str, Any]) -> Any:
    """The status of writing these into the own collection."""
    known = client.get("/taxii2/api/collections/").json()["collections"]
    (own,) = [one["id"] for one in known if one["can_write"]]
    answer = client.post(
        f"/taxii2/api/collections/{own}/objects/", json.dumps({"objects": objects}), content_type=MEDIA
    )
    assert answer.status_code == 202
    worker.drain()
    return answer.json()


@pytest.fixture
def medway(shared: Indicator) -> Client:
    """Another member's machine, by TAXII."""
    return Client(headers={"Authorization": f"Bearer {key_text(a_member('medway'), WRITES)}"})


def test_a_sighting_by_taxii_is_the_button_s_row(shared: Indicator, medway: Client) -> None:
    """MISP's, the page's and STIX's meet in it; it makes nobody surer; writing it again changes nothing."""
    status = written(medway, sighting(shared.stix_id))
    assert (status["success_count"], status["failure_count"]) == (1, 0)
    row = Sighting.objects.get()
    assert (row.indicator, row.member.name) == (shared, "medway")
    assert now() - row.seen_at > HOUR - dt.timedelta(minutes=1)
    assert not shared.assertions.filter(member__name="medway").exists()
    misp = medway.post("/misp/sightings/add", {"type": "0", "value": ATTACKER}, "application/json")
    assert misp.status_code == 200
    row.refresh_from_db()
    assert now() - row.seen_at < dt.timedelta(minutes=1)
    before = row.seen_at
    assert written(medway, sighting(shared.stix_id))["success_count"] == 1
    assert Sighting.objects.get().seen_at == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sighting_of_ref": f"indicator--{uuid.UUID(int=7, version=4)}"}, sighted.UNKNOWN),
        ({"sighting_of_ref": "indicator--7"}, "sighting_of_ref has no UUID"),
        ({"sighting_of_ref": 7}, "no sighting: "),
        ({"last_seen": "yesterday"}, "no timestamp in UTC"),
        ({"last_seen": "2999-01-01T00:00:00.000Z"}, sighted.TO_COME),
    ],
)
def test_a_sighting_of_what_is_not_known_here_is_refused_by_itself(
    shared: Indicator, medway: Client, changes: dict[str, object], message: str
) -> None:
    """In the status, with the reason; what came with it is taken."""
    number = NUMBER.replace("1", "2")
    good, wrong = sighting(shared.stix_id), sighting(shared.stix_id, number, **changes)
    status = written(medway, wrong, good)
    assert [one["id"] for one in status["successes"]] == [NUMBER]
    (failure,) = status["failures"]
    assert failure["id"] == number
    assert failure["message"].startswith(message)
    assert Sighting.objects.count() == 1
    assert Outgoing.objects.filter(channel__kind="contributions").count() == 1


def test_what_is_withdrawn_is_met_by_nobody(street: Street, shared: Indicator, medway: Client) -> None:
    """As the button says; a sighting of what is no indicator is kept and says nothing."""
    services.withdraw(shared, street.trusted(), "it was ours")
    other = sighting(shared.stix_id, NUMBER.replace("1", "3"), sighting_of_ref=f"malware--{uuid.uuid4()}")
    status = written(medway, sighting(shared.stix_id), other)
    assert [one["message"] for one in status["failures"]] == [sightings.OFF_THE_LISTS]
    assert [one["id"] for one in status["successes"]] == [other["id"]]
    assert not Sighting.objects.exists()


def test_a_sighting_of_ones_own_indicator_counts_where_its_value_is_listed(
    shared: Indicator, medway: Client
) -> None:
    """Whether it came before or comes with it; a name that nobody else knows is kept, and nobody met it."""
    own = {
        **sighting(uuid.uuid4(), "indicator--5d1d1d1d-0000-4000-8000-00000000000a", type="indicator"),
        "pattern": f"[domain-name:value = '{PHISH}']",
        "pattern_type": "stix",
        "valid_from": stix.stamp(now()),
    }
    del own["sighting_of_ref"]
    unknown = {**own, "id": own["id"][:-1] + "b", "pattern": "[domain-name:value = 'nobody.knows.example']"}
    of = [one["id"].removeprefix("indicator--") for one in (own, unknown)]
    status = written(medway, sighting(of[0]), own, unknown, sighting(of[1], NUMBER.replace("1", "4")))
    assert status["failure_count"] == 0
    assert Sighting.objects.get().indicator.value == PHISH


def test_revoked_or_deleted_it_is_taken_back(shared: Indicator, medway: Client) -> None:
    """By a later version that is revoked, and by DELETE."""
    for how in ("revoked", "deleted"):
        written(medway, sighting(shared.stix_id, modified=stix.stamp(now())))
        assert Sighting.objects.count() == 1
        if how == "revoked":
            later = stix.stamp(now() + dt.timedelta(seconds=2))
            written(medway, sighting(shared.stix_id, modified=later, revoked=True))
        own = channels.contributions_of(Member.objects.get(name="medway"))
        path = f"/taxii2/api/collections/{own.channel_id}/objects/{NUMBER}/"
        assert medway.delete(path).status_code == 200
        assert not Sighting.objects.exists()


def test_our_own_summary_comes_back_as_an_echo(shared: Indicator, medway: Client) -> None:
    """Whoever passes on all that it reads has met nothing."""
    for name in ("tamar", "lakes"):
        sightings.see(key_of(name), [Met(ATTACKER)])
    assert sighted.tell_sightings(now() + HOUR) == 1
    assert written(medway, *told())["failure_count"] == 0
    assert not Sighting.objects.filter(member__name="medway").exists()


def test_a_real_client_reads_and_writes_them(shared: Indicator, monkeypatch: pytest.MonkeyPatch) -> None:
    """taxii2-client and stix2, over HTTP."""
    import stix2

    for name in ("tamar", "lakes"):
        sightings.see(key_of(name), [Met(ATTACKER)])
    sighted.tell_sightings(now() + HOUR)
    key = key_text(a_member("medway"), WRITES)

    def walk(url: str) -> tuple[list[Any], Any]:
        server = Server(url + "/taxii2/", user="x", password=key)
        (own,) = [one for one in server.default.collections if one.can_write]
        (others,) = [one for one in server.default.collections if not one.can_write]
        found = others.get_objects(type="sighting")["objects"]
        made = stix2.Sighting(sighting_of_ref=f"indicator--{shared.stix_id}", last_seen=now())
        status = own.add_objects({"objects": [json.loads(made.serialize())]}, wait_for_completion=True)
        return found, status

    found, status = over_http(walk, monkeypatch)
    assert (status.status, status.success_count) == ("complete", 1)
    (one,) = found
    again = json.loads(stix2.parse(one).serialize())
    assert again["summary"] is True
    assert again["sighting_of_ref"] == one["sighting_of_ref"]
    assert "count" not in again
    assert Sighting.objects.filter(member__name="medway").count() == 1


def test_many_are_heard_with_few_questions(street: Street, django_assert_max_num_queries: Any) -> None:
    """However many come at once."""
    names = [f"n{number}.{PHISH}" for number in range(1_200)]
    for member in ("ferry", "harbour"):
        services.assert_said(street.member(member), [Said("name", name, name) for name in names])
    actor = key_of("medway")
    own = channels.contributions_of(actor.members[0])
    ids = Indicator.objects.values_list("stix_id", flat=True)
    raws = [
        json.dumps(sighting(number, f"sighting--{uuid.uuid5(uuid.NAMESPACE_DNS, str(number))}")).encode()
        for number in ids
    ]
    with django_assert_max_num_queries(150):
        contributions.take(actor, own, raws)
    assert Sighting.objects.count() == 1_200
