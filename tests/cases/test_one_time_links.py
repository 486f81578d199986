"""One-time links: one case, one officer, one answer, fourteen days; everything else is not found."""

import datetime as dt

import pytest
from tests.cases.town import NOON, Town

from tocsin.cases import queries
from tocsin.cases.models import OneTimeLink
from tocsin.cases.services import (
    Responder,
    accept_by_link,
    answer_case,
    find_link,
    make_one_time_link,
    redirect_case,
    withdraw_answer,
)
from tocsin.kernel.hashing import sha256
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)


def test_an_officer_without_an_account_accepts_and_answers_one_case(town: Town) -> None:
    """By name; the reporter hears who it was; then the link has done its work."""
    report = town.report("lakes")
    case = town.case_of(report)
    assert (case.status, case.coordinator) == ("X-ACK", town.people["cora"])
    token = make_one_time_link(case, town.actor("cora"), NOON)
    case.refresh_from_db()
    assert case.status == "X-DIS"
    link = find_link(token, NOON)
    assert queries.case_by_link(link, NOON).acts == {"accept"}
    with pytest.raises(NotFound):
        Responder.of_link(link)
    accept_by_link(link, "PC Ada Byron", NOON + SECOND)
    link = find_link(token, NOON + SECOND)
    assert queries.case_by_link(link, NOON + SECOND).acts == {"assess", "answer", "ask", "update"}
    by = Responder.of_link(link)
    answer_case(link.case, by, "18", "Nobody found.", ("clock-error",), at=NOON + 2 * SECOND)
    withdraw_answer(link.case, Responder.of_link(find_link(token, NOON + 3 * SECOND)), NOON + 3 * SECOND)
    link = find_link(token, NOON + 4 * SECOND)
    answer_case(link.case, by, "18", "Nobody found.", ("clock-error",), at=NOON + 4 * SECOND)
    case.refresh_from_db()
    assert (case.owner_name, case.owner, case.status) == ("PC Ada Byron", None, "X-OUT")
    with pytest.raises(NotFound):
        find_link(token, NOON + DAY)


def test_only_the_hash_of_the_token_is_kept(town: Town) -> None:
    """Whoever reads the database opens nothing; the token has 256 bits."""
    token = make_one_time_link(town.case_of(town.report("lakes")), town.actor("cora"), NOON)
    link = OneTimeLink.objects.get()
    assert bytes(link.digest) == sha256(token.encode())
    assert len(token) == 43  # 32 bytes in base 64


@pytest.mark.parametrize("token", ["", "x", "ü" * 40, "\ud800", "a" * 10_000])
def test_an_unknown_token_is_not_found(town: Town, token: str) -> None:
    """Whatever somebody types, there is one answer."""
    with pytest.raises(NotFound):
        find_link(token, NOON)


def test_a_link_expires_and_is_replaced_by_the_next(town: Town) -> None:
    """Fourteen days; a new one revokes the old."""
    case = town.case_of(town.report("lakes"))
    first = make_one_time_link(case, town.actor("cora"), NOON)
    find_link(first, NOON + 14 * DAY - SECOND)
    with pytest.raises(NotFound):
        find_link(first, NOON + 14 * DAY)
    second = make_one_time_link(case, town.actor("cora"), NOON + DAY)
    with pytest.raises(NotFound):
        find_link(first, NOON + DAY)
    find_link(second, NOON + DAY)


def test_a_redirected_case_takes_its_links_with_it(town: Town) -> None:
    """The officer of the former unit has no business there any more."""
    case = town.case_of(town.report("lakes"))
    token = make_one_time_link(case, town.actor("cora"), NOON)
    redirect_case(case, Responder.of(town.actor("cora"), case), town.unit("essex"), "theirs", NOON + SECOND)
    with pytest.raises(NotFound):
        find_link(token, NOON + SECOND)


def test_one_name_for_one_link(town: Town) -> None:
    """The same name again is the same officer; another name is refused, and so is none."""
    case = town.case_of(town.report("lakes"))
    link = find_link(make_one_time_link(case, town.actor("cora"), NOON), NOON)
    with pytest.raises(BadInput):
        accept_by_link(link, "  ", NOON)
    accept_by_link(link, "PC Ada Byron", NOON + SECOND)
    accept_by_link(link, "PC  Ada Byron ", NOON + 2 * SECOND)
    with pytest.raises(Conflict, match="Ada Byron"):
        accept_by_link(link, "Mallory", NOON + 3 * SECOND)


def test_only_a_coordinator_makes_links_and_only_where_they_are_needed(town: Town) -> None:
    """A unit that has joined signs in."""
    with pytest.raises(NotAllowed):
        make_one_time_link(town.case_of(town.report("lakes")), town.actor("olive"), NOON)
    with pytest.raises(Conflict, match="has joined"):
        make_one_time_link(
            town.case_of(town.report("ferry", origins=("203.0.113.8",))), town.actor("cora"), NOON
        )
