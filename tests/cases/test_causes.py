"""Pairs of one cause are one question: all of it yes, no or not sure by one press, and taken back by one."""

import pytest
from tests.cases.town import NOON, Town

from tocsin.cases import causes, reviewing
from tocsin.cases.audit import check_cases
from tocsin.cases.models import Case, Suggestion
from tocsin.cases.services import Responder, accept_case
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, Conflict, NotFound

pytestmark = pytest.mark.django_db


def network(town: Town, count: int = 4, before: str = "203.0.113.") -> list[Case]:
    """So many cases from one network."""
    targets = [f"198.51.100.{n}" for n in range(1, count + 1)]
    return [
        town.case_of(town.report(origins=(f"{before}{n}",), target=target))
        for n, target in enumerate(targets, 1)
    ]


def seen(town: Town, name: str = "olive") -> list[causes.CauseView]:
    """What somebody finds on the page."""
    return causes.review(causes.by_cause(reviewing.waiting(town.actor(name))), NOON)


def ids(view: causes.CauseView) -> list[int]:
    """The pairs of a cause."""
    return [pair.suggestion_id for pair in view.pairs]


def test_four_cases_of_one_network_are_one_question(town: Town) -> None:
    """Six pairs, four cases; those of another network are another question, and a no or unsure a third."""
    one, other = network(town), network(town, 2, "198.18.7.")
    views = seen(town)
    assert [(len(view.cases), len(view.pairs)) for view in views] == [(4, 6), (2, 1)]
    assert [side.case_id for side in views[0].cases] == [case.case_id for case in one]
    assert {side.case_id for side in views[1].cases} == {case.case_id for case in other}
    reviewing.decide(town.actor("olive"), ids(views[0])[0], "unsure", NOON)
    assert [(len(view.pairs), view.state) for view in seen(town)] == [(5, "open"), (1, "open"), (1, "unsure")]


def test_pairs_that_hang_together_by_a_later_one_are_one_cause(town: Town) -> None:
    """a-b and c-d are two until b-c comes."""
    network(town)
    pairs = {(pair.case_id, pair.other_id): pair for pair in Suggestion.objects.all()}
    a, b, c, d = sorted({pk for both in pairs for pk in both})
    apart = [pairs[a, b], pairs[c, d]]
    assert [len(group) for group in causes.by_cause(apart)] == [1, 1]
    assert [len(group) for group in causes.by_cause([*apart, pairs[b, c]])] == [3]


def test_one_yes_joins_all_of_them_and_one_press_parts_them(town: Town) -> None:
    """Into the one that somebody has; every report is in one case all the while."""
    cases = network(town)
    accept_case(cases[2], Responder.of(town.actor("olive"), cases[2]), NOON)
    (view,) = seen(town)
    causes.decide(town.actor("olive"), ids(view), "yes", NOON)
    assert seen(town) == []
    left = Case.objects.filter(closed_at__isnull=True)
    assert [(case.pk, case.report_count) for case in left] == [(cases[2].pk, 4)]
    assert list(check_cases()) == []
    causes.take_back(town.actor("olive"), ids(view), NOON)
    assert [case.report_count for case in Case.objects.filter(closed_at__isnull=True)] == [1, 1, 1, 1]
    assert [len(again.pairs) for again in seen(town)] == [6]
    assert list(check_cases()) == []


@pytest.mark.parametrize("said", ["no", "unsure"])
def test_one_no_is_remembered_of_each_pair_and_taken_back(town: Town, said: str) -> None:
    """Each is recorded by itself."""
    network(town)
    (view,) = seen(town)
    causes.decide(town.actor("olive"), ids(view), said, NOON)
    assert set(Suggestion.objects.values_list("state", "person_name")) == {(said, "Olive")}
    assert Entry.objects.filter(event="cases:suggestion:decided").count() == 6
    causes.take_back(town.actor("olive"), ids(view), NOON)
    assert set(Suggestion.objects.values_list("state", flat=True)) == {"open"}


def test_all_or_nothing(town: Town) -> None:
    """Where one of them cannot be joined, none is."""
    cases = network(town)
    for case, name in ((cases[0], "olive"), (cases[1], "saul")):
        accept_case(case, Responder.of(town.actor(name), case), NOON)
    (view,) = seen(town)
    Case.objects.filter(pk=cases[3].pk).update(lane="restricted")
    before = Entry.objects.count()
    with pytest.raises(Conflict):
        causes.decide(town.actor("olive"), ids(view), "yes", NOON)
    assert Entry.objects.count() == before
    assert set(Suggestion.objects.values_list("state", flat=True)) == {"open"}
    assert Case.objects.filter(closed_at__isnull=True).count() == 4


def test_two_causes_are_not_one_word(town: Town) -> None:
    """Nor is what somebody else said theirs to take back."""
    network(town), network(town, 2, "198.18.7.")
    one, other = seen(town)
    with pytest.raises(BadInput):
        causes.decide(town.actor("olive"), [*ids(one), *ids(other)], "yes", NOON)
    with pytest.raises(NotFound):
        causes.decide(town.actor("edna"), ids(one), "no", NOON)
    causes.decide(town.actor("olive"), ids(other), "no", NOON)
    with pytest.raises(NotFound):
        causes.take_back(town.actor("saul"), ids(other), NOON)
