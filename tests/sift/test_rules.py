"""The rules say what their samples say."""

import datetime as dt

import polars as pl
import pytest

from tocsin.kernel.problems import BadInput
from tocsin.sift.lines import Block, Matcher
from tocsin.sift.rulebook import Rule, Ruleset, load, sshd
from tocsin.sift.stamps import Clock

CLOCK = Clock(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), tz="UTC")
SAMPLES = [(rule, message, origin) for rule in sshd().rules for message, origin in rule.samples.items()]


@pytest.mark.parametrize(
    ("rule", "message", "origin"), SAMPLES, ids=[f"{r.id}: {m[:40]}" for r, m, _ in SAMPLES]
)
def test_a_rule_reads_its_samples(rule: Rule, message: str, origin: str) -> None:
    """Through the whole engine, the rule gives the origin that its sample names, or nothing."""
    line = f"Dec 10 06:55:46 gate sshd[1]: {message}"
    rows = Matcher(Ruleset([sshd()])).match(Block(pl.Series([line]), 1), CLOCK, "unknown").rows
    found = {sshd().rules[number].id: found for number, found in rows.select("rule", "origin").iter_rows()}
    assert found.get(rule.id, "") == origin.removeprefix("::ffff:").partition("%")[0]


def test_rule_ids_are_unique() -> None:
    """An observation names its rule."""
    ids = [rule.id for rule in sshd().rules]
    assert len(ids) == len(set(ids))


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
