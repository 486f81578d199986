"""Certainty from independent voices and records: what a hostile or careless source can and cannot do."""

import datetime as dt
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sharing.street import ATTACKER, DAY, NOON, Street

from tocsin.sharing import confidence, queries, records, rules, services
from tocsin.sharing.confidence import Record
from tocsin.sharing.models import SourceRecord
from tocsin.sharing.words import Said

KNOWN = confidence.figures()
counts = st.integers(0, 10**6)


def test_two_voices_without_a_record_are_enough_and_one_is_not() -> None:
    """The figures as shipped: one in ten before anybody spoke, 0.31 after one, 0.64 after two."""
    usual = confidence.weight_of(Record(), KNOWN)
    assert usual == pytest.approx(math.log(4))
    sure = [round(confidence.certainty([usual] * voices, KNOWN), 2) for voices in range(4)]
    assert sure == [0.1, 0.31, 0.64, 0.88]
    assert [confidence.band(one, KNOWN) for one in sure] == ["none", "low", "medium", "high"]


@given(counts, counts, counts, counts)
def test_a_record_moves_its_weight_the_right_way(right: int, wrong: int, listed: int, alone: int) -> None:
    """More confirmed never weighs less; more of anything else never more; always within bounds."""
    weight = confidence.weight_of(Record(right, wrong, listed, alone), KNOWN)
    assert KNOWN.source.least <= weight <= KNOWN.source.most
    assert confidence.weight_of(Record(right + 1, wrong, listed, alone), KNOWN) >= weight
    for worse in (Record(right, wrong + 1, listed, alone), Record(right, wrong, listed + 1, alone)):
        assert confidence.weight_of(worse, KNOWN) <= weight


@given(st.lists(st.floats(0, 3), max_size=9), st.floats(0, 3))
def test_another_voice_never_makes_it_less_certain(weights: list[float], more: float) -> None:
    """The worst that a bad source can do is nothing."""
    before, after = confidence.certainty(weights, KNOWN), confidence.certainty([*weights, more], KNOWN)
    assert 0 < before <= after < 1


def test_a_word_weighs_half_after_its_half_life() -> None:
    """Three days for an address, thirty for a name."""
    assert confidence.faded(1, dt.timedelta(days=3), "address", KNOWN) == pytest.approx(0.5)
    assert confidence.faded(1, dt.timedelta(days=60), "name", KNOWN) == pytest.approx(0.25)


def test_an_exchange_has_figures_of_its_own(tmp_path: Path) -> None:
    """What its file leaves out stays; what nobody knows is refused by name."""
    own = tmp_path / "own.toml"
    own.write_text("enough = 0.9\n[half_life_days]\naddress = 1.0\n")
    found = confidence.figures(own)
    assert (found.enough, found.half_life_days["address"], found.half_life_days["name"]) == (0.9, 1.0, 30.0)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("enuff = 0.9\n")
    with pytest.raises(ValueError, match="enuff"):
        confidence.figures(wrong)


@pytest.mark.django_db
@pytest.mark.database
class TestRecords:
    """What becomes of a source's words, on a real exchange."""

    def said(self, street: Street, member: str, *values: str, at: dt.datetime = NOON) -> None:
        """One word on each address."""
        words = [Said("address", value, f"{member}-{value}") for value in values]
        services.assert_said(street.member(member), words, at)

    def record(self, street: Street, member: str) -> SourceRecord:
        """The record that was counted last."""
        return SourceRecord.objects.get(member=street.member(member))

    def test_each_end_is_counted_once(self, street: Street) -> None:
        """Confirmed, refused, listed, alone: one of each."""
        self.said(street, "ferry", ATTACKER, "80.94.92.18", "80.94.92.19", "8.8.8.8", "80.94.92.20")
        self.said(street, "medway", ATTACKER, "80.94.92.18")
        services.withdraw(street.indicator("80.94.92.18"), street.trusted(), "a mistake", NOON)
        records.count_anew(NOON + 8 * DAY)
        found = self.record(street, "ferry")
        assert (found.right, found.wrong, found.listed, found.alone) == (1, 1, 1, 2)
        assert found.weight == pytest.approx(math.log((4 + 1) / (1 + 1 + 0.2 + 2 * 0.005)))

    def test_who_was_often_wrong_lifts_nothing_any_more(self, street: Street) -> None:
        """Ten words that a person refused: its eleventh needs two others, and nobody learns why."""
        wrong = [f"80.94.93.{last}" for last in range(10)]
        self.said(street, "liar", *wrong)
        self.said(street, "dupe", *wrong)
        trusted = street.trusted()
        for value in wrong:
            services.withdraw(street.indicator(value), trusted, "not so", NOON)
        services.weigh_anew(NOON)
        self.said(street, "liar", ATTACKER)
        self.said(street, "harbour", ATTACKER)
        held = street.indicator()
        assert (held.state, held.basis) == ("held", "unsure")
        self.said(street, "ferry", ATTACKER)
        assert street.indicator().state == "shared"

    def test_what_rested_on_a_source_that_fell_is_withdrawn(self, street: Street) -> None:
        """Its record falls after it was believed: what stands on it goes, what others confirmed stays."""
        self.said(street, "liar", ATTACKER, "80.94.92.18")
        self.said(street, "medway", ATTACKER, "80.94.92.18")
        self.said(street, "harbour", ATTACKER)
        assert len(list(queries.shared("address", NOON))) == 2
        SourceRecord.objects.create(member=street.member("liar"), weight=rules.USUAL, counted_at=NOON)
        wrong = [f"80.94.93.{last}" for last in range(10)]
        self.said(street, "liar", *wrong)
        trusted = street.trusted()
        for value in wrong:
            services.withdraw(street.indicator(value), trusted, "not so", NOON)
        assert services.weigh_anew(NOON) == 1
        assert list(queries.shared("address", NOON)) == [ATTACKER]

    def test_a_popular_name_costs_its_speaker_and_nobody_else(self, street: Street) -> None:
        """A hundred words on listed addresses: held for ever, and the weight is gone."""
        self.said(street, "hostile", *[f"8.8.8.{last}" for last in range(100)])
        self.said(street, "ferry", ATTACKER)
        self.said(street, "medway", ATTACKER)
        services.weigh_anew(NOON)
        assert self.record(street, "hostile").weight == 0
        assert list(queries.shared("address", NOON)) == [ATTACKER]
