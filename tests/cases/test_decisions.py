"""What people decide: every act with its reason, refused where the state table or the pack says no."""

import datetime as dt

import pytest
from tests.cases.town import NOON, Town

from tocsin.cases import states
from tocsin.cases.models import Case, Clock, Decision, Link
from tocsin.cases.services import (
    Responder,
    accept_case,
    answer_case,
    assess_case,
    attach_report,
    detach_report,
    redirect_case,
    withdraw_answer,
)
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed

pytestmark = pytest.mark.django_db

LATER = NOON + dt.timedelta(hours=1)
SECOND = dt.timedelta(seconds=1)


def responder(town: Town, name: str, case: Case) -> Responder:
    return Responder.of(town.actor(name), case)


def running(case: Case) -> set[str]:
    return set(Clock.objects.filter(case=case, ended_at__isnull=True).values_list("clock_id", flat=True))


def test_accepting_names_the_owner_for_every_report_and_starts_the_next_clock(town: Town) -> None:
    """P02 of all reports ends by a person, P03 begins, P04 runs on."""
    reports = [town.report("ferry"), town.report("medway")]
    case = town.case_of(reports[0])
    accept_case(case, responder(town, "olive", case), LATER)
    case.refresh_from_db()
    assert (case.owner_name, case.status) == ("Olive", "X-ACC")
    assert set(Report.objects.values_list("status", flat=True)) == {"X-ACC"}
    assert running(case) == {"P03", "P04"}
    assert set(Clock.objects.filter(clock_id="P02").values_list("ended_by", flat=True)) == {"person"}


def test_accepting_twice_is_once(town: Town) -> None:
    """A second press changes nothing."""
    case = town.case_of(town.report())
    for _ in range(2):
        accept_case(case, responder(town, "olive", case), LATER)
    assert Entry.objects.filter(event="cases:case:accepted").count() == 1


def test_a_report_that_joins_an_owned_case_has_its_owner_at_once_counted_as_automatic(town: Town) -> None:
    """Nobody pressed anything for it, and the figures must say so."""
    case = town.case_of(town.report())
    accept_case(case, responder(town, "olive", case), LATER)
    joined = town.report("medway", received_at=LATER + SECOND)
    assert joined.status == "X-ACC"
    clock = Clock.objects.get(report=joined, clock_id="P02")
    assert clock.ended_by == "automatic"


@pytest.mark.parametrize("status", ["X-INV", "X-INT", "X-DIV", "X-NFA"])
def test_a_decision_is_recorded_with_its_reason_and_ends_the_triage_clock(town: Town, status: str) -> None:
    """Final ones close the case; the others leave the update clock running."""
    case = town.case_of(town.report())
    assess_case(case, responder(town, "olive", case), status, "because", LATER)
    case.refresh_from_db()
    decision = Decision.objects.get(case=case)
    assert (decision.status, decision.reason, decision.person_name) == (status, "because", "Olive")
    assert case.is_open is (status == "X-INV")
    owed_to_the_victim = {"V01"} if status == "X-NFA" else set()
    assert running(case) == ({"P04"} if case.is_open else owed_to_the_victim)


def test_a_decision_without_a_reason_is_refused(town: Town) -> None:
    """Silence with a code is silence."""
    case = town.case_of(town.report())
    with pytest.raises(BadInput, match="reason"):
        assess_case(case, responder(town, "olive", case), "X-NFA", "  ", LATER)


@pytest.mark.parametrize(
    ("code", "words", "helped", "body", "lacks"),
    [
        ("18", "We looked.", (), "", "what would have helped"),
        ("14", "We looked.", (), "", "what would have helped"),
        ("18", "We looked.", ("crystal-ball",), "", "crystal-ball"),
        ("18", " ", ("source-port",), "", "words"),
        ("19", "Filed.", (), "", "Report Fraud"),
        ("20", "Passed on.", (), "", "name the body"),
        ("99", "?", (), "", "no outcome"),
    ],
)
def test_an_answer_that_lacks_what_its_outcome_requires_is_refused(
    town: Town, code: str, words: str, helped: tuple[str, ...], body: str, lacks: str
) -> None:
    """And the case stays as it was."""
    case = town.case_of(town.report())
    with pytest.raises(BadInput, match=lacks):
        answer_case(case, responder(town, "olive", case), code, words, helped, receiving_body=body, at=LATER)
    assert Case.objects.get().status == "X-DIS"


def test_one_answer_answers_every_report_of_the_case(town: Town) -> None:
    """Whoever sent them; all clocks stop."""
    case = town.case_of(town.report("ferry"))
    town.report("medway")
    answer_case(case, responder(town, "olive", case), "1", "Charged.", at=LATER)
    assert set(Report.objects.values_list("status", flat=True)) == {"X-OUT"}
    case.refresh_from_db()
    assert (case.outcome_code, case.is_open, running(case)) == ("1", False, set())


def test_an_answer_can_be_taken_back_for_a_minute_and_the_clocks_run_on(town: Town) -> None:
    """The clock to tell the outcome runs, because it was assigned."""
    case = town.case_of(town.report())
    by = responder(town, "olive", case)
    accept_case(case, by, LATER)
    due = Clock.objects.get(clock_id="P03").due_at
    answer_case(case, by, "1", "Charged.", at=LATER + SECOND)
    withdraw_answer(case, by, LATER + 30 * SECOND)
    case.refresh_from_db()
    assert (case.status, case.is_open, case.outcome_code) == ("X-ACC", True, "")
    assert running(case) == {"P03", "P04", "P05"}
    assert Clock.objects.get(clock_id="P03").due_at == due
    answer_case(case, by, "1", "Charged, really.", at=LATER + 40 * SECOND)
    with pytest.raises(Conflict, match="one minute"):
        withdraw_answer(case, by, LATER + dt.timedelta(minutes=5))


def test_redirecting_stops_no_clock(town: Town) -> None:
    """The due time that was promised to the reporter stays; no rule moves the case back."""
    report = town.report()
    case = town.case_of(report)
    before = Clock.objects.get(clock_id="P02").due_at
    redirect_case(case, responder(town, "olive", case), town.unit("essex"), "their suspect", LATER)
    case.refresh_from_db()
    assert case.investigating_unit.unit_id == "essex"
    assert case.coordinator == town.people["cora"]
    assert Clock.objects.get(clock_id="P02", ended_at=None).due_at == before
    town.report("medway", received_at=LATER)
    case.refresh_from_db()
    assert case.investigating_unit.unit_id == "essex"


def test_redirecting_an_owned_case_puts_the_next_unit_under_the_acceptance_clock(town: Town) -> None:
    """Or an owned case could be passed into silence."""
    case = town.case_of(town.report())
    by = responder(town, "olive", case)
    accept_case(case, by, LATER)
    redirect_case(case, by, town.unit("essex"), "their suspect", LATER + SECOND)
    assert running(case) == {"P02", "P03", "P04"}


def test_a_detached_report_goes_to_a_case_of_its_own_with_its_clocks(town: Town) -> None:
    """Its promised time is counted from when it was received; undoing moves it back and closes the spare."""
    first, second = town.report("ferry"), town.report("medway")
    case = town.case_of(first)
    by = responder(town, "olive", case)
    due = Clock.objects.get(report=second, clock_id="P02").due_at
    fresh = detach_report(case, by, second, "another tool", LATER)
    case.refresh_from_db()
    assert (case.report_count, town.case_of(second)) == (1, fresh)
    assert Clock.objects.get(report=second, clock_id="P02").due_at == due
    assert Link.objects.get(report=second, case=case).detached_by == town.people["olive"]
    attach_report(case, by, second, "it was the same tool", LATER + SECOND)
    fresh.refresh_from_db()
    assert (town.case_of(second), fresh.status, fresh.is_open) == (case, "X-DUP", False)


def test_the_only_report_cannot_be_taken_out(town: Town) -> None:
    """A case without a report is no case."""
    report = town.report()
    case = town.case_of(report)
    with pytest.raises(Conflict, match="only report"):
        detach_report(case, responder(town, "olive", case), report, "no", LATER)


def test_a_later_match_reopens_a_case_closed_for_want_of_a_suspect(town: Town) -> None:
    """Outcome 18 says so to the reporter; other outcomes stand, and a new case opens."""
    first = town.report()
    case = town.case_of(first)
    answer_case(case, responder(town, "olive", case), "18", "Nobody found.", ("source-port",), at=LATER)
    second = town.report("medway", received_at=LATER + SECOND)
    case.refresh_from_db()
    assert town.case_of(second) == case and case.is_open and not case.owner_name
    first.refresh_from_db()
    assert first.status == second.status == "X-DIS"
    assert "P02" in running(case)
    answer_case(case, responder(town, "olive", case), "1", "Charged.", at=LATER + 2 * SECOND)
    assert town.case_of(town.report(received_at=LATER + 3 * SECOND)) != case


def test_only_the_cases_own_unit_decides(town: Town) -> None:
    """Another unit may not, and a coordinator never answers in its stead."""
    case = town.case_of(town.report())
    with pytest.raises(NotAllowed):
        responder(town, "edna", case)
    with pytest.raises(NotAllowed):
        responder(town, "rita", case)
    with pytest.raises(NotAllowed, match="only a person of the unit"):
        answer_case(case, responder(town, "cora", case), "1", "Charged.", at=LATER)


def test_every_move_of_the_table_is_possible_and_no_other(town: Town) -> None:
    """Walk the product of acts, statuses and parties against the table itself."""
    pack = current_pack()
    moves = {
        (m.act, m.from_status, m.to_status, party) for m in pack.transitions for party in m.by.split(" or ")
    }
    acts = {move.act for move in pack.transitions}
    for act in acts:
        for before in ("", *pack.statuses):
            for after in pack.statuses:
                for party in ("unit", "coordinator", "exchange"):
                    if (act, before, after, party) in moves:
                        states.check(pack, act, before, after, party)
                    else:
                        with pytest.raises(Conflict):
                            states.check(pack, act, before, after, party)


def test_no_status_is_a_dead_end(town: Town) -> None:
    """From every status that is not final a person of the unit can lead the case to an end."""
    pack = current_pack()
    ends = {code for code, row in pack.statuses.items() if row.is_final}
    alive = {"X-ACK", "X-DIS", *(m.to_status for m in pack.transitions)} - ends
    for status in alive:
        seen, todo = {status}, [status]
        while todo:
            here = todo.pop()
            steps = {m.to_status for m in pack.transitions if m.from_status == here and "unit" in m.by}
            todo += steps - seen
            seen |= steps
        assert seen & ends, status
