"""Each page in each of its states: its answer first, empty states that teach, nothing unescaped."""

import csv
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from tests.doors.web import views_of
from tests.exchange import a_key, a_member, a_report, spelled

from tocsin.access.models import Member
from tocsin.cases import views
from tocsin.doors.web import start
from tocsin.intake import services as intake
from tocsin.kernel.time import now

HOSTILE = "<script>alert(1)</script>"
CASE = {"case_id": "case_0000000000A1"}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`given(reporter_home=…)` lets a query answer with that."""

    def answers(**values: Any) -> None:
        for name, value in values.items():
            monkeypatch.setattr(f"tocsin.cases.queries.{name}", lambda *_, value=value, **__: value)

    monkeypatch.setattr("tocsin.notices.queries.for_member", lambda actor: [])
    return answers


def text_of(answer: Any) -> str:
    """The page's main part without its tags, on one line."""
    assert answer.status_code in (200, 422), answer.status_code
    main = answer.content.decode().split("<main", 1)[1].split("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def test_the_start_page_tells_the_funnel_whole(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence and one picture from real numbers, with a word of what does not count."""
    monkeypatch.setattr("tocsin.doors.web.start.funnel_of", lambda *_: views_of.SOME)
    page = text_of(Client().get("/"))
    assert (
        "Of 412 reports, 300 have a named owner and 201 (48 %) were followed up by a person; 211 still wait."
        in page
    )
    assert all(step.name in page for step in start.funnel_steps(views_of.SOME))
    assert "under 5" in page, "two were charged: too few to tell the public"


def test_the_start_page_keeps_small_numbers_to_itself(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer than five reports could point at one member."""
    few = views.Funnel(4, 4, 1, 1, 0, 0, 0)
    monkeypatch.setattr("tocsin.doors.web.start.funnel_of", lambda *_: few)
    page = text_of(Client().get("/"))
    assert start.FEWER_THAN_FEW in page
    assert "Acknowledged" not in page


def test_a_reporters_first_line_is_the_answer(reporter: Client, given: Any) -> None:
    """The sentence, then what waits with the overdue first, then what was answered."""
    given(reporter_home=views_of.a_home())
    page = text_of(reporter.get(reverse("reports")))
    parts = [
        "1 of your 2 reports waits",
        "Waiting for an answer (1)",
        "2 days overdue.",
        "Answered in the last 30 days (1)",
        "By week",
    ]
    assert [part for part in parts if part in page] == parts
    assert [page.index(part) for part in parts] == sorted(page.index(part) for part in parts)


def test_a_reporter_without_reports_is_taught_how(reporter: Client, given: Any) -> None:
    """The empty state names the command."""
    given(
        reporter_home=views_of.a_home(
            funnel=views_of.NOTHING, waiting=(), answered=(), sentence="You have no reports."
        )
    )
    assert "tocsin report /var/log/auth.log" in text_of(reporter.get(reverse("reports")))


def test_news_is_told_until_it_is_seen(reporter: Client, given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was told since last time stands first; seeing it is the reader's own act."""
    seen: list[list[int]] = []
    notice = views.NoticeView(7, "report_000000000001", now(), "Kent Police has named an owner", is_new=True)
    given(reporter_home=views_of.a_home())
    monkeypatch.setattr("tocsin.notices.queries.for_member", lambda actor: [notice])
    monkeypatch.setattr("tocsin.notices.services.mark_seen", lambda actor, ids: seen.append(ids))
    assert "New since last time Kent Police has named an owner." in text_of(reporter.get(reverse("reports")))
    assert reporter.post(reverse("notices-seen"), {"notice": ["7", "x"]}).status_code == 302
    assert seen == [[7]]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Nobody has taken it yet Unit not joined: the coordinator carries it there."),
        ({"owner": views.OwnerView("DC Ada Moss", "Kent Police", now())}, "DC Ada Moss, Kent Police, since"),
        (
            {"outcome": views_of.an_outcome(), "status": "X-OUT"},
            "The answer: Investigation complete, no suspect identified",
        ),
        (
            {"outcome": views_of.an_outcome(), "status": "X-DIS"},
            "An earlier answer: Investigation complete, no suspect identified",
        ),
        ({"outcome": views_of.an_outcome()}, "What would have helped: a longer retention"),
        ({"holdings": ()}, "The report named no log that is kept."),
        ({"holdings": (views_of.a_holding(0),)}, "Destroyed today"),
        ({"holdings": (views_of.a_holding(1),)}, "1 day left, until"),
        ({"holdings": (views_of.a_holding(None),)}, "No date of destruction was given"),
        ({"route": None, "clocks": ()}, "Nothing is due on this report."),
    ],
)
def test_a_report_says_where_it_stands(
    reporter: Client, given: Any, changes: dict[str, Any], said: str
) -> None:
    """Owner, answer, holdings and what is due, in words."""
    given(report_view=views_of.a_report_view(**changes))
    page = text_of(reporter.get(reverse("report", kwargs={"report_id": "report_000000000001"})))
    assert said in page.replace(" , ", ", ")


def test_an_answer_that_was_taken_back_is_not_shown_as_one(reporter: Client, given: Any) -> None:
    """Only the timeline still tells of it."""
    given(report_view=views_of.a_report_view(outcome=views_of.an_outcome(withdrawn_at=now())))
    assert "The answer:" not in text_of(
        reporter.get(reverse("report", kwargs={"report_id": "report_000000000001"}))
    )


def test_what_others_wrote_is_shown_as_text(reporter: Client, officer: Client, given: Any) -> None:
    """Names, reasons and addresses come from outside and never become part of the page."""
    given(
        report_view=views_of.a_report_view(what=HOSTILE, sent=((HOSTILE, HOSTILE),), held_back=HOSTILE),
        read_case=views_of.a_reading(
            title=HOSTILE,
            networks=(HOSTILE,),
            links=(views_of.a_link(target=HOSTILE, member_name=HOSTILE),),
            form=views.AnswerForm(
                (),
                (
                    views.OutcomeChoice(
                        "1", HOSTILE, f'"{HOSTILE}', needs_help=False, needs_receiving_body=False
                    ),
                ),
                (),
                (views.UnitChoice('"', HOSTILE),),
            ),
        ),
        queue=views_of.a_queue([views_of.a_queue_row(title=HOSTILE, unusual_words=HOSTILE)]),
    )
    for client, address in (
        (reporter, reverse("report", kwargs={"report_id": "report_000000000001"})),
        (officer, reverse("case", kwargs=CASE)),
        (officer, reverse("queue")),
    ):
        page = client.get(address).content.decode()
        assert HOSTILE not in page
        assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("act", ["accept", "assess", "answer", "redirect", "detach"])
def test_only_the_acts_that_are_allowed_now_have_a_button(
    officer: Client, given: Any, act: views.Act
) -> None:
    """The state table decides, the page draws."""
    address = reverse(f"case-{act}", kwargs=CASE)
    given(read_case=views_of.a_reading(acts=frozenset({act})))
    assert f'action="{address}"' in officer.get(reverse("case", kwargs=CASE)).content.decode()
    given(read_case=views_of.a_reading(acts=frozenset()))
    assert f'action="{address}"' not in officer.get(reverse("case", kwargs=CASE)).content.decode()


def test_an_answer_can_be_undone_while_its_minute_lasts(officer: Client, given: Any) -> None:
    """A banner with the button, gone with the minute."""
    given(read_case=views_of.a_reading(acts=frozenset({"withdraw"}), outcome=views_of.an_outcome()))
    assert "Undo the answer" in text_of(officer.get(reverse("case", kwargs=CASE)))
    given(read_case=views_of.a_reading(acts=frozenset(), outcome=views_of.an_outcome()))
    assert "Undo the answer" not in text_of(officer.get(reverse("case", kwargs=CASE)))


def test_the_answer_fills_itself_and_follows_the_outcome_asked_for(officer: Client, given: Any) -> None:
    """Without scripts a button asks for another outcome's words."""
    given(read_case=views_of.a_reading())
    assert (
        ">286 attempts over one day.</textarea>" in officer.get(reverse("case", kwargs=CASE)).content.decode()
    )
    page = officer.get(reverse("case-answer", kwargs=CASE), {"outcome": "1"}).content.decode()
    assert ">A person was charged.</textarea>" in page


@pytest.mark.parametrize(
    ("act", "typed", "complaint"),
    [
        ("assess", {"reason": "because"}, "Choose what you decide"),
        ("assess", {"status": "X-INV"}, "Say why; the reporters read it"),
        ("assess", {"status": "X-EVIL", "reason": "because"}, "Choose what you decide"),
        (
            "answer",
            {"outcome": "18", "words": "Words of mine"},
            "Choose at least one thing that would have helped",
        ),
        ("answer", {"outcome": "20", "words": "Words of mine"}, "Name the body that takes it on"),
        ("answer", {"outcome": "1", "words": " "}, "Write what the reporters read"),
        ("answer", {"outcome": "1", "words": "w" * 4001}, "Use at most 4,000 characters"),
        (
            "redirect",
            {"unit": "", "redirect_reason": "wrong desk"},
            "Choose the unit that should have the case",
        ),
    ],
)
def test_an_incomplete_form_says_what_is_missing_and_keeps_the_rest(
    officer: Client,
    given: Any,
    monkeypatch: pytest.MonkeyPatch,
    act: str,
    typed: dict[str, str],
    complaint: str,
) -> None:
    """An error summary above, the complaint at the field, and every word still there."""
    given(read_case=views_of.a_reading())
    monkeypatch.setattr("tocsin.doors.web.cases._fetch", lambda actor, case_id: None)
    monkeypatch.setattr("tocsin.cases.services.Responder.of", lambda actor, case: None)
    answer = officer.post(reverse(f"case-{act}", kwargs=CASE), typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count(complaint) >= 2
    assert "There is a problem" in page
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>Error: " in page
    assert all(value in page for name, value in typed.items() if value.strip() and value != "X-EVIL")


def test_an_act_that_is_over_is_refused_in_words(officer: Client, given: Any) -> None:
    """Somebody else was faster: nothing is done twice."""
    given(read_case=views_of.a_reading(acts=frozenset()))
    answer = officer.post(reverse("case-answer", kwargs=CASE), {"outcome": "1", "words": "Again"})
    assert answer.status_code == 409
    assert "The case has moved on" in answer.content.decode()


def test_taking_a_case_twice_is_taking_it_once(officer: Client, given: Any) -> None:
    """A second press goes to the case that is already theirs."""
    owner = views.OwnerView("Ada Moss", "Metropolitan Police", now())
    given(read_case=views_of.a_reading(acts=frozenset(), owner=owner))
    assert officer.post(reverse("case-accept", kwargs=CASE)).status_code == 302


def test_the_coordinator_sees_where_silence_is(coordinator: Client, given: Any) -> None:
    """Units, their cases, what has escalated; and empty, it says what would appear."""
    given(coordination=views_of.a_coordination())
    page = text_of(coordinator.get(reverse("coordination")))
    assert "Kent Police (not joined)" in page.replace("  ", " ")
    assert "Nothing was sent yet." in page
    assert "Missed: now with the supervisor." in page
    assert "1 missed case of units that have not joined stands above." in page
    given(coordination=views_of.a_coordination(silent_units=(), not_joined=(), escalated=()))
    assert "2 of 54 units have joined" in text_of(coordinator.get(reverse("coordination")))


def some_reports(member: Member, number: int) -> None:
    """So many reports of a member."""
    intake.submit(a_key(member), [spelled(a_report()) for _ in range(number)])


def test_the_list_is_ones_own_newest_first_in_pages(reporter: Client, member: Member) -> None:
    """Fifty a page, and nothing of another member."""
    some_reports(member, 60)
    some_reports(a_member(), 3)
    page = reporter.get(reverse("report-list")).content.decode()
    assert page.count("data-row") == 50
    assert "60 reports, page 1 of 2, newest change first." in re.sub(r"\s+", " ", page)
    assert reporter.get(reverse("report-list"), {"page": "2"}).content.decode().count("data-row") == 10


def test_the_list_is_searched_by_address(reporter: Client, member: Member) -> None:
    """A part of an address is enough."""
    intake.submit(a_key(member), [spelled(a_report(origins=("203.0.113.99",))), spelled(a_report())])
    assert reporter.get(reverse("report-list"), {"q": "203.0.113."}).content.decode().count("data-row") == 1
    assert "No report of yours is like that." in text_of(
        reporter.get(reverse("report-list"), {"q": "no such"})
    )


def test_the_export_has_every_report_in_utc_and_no_formula(reporter: Client, member: Member) -> None:
    """A cell that a spreadsheet would run is made text (RFC 4180 says nothing; spreadsheets do)."""
    intake.submit(a_key(member), [spelled(a_report(service="=1+1")), spelled(a_report())])
    some_reports(a_member(), 1)
    answer = reporter.get(reverse("reports-csv"))
    rows = list(csv.DictReader(b"".join(answer).decode().splitlines()))  # type: ignore[call-overload]
    assert len(rows) == 2
    assert {row["service"] for row in rows} == {"'=1+1", "ssh"}
    assert all(row["first_seen_at"] == "2026-11-20T01:02:03Z" for row in rows)


def test_a_longer_list_asks_the_database_no_more_often(
    reporter: Client, member: Member, django_assert_max_num_queries: Any
) -> None:
    """A page of fifty costs what a page of three costs."""
    some_reports(member, 3)
    for _ in range(2):
        with django_assert_max_num_queries(9):
            assert reporter.get(reverse("report-list")).status_code == 200
        some_reports(member, 60)


def test_a_receipt_is_ones_own(reporter: Client, member: Member) -> None:
    """Another member's looks like one that never was."""
    some_reports(member, 1)
    other = a_member()
    some_reports(other, 1)
    mine, theirs = member.reports.get().report_id, other.reports.get().report_id
    answer = reporter.get(reverse("receipt", kwargs={"report_id": mine}))
    assert answer["Content-Disposition"] == f'attachment; filename="{mine}.receipt.json"'
    assert answer.json()["report_id"] == mine
    refused = reporter.get(reverse("receipt", kwargs={"report_id": theirs}))
    never = reporter.get(reverse("receipt", kwargs={"report_id": "report_never"}))
    assert refused.status_code == never.status_code == 404
    assert theirs not in refused.content.decode()


@pytest.mark.parametrize(
    ("funnel", "said"),
    [
        (views.Funnel(7, 7, 0, 0, 0, 0, 0), "None of 7 reports has been followed up by a person yet."),
        (
            views.Funnel(9, 9, 6, 3, 0, 0, 0),
            "Of 9 reports, 6 have a named owner and under 5 were followed up by a person; 6 still wait.",
        ),
        (
            views.Funnel(10, 10, 10, 10, 0, 0, 0),
            "Of 10 reports, 10 have a named owner and 10 (100 %) were followed up by a person; none waits.",
        ),
    ],
)
def test_the_funnels_sentence_tells_no_small_number(funnel: views.Funnel, said: str) -> None:
    """One to four could point at one member; nothing and all are told."""
    assert start.funnel_sentence(funnel) == said
