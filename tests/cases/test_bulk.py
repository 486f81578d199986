"""One press for many cases, and one that takes it back."""

import datetime as dt

import pytest
from tests.cases.town import NOON, Town

from tocsin.access.services import join_unit
from tocsin.cases import bulk
from tocsin.cases.audit import check_cases
from tocsin.cases.bulk import Order
from tocsin.cases.models import Case, Clock, Decision, Outcome
from tocsin.cases.passing import LEAST_BUSY
from tocsin.cases.services import Responder, accept_case
from tocsin.intake.models import Report
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, NotFound

pytestmark = pytest.mark.django_db

PRESSED = NOON + dt.timedelta(hours=1)
SOON = PRESSED + dt.timedelta(seconds=30)
ORDERS = {
    "accept": Order("accept"),
    "assess": Order("assess", status="X-INV"),
    "intelligence": Order("assess", status="X-INT"),
    "answer": Order("answer", outcome_code="18", would_have_helped=("source-port",)),
    "redirect": Order("redirect", unit_id="essex", words="it lives there"),
}


def some(town: Town, number: int = 3) -> list[str]:
    """The ids of so many cases at Kent Police."""
    return [
        town.case_of(town.report(origins=(f"203.0.113.{host}",))).case_id for host in range(1, number + 1)
    ]


def state() -> list[object]:
    """What an act on cases changes; a score is worked out from it."""
    fields = ("case_id", "status", "closed_at", "owner_name", "owned_at", "investigating_unit", "due_at")
    clocks = ("clock_id", "case", "report", "due_at", "ended_at", "ended_by", "next_step_at", "step")
    return [
        list(Case.objects.order_by("pk").values_list(*fields)),
        list(Clock.objects.order_by("pk").values_list(*clocks)),
        list(Report.objects.order_by("pk").values_list("status", flat=True)),
        list(Decision.objects.values_list("reason", flat=True)),
    ]


@pytest.mark.parametrize("name", [name for name in ORDERS if name != "answer"])
def test_one_press_does_it_to_all_and_one_takes_all_back(town: Town, name: str) -> None:
    """Status, owner, unit, clocks and decisions are as before; the journal keeps both ways for each case."""
    cases, before = some(town), state()
    result = bulk.do_many(town.actor("olive"), cases, ORDERS[name], PRESSED)
    assert (result.done, result.refused) == (tuple(cases), ())
    assert state() != before
    assert list(check_cases()) == []
    back = bulk.take_back(town.actor("olive"), result.bulk_id, SOON)
    assert (back.done, back.refused) == (tuple(cases), ())
    assert state() == before
    assert list(check_cases()) == []
    assert Entry.objects.filter(event="cases:case:undone").count() == 3
    again = bulk.take_back(town.actor("olive"), result.bulk_id, SOON)
    assert again.refused == () and state() == before, "twice is once"


def test_many_are_answered_and_the_answers_withdrawn(town: Town) -> None:
    """With words that filled themselves from each case; withdrawn, the officer keeps the cases."""
    cases = some(town)
    result = bulk.do_many(town.actor("olive"), cases, ORDERS["answer"], PRESSED)
    assert len(result.done) == Outcome.objects.count() == 3
    assert all("100 attempts" in outcome.words for outcome in Outcome.objects.all())
    assert not Case.objects.filter(closed_at__isnull=True).exists()
    bulk.take_back(town.actor("olive"), result.bulk_id, SOON)
    assert set(Case.objects.values_list("status", "owner_name")) == {("X-ACC", "Olive")}
    assert Outcome.objects.filter(withdrawn_at__isnull=False).count() == 3
    assert list(check_cases()) == []


def test_what_is_refused_is_listed_and_stops_no_other(town: Town) -> None:
    """Another unit's case, one that is closed, one that never was."""
    mine, closed = some(town, 2)
    bulk.do_many(town.actor("olive"), [closed], ORDERS["intelligence"], PRESSED)
    theirs = town.case_of(town.report("colne", origins=("203.0.113.99",))).case_id
    result = bulk.do_many(
        town.actor("olive"), [closed, mine, theirs, "case_never"], ORDERS["assess"], PRESSED
    )
    assert result.done == (mine,)
    assert [one.case_id for one in result.refused] == [closed, theirs, "case_never"]
    assert all(one.reason for one in result.refused)
    assert result.refused[1].title == "", "what they may not see is not named"


def test_what_would_be_refused_for_all_is_refused_once(town: Town) -> None:
    """Nothing chosen, no such act, no decision, no reason."""
    cases = some(town, 1)
    olive = town.actor("olive")
    for chosen, order in (
        ([], ORDERS["accept"]),
        (cases, Order("dance")),  # type: ignore[arg-type]
        (cases, Order("assess")),
        (cases, Order("answer", outcome_code="999")),
        (cases, Order("redirect", unit_id="essex")),
        ([f"case_{n}" for n in range(bulk.MOST + 1)], ORDERS["accept"]),
    ):
        with pytest.raises(BadInput):
            bulk.do_many(olive, chosen, order, PRESSED)
    with pytest.raises(NotFound):
        bulk.do_many(olive, cases, Order("redirect", unit_id="atlantis", words="there"), PRESSED)


def test_only_whoever_pressed_takes_it_back_and_only_for_a_minute(town: Town) -> None:
    """And only while the case is as it was left."""
    cases = some(town, 2)
    result = bulk.do_many(town.actor("olive"), cases, ORDERS["assess"], PRESSED)
    with pytest.raises(NotFound):
        bulk.take_back(town.actor("saul"), result.bulk_id, SOON)
    assert bulk.may_take_back(town.actor("olive"), SOON) is not None
    assert bulk.may_take_back(town.actor("saul"), SOON) is None
    case = Case.objects.get(case_id=cases[0])
    bulk.do_many(town.actor("saul"), [case.case_id], ORDERS["redirect"], SOON)
    back = bulk.take_back(town.actor("olive"), result.bulk_id, SOON)
    assert [one.reason for one in back.refused] == ["somebody has done something to the case since"]
    assert back.done == (cases[1],)
    again = bulk.do_many(town.actor("olive"), [cases[1]], ORDERS["accept"], SOON)
    late = bulk.take_back(town.actor("olive"), again.bulk_id, SOON + dt.timedelta(minutes=2))
    assert [one.reason for one in late.refused] == ["it can be taken back for one minute"]
    assert list(check_cases()) == []


def test_taking_what_is_theirs_already_leaves_nothing_to_take_back(town: Town) -> None:
    """An older acceptance is not undone by accident."""
    case = Case.objects.get(case_id=some(town, 1)[0])
    accept_case(case, Responder.of(town.actor("olive"), case), PRESSED)
    result = bulk.do_many(town.actor("olive"), [case.case_id], ORDERS["accept"], SOON)
    assert result.done == (case.case_id,)
    bulk.take_back(town.actor("olive"), result.bulk_id, SOON)
    assert Case.objects.get().owner_name == "Olive"


def test_a_group_is_kept_as_intelligence_with_a_prepared_reason(town: Town) -> None:
    """One press for a day's groups; each reporter reads a reason, and each is a decision of a person."""
    for host in range(1, 5):
        town.report(origins=(f"203.0.113.{host}",), severity="info")
    groups = list(Case.objects.values_list("case_id", flat=True))
    result = bulk.do_many(town.actor("olive"), groups, ORDERS["intelligence"], PRESSED)
    assert len(result.done) == 4
    assert set(Report.objects.values_list("status", flat=True)) == {"X-INT"}
    decision = Decision.objects.first()
    assert decision is not None and "kept as intelligence" in decision.reason
    assert decision.person_name == "Olive"
    bulk.take_back(town.actor("olive"), result.bulk_id, SOON)
    assert Case.objects.filter(closed_at__isnull=True, owner_name="").count() == 4


def test_each_is_passed_on_to_the_reporting_force_with_the_least_to_do(town: Town) -> None:
    """One that has joined before one that has not, then whoever has fewer undecided cases; never oneself."""
    cases = [town.case_of(town.report(origins=(f"203.0.113.{host}",))) for host in (1, 2, 3)]
    for host in (1, 2):
        for member in ("colne", "lakes"):
            town.report(member, origins=(f"203.0.113.{host}",))
    ids = [case.case_id for case in cases]
    kent = town.unit("kent")
    Case.objects.filter(case_id__in=ids).update(investigating_unit=kent)
    order = Order("redirect", unit_id=LEAST_BUSY, words="they have the time")
    join_unit("essex")
    result = bulk.do_many(town.actor("olive"), ids[:1], order, PRESSED)
    assert places(ids[:1]) == ["essex"], "Cumbria has not joined"
    bulk.take_back(town.actor("olive"), result.bulk_id, SOON)
    join_unit("cumbria")
    result = bulk.do_many(town.actor("olive"), ids, order, SOON)
    assert result.done == tuple(ids[:2])
    assert [(one.case_id, one.reason) for one in result.refused] == [
        (ids[2], "no provider of another force reported it")
    ]
    assert sorted(places(ids)) == ["cumbria", "essex", "kent"]
    assert list(check_cases()) == []


def places(case_ids: list[str]) -> list[str]:
    """The units that investigate these cases."""
    found = dict(Case.objects.values_list("case_id", "investigating_unit__unit_id"))
    return [found[case_id] for case_id in case_ids]
