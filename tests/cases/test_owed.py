"""One's own clocks: what can be acted on, said to be done, and seen by nobody else; updates and ratings."""

import datetime as dt

import pytest
from tests.cases.town import NOON, Town

from tocsin.cases import clocks, queries
from tocsin.cases.answers import prepared_reason
from tocsin.cases.audit import check_cases
from tocsin.cases.models import Case, Clock, Rating
from tocsin.cases.newest import case_facts
from tocsin.cases.services import (
    Responder,
    accept_case,
    answer_case,
    become_aware,
    meet_duty,
    rate_answer,
    record_crime_number,
    say_update,
)
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound
from tocsin.notices import services as notices
from tocsin.notices.models import Notice

pytestmark = pytest.mark.django_db

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


def test_who_becomes_aware_of_a_breach_is_reminded_of_what_is_law_there(town: Town) -> None:
    """72 hours as on a stop-watch, to the ICO twice over; pressed twice it starts once."""
    report = town.report()
    rita = town.actor("rita")
    assert become_aware(rita, report.report_id, "personal-data-breach", NOON) == ["R01", "R02"]
    assert become_aware(rita, report.report_id, "personal-data-breach", NOON + HOUR) == []
    assert become_aware(rita, report.report_id, "significant-incident", NOON) == ["R03", "R04", "R05"]
    assert become_aware(rita, report.report_id, "security-compromise", NOON) == ["R06"]
    due = {duty.clock.clock_id: duty.clock.due_at for duty in queries.clocks_of(rita, NOON)}
    assert due["R01"] == due["R05"] == NOON + 72 * HOUR and due["R06"] == NOON + 24 * HOUR
    bill = next(d.clock for d in queries.clocks_of(rita, NOON) if d.clock.clock_id == "R04")
    assert "not law" in bill.law.status
    with pytest.raises(BadInput):
        become_aware(rita, report.report_id, "bad-luck", NOON)
    with pytest.raises(NotFound):
        become_aware(town.actor("max"), report.report_id, "personal-data-breach", NOON)


def test_a_members_own_duty_is_shown_to_nobody_else_even_when_it_is_missed(town: Town) -> None:
    """No police desk, no other member, no timeline of the case; it escalates to nobody."""
    report = town.report()
    case = town.case_of(town.report("medway"))
    become_aware(town.actor("rita"), report.report_id, "personal-data-breach", NOON)
    clocks.sweep(NOON + 20 * DAY)
    missed = Clock.objects.get(clock_id="R01")
    assert (missed.breached_at, missed.step) == (NOON + 72 * HOUR, 0)
    view = queries.case_view(town.actor("olive"), case.case_id, NOON + 20 * DAY)
    shown = " ".join(item.words for item in view.timeline) + " ".join(c.clock_id for c in view.clocks)
    assert "R01" not in shown and "ICO" not in shown
    assert not [d for d in queries.clocks_of(town.actor("olive"), NOON) if d.clock.clock_id == "R01"]
    with pytest.raises(NotFound):
        meet_duty(town.actor("max"), missed.pk)
    with pytest.raises(NotAllowed):
        meet_duty(town.actor("olive"), missed.pk)
    notices.tell(0, Entry.objects.count())
    told = Notice.objects.filter(event="cases:duty:breached")
    assert {notice.member.name for notice in told} == {"Ferry"}
    mine = queries.report_view(town.actor("rita"), report.report_id, NOON + 20 * DAY)
    assert any("Only you see this" in item.words for item in mine.timeline)


def test_a_duty_is_said_to_be_done_or_not_to_apply(town: Town) -> None:
    """Either ends it, once, and stands in the journal."""
    report = town.report()
    rita = town.actor("rita")
    become_aware(rita, report.report_id, "personal-data-breach", NOON)
    first, second = Clock.objects.filter(clock_id__in=("R01", "R02")).order_by("clock_id")
    for _ in range(2):
        meet_duty(rita, first.pk, at=NOON + HOUR)
        meet_duty(rita, second.pk, applies=False, at=NOON + HOUR)
    assert [c.ended_by for c in Clock.objects.filter(report=report, member__isnull=False)] == [
        "person",
        "not ours",
    ]
    assert queries.clocks_of(rita, NOON) == ()
    assert Entry.objects.filter(event="cases:duty:met").count() == 2


def test_what_ends_with_an_act_cannot_be_waved_away(town: Town) -> None:
    """P02 ends when somebody takes the case, not when somebody says so."""
    town.report()
    with pytest.raises(Conflict):
        meet_duty(town.actor("olive"), Clock.objects.get(clock_id="P02").pk)


def test_an_officer_sees_the_clocks_that_he_or_she_can_act_on(town: Town) -> None:
    """One's own and what nobody has, the first due first, many reports as one; a supervisor sees all."""
    for number in range(3):
        town.report(origins=("203.0.113.7",), received_at=NOON + number * HOUR)
    taken = town.case_of(town.report(origins=("203.0.113.8",)))
    accept_case(taken, Responder.of(town.actor("saul"), taken), NOON)
    olive = queries.clocks_of(town.actor("olive"), NOON + 2 * HOUR)
    assert [(duty.clock.clock_id, duty.count) for duty in olive] == [("P02", 3), ("P04", 1)]
    assert olive[0].clock.due_at == NOON + DAY and "charter" in olive[0].clock.law.legal_ref
    saul = queries.clocks_of(town.actor("saul"), NOON + 2 * HOUR)
    assert {duty.case_id for duty in saul} == set(Case.objects.values_list("case_id", flat=True))
    assert queries.clocks_of(town.actor("edna"), NOON) == ()


def test_saying_that_nothing_is_new_is_news_and_no_decision(town: Town) -> None:
    """One press, prepared words; P04 begins again, P03 runs on, and nothing counts as followed up."""
    case = town.case_of(town.report())
    by = Responder.of(town.actor("olive"), case)
    accept_case(case, by, NOON)
    say_update(case, by, "abroad", NOON + DAY)
    assert Clock.objects.get(case=case, clock_id="P04", ended_at=None).due_at == NOON + 29 * DAY
    assert Clock.objects.get(case=case, clock_id="P03").ended_at is None
    assert case.decisions.count() == 0
    report = Report.objects.get()
    view = queries.report_view(town.actor("rita"), report.report_id, NOON + DAY)
    assert any("answer from abroad is awaited" in item.words for item in view.timeline)
    with pytest.raises(BadInput):
        say_update(case, by, "all quiet", NOON + DAY)


def test_every_reporter_rates_the_answer_and_may_change_its_mind(town: Town) -> None:
    """Three steps and a note; the last word of each member counts, and only its unit reads it."""
    report = town.report()
    case = town.case_of(town.report("medway"))
    rita = town.actor("rita")
    with pytest.raises(Conflict, match="no answer yet"):
        rate_answer(rita, report.report_id, 3)
    answer_case(case, Responder.of(town.actor("olive"), case), "18", "We looked.", ["sooner"], at=NOON)
    for step in (3, 3, 1):
        rate_answer(rita, report.report_id, step, "too late", NOON + DAY)
    case.refresh_from_db()
    assert [(r.member_name, r.step, r.note) for r in queries.ratings_of(case)] == [("Ferry", 1, "too late")]
    assert Rating.objects.count() == 1
    assert Entry.objects.filter(event="cases:answer:rated").count() == 2
    other = Report.objects.get(member=town.members["medway"])
    assert queries.rating_of(report) is not None and queries.rating_of(other) is None
    with pytest.raises(BadInput):
        rate_answer(rita, report.report_id, 4)
    with pytest.raises(NotFound):
        rate_answer(rita, other.report_id, 3)


def test_an_answer_for_want_of_a_suspect_goes_round_whole(town: Town) -> None:
    """18 with a log that nobody held; each reads it; a later match opens case, clocks and rating anew."""
    report = town.report(delete_at=NOON + 30 * DAY)
    case = town.case_of(town.report("medway"))
    form = queries.case_view(town.actor("olive"), case.case_id, NOON).form
    codes = {choice.code: choice.words for choice in form.help_choices}
    assert "log:portal-login" not in codes, "somebody holds that one"
    assert codes["log:netflow-full"] == "logs of full flow records"
    words = next(choice.words for choice in form.outcomes if choice.outcome_code == "18")
    answer_case(case, Responder.of(town.actor("olive"), case), "18", words, ["log:netflow-full"], at=NOON)
    for person, its in (("rita", report), ("max", Report.objects.get(member=town.members["medway"]))):
        view = queries.report_view(town.actor(person), its.report_id, NOON)
        assert view.outcome is not None and view.outcome.would_have_helped == ("logs of full flow records",)
        assert view.is_answered
    rate_answer(town.actor("rita"), report.report_id, 2, at=NOON)
    town.report("colne", received_at=NOON + DAY)
    case.refresh_from_db()
    assert (case.is_open, case.report_count, case.owner_name) == (True, 3, "")
    assert queries.ratings_of(case) == ()
    running = Clock.objects.filter(case=case, ended_at=None).exclude(clock_id="P07")
    assert set(running.values_list("clock_id", flat=True)) == {"P02", "P04"}
    assert list(check_cases()) == []


def test_prepared_reasons_fill_themselves_and_reveal_nothing(town: Town) -> None:
    """Kept as intelligence, linked: it says so, and no more."""
    case = town.case_of(town.report())
    pack = current_pack()
    said = prepared_reason(pack.statuses["X-INT"], case_facts(case))
    assert said.startswith(
        "It was kept as intelligence and joined to what is known already. It was about 100"
    )
    assert said.endswith("No details can be given.")
    form = queries.case_view(town.actor("olive"), case.case_id, NOON).form
    assert all(choice.reason for choice in form.statuses)


def test_a_crime_number_that_comes_back_starts_the_clock_to_refer_the_victim(town: Town) -> None:
    """V06, two working days; the same number again, or a corrected one, starts nothing."""
    case = town.case_of(town.report())
    by = Responder.of(town.actor("olive"), case)
    for day, number in ((0, "42/12345/26"), (1, "42/12345/26"), (1, "42/12346/26")):
        record_crime_number(case, by, number, NOON + day * DAY)
    duty = Clock.objects.get(clock_id="V06")
    assert duty.due_at == NOON + 2 * DAY
    meet_duty(town.actor("olive"), duty.pk, at=NOON + DAY)
    assert list(check_cases()) == []
