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
samples = {}
"""
WHOLE = {
    "clf": "web1 - - [07/Jan/2026:03:04:05 +0000] guess from 192.0.2.7",
    "audit": "type=LOGIN msg=audit(1767755045.575:3293): guess from 192.0.2.7",
    "ampm": "[Nest] 7  - 01/07/2026, 3:04:05 AM    WARN guess from 192.0.2.7",
    "event": '<Event xmlns="x"><TimeCreated SystemTime="2026-01-07T03:04:05.1Z"/> guess from 192.0.2.7',
    "keyed": 'date=2026-01-07 time=03:04:05 devname="fw" guess from 192.0.2.7',
    "inside": "(W) 2026-01-07T03:04:05 - guess from 192.0.2.7",
}


def read(shape: str, line: str) -> pl.DataFrame:
    """What a book for logs of this shape finds in one line."""
    book = load(BOOK.replace("{shape}", shape).encode())
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


@pytest.mark.parametrize(
    "stamp",
    [
        "07/Jan/2026:03:04:05", "07-01-2026 03:04:05 +0000", "07.01.2026 03:04:05", "Jan-07-26 03:04:05",
        "2026:01:07-03:04:05:", "2026.01.07 03:04:05", "L 01/07/2026 - 03:04:05:",
        "[PDT Jan  7 03:04:05 2026]",
        "260107  3:04:05", "2026-01-07  3:04:05", "[GIN] 2026/01/07 - 03:04:05", "01/07/26, 3:04:05 AM UTC.5",
        "x jan 7, 2026 3:04:05 AM", "01/07/2026, 3:04:05", "@40000000695dcd2f077a9e94",
    ],
)  # fmt: skip
def test_days_are_read_however_they_are_written(stamp: str) -> None:
    """The order of day, month and year is that of the programs that write so."""
    rows = rows_of([f"{stamp} guess from 192.0.2.7"], str([*BARE]).replace("'", '"'))
    assert rows.height == 1
    assert dt.datetime.fromtimestamp(rows["at"][0], dt.UTC).isoformat() == "2026-01-07T03:04:05+00:00"


def rows_of(lines: list[str], shapes: str) -> pl.DataFrame:
    """What a book for these shapes finds in several lines."""
    book = load(BOOK.replace('shapes = ["{shape}"]', f"shapes = {shapes}").encode())
    return Matcher(Ruleset([book])).match(Block(pl.Series(lines), 1), CLOCK, "here").rows


@pytest.mark.parametrize(
    "above",
    [
        "apr 15, 2013 8:34:08 PM org.example.Logger warn",
        "Apr 15 20:34:08 gate java[1]: org.example.Logger warn",
    ],
)
def test_a_line_without_a_time_has_that_of_the_line_above(above: str) -> None:
    """Some programs write one event on two lines, and the time on the first."""
    rows = rows_of([above, "WARNING: guess from 192.0.2.7", "rubbish"], '["undated"]')
    assert rows["origin"].to_list() == ["192.0.2.7"]
    at = dt.datetime.fromtimestamp(rows["at"][0], dt.UTC)
    assert (at.month, at.day, at.hour, at.second) == (4, 15, 20, 8)


def test_a_line_without_any_time_near_it_has_that_of_the_last_change() -> None:
    """There is nothing better, and it is recorded as assumed."""
    rows = rows_of(["WARNING: guess from 192.0.2.7"], '["undated"]')
    assert dt.datetime.fromtimestamp(rows["at"][0], dt.UTC) == dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


def test_lines_without_a_time_are_rejected_where_no_rule_reads_them() -> None:
    """The balance tells of them."""
    book = load(BOOK.replace('shapes = ["{shape}"]', 'shapes = ["undated"]').encode())
    lines = ["WARNING: guess from 192.0.2.7", "WARNING: hello", "no guess"]
    matches = Matcher(Ruleset([book])).match(Block(pl.Series(lines), 1), CLOCK, "here")
    assert matches.rejected == [(1, "no log header"), (2, "no log header")]


def test_what_somebody_did_on_the_host_itself_has_that_host_as_origin() -> None:
    """Guessing at `su` comes from nowhere else; nobody is blocked for it."""
    book = BOOK.replace('shapes = ["{shape}"]', 'programs = ["su"]')
    book = book.replace("guess from (?P<origin>\\S+)", "guess").replace(
        "samples", "local = true\nspoofable = true\nsamples"
    )
    matcher = Matcher(Ruleset([load(book.replace('literal = "guess from "', 'literal = "guess"').encode())]))
    lines = ["Jan  7 03:04:05 gate su[1]: guess", "2026-01-07T03:04:05Z su: guess"]
    rows = matcher.match(Block(pl.Series(lines), 1), CLOCK, "here").rows
    assert rows.select("origin", "target").rows() == [("gate", "gate")]


CARRIED = "[2026-01-07 03:04:05.123][x::y] guess from 192.0.2.7"


@pytest.mark.parametrize(
    ("line", "target"),
    [
        (f"Jan  7 09:09:09 gate 3f2a1b[7]: {CARRIED}", "gate"),
        (f"<30>1 2026-01-07T09:09:09Z gate x 7 - - {CARRIED}", "gate"),
        (f"vault-1          | {CARRIED}", "here"),
    ],
)
def test_a_programs_own_log_is_read_where_another_log_carries_it(line: str, target: str) -> None:
    """Syslog, the journal and containers do; the time is the program's, the host is the carrier's."""
    rows = rows_of([line], '["iso"]')
    assert rows.select("origin", "target", "line").rows() == [("192.0.2.7", target, line)]
    assert dt.datetime.fromtimestamp(rows["at"][0], dt.UTC).isoformat() == "2026-01-07T03:04:05+00:00"
