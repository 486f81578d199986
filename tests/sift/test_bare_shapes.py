"""Logs that programs write themselves, without syslog's header."""

import datetime as dt

import polars as pl
import pytest

from tocsin.sift.lines import Block, Matcher
from tocsin.sift.rulebook import Ruleset, load
from tocsin.sift.shapes import BARE
from tocsin.sift.stamps import Clock

CLOCK = Clock(dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC), tz="UTC")
BOOK = """
service = "own"
log_type = "portal-login"
shapes = ["{shape}"]
[thresholds."intrusion-attempts/brute-force"]
low = 1
medium = 2
[[rules]]
id = "guess"
literal = "guess from "
pattern = '(?:.* )?guess from (?P<origin>\\S+)'
kind = "intrusion-attempts/brute-force"
evidence = "verdict"
weight = 1
why = "guessed"
samples = {{}}
"""
WHOLE = {
    "clf": "web1 - - [07/Jan/2026:03:04:05 +0000] guess from 192.0.2.7",
    "audit": "type=LOGIN msg=audit(1767755045.575:3293): guess from 192.0.2.7",
    "keyed": 'date=2026-01-07 time=03:04:05 devname="fw" guess from 192.0.2.7',
    "inside": "(W) 2026-01-07T03:04:05 - guess from 192.0.2.7",
}


def read(shape: str, line: str) -> pl.DataFrame:
    """What a book for logs of this shape finds in one line."""
    book = load(BOOK.format(shape=shape).encode())
    return Matcher(Ruleset([book])).match(Block(pl.Series([line]), 1), CLOCK, "here").rows


@pytest.mark.parametrize("shape", BARE)
def test_a_programs_own_log_is_read_by_its_shape(shape: str) -> None:
    """Each shape has a time, and its message is what a rule is asked about."""
    rows = read(shape, WHOLE.get(shape) or BARE[shape].example.format(message="guess from 192.0.2.7"))
    assert rows.select("origin", "target").rows() == [("192.0.2.7", "here")]
    assert rows["at"][0] % 3600 == 4 * 60 + 5


@pytest.mark.parametrize("shape", BARE)
def test_a_book_is_asked_about_its_own_shapes_alone(shape: str) -> None:
    """A line of another shape is none of its business."""
    other = next(name for name in ("iso", "slashed") if name != shape)
    assert not read(shape, BARE[other].example.format(message="guess from 192.0.2.7")).height
