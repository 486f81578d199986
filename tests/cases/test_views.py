"""What the pages are given: the right sentence, nothing of anybody else, in few queries."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.cases.town import NOON, Town

from tocsin.access.policy import NOBODY
from tocsin.cases import clocks, counted, queries
from tocsin.cases.services import (
    Responder,
    accept_case,
    answer_case,
    ask,
    assess_case,
    link_reports,
    make_one_time_link,
)
from tocsin.intake.models import Report
from tocsin.kernel.problems import NotAllowed, NotFound, NotSignedIn
from tocsin.kernel.time import now

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
LATER = NOON + dt.timedelta(hours=1)


def text_of(value: Any) -> str:
    """Everything that a view says, as one text."""
    return repr(dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value)  # type: ignore[arg-type]


def test_a_reporter_reads_where_a_report_stands_and_by_when_it_hears_more(town: Town) -> None:
    """Before anybody took it, after, and when it is overdue."""
    report = town.report(delete_at=NOON + 10 * DAY)
    view = queries.report_view(town.actor("rita"), report.report_id, NOON)
    assert (
        view.sentence
        == "It waits at Kent Police for an owner; next news by Wednesday 11 November, 12:00 GMT."
    )
    assert [holding.days_left for holding in view.holdings] == [10]
    late = queries.report_view(town.actor("rita"), report.report_id, NOON + 3 * DAY)
    assert late.sentence == "Overdue at Kent Police by 2 days: Kent Police accepts or redirects."
    case = town.case_of(report)
    accept_case(case, Responder.of(town.actor("olive"), case), LATER)
    owned = queries.report_view(town.actor("rita"), report.report_id, LATER)
    assert owned.owner is not None and owned.owner.name == "Olive"
    assert owned.sentence.startswith("Olive, Kent Police, has it")
    assert "has taken it" in text_of(owned.timeline)


@pytest.fixture
def nothing_kept() -> Iterator[None]:
    """No count of another test is remembered, nor any of this one."""
    cache.clear()
    yield
    cache.clear()


@pytest.mark.usefixtures("nothing_kept")
def test_what_a_member_sent_is_counted_to_the_last_report(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are very many, those of before are counted seldom, and those since are never missed."""
    monkeypatch.setattr(counted, "MANY", 0)
    rita, at = town.actor("rita"), now()
    town.report(received_at=at - 30 * DAY)
    town.report(received_at=at - dt.timedelta(minutes=5))
    assert queries.reporter_home(rita, at).funnel.received == 2
    town.report(received_at=at - dt.timedelta(minutes=1))
    town.report(received_at=at)
    assert queries.reporter_home(rita, at + dt.timedelta(minutes=2)).funnel.received == 4


def test_the_reporters_home_leads_with_its_answer(town: Town) -> None:
    """How many wait, how late the oldest is, and the funnel whole."""
    assert queries.reporter_home(town.actor("rita"), NOON).sentence == "No reports yet."
    first = town.report()
    town.report(origins=("198.51.100.77",))
    town.report(kind="vulnerable/vulnerable-system")
    case = town.case_of(first)
    answer_case(case, Responder.of(town.actor("olive"), case), "1", "Charged.", at=LATER)
    home = queries.reporter_home(town.actor("rita"), NOON + 3 * DAY)
    assert (
        home.sentence
        == "1 of your 3 reports waits for an answer; the oldest is 2 days overdue at Kent Police."
    )
    assert (home.funnel.received, home.funnel.owned, home.funnel.charged) == (3, 1, 1)
    assert [row.group for row in home.waiting] == ["overdue"]
    assert [row.report_id for row in home.answered] == [first.report_id]
    assert sum(week.received for week in home.weeks) == 3


def test_a_question_to_the_reporter_stands_apart(town: Town) -> None:
    """It waits for the reporter, not for the unit."""
    report = town.report()
    case = town.case_of(report)
    ask(case, Responder.of(town.actor("olive"), case), ["source-port"], at=LATER)
    home = queries.reporter_home(town.actor("rita"), LATER)
    assert [row.report_id for row in home.questions] == [report.report_id]
    assert [row.group for row in home.waiting] == ["question"]


def test_the_queue_is_ordered_by_urgency(town: Town) -> None:
    """Overdue, due today, new, waiting; paged by the database."""

    def opened(host: int, at: dt.datetime) -> str:
        return town.case_of(town.report(origins=(f"203.0.113.{host}",), received_at=at)).case_id

    now = NOON + DAY  # Wednesday noon
    overdue = opened(1, NOON - dt.timedelta(hours=2))
    today = opened(2, NOON + dt.timedelta(hours=2))
    new = opened(3, now)
    taken = opened(4, NOON)
    case = town.case_of(Report.objects.get(origin="203.0.113.4"))
    accept_case(case, Responder.of(town.actor("olive"), case), now)
    rows = queries.queue(town.actor("olive"), at=now).rows
    assert [(row.group, row.case_id) for row in rows] == [
        ("overdue", overdue),
        ("due today", today),
        ("new", new),
        ("waiting", taken),
    ]


def test_a_case_says_what_it_is_about_and_fills_its_own_answer(town: Town) -> None:
    """The sentence counts; the prepared words hold only what every reporter may read."""
    report = town.report("ferry", delete_at=NOON + 10 * DAY)
    town.report("medway", count=900)
    view = queries.case_view(town.actor("olive"), town.case_of(report).case_id, NOON)
    assert view.sentence == (
        "2 reports from 2 providers about password guessing from 1 network; "
        "logs held until Friday 20 November, 12:00 GMT."
    )
    assert view.acts == {"accept", "assess", "answer", "redirect", "detach", "ask", "update"}
    words = {choice.outcome_code: choice.words for choice in view.form.outcomes}
    assert "1 network" in words["18"] and "1,000" not in words["18"]
    assert "19" not in words and len(view.links) == 2


def test_what_is_below_the_threshold_comes_with_a_proposal(town: Town) -> None:
    """A person decides about the group."""
    case = town.case_of(town.report(severity="info"))
    view = queries.case_view(town.actor("olive"), case.case_id, NOON)
    assert "keep as intelligence" in view.proposal_words
    assess_case(case, Responder.of(town.actor("olive"), case), "X-INT", "known scanner", LATER)
    assert Report.objects.get().status == "X-INT"


@pytest.mark.parametrize("name", ["max", "olive", "edna", "cora"])
def test_nobody_else_sees_a_members_report(town: Town, name: str) -> None:
    """Not another member, nor a unit but through its case."""
    report = town.report("ferry")
    with pytest.raises((NotFound, NotAllowed)):
        queries.report_view(town.actor(name), report.report_id)


@pytest.mark.parametrize("name", ["rita", "max", "edna"])
def test_nobody_but_its_units_sees_a_case(town: Town, name: str) -> None:
    """Neither its reporters, nor a unit that has nothing to do with it."""
    case = town.case_of(town.report())
    with pytest.raises((NotFound, NotAllowed)):
        queries.case_view(town.actor(name), case.case_id)
    assert case not in queries.visible_to(town.actor(name))


def test_nobody_signed_in_sees_nothing(town: Town) -> None:
    """Every reader asks the policy table first."""
    report = town.report()
    readers: list[Callable[[], object]] = [
        lambda: queries.report_view(NOBODY, report.report_id),
        lambda: queries.reporter_home(NOBODY),
        lambda: queries.report_list(NOBODY),
        lambda: queries.case_view(NOBODY, town.case_of(report).case_id),
        lambda: queries.queue(NOBODY),
        lambda: queries.coordination(NOBODY),
    ]
    for reader in readers:
        with pytest.raises(NotSignedIn):
            reader()


def test_two_members_of_one_case_learn_nothing_of_each_other(town: Town) -> None:
    """No name, no id, no count, no log: in the report or the home, after a warning and a breach."""
    mine = town.report("ferry", count=123)
    other = town.report("medway", count=98_765, target="198.51.100.99", delete_at=NOON + 5 * DAY)
    colne = town.report("colne", count=43_210)
    case = town.case_of(mine)
    make_one_time_link(case, town.actor("cora"), LATER)
    clocks.sweep(NOON + 6 * DAY)
    views = [
        queries.report_view(town.actor("rita"), mine.report_id, NOON + 6 * DAY),
        queries.reporter_home(town.actor("rita"), NOON + 6 * DAY),
        queries.report_list(town.actor("rita"), at=NOON + 6 * DAY),
    ]
    said = " ".join(map(text_of, views))
    for secret in (
        "Medway",
        "Colne",
        other.report_id,
        colne.report_id,
        case.case_id,
        "98,765",
        "98765",
        "43210",
        "198.51.100.99",
        "2 providers",
        "3 reports",
        "2 force areas",
    ):
        assert secret not in said, secret
    assert "auth-log" not in said


def test_the_restricted_lane_is_seen_by_police_and_hotline_alone(town: Town) -> None:
    """The coordinator sees that it waits, not what it says; no packet is printed."""
    report = town.report(
        lane="restricted", kind="abusive-content/violence", severity="critical", origins=("203.0.113.66",)
    )
    case = town.case_of(report)
    town.person("nora", "officer", unit="nca-nccu")
    town.person("iris", "officer", unit="iwf")
    for name in ("nora", "iris"):
        assert "203.0.113.0/24" in queries.case_view(town.actor(name), case.case_id, NOON).networks
    with pytest.raises(NotFound):
        queries.case_view(town.actor("olive"), case.case_id, NOON)
    for view in (
        queries.case_view(town.actor("cora"), case.case_id, NOON),
        queries.coordination(town.actor("cora"), NOON),
    ):
        assert "203.0.113" not in text_of(view)
    with pytest.raises(NotAllowed, match="not printed"):
        queries.packet(case, NOON)


def test_the_coordinator_sees_where_silence_is(town: Town) -> None:
    """Unanswered until somebody of the unit answers; joined units do not appear unless they are late."""
    town.report("ferry")
    silent = town.case_of(town.report("lakes", origins=("198.51.100.8",)))
    view = queries.coordination(town.actor("cora"), NOON + 3 * DAY)
    assert [unit.unit.unit_id for unit in view.silent_units] == ["cumbria"]
    assert [row.case_id for row in view.not_joined] == [silent.case_id]
    assert view.sentence == "1 case waits at 1 unit that has not joined; the oldest for 3 days."
    assert view.not_joined[0].desk_words == ""


def test_the_coordinator_sees_a_case_once_with_all_that_is_so(town: Town) -> None:
    """What went up at a unit that has not joined stands there alone, and says so."""
    late = town.case_of(town.report("ferry"))
    silent = town.case_of(town.report("lakes", origins=("198.51.100.8",)))
    clocks.sweep(NOON + 9 * DAY)
    view = queries.coordination(town.actor("cora"), NOON + 9 * DAY)
    assert [(row.case_id, row.desk_words) for row in view.not_joined] == [
        (silent.case_id, "the national unit")
    ]
    assert [(row.case_id, row.desk_words) for row in view.escalated] == [(late.case_id, "the national unit")]


def test_escalation_opens_the_case_to_the_desk_it_reached(town: Town) -> None:
    """The regional unit may take it then, and has it from there."""
    case = town.case_of(town.report())
    town.person("reg", "officer", unit="erocu")
    with pytest.raises(NotFound):
        queries.case_view(town.actor("reg"), case.case_id, NOON)
    late = NOON + 3 * DAY
    clocks.sweep(late)
    assert "accept" in queries.case_view(town.actor("reg"), case.case_id, late).acts
    accept_case(case, Responder.of(town.actor("reg"), case), late)
    case.refresh_from_db()
    assert case.investigating_unit.unit_id == "erocu"


def test_the_packet_holds_what_an_officer_needs_on_paper(town: Town) -> None:
    """Offence, law, reports, logs, clocks, and that Tocsin is not the national service."""
    case = town.case_of(town.report("lakes", delete_at=NOON + 9 * DAY))
    packet = queries.packet(case, NOON)
    assert packet.offence_words == "NFIB52A Hacking - server"
    assert "Computer Misuse Act 1990" in packet.law_words
    assert packet.attempts == 100 and len(packet.links) == len(packet.holdings) == 1
    assert "not Report Fraud" in packet.national_service_words


def test_pages_cost_the_same_queries_with_many_rows(town: Town) -> None:
    """No query for each row: 3 reports and 60 cost the same."""

    def cost() -> list[int]:
        counted = []
        first = Report.objects.filter(member=town.members["ferry"]).order_by("pk").first()
        assert first is not None
        for read in (
            lambda: queries.reporter_home(town.actor("rita"), LATER),
            lambda: queries.report_list(town.actor("rita"), at=LATER),
            lambda: queries.queue(town.actor("olive"), at=LATER),
            lambda: queries.case_view(town.actor("olive"), town.case_of(first).case_id, LATER),
            lambda: queries.coordination(town.actor("cora"), LATER),
        ):
            with CaptureQueriesContext(connection) as captured:
                read()
            counted.append(len(captured))
        return counted

    def grow(first: int, last: int) -> None:
        reports = [
            town.report(name, origins=(f"203.0.113.{n % 5 + 10 * (name == 'lakes')}",), link=False)
            for n in range(first, last)
            for name in ("ferry", "lakes")
        ]
        link_reports([report.pk for report in reports], NOON)

    grow(0, 10)
    few = cost()
    grow(10, 40)
    assert cost() == few
    assert max(few) < 30
