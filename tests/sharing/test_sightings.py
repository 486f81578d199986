"""Sightings: they keep what is shared on the lists, up to a limit, and are nobody's voice."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from tests.exchange import a_key, a_member
from tests.sharing.street import ATTACKER, DAY, NOON, PHISH, Street

from tocsin.access.models import Member
from tocsin.access.policy import Actor
from tocsin.journal import queries as journal
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound
from tocsin.sharing import explaining, queries, rules, services, sightings
from tocsin.sharing.models import Indicator, Sighting, SourceRecord
from tocsin.sharing.sightings import Met

WRITES = ("indicators:write", "lists:read")


def key_of(name: str) -> Actor:
    """The machine of the member of that name."""
    return a_key(Member.objects.filter(name=name).first() or a_member(name), WRITES)


@pytest.fixture
def shared(street: Street) -> Indicator:
    """What two members reported at noon."""
    for member in ("ferry", "harbour"):
        street.report(member)
    return street.indicator()


@pytest.mark.django_db
@pytest.mark.database
def test_a_sighting_keeps_it_for_longer(shared: Indicator) -> None:
    """By the life of its kind from then on; every list and channel hears of it as of a report."""
    later = NOON + 5 * DAY
    assert sightings.see_one(key_of("medway"), shared.indicator_id, later) == sightings.Taken(1, 0, 0)
    shared.refresh_from_db()
    assert shared.valid_until == later + 7 * DAY
    assert list(queries.shared("address", NOON + 11 * DAY)) == [ATTACKER]
    (renewed,) = [one for one in queries.life_of(shared, {}) if one.event == "sharing:indicator:renewed"]
    assert renewed.words == "Reported or seen again, so shared for longer"


@pytest.mark.django_db
@pytest.mark.database
def test_sightings_alone_keep_nothing_for_ever(shared: Indicator) -> None:
    """Fourteen days after the last word an address goes, however often it is seen."""
    for day in range(1, 14):
        sightings.see(key_of("medway"), [Met(ATTACKER)], NOON + day * DAY)
    shared.refresh_from_db()
    assert shared.valid_until == NOON + 14 * DAY
    services.sweep(NOON + 14 * DAY)
    shared.refresh_from_db()
    assert shared.state == "expired"
    with pytest.raises(Conflict):
        sightings.see_one(key_of("medway"), shared.indicator_id, NOON + 14 * DAY)


@pytest.mark.django_db
@pytest.mark.database
def test_a_sighting_is_no_voice(street: Street) -> None:
    """What one member reported stays held, whoever else says that it saw it; certainty is as before."""
    street.report("ferry")
    ferry = key_of("ferry")
    assert sightings.see(ferry, [Met(ATTACKER)], NOON).unknown == 1
    with pytest.raises(Conflict):
        sightings.see_one(ferry, street.indicator().indicator_id, NOON)
    with pytest.raises(NotFound):
        sightings.see_one(key_of("medway"), street.indicator().indicator_id, NOON)
    assert street.indicator().state == "held"
    street.report("harbour")
    before = explaining.explain(ferry, ATTACKER, NOON)
    for number in range(6):
        sightings.see(key_of(f"isp{number}"), [Met(ATTACKER)], NOON)
    after = explaining.explain(ferry, ATTACKER, NOON)
    assert (before.certainty, before.parts, before.reason) == (after.certainty, after.parts, after.reason)


@pytest.mark.django_db
@pytest.mark.database
def test_counts_are_told_roughly_and_never_of_one(shared: Indicator) -> None:
    """Nothing of one, a few, then by steps; never whose."""
    told = []
    for number in range(12):
        sightings.see(key_of(f"isp{number}"), [Met(ATTACKER)], NOON)
        told.append(sightings.seen_words(shared, NOON))
    assert told[0] == ""
    assert set(told[1:4]) == {"seen again by a few networks in 7 days"}
    assert set(told[4:9]) == {"seen again by at least 5 networks in 7 days"}
    assert set(told[9:]) == {"seen again by at least 10 networks in 7 days"}
    assert sightings.seen_words(shared, NOON + 7 * DAY) == ""
    assert explaining.explain(key_of("isp0"), ATTACKER, NOON).seen == told[-1]


@pytest.mark.django_db
@pytest.mark.database
def test_the_same_again_is_no_news(shared: Indicator) -> None:
    """Within the hour nothing changes, and an entry says how many, not what or who else."""
    medway = key_of("medway")
    assert sightings.see(medway, [Met(ATTACKER), Met(f" {ATTACKER} ")], NOON) == sightings.Taken(1, 0, 0)
    assert sightings.see(medway, [Met(ATTACKER)], NOON + dt.timedelta(minutes=59)).known == 1
    assert sightings.see(medway, [Met(ATTACKER)], NOON + dt.timedelta(minutes=60)).taken == 1
    assert Sighting.objects.count() == 1
    entries = Entry.objects.filter(event=sightings.MADE)
    assert entries.count() == 2
    for item in journal.history([entry.subject for entry in entries]):
        assert item.content == {"member": medway.members[0].member_id, "sightings": 1}


@pytest.mark.django_db
@pytest.mark.database
def test_when_it_was_met_is_what_the_member_says(shared: Indicator) -> None:
    """An older instant counts as such, one to come is refused, and nothing of that batch is taken."""
    medway = key_of("medway")
    met = [Met(ATTACKER, NOON + DAY), Met(ATTACKER, NOON + 2 * DAY), Met("203.0.113.9")]
    assert sightings.see(medway, met, NOON + 5 * DAY) == sightings.Taken(1, 0, 1)
    assert Sighting.objects.get().seen_at == NOON + 2 * DAY
    for wrong in (Met(ATTACKER, NOON + 6 * DAY), Met("no name at all")):
        with pytest.raises(BadInput):
            sightings.see(medway, [Met(ATTACKER, NOON + 4 * DAY), wrong], NOON + 5 * DAY)
    with pytest.raises(BadInput):
        sightings.see(medway, [Met(ATTACKER)] * 1_001, NOON)
    assert Sighting.objects.get().seen_at == NOON + 2 * DAY


@pytest.mark.django_db
@pytest.mark.database
def test_who_was_wrong_too_often_keeps_nothing(shared: Indicator) -> None:
    """A hostile member's sightings are as weak as its words."""
    medway = key_of("medway")
    SourceRecord.objects.create(member=medway.members[0], weight=0.0, counted_at=NOON)
    before = shared.valid_until
    sightings.see(medway, [Met(ATTACKER)], NOON + 3 * DAY)
    shared.refresh_from_db()
    assert shared.valid_until == before


@pytest.mark.django_db
@pytest.mark.database
def test_it_is_taken_back(shared: Indicator) -> None:
    """The member's own sighting goes, another's stays."""
    medway, other = key_of("medway"), key_of("other")
    for actor in (medway, other):
        sightings.see(actor, [Met(ATTACKER)], NOON)
    assert sightings.own_sighting(medway, shared.indicator_id) == sightings.OwnSighting(True, NOON)
    assert sightings.take_back(medway, shared.indicator_id) == 1
    assert sightings.take_back(medway, shared.indicator_id) == 0
    assert Sighting.objects.get().member == other.members[0]
    assert sightings.own_sighting(medway, shared.indicator_id).seen_at is None


@pytest.mark.django_db
@pytest.mark.database
def test_who_may_not_say_so(street: Street, shared: Indicator) -> None:
    """A key that only reads, and a person who acts for no member."""
    for actor in (a_key(a_member(), ("lists:read",)), street.trusted()):
        with pytest.raises(NotAllowed):
            sightings.see_one(actor, shared.indicator_id, NOON)
        assert not sightings.own_sighting(actor, shared.indicator_id).may


@pytest.mark.django_db
@pytest.mark.database
def test_a_batch_asks_no_more_questions_the_longer_it_is(street: Street) -> None:
    """Judged at once, however many."""
    asked = []
    for batch, many in (("a", 4), ("b", 40)):
        names = [f"{batch}{number}.{PHISH}" for number in range(many)]
        for member in ("ferry", "harbour"):
            street.phish(member, *names)
        with CaptureQueriesContext(connection) as queries_of:
            assert sightings.see(key_of(batch), [Met(name) for name in names], NOON + DAY).taken == many
        asked.append(len(queries_of))
    assert asked[1] <= asked[0] + 1


@given(st.integers(0, 40), st.integers(0, 40), st.sampled_from(["address", "name"]))
def test_no_sighting_outlives_the_limit_or_shortens_a_life(said: int, seen: int, kind: str) -> None:
    """Whenever it was seen: never shorter than by words alone, never longer than the limit after them."""
    word_at, at = NOON, NOON + said * DAY
    words = tuple(rules.Word(member, word_at) for member in (1, 2))
    alone = rules.Standing(kind, "shared", words=words)
    met = rules.Standing(kind, "shared", words=words, seen=NOON + seen * DAY)
    without, by_it = rules.judge_heard(alone, at), rules.judge_heard(met, at)
    if without.state == "shared":
        assert by_it.state == "shared"
        assert without.valid_until is not None
        assert by_it.valid_until is not None
        assert by_it.valid_until >= without.valid_until
    if by_it.state == "shared":
        assert by_it.valid_until is not None
        assert by_it.valid_until <= word_at + rules.DEFAULTS.sightings.longest(kind)
    held = rules.Standing(kind, "held", words=words[:1], seen=NOON)
    assert rules.judge_heard(held, NOON).state == "held"
