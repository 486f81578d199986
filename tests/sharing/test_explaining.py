"""Why something is blocked, or is not, and a member's way off the lists."""

import datetime as dt

import pytest
from django.test import Client
from tests.doors.taxii.test_taxii import over_http
from tests.exchange import a_key, a_member, key_text
from tests.sharing.street import ATTACKER, NOON, Street

from tocsin.access.models import Member
from tocsin.access.policy import Actor
from tocsin.kernel.problems import BadInput, NotAllowed
from tocsin.sharing import appealing, explaining, nearness, queries
from tocsin.sharing.models import Appeal, Assertion
from tocsin.sift import asking
from tocsin.wire.indicators import lookup_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def reader() -> Actor:
    """A machine that reads lists, of a member that says nothing."""
    return a_key(Member.objects.filter(name="reader").first() or a_member("reader"), ("lists:read",))


def test_what_is_shared_says_how_sure_and_for_how_long(street: Street) -> None:
    """In bands, and in words that count nobody; the certainty fades, the reason stays."""
    for member in ("ferry", "medway"):
        street.report(member)
    found = explaining.explain(reader(), ATTACKER, NOON)
    assert (found.state, found.certainty) == ("shared", explaining.BANDS["medium"])
    assert (found.tlp, found.reported_by_us, found.obstacle) == ("green", False, "")
    assert found.attack_kind == "intrusion-attempts/login-attempts"
    assert [event.words for event in found.events] == ["Shared"]
    assert not any(word in str(found) for word in ("ferry", "medway", "two members said"))
    later = explaining.explain(reader(), ATTACKER, NOON + dt.timedelta(days=2))
    assert later.certainty == explaining.BANDS["low"]


def test_the_number_of_sources_does_not_show(street: Street) -> None:
    """Five and eight members are told in the same words."""
    told = []
    for number in range(8):
        street.report(f"isp{number}")
        if number in (4, 7):
            found = explaining.explain(reader(), ATTACKER, NOON)
            told.append((found.sentence, found.certainty, found.parts, found.reason))
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("value", "words"),
    [("80.94.92.99", explaining.HIDDEN), ("8.8.8.8", "warning list"), ("10.0.0.1", "warning list")],
)
def test_what_nobody_shared_says_why(street: Street, value: str, words: str) -> None:
    """Never reported, or never to be shared."""
    assert words in explaining.explain(reader(), value, NOON).sentence


def test_what_is_held_is_told_to_nobody_else(street: Street) -> None:
    """Who reported it sees that it waits; others do not learn that anybody did."""
    street.report("ferry")
    own = a_key(street.member("ferry"), ("lists:read",))
    assert explaining.explain(own, ATTACKER, NOON).state == "held"
    stranger = explaining.explain(reader(), ATTACKER, NOON)
    assert (stranger.state, stranger.indicator_id, stranger.reason) == ("", "", "")


def test_an_objection_takes_back_ones_own_words(street: Street) -> None:
    """What rested on them is off at once; nobody has to decide."""
    for member in ("ferry", "medway"):
        street.report(member)
    ferry = a_key(street.member("ferry"), ("indicators:write",))
    done = appealing.object_to(ferry, ATTACKER, "our mistake", NOON)
    assert (done.taken_back, done.is_listed, done.due_at) == (1, False, None)
    assert list(queries.shared("address", NOON)) == []
    assert not Appeal.objects.exists()


def test_what_others_stand_behind_goes_to_a_person(street: Street) -> None:
    """An appeal with a clock; a second objection joins it."""
    for member in ("ferry", "medway"):
        street.report(member)
    other = a_key(a_member("harbour"), ("indicators:write",))
    done = appealing.object_to(other, ATTACKER, "our customer, cleaned", NOON)
    assert (done.taken_back, done.is_listed) == (0, True)
    assert done.due_at == Appeal.objects.get().due_at
    assert appealing.object_to(other, ATTACKER, "still", NOON).due_at == done.due_at
    assert Assertion.objects.filter(withdrawn_at=None).count() == 2
    with pytest.raises(appealing.NotListed):
        appealing.object_to(other, "80.94.92.99", "not there", NOON)
    with pytest.raises(BadInput):
        appealing.object_to(other, ATTACKER, "  ", NOON)
    with pytest.raises(NotAllowed):
        appealing.object_to(reader(), ATTACKER, "no scope", NOON)


def test_over_rest(street: Street) -> None:
    """As a machine asks and objects."""
    for member in ("ferry", "medway"):
        street.report(member)
    key = key_text(a_member("machine"), ("lists:read", "indicators:write"))
    client = Client(headers={"Authorization": f"Bearer {key}"})
    found = client.get("/api/v1/indicators", {"value": f"http://{ATTACKER}/x"}).json()
    assert (found["value"], found["state"]) == (ATTACKER, "shared")
    assert client.get("/api/v1/indicators", {"value": "?"}).status_code == 400
    sent = client.post(
        "/api/v1/indicators/objections",
        {"value": ATTACKER, "reason": "ours"},
        content_type="application/json",
    )
    assert (sent.status_code, sent.json()["is_listed"]) == (200, True)
    assert client.get("/api/v1/indicators", {"value": ATTACKER}).json()["appeal"]


def test_asked_privately_the_exchange_learns_a_prefix_alone(street: Street) -> None:
    """What is shared is found among a hundred and more; what is not is not there, nor what others hold."""
    for member in ("ferry", "medway"):
        street.report(member)
    street.report("ferry", origin="80.94.92.18")
    for value, state in ((ATTACKER, "shared"), ("80.94.92.18", None), ("192.0.2.1", None)):
        digest = lookup_of(value)
        found = nearness.near(reader(), digest[:3])
        assert len(found.states) >= nearness.PADDED_TO
        assert all(len(rest) == 13 for rest in found.states)
        assert found.states.get(digest[3:]) == state
    for wrong in ("", "0", "0123456", "xyz", "ABC", "../"):
        with pytest.raises(BadInput):
            nearness.near(reader(), wrong)


def test_the_edge_sends_three_digits(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over real HTTP, as the command asks."""
    for member in ("ferry", "medway"):
        street.report(member)
    key = key_text(a_member("machine"), ("lists:read",))
    told = over_http(lambda url: asking.ask_privately(url, key, ATTACKER), monkeypatch)
    assert told.startswith(f"{ATTACKER}  It is shared")
    assert f"sent: {lookup_of(ATTACKER)[:3]}, under which" in told
    other = over_http(lambda url: asking.ask_privately(url, key, "shop.example"), monkeypatch)
    assert asking.NOT_THERE in other
