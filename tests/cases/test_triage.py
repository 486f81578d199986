"""The score: four parts, each explained, weighed by the unit, kept whenever something of the case changes."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cases.town import NOON, Town

from tocsin.cases import clocks, triage, weights
from tocsin.cases.audit import check_cases
from tocsin.cases.explained import explain
from tocsin.cases.models import Case, Clock
from tocsin.cases.services import (
    Responder,
    accept_case,
    detach_report,
    redirect_case,
)
from tocsin.cases.units import current_pack
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed
from tocsin.reference import pack
from tocsin.reference.values import Weights

DAY = dt.timedelta(days=1)
LATER = NOON + dt.timedelta(hours=1)


def scored(**fields: object) -> Case:
    """A case that is nowhere stored, with these fields, weighed as the exchange proposes."""
    case = Case(kind="intrusion-attempts/brute-force", severity="low", report_count=1, member_count=1)
    for name, value in fields.items():
        setattr(case, name, value)
    triage.weigh(pack("gb"), case, pack("gb").triage.weights.alone, NOON)
    return case


@pytest.mark.parametrize("country", ["gb", "nl"])
def test_every_pack_says_how_a_score_is_made(country: str) -> None:
    """Weights with their source, a point for each severity, and reasons only for statuses that exist."""
    loaded = pack(country)
    assert loaded.triage.weights.alone.whole == 100
    assert list(loaded.triage.severity) == ["info", "low", "medium", "high", "critical"]
    assert loaded.triage.solvability.origin_logs <= loaded.log_types.keys()


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"severity": "critical"}, "severity_part"),
        ({"held_until": NOON + 3 * DAY}, "solvability_part"),
        ({"names_origin": True}, "solvability_part"),
        ({"kind": "malicious-code/x-uk-ransomware"}, "harm_part"),
        ({"victim_count": 3}, "harm_part"),
        ({"report_count": 40}, "volume_part"),
        ({"member_count": 3}, "volume_part"),
    ],
)
def test_each_fact_raises_its_own_part_and_the_score(more: dict[str, object], part: str) -> None:
    """And no other part: nothing is counted twice."""
    before, after = scored(), scored(**more)
    assert after.score > before.score
    parts = {f"{name}_part" for name in triage.PARTS}
    assert {name for name in parts if getattr(after, name) != getattr(before, name)} == {part}


@given(
    st.fixed_dictionaries(
        {
            "severity": st.sampled_from(["info", "low", "medium", "high", "critical"]),
            "report_count": st.integers(0, 10**6),
            "member_count": st.integers(0, 500),
            "victim_count": st.integers(0, 10**6),
            "names_origin": st.booleans(),
            "held_until": st.none() | st.integers(-400, 400).map(lambda days: NOON + days * DAY),
        }
    ),
    st.tuples(*[st.integers(0, 100)] * 4).filter(any),
)
def test_a_score_and_its_parts_stay_within_0_and_100(
    fields: dict[str, object], numbers: tuple[int, int, int, int]
) -> None:
    """Whatever is reported, and however a unit weighs it."""
    case = scored(**fields)
    for name in triage.PARTS:
        assert 0 <= getattr(case, f"{name}_part") <= 100
    assert 0 <= triage.score_of(case, Weights(*numbers)) <= 100


@pytest.mark.django_db
def test_a_case_is_scored_as_reports_join(town: Town) -> None:
    """With what is held, who can say whose it is, and the first duty; a second report raises it."""
    case = town.case_of(town.report(delete_at=NOON + 7 * DAY))
    assert (case.evidence_until, case.held_until) == (NOON + 7 * DAY, NOON + 7 * DAY)
    assert case.solvability_part == 55 and not case.names_origin  # held 40, and half of 30
    assert case.due_at == NOON + DAY
    again = town.case_of(town.report("medway", severity="high"))
    assert again.pk == case.pk and again.score > case.score
    assert (again.severity_part, again.volume_part) == (
        75,
        25,
    )  # (17 for two reports, 33 for two members) / 2


@pytest.mark.django_db
def test_a_member_can_say_whose_its_own_customer_is(town: Town) -> None:
    """By token, by a network that it says is its own, or by a log that assigns addresses."""
    assert town.case_of(town.report(origins=("token:abc",))).names_origin
    assert not town.case_of(town.report(origins=("203.0.113.9",))).names_origin
    member = town.members["lakes"]
    member.networks = ["203.0.113.0/24"]
    member.save()
    assert town.case_of(town.report(origins=("203.0.113.10",))).names_origin


@pytest.mark.django_db
def test_what_a_person_does_moves_the_first_duty_in_the_same_transaction(town: Town) -> None:
    """Accepting ends one clock and starts another; the queue is ordered by the new one at once."""
    case = town.case_of(town.report())
    olive = Responder.of(town.actor("olive"), case)
    case = accept_case(case, olive, LATER)
    case.refresh_from_db()
    running = Clock.objects.filter(case=case, ended_at__isnull=True, clock_id__in=triage.DUTIES)
    assert case.due_at == running.order_by("due_at").values_list("due_at", flat=True)[0] > NOON + DAY
    redirect_case(case, olive, town.unit("essex"), "theirs", LATER)
    assert list(check_cases()) == []
    Case.objects.filter(pk=case.pk).update(score=99)
    assert [finding.why for finding in check_cases()] == [
        "its place in the queue is not that of its clocks and score"
    ]


@pytest.mark.django_db
def test_a_report_that_leaves_takes_its_part_of_the_score_along(town: Town) -> None:
    """Both cases are counted anew."""
    first = town.report(severity="high", delete_at=NOON + 20 * DAY)
    other = town.report("medway", severity="low")
    case = town.case_of(first)
    before = case.score
    fresh = detach_report(case, Responder.of(town.actor("olive"), case), other, "another tool", LATER)
    case.refresh_from_db()
    fresh.refresh_from_db()
    assert case.score < before and case.volume_part == 0
    assert fresh.solvability_part == 0 and fresh.due_at is not None
    assert list(check_cases()) == []


@pytest.mark.django_db
def test_days_that_pass_and_victims_that_are_found_change_the_score(town: Town) -> None:
    """Once a day everything is counted anew; victims push their count in whenever they know it."""
    case = town.case_of(town.report(delete_at=NOON + 7 * DAY))
    assert triage.refresh_all(NOON + 8 * DAY) == 1
    case.refresh_from_db()
    assert (case.solvability_part, case.evidence_until) == (0, None)
    triage.note_victims(case.case_id, 7, NOON + 8 * DAY)
    after = Case.objects.get()
    assert after.victim_count == 7 and after.harm_part == case.harm_part + 30
    assert "7 known victims" in explain(after, NOON).parts[2].why


@pytest.mark.django_db
def test_a_score_is_explained_whole(town: Town) -> None:
    """Its parts, what each counts and adds, and whose weights these are."""
    case = town.case_of(town.report(severity="high", delete_at=NOON + 7 * DAY))
    told = explain(case, NOON)
    assert told.score == case.score
    assert abs(sum(part.points for part in told.parts) - told.score) <= 3  # each is rounded down by itself
    assert told.sentence == (
        f"Score {case.score} of 100, most of it for severity: the highest severity of its reports is high."
    )
    assert told.parts[1].why == "a log is held for 7 more days, and no member can say whose it is"
    assert told.weights_words == "weighed as the exchange proposes"


@pytest.mark.django_db
def test_a_supervisor_weighs_the_units_cases_otherwise_and_takes_it_back(town: Town) -> None:
    """At once for every open case of the unit, for no other, recorded both ways."""
    mine = town.case_of(town.report(severity="critical"))
    other = town.case_of(town.report("colne", origins=("203.0.113.99",)))
    before = (mine.score, other.score)
    saul, kent = town.actor("saul"), town.unit("kent")
    with pytest.raises(NotAllowed):
        weights.set_weights(town.actor("olive"), kent, Weights(1, 0, 0, 0), "because")
    with pytest.raises(NotAllowed):
        weights.set_weights(saul, town.unit("essex"), Weights(1, 0, 0, 0), "because")
    with pytest.raises(BadInput, match="one of them counts"):
        weights.set_weights(saul, kent, Weights(0, 0, 0, 0), "because")
    with pytest.raises(BadInput, match="say why"):
        weights.set_weights(saul, kent, Weights(1, 0, 0, 0), " ")
    weights.set_weights(saul, kent, Weights(10, 0, 0, 0), "we count severity alone")
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.score, other.score) == (100, before[1])
    assert explain(mine, NOON).weights_words == "weighed as Kent Police decided"
    town.report("medway", severity="low")
    assert list(check_cases()) == [], "what joins later is weighed so too"
    assert weights.undo_weights(saul, kent) == current_pack().triage.weights.alone
    with pytest.raises(Conflict):
        weights.undo_weights(saul, kent)
    assert list(check_cases()) == []
    told = Entry.objects.filter(event__startswith="cases:weights:").values_list("event", flat=True)
    assert list(told) == ["cases:weights:set", "cases:weights:undone"]


@pytest.mark.django_db
def test_a_missed_clock_is_found_by_the_desks_it_reached(town: Town) -> None:
    """The sweep keeps nothing on cases: what has escalated is looked up among the few missed clocks."""
    case = town.case_of(town.report())
    clocks.sweep(NOON + 20 * DAY)
    town.person("reg", "officer", unit="serocu") if town.unit("kent").parent is None else None
    assert Clock.objects.filter(case=case, breached_at__isnull=False).exists()
    assert list(check_cases()) == []
