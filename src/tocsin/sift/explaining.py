"""Why a line is evidence, or is none: the same engine as `sift`, asked about one line at a time."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from tocsin.kernel.time import rfc3339
from tocsin.sift import formats, recordproofs
from tocsin.sift.access import FIRST_SHAPE
from tocsin.sift.headers import take_apart
from tocsin.sift.lines import Matcher
from tocsin.sift.origins import normalise
from tocsin.sift.recordframe import times_of
from tocsin.sift.records import RecordRule, Wrapped
from tocsin.sift.rulebook import Rule, Rulebook, Ruleset
from tocsin.sift.shapes import ALL, ALL_NAMES, REQUESTS, SYSLOG, WHATEVER
from tocsin.sift.sources import recognise
from tocsin.sift.stamps import Clock

MOST_CANDIDATES = 8  # rules of which `nearest` is asked
LONGEST = 2_000  # characters that `nearest` looks at: Python's engine goes back and forth where RE2 does not


@dataclass(frozen=True)
class Nearest:
    """The rule that read furthest into a line and did not match.

    `stopped_at` is what it could not read; "" when the message ended before the rule did.
    """

    rule: str
    stopped_at: str


@dataclass(frozen=True)
class Explanation:
    """What became of a line. `verdict` is one sentence; fields that do not apply are empty."""

    verdict: str
    shape: str = ""
    program: str = ""
    asked: tuple[str, ...] = ()  # services whose rules were asked
    at: str = ""
    assumed: dict[str, str] = field(default_factory=dict)
    literals: tuple[tuple[str, str], ...] = ()  # (rule, literal) of those that were asked
    rule: Rule | RecordRule | None = None
    service: str = ""
    origin: str = ""
    target: str = ""
    count: int = 1
    nearest: Nearest | None = None


@dataclass(frozen=True)
class _Reading:
    """One way to read the line, and the rules that are asked about its message."""

    fields: dict[str, Any]
    asked: tuple[tuple[Rulebook, Rule], ...]

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(sorted({book.service for book, _ in self.asked}))


def explain(line: str, matcher: Matcher, clock: Clock, target: str) -> Explanation:
    """What the rules make of one line; `target` stands where the line names no host."""
    if recordproofs.is_record(line) and (told := _record(line, matcher, clock, target)):
        return told
    found, unreadable = matcher.find(pl.Series([line], dtype=pl.String))
    if unreadable or not line.strip():
        return Explanation(_no_line(line))
    readings = list(_readings(line, matcher.rules))
    if not found.height:
        return _none_matched(line, readings, clock)
    return _matched(found.to_dicts()[0], readings, matcher.rules, clock, target)


def _record(line: str, matcher: Matcher, clock: Clock, target: str) -> Explanation | None:
    """The same for a JSON record; None where no rulebook knows its fields."""
    books = recordproofs.asked_about(matcher.rules.books, line)
    asked = tuple(sorted({book.service for book in books}))
    found = recordproofs.read_record(books, line)
    if found is None:
        near = recordproofs.nearest(books, line)
        verdict = "noise: a record that no rule fits"
        return (
            Explanation(verdict, "record", asked=asked, nearest=Nearest(*near) if near else None)
            if books
            else None
        )
    if isinstance(found.rule, Wrapped):
        carried = explain(found.line, matcher, clock, target)
        return replace(carried, shape=f"record of {found.rule.id}, which carries {carried.shape or 'a line'}")
    times = times_of(pl.Series([found.time], dtype=pl.String)).to_dicts()[0]
    hour = clock.hour(times["hour"]) if times["hour"] else None
    at = "" if hour is None else rfc3339(dt.datetime.fromtimestamp(hour + times["seconds"], dt.UTC))
    verdict = f"{found.rule.why}, from {found.origin}" if found.origin else "noise: its origin is nobody"
    return Explanation(
        verdict if at or not found.origin else "rejected: impossible time",
        shape="record",
        asked=asked,
        at=at,
        assumed=clock.assumed(False, bool(times["open"]), False) if at else {},
        rule=found.rule,
        service=found.book.service,
        origin=found.origin,
        target=found.target or target,
        count=found.count,
    )


def _matched(
    row: dict[str, Any], readings: Sequence[_Reading], rules: Ruleset, clock: Clock, target: str
) -> Explanation:
    rule, book = rules.rules[row["rule"]], rules.book_of[row["rule"]]
    origin = normalise(row["origin"]) or ""
    at = _at(row, clock)
    verdict = f"{rule.why}, from {origin}"
    if not row["origin"]:
        verdict = f"noise: {rule.why}; the rule takes such lines away from the rules after it"
    elif not origin:
        verdict = f"noise: the rule matched, but {row['origin']!r} is no address and no name"
    elif not at:
        verdict = "rejected: impossible time"
    reading = next((one for one in readings if one.fields["shape"] == row["shape"]), None)
    return Explanation(
        verdict,
        shape=ALL_NAMES[row["shape"]],
        program=(reading and reading.fields["program"]) or "",
        asked=reading.services if reading else (),
        at=at,
        assumed=_assumed(row["shape"], clock),
        rule=rule,
        service=book.service,
        origin=origin,
        target=normalise(row["named"] or row["host"] or "") or target,
        count=row["repeats"] * row["times"],
    )


def _none_matched(line: str, readings: Sequence[_Reading], clock: Clock) -> Explanation:
    """Which reading came closest to a rule: one with a literal, else one about which any rule is asked."""
    if not readings:
        return Explanation("noise: it has a time, but in no place where a rule could read it")
    candidates = [
        (reading, book, rule, literal)
        for reading in readings
        for book, rule in reading.asked
        for literal in rule.literals
        if literal in line
    ]
    reading = candidates[0][0] if candidates else max(readings, key=lambda one: bool(one.asked))
    if candidates:
        verdict = "noise: a rule's literal stands in it, but no rule's pattern fits the whole message"
    elif reading.asked:
        verdict = "noise: no literal of the rules that were asked stands in it"
    else:
        verdict = "noise: no rule is asked about lines of this program or shape"
    nearest = max(
        (
            _how_far(book, rule, str(one.fields["message"])[:LONGEST])
            for one, book, rule, _ in candidates[:MOST_CANDIDATES]
        ),
        key=lambda found: found[0],
        default=(0, None),
    )[1]
    return Explanation(
        verdict,
        shape=ALL_NAMES[reading.fields["shape"]],
        program=reading.fields["program"] or "",
        asked=reading.services,
        at=_at(reading.fields, clock),
        assumed=_assumed(reading.fields["shape"], clock),
        literals=tuple(dict.fromkeys((rule.id, literal) for _, _, rule, literal in candidates)),
        nearest=nearest,
    )


def _readings(line: str, rules: Ruleset) -> Iterator[_Reading]:
    """As the engine reads it: by program where a rulebook names it, else by shape, else as any syslog."""
    told = tuple(zip(rules.book_of, rules.rules, strict=True))
    known = {name for book in rules.books for name in book.programs}
    for fields in take_apart(line):
        program, shapes = fields["program"], {WHATEVER, SYSLOG}
        if program is not None:
            name = program if program in known else program.rpartition("/")[2]
            if name in known:
                yield _Reading(fields, tuple((book, rule) for book, rule in told if name in book.programs))
                return
        else:
            is_request = fields["shape"] >= FIRST_SHAPE
            shapes = {REQUESTS} if is_request else {WHATEVER, ALL_NAMES[fields["shape"]]}
        yield _Reading(fields, tuple((book, rule) for book, rule in told if shapes & {*book.shapes}))


def _how_far(book: Rulebook, rule: Rule, message: str) -> tuple[int, Nearest | None]:
    """How many characters of the message the longest beginning of the rule's pattern reads.

    A pattern is cut only between its parts; if a longer beginning fits, every shorter one does, so halving
    finds the longest.
    """
    start = f"^{book.prefix}"
    cuts = [0, *_cuts(rule.pattern)]
    low, high = 0, len(cuts)
    reached = 0
    while low < high:
        middle = (low + high) // 2
        try:
            fits = re.match(f"{start}(?:{rule.pattern[: cuts[middle]]})", message)
        except re.error:
            fits = None
        if fits:
            reached, low = fits.end(), middle + 1
        else:
            high = middle
    return reached, Nearest(rule.id, message[reached : reached + 60])


def _cuts(pattern: str) -> Iterator[int]:
    """Where a pattern may be cut: after each part that stands outside groups, with its repetition."""
    depth, place, part = 0, 0, re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
    while place < len(pattern):
        found = part.match(pattern, place)
        assert found is not None  # noqa: S101 (for the type checker: the last alternative takes anything)
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        place = found.end()
        if depth == 0:
            repeated = re.compile(r"[*+?]\??|\{[0-9,]+\}\??").match(pattern, place)
            place = repeated.end() if repeated else place
            yield place


def _at(fields: dict[str, Any], clock: Clock) -> str:
    seconds = clock.hour(fields["hour"])
    if seconds is None:
        return ""
    minute, second = int(fields["minute"] or 0), int(fields["second"] or 0)
    return (
        rfc3339(dt.datetime.fromtimestamp(seconds + 60 * minute + second, dt.UTC))
        if minute < 60 and second < 61
        else ""
    )


def _assumed(shape: int, clock: Clock) -> dict[str, str]:
    return clock.assumed(ALL[shape].year_open, ALL[shape].zone_open, ALL[shape].day_open)


def _no_line(line: str) -> str:
    start = line.encode()
    if formats.reader_of(start):
        return "no log line: a record that a reader of its own takes, without rules"
    kind = recognise(start)
    if kind in ("json", "journal-json", "journal-export", "mail", "mbox"):
        return f"no log line: {kind}, which sift reads without a line's header"
    return "rejected: no log header" if line.strip() else "nothing: an empty line"
