"""The rules say what their samples say."""

import datetime as dt
from importlib import resources
from pathlib import Path

import polars as pl
import pytest

from tocsin.kernel.problems import BadInput
from tocsin.reference import pack
from tocsin.sift.lines import Block, Matcher
from tocsin.sift.origins import normalise
from tocsin.sift.rulebook import Rule, Rulebook, Ruleset, Thresholds, load, ruleset
from tocsin.sift.shapes import BARE, UNDATED
from tocsin.sift.stamps import Clock

CLOCK = Clock(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), tz="UTC")
RULES = ruleset()
MATCHER = Matcher(RULES)
SAMPLES = [
    (book, rule, message, origin)
    for book in RULES.books
    for rule in book.rules
    for message, origin in rule.samples.items()
]


def line_of(book: Rulebook, message: str) -> str:
    """A line of a log in which a book's rules find this message."""
    if book.programs:
        return f"Dec 10 06:55:46 gate {book.programs[0]}[1]: {message}"
    if book.shapes[0] in BARE:
        return BARE[book.shapes[0]].example.format(message=message)
    return message if book.shapes[0] == UNDATED else f"Dec 10 06:55:46 gate something[1]: {message}"


@pytest.mark.parametrize(
    ("book", "rule", "message", "origin"), SAMPLES, ids=[f"{r.id}: {m[:40]}" for _, r, m, _ in SAMPLES]
)
def test_a_rule_reads_its_samples(book: Rulebook, rule: Rule, message: str, origin: str) -> None:
    """Through the whole engine, among all rules, it gives the origin that its sample names, or nothing."""
    rows = MATCHER.match(Block(pl.Series([line_of(book, message)]), 1), CLOCK, "unknown").rows
    found = {RULES.rules[number].id: found for number, found in rows.select("rule", "origin").iter_rows()}
    assert found.get(rule.id, "") == (normalise(origin) or "")


OURS = [file for file in resources.files("tocsin.sift.rules").iterdir() if file.name.endswith(".toml")]


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_our_own_rule_files_hold_together(file: Path) -> None:
    """They are not checked again each time that they are loaded, as a user's own are."""
    load(file.read_bytes())


def test_rule_ids_are_unique() -> None:
    """An observation names its rule."""
    ids = [rule.id for rule in RULES.rules]
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("rule", [rule for rule in RULES.rules if rule.weight], ids=lambda rule: rule.id)
def test_every_rule_has_a_sample_that_it_reads(rule: Rule) -> None:
    """A rule without one is a promise that nobody tests; those without weight tell what is ordinary."""
    assert any(rule.samples.values())


KINDS = set(pack("gb").kinds)


def test_every_kind_is_one_of_the_country_pack() -> None:
    """Whatever a rule finds can become a report."""
    assert {rule.kind for rule in RULES.rules} <= KINDS


FILE = """
service = "ssh"
programs = ["sshd"]
log_type = "portal-login"
prefix = ""
suffix = ""
[thresholds."a/b"]
low = 1
medium = 2
[[rules]]
id = "r"
literal = "{literal}"
pattern = '{pattern}'
kind = "{kind}"
evidence = "verdict"
weight = 1
why = "because"
samples = {{ "x from 1.2.3.4" = "1.2.3.4" }}
"""


@pytest.mark.parametrize(
    ("literal", "pattern", "kind", "complaint"),
    [
        ("", "x from (?P<origin>.*)", "a/b", "no literal"),
        ("y", "x from (?P<origin>.*)", "a/b", "sample without its literal"),
        ("x", "x from (?=1)(?P<origin>.*)", "a/b", "RE2"),
        ("x", r"(x) \1 (?P<origin>.*)", "a/b", "RE2"),
        ("x", "x from (?P<origin>.*", "a/b", "broken pattern"),
        ("x", "x from .*", "a/b", "names no origin"),
        ("x", "x from (?P<origin>.*)", "a/c", "without thresholds"),
    ],
)
def test_a_bad_rule_is_refused_when_it_is_loaded(
    literal: str, pattern: str, kind: str, complaint: str
) -> None:
    """A rule that could not work is named at once, not when the first line meets it."""
    with pytest.raises(BadInput, match=complaint):
        load(FILE.format(literal=literal, pattern=pattern, kind=kind).encode())


def test_a_users_thresholds_stand_before_ours() -> None:
    """A service that we learn to know tomorrow stops nobody who has rules for it; among theirs they agree."""
    ours, theirs = (
        Rulebook("portal", "portal-login", {"intrusion-attempts/brute-force": Thresholds(low, 200)})
        for low in (6, 20)
    )
    rules = Ruleset([ours, theirs], yours=[theirs])
    assert rules.thresholds("portal", "intrusion-attempts/brute-force") == Thresholds(20, 200)
    with pytest.raises(BadInput, match="two rule files"):
        Ruleset([ours, theirs])
