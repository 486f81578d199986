"""The queue: ordered, filtered and paged in the database."""

import datetime as dt
from typing import Any

import pytest
from tests.cases.town import BRUTE_FORCE, NOON, Town

from tocsin.access.policy import NOBODY
from tocsin.cases import clocks, filters, queueing
from tocsin.cases.models import Case
from tocsin.cases.queueing import Wish, groups_below, queue
from tocsin.cases.services import Responder, accept_case, answer_case
from tocsin.kernel.problems import BadInput, NotFound, NotSignedIn

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def opened(town: Town, host: int, at: dt.datetime = NOON, **more: Any) -> Case:
    """A case of its own at Kent Police."""
    return town.case_of(town.report(origins=(f"203.0.113.{host}",), received_at=at, **more))


def ids(found: queueing.QueuePage) -> list[str]:
    return [row.case_id for row in found.rows]


def test_within_a_group_the_highest_score_comes_first(town: Town) -> None:
    """Then what is due first."""
    low, high = opened(town, 1, severity="low"), opened(town, 2, severity="high")
    same = opened(town, 3, NOON - dt.timedelta(hours=1), severity="low")
    assert ids(queue(town.actor("olive"), at=NOON)) == [high.case_id, same.case_id, low.case_id]


@pytest.mark.parametrize(
    ("wish", "hosts"),
    [
        (Wish(group="overdue"), []),
        (Wish(group="new"), [2, 3, 4]),
        (Wish(group="waiting"), [1]),
        (Wish(severity="high"), [2]),
        (Wish(kind="fraud/phishing"), [3]),
        (Wish(status="X-ACC"), [1]),
        (Wish(owner="me"), [1]),
        (Wish(owner="nobody"), [2, 3, 4]),
        (Wish(owner="oLiv"), [1]),
        (Wish(unit="kent"), [1, 2, 3, 4]),
        (Wish(unit="essex"), []),
        (Wish(days="5"), [4]),
        (Wish(days="400000"), [1, 2, 3, 4]),
        (Wish(days="abc"), [1, 2, 3, 4]),
        (Wish(owner="nobody", severity="high", kind=BRUTE_FORCE), [2]),
    ],
)
def test_each_filter_finds_what_it_says(town: Town, wish: Wish, hosts: list[int]) -> None:
    """Alone and together; what makes no sense wants nothing."""
    by_host = {
        1: opened(town, 1),
        2: opened(town, 2, severity="high"),
        3: opened(town, 3, kind="fraud/phishing"),
        4: opened(town, 4, delete_at=NOON + 4 * DAY),
    }
    accept_case(by_host[1], Responder.of(town.actor("olive"), by_host[1]), NOON)
    found = queue(town.actor("olive"), wish, at=NOON)
    assert set(ids(found)) == {by_host[host].case_id for host in hosts}
    assert found.total == len(hosts)


def test_a_queue_is_paged_across_its_groups(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every case on exactly one page, in the order of the whole; an impossible page is the nearest."""
    monkeypatch.setattr(queueing, "SIZE", 3)
    for host in range(1, 6):
        opened(town, host)
    late = [opened(town, host, NOON - 3 * DAY) for host in (10, 11)]
    pages = [queue(town.actor("olive"), number=number, at=NOON) for number in (1, 2, 3)]
    assert [len(page.rows) for page in pages] == [3, 3, 1]
    assert {row.case_id for row in pages[0].rows[:2]} == {case.case_id for case in late}
    assert len({row.case_id for page in pages for row in page.rows}) == 7
    assert queue(town.actor("olive"), number=99, at=NOON).number == 3
    assert pages[0].counts == {"overdue": 2, "due today": 0, "new": 5, "waiting": 0}


def test_counting_stops_where_nobody_would_page_on(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group of more than the most says that it has at least so many."""
    monkeypatch.setattr(queueing, "MOST", 2)
    for host in range(1, 5):
        opened(town, host)
    found = queue(town.actor("olive"), at=NOON)
    assert found.counts["new"] == 2
    assert len(found.rows) == 2


def test_what_is_closed_or_anothers_is_not_in_the_queue(town: Town) -> None:
    """Nor what a unit only supports."""
    mine, closed = opened(town, 1), opened(town, 2)
    town.report("colne", origins=("203.0.113.3",))
    answer_case(closed, Responder.of(town.actor("olive"), closed), "1", "Charged.", at=NOON)
    assert ids(queue(town.actor("olive"), at=NOON)) == [mine.case_id]
    with pytest.raises(NotSignedIn):
        queue(NOBODY)


def test_what_clocks_brought_up_is_in_the_queue_of_the_desk_above(town: Town) -> None:
    """Merged by score with the unit's own, each once."""
    case = opened(town, 1, severity="high")
    region = town.unit("kent").parent
    assert region is not None
    town.person("reg", "officer", unit=region.unit_id)
    assert ids(queue(town.actor("reg"), at=NOON)) == []
    clocks.sweep(NOON + 6 * DAY)
    found = queue(town.actor("reg"), at=NOON + 6 * DAY)
    assert ids(found) == [case.case_id]
    assert found.counts["overdue"] == 1
    accept_case(case, Responder.of(town.actor("reg"), case), NOON + 6 * DAY)
    assert queue(town.actor("olive"), at=NOON + 6 * DAY).total == 0


def test_groups_below_the_threshold_are_a_list_of_their_own(town: Town) -> None:
    """With what is unusual in each; the queue only counts them."""
    for host in range(1, 7):
        opened(town, host, severity="info", count=10)
    odd = opened(town, 9, severity="info", count=5_000)
    known = opened(town, 20, severity="info")
    opened(town, 20, severity="high")
    town.report("medway", origins=("203.0.113.1",), severity="info", count=10)
    found = groups_below(town.actor("olive"), at=NOON)
    said = {row.case_id: row.unusual_words for row in found.rows}
    assert len(said) == found.below_count == 8
    assert said[odd.case_id] == "500 times as many attempts as such groups usually have here"
    assert said[known.case_id].startswith("the same origin is in an open case above the threshold")
    assert sorted(words for words in said.values() if "providers" in words) == ["seen by 2 providers"]
    full = queue(town.actor("olive"), at=NOON)
    assert (full.total, full.below_count) == (1, 8)


def test_a_group_that_grows_above_the_threshold_comes_into_the_queue(town: Town) -> None:
    """It has clocks from then on."""
    case = opened(town, 1, severity="info")
    assert queue(town.actor("olive"), at=NOON).total == 0
    Case.objects.filter(pk=case.pk).update(severity="high")  # as linking stores it
    case.refresh_from_db()
    from tocsin.cases import triage
    from tocsin.cases.units import current_pack

    triage.store(current_pack(), [case], NOON)
    assert ids(queue(town.actor("olive"), at=NOON)) == [case.case_id]


def test_the_export_has_every_case_that_the_filter_finds(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the pages."""
    monkeypatch.setattr(queueing, "MOST", 2)
    cases = {opened(town, host).case_id for host in range(1, 6)}
    rows = list(queueing.export(town.actor("olive"), at=NOON))
    assert {case.case_id for _, case in rows} == cases
    assert {group for group, _ in rows} == {"new"}


def test_a_person_keeps_filters_of_the_own(town: Town) -> None:
    """By name, one of them the default; nobody else's can be forgotten."""
    olive, saul = town.people["olive"], town.people["saul"]
    filters.save_filter(olive, "Mine", "owner=me", is_default=True)
    kept = filters.save_filter(olive, "Phishing", "kind=fraud%2Fphishing", is_default=True)
    filters.save_filter(olive, "Mine", "owner=me&severity=high")
    assert [(one.name, one.is_default) for one in filters.filters_of(olive)] == [
        ("Mine", False),
        ("Phishing", True),
    ]
    with pytest.raises(BadInput):
        filters.save_filter(olive, " ", "owner=me")
    with pytest.raises(NotFound):
        filters.delete_filter(saul, kept.pk)
    filters.delete_filter(olive, kept.pk)
    assert [one.query for one in filters.filters_of(olive)] == ["owner=me&severity=high"]
