"""The queue's pages: filters, acts on many, undo, groups below the threshold, weights, link review."""

import csv
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from tests.cases.town import NOON, Town, build_town
from tests.doors.web import views_of

from tocsin.cases import terms
from tocsin.cases.models import Bulk, Case, SavedFilter, Suggestion
from tocsin.cases.queueing import MOST, Choices, QueuePage
from tocsin.cases.views import QueueGroup
from tocsin.doors.web import queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(db: None) -> Town:
    """Kent Police, its officer Olive and its supervisor Saul."""
    return build_town()


def browser(town: Town, name: str) -> Client:
    """A person's browser."""
    client = Client()
    client.force_login(town.people[name])
    return client


@pytest.fixture
def olive(town: Town) -> Client:
    """An officer's browser."""
    return browser(town, "olive")


def text_of(answer: Any, status: int = 200) -> str:
    """The page's main part without its tags, on one line."""
    assert answer.status_code == status, answer.status_code
    main = answer.content.decode().split("<main", 1)[1].split("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def some(town: Town, number: int, **more: Any) -> list[str]:
    """The ids of so many cases at Kent Police."""
    return [
        town.case_of(town.report(origins=(f"203.0.113.{host}",), **more)).case_id
        for host in range(1, number + 1)
    ]


@pytest.mark.parametrize(
    ("groups", "below", "said"),
    [
        ([], 0, "Nothing waits for you."),
        ([], 4, "No case waits for you."),
        (["new"], 0, "1 case: 1 new."),
        (["overdue", "overdue", "waiting"], 0, "3 cases: 2 overdue and 1 waiting for others."),
    ],
)
def test_the_queue_answers_in_a_sentence(groups: list[QueueGroup], below: int, said: str) -> None:
    """How much, and what first."""
    assert queue.queue_sentence(views_of.a_queue([views_of.a_queue_row(g) for g in groups], below)) == said


def test_where_counting_stopped_the_sentence_says_so() -> None:
    """A thousand is no number that anybody counted to the end."""
    counts: dict[QueueGroup, int] = {"overdue": MOST, "due today": 0, "new": 2, "waiting": 0}
    found = QueuePage((), counts, 0, 1, 21, Choices())
    assert queue.queue_sentence(found) == "More than 1,002 cases: 1,000+ overdue and 2 new."


def test_a_filter_is_kept_is_the_default_and_is_left(town: Town, olive: Client) -> None:
    """The queue begins with the default filter, says which, and shows all on demand."""
    some(town, 2)
    town.report(origins=("203.0.113.99",), severity="high")
    address = reverse("queue")
    saved = olive.post(
        reverse("filter-save"), {"name": "Grave", "query": "severity=high", "is_default": "yes"}, follow=True
    )
    assert "Kept as “Grave”." in text_of(saved)
    page = olive.get(address)
    assert "Grave (default)" in text_of(page)
    assert page.content.decode().count("data-row") == 1
    assert olive.get(address, {"all": "1"}).content.decode().count("data-row") == 3
    assert "No case is like that." in text_of(olive.get(address, {"q": "nothing-such"}))
    kept = SavedFilter.objects.get()
    assert browser(town, "saul").post(reverse("filter-forget"), {"filter": kept.pk}).status_code == 404
    olive.post(reverse("filter-forget"), {"filter": kept.pk})
    assert not SavedFilter.objects.exists()


def test_the_queue_is_searched_by_prefix(town: Town, olive: Client) -> None:
    """The same field takes words, names, addresses, prefixes and ids."""
    some(town, 3)
    terms.rebuild()
    found = olive.get(reverse("queue"), {"q": "203.0.113.2/31"}).content.decode()
    assert found.count("data-row") == 2


def test_a_long_queue_comes_in_pages_and_as_a_whole_file(town: Town, olive: Client) -> None:
    """Fifty rows a page; the file has all, with the filter's."""
    cases = some(town, 60)
    assert olive.get(reverse("queue")).content.decode().count("data-row") == 50
    assert olive.get(reverse("queue"), {"page": "99"}).content.decode().count("data-row") == 10
    answer = olive.get(reverse("queue-csv"))
    rows = list(csv.DictReader(b"".join(answer).decode().splitlines()))  # type: ignore[call-overload]
    assert {row["case_id"] for row in rows} == set(cases)
    none = b"".join(olive.get(reverse("queue-csv"), {"severity": "high"}))  # type: ignore[call-overload]
    assert len(none.decode().splitlines()) == 1


def test_a_longer_queue_asks_the_database_no_more_often(
    town: Town, olive: Client, django_assert_max_num_queries: Any
) -> None:
    """A page of forty costs what a page of three costs."""
    some(town, 3)
    with django_assert_max_num_queries(29):
        olive.get(reverse("queue"))
    some(town, 40)
    with django_assert_max_num_queries(29):
        olive.get(reverse("queue"))


def test_many_are_done_at_once_told_once_and_undone(town: Town, olive: Client) -> None:
    """What was done and what was refused is listed; one press takes all of it back."""
    cases = some(town, 3)
    theirs = town.case_of(town.report("colne", origins=("203.0.113.99",))).case_id
    answer = olive.post(
        reverse("queue-act"),
        {"act": "answer", "outcome": "18", "help": ["source-port"], "case": [*cases, theirs]},
        follow=True,
    )
    page = text_of(answer)
    assert "3 cases answered." in page
    assert "Not done for 1 case:" in page and theirs in page
    assert all(case_id in page for case_id in cases)
    assert "3 cases answered." not in text_of(olive.get(reverse("queue"))), "told once"
    assert "Undo all of it" in text_of(olive.get(reverse("queue"))), "undone for as long as the minute lasts"
    back = olive.post(reverse("queue-undo"), {"bulk": Bulk.objects.get().pk}, follow=True)
    assert "3 cases as before." in text_of(back)
    assert "Undo all of it" not in text_of(olive.get(reverse("queue")))
    assert Case.objects.filter(closed_at__isnull=True).count() == 4
    assert olive.post(reverse("queue-undo"), {"bulk": "x"}).status_code == 404


def test_a_press_that_lacks_something_keeps_what_was_chosen(town: Town, olive: Client) -> None:
    """The boxes stay ticked and the words typed."""
    cases = some(town, 2)
    typed = {"act": "redirect", "unit": "essex", "case": cases[:1], "words": "A draft of words"}
    page = olive.post(reverse("queue-act"), typed)
    assert page.status_code == 422
    html = page.content.decode()
    assert "Say why that unit should have them" in html
    assert re.search(rf'value="{cases[0]}"[^>]* checked', html)
    assert not re.search(rf'value="{cases[1]}"[^>]* checked', html)
    assert "A draft of words" in html
    assert "Choose at least one case" in olive.post(reverse("queue-act"), {"act": "accept"}).content.decode()


def test_groups_are_kept_as_intelligence_in_one_press(town: Town, olive: Client) -> None:
    """Many at once, each with its prepared reason."""
    groups = some(town, 4, severity="info")
    page = text_of(olive.get(reverse("queue-below")))
    assert "4 groups wait for a person’s decision; no clock runs." in page
    press = {"act": "assess", "status": "X-INT", "case": groups[:3], "back": reverse("queue-below")}
    answer = olive.post(reverse("queue-act"), {**press, "is_group": "yes"})
    assert answer["Location"] == reverse("queue-below")
    assert "1 group waits" in text_of(olive.get(reverse("queue-below")))
    assert Case.objects.filter(status="X-INT").count() == 3


def test_a_supervisor_changes_what_counts_and_undoes_it(town: Town, olive: Client) -> None:
    """An officer reads the rule; the supervisor has the form."""
    some(town, 1)
    assert "Weigh them so" not in text_of(olive.get(reverse("weights")))
    saul = browser(town, "saul")
    weights = {"unit": "kent", "severity": "90", "solvability": "10", "harm": "0", "volume": "0"}
    assert olive.post(reverse("weights-change"), {**weights, "reason": "because"}).status_code == 403
    assert "Say why" in saul.post(reverse("weights-change"), weights).content.decode()
    assert "A whole number" in saul.post(reverse("weights-change"), {**weights, "harm": "x"}).content.decode()
    done = text_of(saul.post(reverse("weights-change"), {**weights, "reason": "severity first"}, follow=True))
    assert "Saul set 90, 10, 0, 0" in done and "Severity first." in done
    assert "weighs its cases as before" in text_of(
        saul.post(reverse("weights-undo"), {"unit": "kent"}, follow=True)
    )


def test_a_pair_is_reviewed_and_the_word_taken_back(town: Town, olive: Client) -> None:
    """Side by side, decided by one press."""
    town.report(origins=("203.0.113.7",))
    town.report("medway", origins=("203.0.113.8",))
    pair = Suggestion.objects.get()
    page = text_of(olive.get(reverse("review")))
    assert "1 pair of cases may belong together; you decide." in page
    decide, mine = reverse("review-decide"), {"pair": [str(pair.pk)]}
    assert "Kept apart" in text_of(olive.post(decide, mine | {"said": "no"}, follow=True))
    assert "No two cases look" in text_of(olive.get(reverse("review")))
    olive.post(reverse("review-undo"), mine)
    assert "one case now" in text_of(olive.post(decide, mine | {"said": "yes"}, follow=True))
    assert Case.objects.filter(closed_at__isnull=True).count() == 1
    assert olive.post(decide, {"pair": ["x"], "said": "no"}).status_code == 404


def test_a_case_is_split_joined_and_put_back(town: Town, olive: Client) -> None:
    """On its own page, each with a reason; what lacks one is refused and stays typed."""
    first, second = town.report(), town.report("medway")
    case = town.case_of(first)
    place = {"case_id": case.case_id}
    refused = olive.post(reverse("case-split", kwargs=place), {"split": [second.report_id]})
    assert "Taking a report out needs a reason" in text_of(refused, 422)
    assert re.search(rf'value="{second.report_id}"[^>]* checked', refused.content.decode())
    done = olive.post(
        reverse("case-split", kwargs=place),
        {"split": [second.report_id], "split_reason": "another tool"},
        follow=True,
    )
    assert "The timeline takes it back" in text_of(done)
    fresh = town.case_of(second)
    assert fresh.pk != case.pk
    wrong = {"other": "case_never", "merge_reason": "one"}
    assert "There is no such case" in text_of(olive.post(reverse("case-merge", kwargs=place), wrong), 422)
    right = {"other": fresh.case_id, "merge_reason": "one tool after all"}
    assert "is in this one now" in text_of(
        olive.post(reverse("case-merge", kwargs=place), right, follow=True)
    )
    assert town.case_of(second).pk == case.pk
    move = case.moves_in.get(kind="merge")
    olive.post(reverse("move-undo", kwargs={**place, "move_id": str(move.pk)}))
    assert town.case_of(second).pk == fresh.pk
    theirs = reverse("move-undo", kwargs={**place, "move_id": "99999"})
    assert olive.post(theirs).status_code == 404


def test_a_case_shows_its_score_its_people_and_prepared_words(town: Town, olive: Client) -> None:
    """Everything that decides, on one page."""
    case = town.case_of(town.report(severity="high", received_at=NOON))
    page = text_of(olive.get(reverse("case", kwargs={"case_id": case.case_id})))
    for part in (
        f"Score {case.score} of 100",
        "Severity: 75",
        "Who is involved",
        "Ferry",
        "No victim is known.",
    ):
        assert part in page
    html = olive.get(reverse("case", kwargs={"case_id": case.case_id})).content.decode()
    assert re.search(r'value="X-INV"[^>]* checked', html)
    assert "We follow the lines of enquiry that there are. It was about 100 attempts" in html
    assert re.search(r'value="longer-logs"[^>]* checked', html), "nothing is held: that is what lacks"


def test_the_linked_reports_come_in_pages(town: Town, olive: Client) -> None:
    """Fifty a page, each with its reason and strength; one from another page can be taken out."""
    reports = [town.report() for _ in range(55)]
    case = town.case_of(reports[0])
    place = reverse("case", kwargs={"case_id": case.case_id})
    assert olive.get(place).content.decode().count('name="split"') == 50
    assert olive.get(place, {"reports": "2"}).content.decode().count('name="split"') == 5
    detach = reverse("case-detach", kwargs={"case_id": case.case_id})
    olive.post(detach, {"report": reports[0].report_id, "detach_reason": "another tool"})
    assert town.case_of(reports[0]).pk != case.pk
