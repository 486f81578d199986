"""Clocks: breaches are marked, taken one desk higher each working day, and never counted twice."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from tests.cases.town import NOON, Town

from tocsin.access.models import Member, Unit
from tocsin.cases import clocks, questions
from tocsin.cases.audit import check_cases
from tocsin.cases.limits import limit_of
from tocsin.cases.linking import link_reports
from tocsin.cases.models import Clock, Question
from tocsin.cases.services import Responder, accept_case, ask, assess_case, meet_duty
from tocsin.cases.units import current_pack
from tocsin.journal.acts import act
from tocsin.journal.models import Content, Entry
from tocsin.reference import calendars, pack
from tocsin.reference.values import ClockRow, ClockRule

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def events(prefix: str = "cases:clock:") -> list[tuple[str, str, int]]:
    """Event, clock and step of every entry of the sweep, in the journal's order."""
    rows = Content.objects.filter(entry__event__startswith=prefix).order_by("entry_id")
    contents = [
        (row.entry.event, msgspec.json.decode(bytes(row.content))) for row in rows.select_related("entry")
    ]
    return [(event, content["clock_id"], content["step"]) for event, content in contents]


def test_a_missed_clock_goes_one_desk_higher_each_working_day(town: Town) -> None:
    """Owner, supervisor, regional, national; over a weekend nobody is at the desk."""
    town.report()  # Tuesday noon: due Wednesday noon
    clock = Clock.objects.get(clock_id="P02")
    assert clock.due_at == NOON + DAY
    found = []
    for days in range(1, 10):
        clocks.sweep(NOON + days * DAY)
        clock.refresh_from_db()
        found.append(clock.step if clock.breached_at else None)
    #              Wed Thu Fri Sat Sun Mon Tue Wed Thu
    assert found == [0, 1, 2, 2, 2, 3, 3, 3, 3]


def test_sweeping_is_exactly_once(town: Town) -> None:
    """Nothing happens twice, however often it runs."""
    town.report()
    at = NOON + 2 * DAY
    assert clocks.sweep(at) > 0
    before = Entry.objects.count()
    assert clocks.sweep(at) == 0
    assert Entry.objects.count() == before


def test_after_downtime_it_catches_up_in_the_order_in_which_things_fell_due(town: Town) -> None:
    """One sweep after a week gives the same history as one each hour."""
    town.report()
    town.report("medway", origins=("203.0.113.99",), received_at=NOON + dt.timedelta(hours=3))
    clocks.sweep(NOON + 8 * DAY)
    rows = Content.objects.filter(entry__event__startswith="cases:clock:").order_by("entry_id")
    instants = [msgspec.json.decode(bytes(row.content))["at"] for row in rows]
    assert len(instants) == 8
    assert instants == sorted(instants)


def test_ending_late_marks_the_breach_even_before_a_sweep_ran(town: Town) -> None:
    """An answer just before the sweep does not hide that it was late."""
    case = town.case_of(town.report())
    accept_case(case, Responder.of(town.actor("olive"), case), NOON + 3 * DAY)
    clock = Clock.objects.get(clock_id="P02")
    assert (clock.breached_at, clock.ended_by) == (NOON + DAY, "person")
    assert ("cases:clock:breached", "P02", 0) in events()


def test_the_update_clock_starts_again_with_each_update(town: Town) -> None:
    """28 days by the wall clock, from the last news."""
    case = town.case_of(town.report())
    by = Responder.of(town.actor("olive"), case)
    for day in (1, 20):
        assess_case(case, by, "X-INV", "still at it", NOON + day * DAY)
        running = Clock.objects.get(case=case, clock_id="P04", ended_at=None)
        assert running.due_at == NOON + (day + 28) * DAY
    assert Clock.objects.filter(case=case, clock_id="P04").count() == 3


def test_no_clock_is_due_before_it_began_when_the_clock_on_the_wall_goes_back(town: Town) -> None:
    """Set back by a month, the next duty begins after the last, and is another one in the journal, too."""
    case = town.case_of(town.report())
    by = Responder.of(town.actor("olive"), case)
    assess_case(case, by, "X-INV", "still at it", NOON + DAY)
    assess_case(case, by, "X-INV", "still at it", NOON + 40 * DAY)
    assess_case(case, by, "X-INV", "still at it", NOON + DAY)  # the machine was a month ahead
    began, due = Clock.objects.filter(case=case, clock_id="P04").latest("pk").started_at, NOON + 68 * DAY
    assert began > NOON + 40 * DAY
    assert Clock.objects.get(case=case, clock_id="P04", ended_at=None).due_at > due
    clocks.sweep(NOON + 100 * DAY)
    told = [bytes(row.content) for row in Content.objects.filter(entry__event="cases:clock:breached")]
    assert len(told) == len(set(told))


def test_a_critical_case_has_the_shorter_limits(town: Town) -> None:
    """Four hours to be accepted, one working day to be judged."""
    case = town.case_of(town.report(severity="critical"))
    assert Clock.objects.get(clock_id="P02").due_at == NOON + dt.timedelta(hours=4)
    accept_case(case, Responder.of(town.actor("olive"), case), NOON)
    assert Clock.objects.get(clock_id="P03").due_at == NOON + DAY


def test_evidence_that_expires_shortens_the_time_to_judge(town: Town) -> None:
    """Five working days would be after the logs are gone."""
    case = town.case_of(town.report(delete_at=NOON + 4 * DAY))
    accept_case(case, Responder.of(town.actor("olive"), case), NOON)
    assert Clock.objects.get(clock_id="P03").due_at == NOON + DAY


def test_both_sides_are_warned_three_days_before_a_log_is_destroyed(town: Town) -> None:
    """P07 counts back from the end; a warning in time is no breach."""
    case = town.case_of(town.report(delete_at=NOON + 10 * DAY))
    clocks.sweep(NOON + 7 * DAY - dt.timedelta(seconds=1))
    assert Clock.objects.get(clock_id="P07").ended_at is None
    clocks.sweep(NOON + 7 * DAY)
    clock = Clock.objects.get(clock_id="P07")
    assert (clock.ended_at, clock.breached_at) == (NOON + 7 * DAY, None)
    assert Entry.objects.filter(event="cases:holding:expiring", subject=case.case_id).count() == 1


def test_a_warning_that_came_after_the_log_was_gone_is_a_breach_of_ours(town: Town) -> None:
    """The exchange was down; it says so."""
    town.report(delete_at=NOON + 10 * DAY)
    clocks.sweep(NOON + 20 * DAY)
    assert Clock.objects.get(clock_id="P07").breached_at == NOON + 10 * DAY


def test_a_log_that_is_kept_longer_moves_its_warning(town: Town) -> None:
    """The provider may change its mind; nobody is warned of what will not happen yet."""
    report = town.report(delete_at=NOON + 10 * DAY)
    town.hold(report, NOON + 30 * DAY)
    clocks.sweep(NOON + 8 * DAY)
    warning = Clock.objects.get(clock_id="P07")
    assert (warning.due_at, warning.ended_at) == (NOON + 30 * DAY, None)
    clocks.sweep(NOON + 28 * DAY)
    warning.refresh_from_db()
    assert (warning.ended_at, warning.breached_at) == (NOON + 28 * DAY, None)


def test_linking_again_moves_the_warning_of_a_log_that_goes_sooner(town: Town) -> None:
    """A later version of the report brought the new date."""
    report = town.report(delete_at=NOON + 30 * DAY)
    town.hold(report, NOON + 10 * DAY)
    link_reports([report.pk], NOON)
    assert Clock.objects.get(clock_id="P07").due_at == NOON + 10 * DAY


def test_the_acknowledgement_is_automatic_and_counted_apart(town: Town) -> None:
    """Met in the transaction that took the report in; never by a person."""
    town.report()
    clock = Clock.objects.get(clock_id="P01")
    assert (clock.ended_by, clock.ended_at) == ("automatic", clock.started_at)


RUNNING = [rule for rule in pack("gb").clock_rules if rule.scope != "report" and rule.clock_id != "P07"]


def about(town: Town, rule: ClockRule, row: ClockRow) -> clocks.Subject:
    """A subject of the kind that the rule is about, in a nation where its law holds."""
    if rule.scope == "case":
        return clocks.Subject(case=town.case_of(town.report()))
    country = "NL" if row.jurisdiction == "EU" else "GB"
    Member.objects.filter(pk=town.members["ferry"].pk).update(country=country)
    town.members["ferry"].refresh_from_db()
    return clocks.Subject(member=town.members["ferry"], about="thing_1")


@pytest.mark.parametrize("rule", RUNNING, ids=lambda rule: f"{rule.clock_id}-{rule.starts[0]}")
def test_every_row_of_the_charter_starts_and_ends_through_one_door(town: Town, rule: ClockRule) -> None:
    """Whatever noun raises the trigger: it starts once, is due by its law, ends, and can be missed."""
    gb = current_pack()
    row = gb.clocks[rule.clock_id]
    subject = about(town, rule, row)
    at = NOON + 7 * DAY
    Clock.objects.filter(clock_id=rule.clock_id).delete()

    def happens(trigger: str, when: dt.datetime) -> dict[str, Any]:
        with act() as recorded:
            return clocks.happened(recorded, gb, trigger, subject, when)

    for trigger in rule.starts:
        assert rule.clock_id in happens(trigger, at)["started"]
        assert rule.clock_id not in happens(trigger, at + DAY)["started"], "it runs already"
        clock = Clock.objects.get(clock_id=rule.clock_id, ended_at=None)
        duration, unit = limit_of(gb, rule.clock_id)
        assert clock.due_at == calendars.due(at, duration, unit, "NLD" if row.jurisdiction == "EU" else "ENG")
        assert rule.clock_id in happens(rule.ends[0], at + DAY)["ended"]
        at += 14 * DAY
    happens(rule.starts[0], at)
    missed = Clock.objects.get(clock_id=rule.clock_id, ended_at=None)
    clocks.sweep(missed.due_at)
    missed.refresh_from_db()
    if row.runs_out:
        assert (missed.ended_at, missed.breached_at) == (missed.due_at, None), "it held for so long"
    else:
        assert missed.breached_at == missed.due_at
        clocks.sweep(missed.due_at + 30 * DAY)
        missed.refresh_from_db()
        assert missed.step == (3 if rule.escalates else 0)


def test_rows_that_never_run_are_no_duties(town: Town) -> None:
    """The step of an escalation, a measured mean, and a notice whose very existence may not be told."""
    gb = current_pack()
    idle = gb.clocks.keys() - {rule.clock_id for rule in gb.clock_rules}
    assert idle == {"P09", "F02", "D04"}


@pytest.mark.parametrize("event", ["case.updated", "case.assessed", "question.asked"])
def test_a_clock_that_is_renewed_at_the_instant_at_which_it_began_goes_on(town: Town, event: str) -> None:
    """Two acts at one instant, or a clock on the wall that jumps back, leave nobody without news."""
    case = town.case_of(town.report())
    for at in (NOON, NOON, NOON - DAY):
        with act() as recorded:
            clocks.happened(recorded, current_pack(), event, clocks.Subject(case=case), at)
        assert Clock.objects.filter(case=case, clock_id="P04", ended_at=None).count() == 1


def test_a_months_downtime_is_caught_up_in_order_questions_and_all(town: Town) -> None:
    """Nothing skipped, nothing told twice; a question that lapsed meanwhile let its clock go on in time."""
    case = town.case_of(town.report())
    by = Responder.of(town.actor("olive"), case)
    accept_case(case, by, NOON)
    ask(case, by, ["got-in"], at=NOON + DAY)
    town.report("medway", origins=("203.0.113.99",), received_at=NOON + dt.timedelta(hours=3))
    assert questions.sweep(NOON + 61 * DAY) > 0
    rows = Content.objects.filter(entry__event__regex="cases:(clock|question:lapsed)").order_by("entry_id")
    told = [msgspec.json.decode(bytes(row.content)) for row in rows]
    instants = [content["at"] for content in told if "at" in content]
    assert instants == sorted(instants)
    lapsed = Question.objects.get()
    decide = Clock.objects.get(case=case, clock_id="P03")
    # Asked on Wednesday noon with four working days left, closed ten working days on.
    assert lapsed.closed_at == lapsed.lapses_at == NOON + 15 * DAY
    assert decide.breached_at == NOON + 21 * DAY
    before = Entry.objects.count()
    assert questions.sweep(NOON + 61 * DAY) == 0
    assert Entry.objects.count() == before
    assert list(check_cases()) == []


def test_a_decision_not_to_investigate_is_owed_to_the_victim_where_that_is_law(town: Town) -> None:
    """V01 in England and Wales, none in Scotland; a press says that it was done."""
    case = town.case_of(town.report())
    assess_case(case, Responder.of(town.actor("olive"), case), "X-NFA", "no line of enquiry", NOON)
    duty = Clock.objects.get(clock_id="V01")
    assert duty.due_at == NOON + 7 * DAY
    assert list(check_cases()) == [], "it runs on after the case is closed"
    meet_duty(town.actor("olive"), duty.pk, at=NOON + DAY)
    duty.refresh_from_db()
    assert (duty.ended_at, duty.ended_by) == (NOON + DAY, "person")
    Unit.objects.filter(unit_id="kent").update(country="SCT")
    other = town.case_of(town.report(origins=("203.0.113.70",)))
    assess_case(other, Responder.of(town.actor("olive"), other), "X-NFA", "no line of enquiry", NOON)
    assert not Clock.objects.filter(clock_id="V01", case=other).exists()
