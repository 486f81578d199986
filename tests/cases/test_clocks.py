"""Clocks: breaches are marked, taken one desk higher each working day, and never counted twice."""

import datetime as dt

import msgspec
import pytest
from tests.cases.town import NOON, Town

from tocsin.cases import clocks
from tocsin.cases.linking import link_reports
from tocsin.cases.models import Clock
from tocsin.cases.services import Responder, accept_case, assess_case
from tocsin.cases.units import current_pack
from tocsin.journal.models import Content, Entry

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


def test_every_clock_of_the_table_is_in_the_pack_and_can_end(town: Town) -> None:
    """A clock that nothing ends would be noise; one that nothing starts would be a promise not kept."""
    pack = current_pack()
    for rule in clocks.RULES:
        assert rule.clock_id in pack.clocks
        assert rule.ends
    startable = {rule.clock_id for rule in clocks.RULES if rule.starts} | {clocks.WARN}
    assert startable == {rule.clock_id for rule in clocks.RULES}
