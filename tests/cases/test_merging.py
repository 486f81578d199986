"""Joining, splitting and taking back: what is refused, what is told to whom, and what nobody loses."""

import datetime as dt

import pytest
from django.db.models import QuerySet
from tests.cases.town import NOON, Town

from tocsin.cases import clocks
from tocsin.cases.audit import check_cases
from tocsin.cases.member_reports import report_view
from tocsin.cases.models import Case, CaseOrigin, Clock, Link, Move
from tocsin.cases.services import (
    Responder,
    accept_case,
    answer_case,
    attach_report,
    merge_cases,
    redirect_case,
    split_case,
    undo_move,
)
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed

pytestmark = pytest.mark.django_db

LATER, MINUTE = NOON + dt.timedelta(hours=1), dt.timedelta(minutes=1)


def olive(town: Town, case: Case) -> Responder:
    """An officer of the unit that has the case."""
    return Responder("Olive", case.investigating_unit, town.people["olive"])


def two_cases(town: Town) -> tuple[Case, Case]:
    """Two open cases of one force, of two members."""
    one = town.case_of(town.report("ferry"))
    return one, town.case_of(town.report("medway", origins=("198.18.7.7",)))


def running(case: Case) -> QuerySet[Clock]:
    """What is owed on a case."""
    return Clock.objects.filter(case=case, ended_at=None)


def test_a_case_joined_with_another_closes_and_its_reports_are_found_there(town: Town) -> None:
    """What comes in about either origin joins the one case; joining twice changes nothing."""
    case, other = two_cases(town)
    merge_cases(case, other, olive(town, case), "the same wallet", LATER)
    before = (Link.objects.count(), Entry.objects.count(), Move.objects.count())
    merge_cases(case, other, olive(town, case), "the same wallet", LATER + MINUTE)
    assert before == (Link.objects.count(), Entry.objects.count(), Move.objects.count())
    other.refresh_from_db()
    assert (other.status, other.report_count, running(other).count()) == ("X-DUP", 0, 0)
    assert town.case_of(town.report("ferry", origins=("198.18.7.7",))) == case
    case.refresh_from_db()
    assert (case.report_count, case.member_count) == (3, 2)
    assert list(check_cases()) == []


def test_what_was_owed_sooner_is_still_owed_then(town: Town) -> None:
    """A report does not wait longer because somebody found that it belongs to a newer case."""
    old = town.case_of(town.report("ferry", received_at=NOON - dt.timedelta(days=20)))
    new = town.case_of(town.report("medway", origins=("198.18.7.7",)))
    clocks.sweep(NOON)
    promised = running(old).get(clock_id="P04").due_at
    missed = running(old).get(clock_id="P02")
    merge_cases(new, old, olive(town, new), "the same wallet", LATER)
    assert running(new).get(clock_id="P04").due_at == promised
    carried = running(new).get(clock_id="P02", report=missed.report)
    assert (carried.breached_at, carried.step) == (missed.breached_at, missed.step) and missed.breached_at
    assert old.pk != new.pk and not running(old).exists()


def test_a_report_that_joins_an_owned_case_has_its_owner_at_once(town: Town) -> None:
    """Counted as automatic, as when the exchange links it."""
    case, other = two_cases(town)
    accept_case(case, olive(town, case), LATER)
    merge_cases(case, other, olive(town, case), "the same wallet", LATER + MINUTE)
    clock = Clock.objects.get(clock_id="P02", report__links__case=other)
    assert (clock.case_id, clock.ended_by, clock.ended_at) == (case.pk, "automatic", LATER + MINUTE)


def test_taking_a_joining_back_lets_the_other_case_go_on(town: Town) -> None:
    """With its owner, status and clocks; what came in since stays where it is."""
    case, other = two_cases(town)
    accept_case(case, olive(town, case), LATER)
    accept_case(other, olive(town, other), LATER)
    owed = set(running(other).values_list("clock_id", "due_at"))
    merge_cases(case, other, olive(town, case), "the same wallet", LATER + MINUTE)
    late = town.report("colne", origins=("198.18.7.7",))
    made = Move.objects.get()
    for _ in range(2):
        undo_move(made, olive(town, case), "two wallets", LATER + 2 * MINUTE)
    other.refresh_from_db()
    case.refresh_from_db()
    assert (other.status, other.owner_name, other.closed_at) == ("X-ACC", "Olive", None)
    assert set(running(other).values_list("clock_id", "due_at")) == owed
    assert (other.report_count, case.report_count, town.case_of(late)) == (1, 2, case)
    assert list(check_cases()) == []


def test_a_split_takes_its_origins_along(town: Town) -> None:
    """What comes in about them later joins the new case; asking for the same split gives the same case."""
    first, second = town.report("ferry"), town.report("medway", origins=("198.18.7.7",))
    third = town.report("colne", origins=("198.18.7.7",))
    case = town.case_of(first)
    attach_report(case, olive(town, case), second, "the same", LATER)
    attach_report(case, olive(town, case), third, "the same", LATER)
    chosen = [second.pk, third.pk]
    fresh = split_case(case, olive(town, case), chosen, "another tool", LATER + MINUTE)
    assert split_case(case, olive(town, case), chosen, "another tool", LATER + MINUTE) == fresh
    assert {town.case_of(second), town.case_of(third)} == {fresh}
    assert list(CaseOrigin.objects.filter(case=case).values_list("origin", flat=True)) == ["203.0.113.7"]
    assert town.case_of(town.report("lakes", origins=("198.18.7.7",))) == fresh
    undo_move(Move.objects.get(kind="split"), olive(town, fresh), "the same tool", LATER + 2 * MINUTE)
    assert {town.case_of(second), town.case_of(third)} == {case}
    fresh.refresh_from_db()
    assert fresh.is_open and fresh.report_count == 1  # what came in meanwhile
    assert list(check_cases()) == []


def test_what_cannot_be_joined_is_refused_with_a_reason(town: Town) -> None:
    """And nothing has changed afterwards."""
    case, other = two_cases(town)
    by = olive(town, case)
    group = town.case_of(town.report("ferry", severity="info"))
    hidden = town.case_of(town.report(lane="restricted", kind="abusive-content/violence"))
    before = list(Case.objects.order_by("pk").values())
    for target, source, why in (
        (case, case, "itself"),
        (case, group, "below the threshold"),
        (case, hidden, "restricted"),
    ):
        with pytest.raises(Conflict, match=why):
            merge_cases(target, source, by, "because", LATER)
    with pytest.raises(BadInput, match="reason"):
        merge_cases(case, other, by, " ", LATER)
    with pytest.raises(NotAllowed):
        merge_cases(case, other, Responder("Cora", by.unit, by.person, party="coordinator"), "so", LATER)
    assert before == list(Case.objects.order_by("pk").values())
    accept_case(other, by, LATER)
    with pytest.raises(Conflict, match="has an owner"):
        merge_cases(case, other, by, "because", LATER)
    redirect_case(other, by, town.unit("essex"), "theirs", LATER)
    with pytest.raises(NotAllowed, match="another unit"):
        merge_cases(case, other, by, "because", LATER)
    answer_case(case, by, "1", "Charged.", at=LATER)
    with pytest.raises(Conflict, match="open"):
        merge_cases(case, other, by, "because", LATER)


def test_what_cannot_be_split_or_taken_back_is_refused_with_a_reason(town: Town) -> None:
    """A case keeps a report at least, and what has gone elsewhere stays there."""
    first, second = town.report("ferry"), town.report("medway")
    case = town.case_of(first)
    by = olive(town, case)
    with pytest.raises(BadInput, match="choose"):
        split_case(case, by, [], "none", LATER)
    with pytest.raises(Conflict, match="nothing would be left"):
        split_case(case, by, [first.pk, second.pk], "all", LATER)
    with pytest.raises(Conflict, match="not in this case"):
        split_case(case, by, [second.pk + 1000], "stranger", LATER)
    fresh = split_case(case, by, [second.pk], "another tool", LATER)
    made = Move.objects.get()
    answer_case(fresh, olive(town, fresh), "1", "Charged.", at=LATER)
    with pytest.raises(Conflict, match="is closed"):
        undo_move(made, by, "a mistake", LATER)


def test_a_reporter_hears_of_the_own_report_alone(town: Town) -> None:
    """Neither the other case, nor its members, nor what an officer wrote about them."""
    mine, theirs = town.report("ferry"), town.report("medway", origins=("198.18.7.7",))
    case, other = town.case_of(mine), town.case_of(theirs)
    merge_cases(case, other, olive(town, case), "Medway has the same wallet", LATER)
    fresh = split_case(case, olive(town, case), [theirs.pk], "Medway was mistaken", LATER + MINUTE)
    undo_move(Move.objects.get(kind="detach"), olive(town, fresh), "Medway was right", LATER + 2 * MINUTE)
    for name, report in (("rita", mine), ("max", theirs)):
        told = " ".join(item.words for item in report_view(town.actor(name), report.report_id).timeline)
        assert "Medway" not in told and "wallet" not in told
        assert other.case_id not in told and case.case_id not in told


def test_a_warning_about_a_log_goes_where_the_reports_go(town: Town) -> None:
    """Once, to whichever case has reports that the log is about; what was given is not given again."""
    deleted = NOON + dt.timedelta(days=30)
    first, second = town.report("ferry", delete_at=deleted), town.report("medway", delete_at=deleted)
    case = town.case_of(first)
    fresh = split_case(case, olive(town, case), [second.pk], "another tool", LATER)
    assert running(case).filter(clock_id="P07").count() == running(fresh).filter(clock_id="P07").count() == 1
    clocks.sweep(deleted - dt.timedelta(days=1))
    given = Clock.objects.filter(clock_id="P07").exclude(ended_at=None)
    assert given.count() == 2
    undo_move(Move.objects.get(), olive(town, fresh), "the same tool", deleted - dt.timedelta(hours=2))
    assert set(given.values_list("case", flat=True)) == {case.pk} and given.count() == 2
    assert not Clock.objects.filter(clock_id="P07", ended_at=None).exists()


def test_a_log_that_both_cases_are_about_is_warned_of_in_both(town: Town) -> None:
    """The one that stays keeps its warning; joined again, one warning stands."""
    deleted = NOON + dt.timedelta(days=30)
    first, second = town.report("ferry", delete_at=deleted), town.report("ferry", delete_at=deleted)
    case = town.case_of(first)
    fresh = split_case(case, olive(town, case), [second.pk], "another tool", LATER)
    warnings = Clock.objects.filter(clock_id="P07", ended_at=None)
    assert set(warnings.values_list("case", flat=True)) == {case.pk, fresh.pk}
    merge_cases(case, fresh, olive(town, case), "the same tool", LATER + MINUTE)
    assert [clock.case_id for clock in warnings] == [case.pk]
