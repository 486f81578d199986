"""Link review: yes joins, no is remembered, not sure leaves it open; each is taken back by one press."""

import pytest
from tests.cases.town import NOON, Town

from tocsin.cases import reviewing
from tocsin.cases.audit import check_cases
from tocsin.cases.models import Case, Suggestion
from tocsin.cases.services import Responder, accept_case
from tocsin.kernel.problems import BadInput, NotAllowed, NotFound

pytestmark = pytest.mark.django_db


def two(town: Town) -> tuple[Case, Case]:
    """Two cases from one network, within a day."""
    one = town.case_of(town.report(origins=("203.0.113.7",)))
    other = town.case_of(town.report("medway", origins=("203.0.113.8",)))
    return one, other


def seen(town: Town, name: str) -> list[reviewing.PairView]:
    """What somebody finds on the page."""
    return reviewing.review(reviewing.waiting(town.actor(name)), NOON)


def test_two_cases_stand_side_by_side_with_the_reason(town: Town) -> None:
    """Whoever has neither of them sees nothing."""
    one, other = two(town)
    pairs = seen(town, "olive")
    assert [(pair.older.case_id, pair.newer.case_id) for pair in pairs] == [(one.case_id, other.case_id)]
    assert "203.0.113.0/24" in pairs[0].reason and pairs[0].strength == 40
    assert pairs[0].older.networks == ("203.0.113.0/24",)
    assert seen(town, "edna") == []
    with pytest.raises(NotAllowed):
        seen(town, "rita")
    assert len(reviewing.waiting(town.actor("olive"), one)) == 1


def test_yes_joins_them_and_is_taken_back(town: Town) -> None:
    """Into the one that has an owner; parted again, both go on as they were."""
    one, other = two(town)
    accept_case(other, Responder.of(town.actor("olive"), other), NOON)
    pair = Suggestion.objects.get()
    reviewing.decide(town.actor("olive"), pair.pk, "yes", NOON)
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.status, other.report_count) == ("X-DUP", 2)
    assert seen(town, "olive") == []
    assert list(check_cases()) == []
    reviewing.take_back(town.actor("olive"), pair.pk, NOON)
    one.refresh_from_db()
    assert one.is_open and one.report_count == 1
    assert len(seen(town, "olive")) == 1
    assert list(check_cases()) == []


def test_a_no_is_remembered_and_taken_back(town: Town) -> None:
    """Another report of the same network suggests the pair no more."""
    two(town)
    pair = Suggestion.objects.get()
    reviewing.decide(town.actor("olive"), pair.pk, "no", NOON)
    town.report(origins=("203.0.113.7",))
    town.report("medway", origins=("203.0.113.8",))
    pair.refresh_from_db()
    assert (pair.state, pair.person_name) == ("no", "Olive")
    assert seen(town, "olive") == []
    reviewing.take_back(town.actor("olive"), pair.pk, NOON)
    assert len(seen(town, "olive")) == 1


def test_not_sure_stays_for_somebody_else(town: Town) -> None:
    """Behind what nobody has looked at."""
    two(town)
    pair = Suggestion.objects.get()
    reviewing.decide(town.actor("olive"), pair.pk, "unsure", NOON)
    (left,) = seen(town, "saul")
    assert (left.state, left.decided_by) == ("unsure", "Olive")


def test_only_a_word_that_means_something_is_taken(town: Town) -> None:
    """And only from who may, about what they may see."""
    two(town)
    pair = Suggestion.objects.get()
    with pytest.raises(BadInput):
        reviewing.decide(town.actor("olive"), pair.pk, "perhaps")
    with pytest.raises(NotFound):
        reviewing.decide(town.actor("edna"), pair.pk, "no")
    with pytest.raises(NotFound):
        reviewing.take_back(town.actor("olive"), pair.pk)
