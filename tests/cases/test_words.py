"""The sentences: dates as people say them, counts with nouns, every entry told or kept on purpose."""

import datetime as dt
import string

import pytest
from tests.cases.town import NOON

from tocsin.cases import words
from tocsin.cases.answers import CaseFacts, fact_words
from tocsin.journal.queries import HistoryItem
from tocsin.reference import pack


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-10T14:05", "Tuesday 10 November, 14:05 GMT"),
        ("2026-07-01T14:05", "Wednesday 1 July, 15:05 BST"),
        # A duty that ends at midnight ends with the day before: nobody reads 00:00 of Tuesday as Monday.
        ("2026-11-24T00:00", "the end of Monday 23 November"),
    ],
)
def test_a_moment_as_people_say_it(at: str, said: str) -> None:
    """In the home time of the exchange."""
    assert words.when(pack("gb"), dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)) == said


@pytest.mark.parametrize(("count", "said"), [(1, "1 report"), (0, "0 reports"), (1204, "1,204 reports")])
def test_counts(count: int, said: str) -> None:
    """One is one."""
    assert words.many(count, "report") == said


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (1, "It was about 1,000 attempts from 2 networks over 3 days."),  # all of them the reader's own
        (2, "It was about attempts from 2 networks over 3 days."),  # the rest would be the other's
        (4, "It was about attempts from 2 networks over 3 days."),
        (5, "It was about 1,000 attempts from 2 networks over 3 days."),
    ],
)
def test_a_sum_over_few_members_is_not_told(members: int, said: str) -> None:
    """Below five a member could subtract its own and know the others'."""
    facts = CaseFacts(1_000, members, 2, NOON, NOON + dt.timedelta(days=2))
    assert fact_words(facts) == said


def test_no_sentence_for_a_reporter_counts_or_names_other_members() -> None:
    """Only place-holders that concern the own report or its unit may stand in them."""
    allowed = {
        "by",
        "by_unit",
        "unit",
        "from",
        "told",
        "reason",
        "status_words",
        "title",
        "words",
        "due",
        "what",
        "desk",
        "questions",
        "how",
        "number",
        "owner",
    }
    for event, (_, told, _) in words.SAID.items():
        fields = {name for _, name, _, _ in string.Formatter().parse(told) if name}
        assert fields <= allowed, event


def test_an_erased_entry_says_so_and_an_unknown_one_says_nothing() -> None:
    """A timeline never fails for want of content."""
    erased = HistoryItem(1, NOON, "cases:case:accepted", "case_1", None)
    said = words.say(pack("gb"), erased, "unit")
    assert said is not None and "erased" in said.words
    assert words.say(pack("gb"), HistoryItem(1, NOON, "other:thing:done", "x", {}), "unit") is None
