"""Campaigns of many origins: what the exchange joins, what it leaves to people, what it never forgets."""

import datetime as dt
import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cases.town import NOON, Town

from tocsin.access.models import Member
from tocsin.cases.audit import check_cases
from tocsin.cases.campaigns import find_campaigns
from tocsin.cases.footprints import Footprint, footprints
from tocsin.cases.linking import link_reports
from tocsin.cases.member_reports import report_view
from tocsin.cases.models import Case, Link, Move, Suggestion
from tocsin.cases.services import (
    Responder,
    accept_case,
    gather_campaigns,
    make_one_time_link,
    merge_cases,
    redirect_case,
    split_case,
    undo_move,
)
from tocsin.intake.models import Report
from tocsin.journal.models import Entry

DAY = dt.timedelta(days=1)
LATER = NOON + 2 * DAY
MEMBERS = 40
MET = tuple(range(0, 30, 3))  # the members that the campaign strikes: ten of forty
FIRST, SECOND, THIRD = "203.0.113.7", "198.18.7.7", "198.18.9.9"


@pytest.fixture
def nation(town: Town) -> Town:
    """The town among forty members, with noise that meets everybody now and then."""
    forces = ("kent", "essex", "cumbria")
    for number in range(MEMBERS):
        town.members[f"m{number}"] = Member.objects.create(name=f"M{number}", force_id=forces[number % 3])
    dice = random.Random(5)
    noise = [
        strike(town, f"198.18.1.{origin + 1}", number, count=dice.randint(5, 5_000), link=False)
        for origin in range(6)
        for number in dice.sample(range(MEMBERS), 8)
    ]
    link_reports([report.pk for report in noise], NOON)
    return town


def strike(
    town: Town, origin: str, member: int, *, day: int = 0, count: int = 60, link: bool = True
) -> Report:
    """One report of one member about one origin."""
    return town.report(
        f"m{member}", origins=(origin,), count=count, received_at=NOON + day * DAY, target="ssh1", link=link
    )


def campaign(town: Town, *origins: str, met: Sequence[int] = MET, days: int = 2) -> list[Case]:
    """The cases of origins that strike the same members on the same days; one case an origin."""
    reports = {
        origin: [strike(town, origin, number, day=day, link=False) for day in range(days) for number in met]
        for origin in origins
    }
    link_reports([report.pk for found in reports.values() for report in found], NOON + DAY)
    return [town.case_of(found[0]) for found in reports.values()]


def officer(town: Town, case: Case) -> Responder:
    """An officer of the unit that has the case."""
    case.refresh_from_db()
    return Responder("Olive", case.investigating_unit, town.people["olive"])


@pytest.mark.django_db
def test_origins_that_strike_the_same_networks_on_the_same_days_become_one_case(nation: Town) -> None:
    """Every link has a reason and a strength, all is journaled; a second look changes nothing."""
    stays, other = campaign(nation, FIRST, SECOND)
    assert gather_campaigns(LATER) == 1
    other.refresh_from_db()
    stays.refresh_from_db()
    assert (other.status, other.report_count, stays.report_count) == ("X-DUP", 0, 40)
    link = Link.objects.filter(case=stays, move__isnull=False).first()
    assert link is not None and "10 of 10 networks" in link.reason and 60 <= link.strength < 90
    assert Entry.objects.filter(event="cases:case:gathered", subject=stays.case_id).count() == 1
    before = (Entry.objects.count(), Link.objects.count(), Suggestion.objects.count())
    assert gather_campaigns(LATER) == 0
    assert before == (Entry.objects.count(), Link.objects.count(), Suggestion.objects.count())
    assert nation.case_of(strike(nation, SECOND, 1, day=2)) == stays
    assert list(check_cases()) == []


@pytest.mark.django_db
def test_what_everybody_sees_glues_nothing(nation: Town) -> None:
    """Two scanners that strike every member every day have everybody in common, which says nothing."""
    campaign(nation, FIRST, SECOND, met=range(MEMBERS))
    assert gather_campaigns(LATER) == 0


@pytest.mark.django_db
def test_a_persons_no_is_remembered(nation: Town) -> None:
    """Taken back, all goes back, with what came in since; it is neither joined nor suggested again."""
    stays, other = campaign(nation, FIRST, SECOND)
    gather_campaigns(LATER)
    late = strike(nation, SECOND, 2, day=2)
    undo_move(Move.objects.get(), officer(nation, stays), "two men", LATER + DAY)
    other.refresh_from_db()
    assert other.is_open and other.report_count == 21 and nation.case_of(late) == other
    assert nation.case_of(strike(nation, SECOND, 4, day=2)) == other
    Suggestion.objects.all().delete()
    assert gather_campaigns(LATER + 2 * DAY) == 0
    (third,) = campaign(nation, THIRD)
    assert gather_campaigns(LATER + 2 * DAY) == 1  # the third may join one of them, and brings them no nearer
    assert gather_campaigns(LATER + 2 * DAY) == 0
    for case in (stays, other):
        case.refresh_from_db()
    assert stays.is_open and other.is_open and third.pk
    pairs = set(Suggestion.objects.values_list("case", "other"))
    assert (stays.pk, other.pk) not in pairs
    assert list(check_cases()) == []


@pytest.mark.django_db
def test_what_a_person_split_is_not_joined_again(nation: Town) -> None:
    """Parting by hand is a no as well."""
    stays, other = campaign(nation, FIRST, SECOND)
    merge_cases(stays, other, officer(nation, stays), "one man", LATER)
    pks = [report.pk for report in Report.objects.filter(origin=SECOND)]
    split_case(stays, officer(nation, stays), pks, "two men", LATER + DAY)
    assert gather_campaigns(LATER + DAY) == 0
    assert Case.objects.filter(closed_at=None, report_count=20).count() == 2


@pytest.mark.django_db
def test_what_people_work_on_is_suggested_and_not_moved(nation: Town) -> None:
    """Two owners, a unit that a person chose, a link that somebody outside holds: a person decides."""
    one, other = campaign(nation, FIRST, SECOND)
    for case in (one, other):
        accept_case(case, officer(nation, case), LATER)
    assert gather_campaigns(LATER) == 0
    suggestions = Suggestion.objects.filter(case=one, other=other)
    assert "networks" in suggestions.get().reason
    suggestions.delete()
    redirect_case(other, officer(nation, other), nation.unit("essex"), "theirs", LATER)
    assert gather_campaigns(LATER) == 0 and suggestions.exists()


@pytest.mark.django_db
def test_an_unowned_case_joins_the_owned_one_of_its_unit(nation: Town) -> None:
    """Its reports have their owner at once, counted as automatic."""
    one, other = campaign(nation, FIRST, SECOND)
    accept_case(other, officer(nation, other), LATER)
    assert gather_campaigns(LATER) == 1
    one.refresh_from_db()
    assert one.status == "X-DUP"
    assert list(check_cases()) == []


@pytest.mark.django_db
def test_a_case_that_somebody_outside_has_a_link_to_stays(nation: Town) -> None:
    """A packet that is on its way to an officer does not die without a person's doing."""
    stays, other = campaign(nation, FIRST, SECOND, met=range(1, 30, 3))  # of a force that has not joined
    make_one_time_link(other, nation.actor("cora"), LATER)
    assert gather_campaigns(LATER) == 0
    assert "networks" in Suggestion.objects.get(case=stays, other=other).reason


@pytest.mark.django_db
def test_a_reporter_hears_that_it_is_a_campaign_and_not_who_else_met_it(nation: Town) -> None:
    """No numbers, no networks, no other case."""
    _, other = campaign(nation, FIRST, SECOND)
    nation.person("nora", "reporter", member="m0")
    gather_campaigns(LATER)
    report = Report.objects.filter(origin=SECOND, member=nation.members["m0"]).first()
    assert report is not None
    told = " ".join(item.words for item in report_view(nation.actor("nora"), report.report_id).timeline)
    assert "a campaign that other networks met too" in told
    assert "10 of 10" not in told and other.case_id not in told


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_order_of_arrival_and_size_of_batches_change_nothing(nation: Town, seed: int) -> None:
    """Reports of one origin each, linked in any order and in any batches, end up together in the same way."""
    origins = (FIRST, SECOND, THIRD)
    reports = [
        strike(nation, origin, number, day=day, link=False)
        for origin in origins
        for number in (MET if origin != THIRD else (1, 2, 4, 5, 7, 8, 10))
        for day in range(2)
    ]
    dice = random.Random(seed)
    dice.shuffle(reports)
    while reports:
        some = [reports.pop() for _ in range(min(len(reports), dice.choice((1, 7, 50))))]
        link_reports([report.pk for report in some], LATER)
    gather_campaigns(LATER)
    cases = {
        origin: set(
            Link.objects.filter(report__origin=origin, detached_at=None).values_list("case", flat=True)
        )
        for origin in origins
    }
    assert cases[FIRST] == cases[SECOND] != cases[THIRD]
    assert list(map(len, cases.values())) == [1, 1, 1]


@st.composite
def nations(draw: st.DrawFn) -> list[tuple[int, int, int, float]]:
    """Reports of up to forty origins, some of which belong to campaigns."""
    dice = random.Random(draw(st.integers(0, 10_000)))
    told, case = [], 0
    for _ in range(draw(st.integers(1, 6))):
        met, rate = dice.sample(range(MEMBERS), dice.randint(5, 25)), dice.uniform(0.5, 6)
        first = dice.randrange(8)
        for _ in range(dice.choice((1, 1, 3, 10))):
            case += 1
            told += [
                (case, member, first + day, rate + dice.uniform(-0.4, 0.4))
                for day in range(dice.randint(1, 3))
                for member in met
                if dice.random() < 0.7
            ]
    return told


def grouped(found: Sequence[Footprint]) -> set[frozenset[int]]:
    """Which cases come together."""
    return {frozenset(group) for group in find_campaigns(found, (1 << MEMBERS) - 1).groups}


@given(nations(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_footprints_changes_nothing(
    told: list[tuple[int, int, int, float]], dice: random.Random
) -> None:
    """Campaigns follow from what was met, not from the order in which it was told or numbered."""
    number = {case: dice.random() for case in {row[0] for row in told}}
    order = sorted(number, key=number.__getitem__)
    renamed = {case: place + 1 for place, case in enumerate(order)}
    again = [(renamed[case], *rest) for case, *rest in told]
    dice.shuffle(again)
    first = {frozenset(renamed[case] for case in group) for group in grouped(footprints(told))}
    assert first == grouped(footprints(again))  # type: ignore[arg-type]


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_attackers_that_choose_by_themselves_are_hardly_ever_joined(seed: int) -> None:
    """Sixty origins with members, days and rates of their own: at most one pair of 1,770 is a coincidence."""
    dice = random.Random(seed)
    told = [
        (case, member, first + day, rate)
        for case in range(60)
        for first, length, rate in [(dice.randrange(8), dice.randint(1, 4), dice.gauss(3, 1))]
        for member in dice.sample(range(MEMBERS), dice.randint(5, 30))
        for day in range(length)
    ]
    assert sum(math.comb(len(group), 2) for group in grouped(footprints(told))) <= 1
