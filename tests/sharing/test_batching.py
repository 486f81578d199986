"""Small sources: their words wait, leave together at a fixed instant, and danger waits for nothing."""

import datetime as dt

import msgspec
import pytest
from django.test import Client
from tests.exchange import key_text
from tests.sharing.street import ATTACKER, DAY, NOON, PHISH, Street

from tocsin.access import keys, services
from tocsin.access.models import Member
from tocsin.access.policy import Actor
from tocsin.cases.linking import link_reports
from tocsin.cases.models import Case
from tocsin.cases.units import load_units
from tocsin.kernel.problems import NotAllowed
from tocsin.sharing import batching, hiding, queries, rules
from tocsin.sharing.models import Assertion, Indicator, Outgoing
from tocsin.sharing.services import assert_said, withdraw_report
from tocsin.sharing.words import Said

pytestmark = [pytest.mark.django_db, pytest.mark.database]
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
SCOPES = ("lists:read", "indicators:write")
OTHERS = [f"80.94.92.{last}" for last in range(1, 7)]


def small(street: Street, *names: str) -> None:
    """These members call themselves small sources."""
    for name in names:
        text = keys.make_key(street.member(name), "own", SCOPES)[1]
        batching.call_small(keys.actor_of_key(text), is_small=True)


def shared() -> set[str]:
    """What is shared now."""
    return set(Indicator.objects.filter(state="shared").values_list("value", flat=True))


def five_of_three(street: Street) -> None:
    """Three small sources say five things that another had said, so that nothing but they is missing."""
    small(street, "ann", "ben", "cyd")
    for value in OTHERS[:5]:
        street.report("ferry", value)
    for name, values in (("ann", OTHERS[:2]), ("ben", OTHERS[2:4]), ("cyd", OTHERS[4:5])):
        for value in values:
            street.report(name, value, NOON + 10 * MINUTE)


def test_words_are_closed_into_a_batch_and_leave_by_lot(street: Street) -> None:
    """Nothing counts before the full hour; from then on each has an instant of its own, within a day."""
    five_of_three(street)
    assert batching.sweep_batches(NOON + 59 * MINUTE) == 0
    assert not Assertion.objects.filter(leaves_at__isnull=False).exists()
    batching.sweep_batches(NOON + HOUR)
    waiting = Assertion.objects.exclude(member=street.member("ferry"))
    drawn = dict(waiting.filter(leaves_at__isnull=False).values_list("indicator__value", "leaves_at"))
    assert len(set(drawn.values())) > 1
    assert all(NOON + HOUR <= at <= NOON + 23 * HOUR for at in drawn.values())
    latest = max(drawn.values())
    batching.sweep_batches(latest - MINUTE)
    assert shared() == {value for value, at in drawn.items() if at <= latest - MINUTE}
    batching.sweep_batches(latest)
    assert shared() == set(OTHERS[:5])


def test_an_exchange_may_let_them_leave_together(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a spread they all leave on the full hour, with one instant."""
    batch = msgspec.structs.replace(hiding.DEFAULTS.batch, spread_hours=0)
    monkeypatch.setattr(batching, "DEFAULTS", msgspec.structs.replace(hiding.DEFAULTS, batch=batch))
    five_of_three(street)
    assert batching.sweep_batches(NOON + 59 * MINUTE) == 0
    assert batching.sweep_batches(NOON + HOUR) == 5
    assert shared() == set(OTHERS[:5])
    told = Assertion.objects.exclude(member=street.member("ferry")).values_list("asserted_at", flat=True)
    assert set(told) == {NOON + HOUR}
    left = Outgoing.objects.filter(stix_type="indicator").values_list("modified", flat=True)
    assert len(set(left)) == 1


@pytest.mark.parametrize(("words", "members"), [(4, 4), (6, 2)])
def test_too_few_words_or_members_wait_for_more(street: Street, words: int, members: int) -> None:
    """Four things are too few, and so are two members; within a day they leave whatever there is."""
    names = ["ann", "ben", "cyd", "dot"][:members]
    small(street, *names)
    for place in range(words):
        street.report(names[place % members], OTHERS[place], NOON + 10 * MINUTE)
    assert batching.close(NOON + HOUR) == 0
    assert batching.close(NOON + 2 * HOUR) == words
    batching.sweep_batches(NOON + 10 * MINUTE + DAY)
    assert not Assertion.objects.filter(waits_since__isnull=False).exists()


def test_no_word_waits_longer_than_a_day() -> None:
    """However the lots fall: closed early enough that the longest spread still ends in time."""
    batch = hiding.DEFAULTS.batch
    assert batch.tick(NOON + 59 * MINUTE) == NOON
    for minute in range(0, 60, 7):
        said = NOON + minute * MINUTE
        ticks = (NOON + hour * HOUR for hour in range(1, 25))
        closed = next(tick for tick in ticks if batch.is_due(1, 1, said, tick))
        assert closed + batch.spread_hours * HOUR <= said + batch.most_hours * HOUR
    assert batch.is_due(5, 3, NOON, NOON + HOUR)
    assert not batch.is_due(4, 3, NOON + 10 * MINUTE, NOON + HOUR)


def test_danger_waits_for_nothing(street: Street) -> None:
    """A critical report goes at once, and so does one of a case in which a life is in danger."""
    small(street, "ann", "ben")
    street.report("ferry", ATTACKER)
    street.report("ann", ATTACKER, severity="critical")
    assert shared() == {ATTACKER}
    street.phish("ferry", PHISH)
    quiet = street.phish("ben", PHISH, at=NOON + MINUTE)
    assert shared() == {ATTACKER}
    assert batching.sweep_batches(NOON + 2 * MINUTE) == 0
    load_units()
    link_reports([quiet.pk], NOON)
    Case.objects.filter(links__report=quiet).update(is_threat_to_life=True)
    assert batching.sweep_batches(NOON + 2 * MINUTE) == 1
    assert shared() == {ATTACKER, PHISH}


def test_a_renewal_waits_and_what_was_said_counts_meanwhile(street: Street) -> None:
    """What is shared stays shared while a second report of a small source waits, and is renewed with it."""
    street.report("ferry", ATTACKER)
    first = street.report("ann", ATTACKER)
    until = street.indicator().valid_until
    small(street, "ann")
    again = msgspec.to_builtins(msgspec.json.decode(bytes(first.content)))
    street.report("ann", ATTACKER, NOON + DAY, attack_id=again["attack_id"], count=99)
    assert (street.indicator().state, street.indicator().valid_until) == ("shared", until)
    batching.close(NOON + DAY + 2 * HOUR)
    leaves_at = Assertion.objects.get(waits_since__isnull=False).leaves_at
    assert batching.sweep_batches(leaves_at - MINUTE) == 0
    assert batching.sweep_batches(leaves_at) == 1
    assert street.indicator().valid_until == rules.next_hour(leaves_at + 7 * DAY)


def test_what_is_taken_back_never_leaves(street: Street) -> None:
    """A waiting word that is withdrawn is nobody's; one that was said again waits again."""
    small(street, "ann")
    street.report("ferry", ATTACKER)
    wrong = street.report("ann", ATTACKER, NOON)
    withdraw_report(wrong, "a mistake", NOON)
    batching.close(NOON + 2 * HOUR)
    assert batching.sweep_batches(NOON + 2 * DAY) == 0
    assert shared() == set()


def test_what_a_member_writes_waits_too_and_a_correction_does_not(street: Street) -> None:
    """A contribution waits; marking it more strictly later counts at once."""
    street.report("ferry", ATTACKER)
    small(street, "ann")
    ann = Member.objects.get(name="ann")
    assert assert_said(ann, [Said("address", ATTACKER, "a")], NOON) == 1
    assert assert_said(ann, [Said("address", ATTACKER, "a")], NOON + MINUTE) == 0
    assert shared() == set()
    batching.close(NOON + 2 * HOUR)
    assert batching.sweep_batches(NOON + 24 * HOUR) == 1
    assert street.indicator().tlp == "green"
    assert_said(ann, [Said("address", ATTACKER, "a", tlp="amber")], NOON + 25 * HOUR)
    assert street.indicator().tlp == "amber"


def test_only_the_member_itself_sees_that_it_waits(street: Street) -> None:
    """Its own machine reads what waits and until when; another's nothing, and no one else may choose."""
    small(street, "ann")
    street.report("ann", ATTACKER, NOON)
    own, other = (key_text(street.member(name), SCOPES) for name in ("ann", "ferry"))
    told = Client().get("/api/v1/source", headers={"Authorization": f"Bearer {own}"}).json()
    assert (told["is_small_source"], told["count"]) == (True, 1)
    assert [one["value"] for one in told["waiting"]] == [ATTACKER]
    assert told["waiting"][0]["leaves_by"] == "2026-11-21T12:00:00Z"
    assert (
        Client().get("/api/v1/source", headers={"Authorization": f"Bearer {other}"}).json()["waiting"] == []
    )
    view = queries.indicator_view(keys.actor_of_key(own), street.indicator().indicator_id)
    assert (view.reported_by_us, view.waits) == (True, True)
    answer = Client().put(
        "/api/v1/source",
        data=b'{"is_small_source": false}',
        content_type="application/json",
        headers={"Authorization": f"Bearer {own}"},
    )
    assert answer.json() == {"is_small_source": False}
    assert not Member.objects.get(name="ann").is_small_source
    weak = keys.actor_of_key(key_text(street.member("ann"), ("lists:read",)))
    with pytest.raises(NotAllowed):
        batching.call_small(weak, is_small=True)


def test_the_page_says_what_it_costs(street: Street) -> None:
    """The page where it is chosen says that the promise of a second does not hold, and shows what waits."""
    person = services.add_person("rita@ann.example", "Rita", "secret")
    services.give_role(person, "reporter", member=street.member("ann"))
    client = Client()
    client.force_login(person)
    assert "Your warnings go at once." in client.get("/network/source").content.decode()
    client.post("/network/source/batch", {"small": "yes"})
    street.report("ann", ATTACKER, NOON)
    page = client.get("/network/source").content.decode()
    assert "what the exchange promises about a second does not hold" in page
    assert ATTACKER in page
    shown = client.get(f"/indicators/{street.indicator().indicator_id}").content.decode()
    assert "waits for its batch" in shown
    assert Actor.of_person(person).members[0].is_small_source
