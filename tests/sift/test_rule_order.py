"""Which of several rules takes a line that holds the literals of them all."""

import datetime as dt

import polars as pl
import pytest

from tocsin.sift.lines import Block, Matcher
from tocsin.sift.rulebook import Ruleset, load
from tocsin.sift.stamps import Clock

CLOCK = Clock(dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC), tz="UTC")
RULE = """
[[rules]]
id = "{id}"
literal = {literal}
pattern = '.*{word}.* from (?P<origin>\\S+).*'
kind = "intrusion-attempts/exploit"
evidence = "verdict"
weight = 1
why = "tried"
samples = {{}}
"""
HEAD = """
service = "own"
log_type = "other"
{asked}
[thresholds."intrusion-attempts/exploit"]
low = 1
medium = 2
"""
LINE = "Jan  7 03:04:05 gate own[1]: "


def taker(asked: str, message: str, *rules: tuple[str, str, str]) -> str:
    """The id of the rule that takes a line, of rules given as (id, literals, word in the pattern)."""
    text = HEAD.format(asked=asked) + "".join(
        RULE.format(id=i, literal=texts, word=w) for i, texts, w in rules
    )
    book = load(text.encode())
    rows = Matcher(Ruleset([book])).match(Block(pl.Series([LINE + message]), 1), CLOCK, "here").rows
    return str(book.rules[rows["rule"][0]].id) if rows.height else ""


@pytest.mark.parametrize("asked", ['programs = ["own"]', 'shapes = ["syslog"]'])
@pytest.mark.parametrize("message", ["late early from 192.0.2.7", "early late late from 192.0.2.7"])
def test_the_file_decides_and_not_the_line(asked: str, message: str) -> None:
    """The rule that stands first wins, wherever in the line its literal is."""
    rules = (("first", '"early"', "early"), ("second", '"late"', "late"))
    assert taker(asked, message, *rules) == "first"
    assert taker(asked, message, *reversed(rules)) == "second"


def test_a_rule_that_does_not_fit_leaves_the_line_to_the_next() -> None:
    """A literal alone is not a match."""
    rules = (("first", '["early", "late"]', "nothing"), ("second", '"late"', "late"))
    assert taker('programs = ["own"]', "early late from 192.0.2.7", *rules) == "second"


def test_a_rule_that_shares_a_literal_keeps_its_place() -> None:
    """A later rule does not come forward because an earlier one wants the same literal."""
    rules = (("first", '"early"', "nothing"), ("second", '"late"', "late"), ("third", '"early"', "early"))
    assert taker('programs = ["own"]', "early late from 192.0.2.7", *rules) == "second"
