"""Tallies taken, and what of them may be told."""

from typing import Any

import msgspec
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from tests.blocking.indicators import an_indicator, asserted
from tests.exchange import a_key, a_member, key_text

from tocsin.access.models import Member
from tocsin.blocking import queries, rules, services
from tocsin.blocking.models import Tally
from tocsin.cases import services as cases
from tocsin.cases.models import Case
from tocsin.cases.newest import newest_of
from tocsin.journal.models import Entry
from tocsin.kernel.problems import NotAllowed
from tocsin.kernel.time import now, rfc3339
from tocsin.sharing.models import Assertion
from tocsin.sharing.queries import asserted_by
from tocsin.wire.tally import Tally as Told
from tocsin.wire.tally import TallyAnswer, TallyBatch

HOUR = rfc3339(now().replace(minute=0, second=0, microsecond=0))
WRITE = ("tallies:write",)


def told(
    hits: int,
    value: str = "198.51.100.7",
    *,
    hour: str = HOUR,
    source_id: str = "rpz.log",
    clients: int | None = None,
) -> TallyBatch:
    kind = "address" if value[0].isdigit() or ":" in value else "name"
    return TallyBatch(source_id, [Told(kind, value, hour, hits, clients)])  # type: ignore[arg-type]


def tell(member: Member, *batches: TallyBatch) -> list[TallyAnswer]:
    key = a_key(member, WRITE)
    return [services.take_tallies(key, batch) for batch in batches]


@pytest.mark.django_db
class TestTaking:
    def test_the_highest_number_of_an_hour_stands(self) -> None:
        """Cumulative: told again, told lower, or told out of order, the highest number stands."""
        an_indicator()
        tell(a_member(), told(3), told(9), told(9), told(4))
        assert [row.hits for row in Tally.objects.all()] == [9]

    def test_clients_go_with_the_hits_they_were_told_with(self) -> None:
        """The highest hits stand with their clients, also when these are not known any more."""
        an_indicator()
        tell(a_member(), told(9, clients=7), told(8, clients=8))
        assert [(row.hits, row.clients) for row in Tally.objects.all()] == [(9, 7)]
        tell(Tally.objects.get().member, told(12))
        assert [(row.hits, row.clients) for row in Tally.objects.all()] == [(12, None)]

    def test_only_what_teaches_something_is_journaled(self) -> None:
        """One entry for a batch with a new number, none for one told again."""
        an_indicator()
        before = Entry.objects.filter(event=services.TAKEN).count()
        tell(a_member(), told(3), told(3), told(2), told(5))
        assert Entry.objects.filter(event=services.TAKEN).count() == before + 2

    def test_members_and_logs_are_counted_apart(self) -> None:
        """The same value and hour from another log or another member adds up."""
        indicator = an_indicator()
        tell(a_member(), told(3), told(4, source_id="second.log"))
        tell(a_member(), told(5))
        assert sum(row.hits for row in indicator.tallies.all()) == 12

    def test_what_was_never_shared_is_counted_and_not_kept(self) -> None:
        """An indicator that is held, or none at all, is unknown; the answer says how many were."""
        an_indicator("192.0.2.1", was_shared=False)
        an_indicator("login.example", "name")
        batch = TallyBatch(
            "rpz.log",
            [
                Told("name", "Login.Example.", HOUR, 2),
                Told("address", "192.0.2.1", HOUR, 2),
                Told("name", "other.example", HOUR, 2),
            ],
        )
        assert tell(a_member(), batch) == [TallyAnswer(taken=1, unknown=2)]
        assert Tally.objects.count() == 1

    @pytest.mark.parametrize(
        ("batch", "said"),
        [
            (told(0), "hits"),
            (told(-1), "hits"),
            (told(1, hour="2026-11-20T01:30:00Z"), "hour"),  # not the start of one
            (told(1, hour="2026-11-20T01:00:00+01:00"), "hour"),  # not UTC
            (told(1, hour="1989-01-01T00:00:00Z"), "hour"),
            (told(1, hour="2199-01-01T00:00:00Z"), "hour"),
            (told(9, clients=4), "clients"),  # few enough to point at somebody
            (told(9, clients=10), "clients"),
            (told(1, "300.1.2.3"), "address"),
            (told(1, source_id="/var/log/named/rpz.log"), "source_id"),
            (told(1, source_id=""), "source_id"),
        ],
    )
    def test_a_tally_that_cannot_be_is_refused(self, batch: TallyBatch, said: str) -> None:
        """The refusal names the field, and nothing of the batch is taken."""
        with pytest.raises(rules.BadTally, match=said):
            tell(a_member(), batch)

    def test_only_a_key_for_tallies_may_tell_them(self) -> None:
        """A key that reports may not tally."""
        with pytest.raises(NotAllowed):
            services.take_tallies(a_key(), told(1))


@pytest.mark.django_db
class TestEffect:
    def test_a_reporter_hears_of_five_networks_exactly(self) -> None:
        """From five other networks on, connections and networks are told as they are."""
        indicator = an_indicator()
        report = asserted(indicator)
        for number in range(5):
            tell(a_member(), told(8_000 + 100 * number))
        effect = queries.effect_of_reports([report.pk])[report.pk]
        assert effect == queries.Effect(41_000, 5, "stopped 41,000 connections at 5 networks")

    def test_one_networks_volume_is_not_told(self) -> None:
        """With fewer than five networks, neither their number nor their exact volume is told."""
        indicator = an_indicator()
        report = asserted(indicator)
        tell(a_member(), told(41_234))
        effect = queries.effect_of_reports([report.pk])[report.pk]
        assert effect.words == "stopped more than 40,000 connections at fewer than 5 networks"
        assert (effect.connections, effect.networks) == (40_000, 0)

    def test_ones_own_blocks_are_told_apart(self) -> None:
        """What the reporter itself stopped is its own number, and exact."""
        indicator = an_indicator()
        report = asserted(indicator)
        tell(report.member, told(12))
        own = queries.effect_of_reports([report.pk])[report.pk]
        assert own.words == "stopped 12 connections at your own network"
        tell(a_member(), told(3))
        both = queries.effect_of_reports([report.pk])[report.pk]
        assert both.words == (
            "stopped fewer than 5 connections at fewer than 5 other networks, and 12 at your own"
        )
        assert both.connections == 12

    def test_every_report_has_an_effect_even_none(self) -> None:
        """No block yet, no indicator, or an assertion taken back: empty words."""
        indicator = an_indicator()
        reports = [asserted(indicator) for _ in range(2)]
        tell(a_member(), told(500))
        Assertion.objects.filter(report=reports[0]).update(withdrawn_at=now())
        effects = queries.effect_of_reports([report.pk for report in reports])
        assert effects[reports[0].pk] == queries.Effect(0, 0, "")
        assert effects[reports[1].pk].connections == 500

    def test_a_case_hears_of_all_its_reports_once(self) -> None:
        """Two reports of one indicator do not count its blocks twice; nobody's network is named."""
        indicator = an_indicator()
        reports = [asserted(indicator) for _ in range(2)]
        cases.link_reports([report.pk for report in reports])
        for _ in range(6):
            tell(a_member(), told(10))
        case = Case.objects.filter(links__report=reports[0]).get()
        indicators = asserted_by(newest_of(case).pks)
        assert queries.effect_of(indicators) == queries.Effect(60, 6, "stopped 60 connections at 6 networks")

    def test_a_page_of_reports_costs_four_queries(self, django_assert_num_queries: object) -> None:
        """However many reports a page has."""
        indicator = an_indicator()
        pks = [asserted(indicator).pk for _ in range(4)]
        tell(a_member(), told(10))
        with django_assert_num_queries(4):  # type: ignore[operator]
            queries.effect_of_reports(pks)


@given(own=st.integers(0, 10**6), hits=st.lists(st.integers(1, 10**6), max_size=8))
def test_few_networks_never_give_away_a_number(own: int, hits: list[int]) -> None:
    """Two volumes that share their leading digit and length read alike while networks are few."""
    others = sum(hits)
    said = rules.words(own, others, len(hits))
    assert bool(said) == bool(own or others)
    if 0 < len(hits) < rules.LEAST_SHOWN:
        assert "fewer than 5" in said
        unit = 10 ** (len(str(others)) - 1)
        last = (others // unit + 1) * unit - 1
        assert rules.shown(last, len(hits)) == rules.shown(others, len(hits)) <= others


@pytest.mark.django_db
class TestDoor:
    def post(self, member: Member, body: bytes, scopes: tuple[str, ...] = WRITE) -> Any:
        return Client().post(
            "/api/v1/tallies",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {key_text(member, scopes)}"},
        )

    def test_a_tally_reaches_the_reporter(self) -> None:
        """Told at one door, it stands in the reporter's own report at the other."""
        report = asserted(an_indicator())
        answered = self.post(a_member(), msgspec.json.encode(told(7)))
        assert (answered.status_code, answered.json()) == (200, {"taken": 1, "unknown": 0})
        key = key_text(report.member)
        shown = Client().get(
            f"/api/v1/reports/{report.report_id}", headers={"Authorization": f"Bearer {key}"}
        )
        assert shown.json()["effect"] == "stopped 7 connections at fewer than 5 networks"

    @pytest.mark.parametrize(
        "body", [b"[]", b'{"source_id":"x"}', b'{"source_id":"x","tallies":[{}]}', b"\xff"]
    )
    def test_a_body_of_another_shape_is_told_so(self, body: bytes) -> None:
        """A problem document with status 400, never a trace."""
        answered = self.post(a_member(), body)
        assert answered.status_code == 400
        assert answered.json()["type"] == "about:blank#bad-input"

    def test_an_older_tool_may_tell_hits_alone(self) -> None:
        """A body without clients, as it was before they were counted, is taken."""
        an_indicator()
        tallies = [{"kind": "address", "value": "198.51.100.7", "hour": HOUR, "hits": 7}]
        body = msgspec.json.encode({"source_id": "x", "tallies": tallies})
        assert self.post(a_member(), body).json() == {"taken": 1, "unknown": 0}
        assert Tally.objects.get().clients is None

    def test_another_scope_is_refused(self) -> None:
        """A key without tallies:write gets 403."""
        assert self.post(a_member(), b"{}", ("reports:read",)).status_code == 403
