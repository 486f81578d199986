"""Matching a block of log lines against the rules: Polars over one column, one rule's pattern at a time.

A header check gives the rejected lines. Aho-Corasick over the rules' literals splits the rest, so that each
pattern runs only over lines that hold its literal; a line whose first literal led nowhere is tried with its
others. What matched is grouped here, block by block, so that the merge sees groups and not lines.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tocsin.sift.access import transcribe
from tocsin.sift.headers import bare, carried, headers, split, times_of, without
from tocsin.sift.origins import normalise
from tocsin.sift.readings import APART, THIS_HOST, Readings, shape_number
from tocsin.sift.rulebook import Ruleset
from tocsin.sift.shapes import (
    BARE_HEADER,
    HEADER,
    REQUESTS,
    RFC5424,
    SHAPES,
    SYSLOG,
    UNDATED,
)
from tocsin.sift.sieve import Section, Sieve
from tocsin.sift.stamps import Clock

DAY = 86_400
NO_HEADER = "no log header"
IMPOSSIBLE_TIME = "impossible time"


@dataclass(frozen=True)
class Block:
    """Lines of one source. `numbers` are the lines' 1-based numbers, None for consecutive ones from `first`.

    `raw` holds each line's bytes where the text is not exactly those bytes (no UTF-8, or made from a record).
    """

    text: pl.Series
    first: int
    numbers: Sequence[int] | None = None
    raw: Sequence[bytes] | None = None

    def number(self, row: int) -> int:
        """The line number of a row of this block."""
        return self.numbers[row] if self.numbers is not None else self.first + row

    def line(self, row: int) -> bytes:
        """The bytes of a row of this block."""
        return self.raw[row] if self.raw is not None else str(self.text[row]).encode()


@dataclass(frozen=True)
class Matches:
    """What was found in a block: `rows` one per matching line in order, `rejected` as (row, reason)."""

    block: Block
    rows: pl.DataFrame
    rejected: list[tuple[int, str]]


class Matcher:
    """A ruleset ready to run. `shelves` are its kinds of evidence, (service, kind, evidence), as groups
    number them: verdicts first.

    A line is first read as syslog, where the program that wrote it decides which rulebooks are asked; what no
    known program wrote is then read as a program's own log, where the shape of the line decides.
    """

    def __init__(self, rules: Ruleset) -> None:
        self.rules = rules
        told = zip(rules.book_of, rules.rules, strict=True)
        shelves = dict.fromkeys((book.service, rule.kind, rule.evidence) for book, rule in told)
        self.shelves = sorted(shelves, key=lambda shelf: (shelf[2] != "verdict", shelf))
        self._readings = Readings(rules)
        self._by_shape: dict[str, list[int]] = {}
        self._by_request: dict[str, list[int]] = {}
        self._by_last: dict[str, list[int]] = {}
        by_program: dict[str, list[int]] = {}
        for position, (book, rule) in enumerate(zip(rules.book_of, rules.rules, strict=True)):
            for program in book.programs:
                by_program.setdefault(program, []).append(position)
            for literal in rule.literals if book.shapes else ():
                by = self._by_request if REQUESTS in book.shapes else self._by_shape
                by = self._by_last if book.last else by
                by.setdefault(literal, []).append(position)
        self._bare_literals = list(dict.fromkeys([*self._by_shape, *self._by_request]))
        self._last_literals = list(self._by_last)
        together = sorted(set(map(tuple, by_program.values())))
        self._sections = [_section(rules, positions) for positions in together]
        self._own_logs = [number for number, desk in enumerate(self._sections) if desk.has_own_logs]
        self._section_of = {
            program: together.index(tuple(positions)) for program, positions in by_program.items()
        }
        self._sieve = Sieve(rules, self._sections, self._number_of)
        self._shelf_of = pl.Series(
            [
                self.shelves.index((book.service, rule.kind, rule.evidence))
                for book, rule in zip(rules.book_of, rules.rules, strict=True)
            ],
            dtype=pl.Int16,
        )
        self.signs = [number for number, shelf in enumerate(self.shelves) if shelf[2] == "sign"]
        kinds = sorted({(service, kind) for service, kind, _ in self.shelves})
        self._kind_of = pl.Series(
            [
                kinds.index((book.service, rule.kind))
                for book, rule in zip(rules.book_of, rules.rules, strict=True)
            ],
            dtype=pl.Int16,
        )
        self._weight_of = pl.Series([rule.weight for rule in rules.rules], dtype=pl.Int64)
        self._solid_of = pl.Series([not rule.spoofable for rule in rules.rules], dtype=pl.Boolean)

    def match(self, block: Block, clock: Clock, target: str) -> Matches:
        """Everything that the rules find in a block; `target` stands where a line names no host."""
        found, unreadable = self.find(block.text)
        rejected = [(row, NO_HEADER) for row in unreadable]
        settled, timeless = self._settle(found, clock, target)
        numbers = settled["row"].cast(pl.Int64) + block.first
        if block.numbers is not None:
            numbers = pl.Series(block.numbers, dtype=pl.Int64).gather(settled["row"])
        rejected += [(row, IMPOSSIBLE_TIME) for row in timeless]
        return Matches(block, settled.with_columns(numbers.alias("number")), sorted(rejected))

    def find(self, text: pl.Series) -> tuple[pl.DataFrame, list[int]]:
        """Lines that a rule matched, as the log and the rule wrote them; and the rows that are no log lines.

        Times and addresses are not settled yet: `origin` and `named` (the target) are what the rule read,
        `hour`, `minute`, `second`, `host` and `shape` what the header says.
        """
        usual, left = self._sieve.part(text)
        others = text if left is None else text.gather(left)
        headed, readable, unreadable = _readable(others)
        found = self._find_all(others, headed, readable) if len(others) else []
        if left is not None:
            found = [
                part.with_columns(left.gather(part["row"]).alias("row")) for part in found if part.height
            ]
            unreadable = left.gather(unreadable)
        if usual is not None and usual.height:
            found.append(self._find_usual(usual, text))
        taken: set[int] = set()
        if unreadable.len():
            dated = readable.arg_true() if left is None else _above(left, readable, len(text))
            found.append(self._find_undated(unreadable, text, dated))
            taken = set(found[-1]["row"])
        told_of = [part.select(_NOTHING.columns) for part in found if part.height]
        if not told_of:
            return _NOTHING, unreadable.to_list()
        lines = pl.concat(told_of).sort("row") if len(told_of) > 1 else told_of[0]
        return self._at_home(lines), [row for row in unreadable if row not in taken]

    def _find_all(self, text: pl.Series, headed: pl.Series, readable: pl.Series) -> list[pl.DataFrame]:
        """Matching lines with their header's fields: syslog's by program, then what is left as bare."""
        found = []
        rows = headed.arg_true()
        written = split(text if rows.len() == text.len() else text.gather(rows))
        written = written.with_columns(rows.alias("row"))
        sections = {name: self._number_of(name) for name in written["program"].unique()}
        section = _look_up(written["program"], sections, pl.Int16)
        known = written.with_columns(section.alias("section"))
        known = known.drop_nulls("section") if section.null_count() else known
        if known.height:
            found.append(headers(self._find_written(known)))
        rest = written.filter(section.is_null())
        dated = (readable & ~headed).arg_true()
        unheaded = pl.DataFrame({"row": dated, "line": text.gather(dated)})
        if self._bare_literals:
            found += self._find_bare(self._held(unheaded), self._held(rest))
            maybe = written.filter(section.is_null() | section.is_in(self._own_logs))
            inner = _left(self._held(carried(unheaded, maybe)), found)
            if inner.height:
                found.append(self._readings.find(_once(inner), {None: self._by_shape}, by_shape=True))
        if self._by_last:
            found.append(self._find_last(_left(unheaded, found), _left(rest, found)))
        return found

    def _find_written(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Matching lines among those whose `section` says by which rules they are read."""
        desks = {number: self._sections[number] for number in lines["section"].unique()}
        literals = list(dict.fromkeys(literal for desk in desks.values() for literal in desk.literals))
        held = lines["message"].str.extract_many(literals, overlapping=True)
        some = (held.list.len() > 0).arg_true()
        lines = lines[some].with_columns(_together(held, some).alias("all"))
        return self._readings.find(lines, {number: desk.rules for number, desk in desks.items()})

    def _find_usual(self, lines: pl.DataFrame, text: pl.Series) -> pl.DataFrame:
        """The same for lines under the usual header, whose time stands in its place."""
        hits = self._find_written(lines)
        hosts = {who: who.partition(" ")[0] for who in hits["who"].unique()}
        hits = hits.with_columns(line=text.gather(hits["row"]), host=_look_up(hits["who"], hosts, pl.String))
        line = pl.col("line").str
        return hits.select(
            "row", "line",
            line.slice(0, 9).alias("hour"), line.slice(10, 2).alias("minute"),
            line.slice(13, 2).alias("second"), "host",
            pl.lit(0, pl.Int8).alias("shape"), pl.lit(1, pl.Int64).alias("repeats"),
            "origin", "named", "times", "rule",
        )  # fmt: skip

    def _held(self, lines: pl.DataFrame) -> pl.DataFrame:
        """The lines that hold a literal of a bare rule, and which (`all`)."""
        if not lines.height:  # as for most small logs; preparing the search takes longer than reading those
            return lines.with_columns(pl.lit(None, pl.String).alias("all"))
        held = lines["line"].str.extract_many(self._bare_literals, overlapping=True)
        some = (held.list.len() > 0).arg_true()
        return lines[some].with_columns(_together(held, some).alias("all"))

    def _find_bare(self, unheaded: pl.DataFrame, rest: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """The same for programs' own logs, and for what syslog carried for programs that no book knows."""
        if not unheaded.height and not rest.height:
            return
        lines = pl.concat([unheaded, rest.select("row", "line", "all")]).sort("row")
        found = self._readings.find(_once(bare(lines)), {None: self._by_shape}, by_shape=True)
        yield found
        if self._by_request:
            written = rest.select("row", "line", "all", text=pl.coalesce("message", "line"))
            requests = pl.concat([unheaded.select("row", "line", "all", text="line"), written])
            asked = self._find_requests(without(requests, found))
            yield asked
            rest = without(rest, asked)
        left = without(rest, found)
        left = left.with_columns(pl.lit(shape_number(SYSLOG), pl.Int16).alias("asked"))
        yield headers(self._readings.find(left, {None: self._by_shape}, by_shape=True))

    def _find_last(self, unheaded: pl.DataFrame, rest: pl.DataFrame) -> pl.DataFrame:
        """The same by the books that are asked last, of programs that no other book knows."""
        lines = pl.concat([unheaded, rest.select("row", "line")])
        if lines.height:
            lines = lines.filter(lines["line"].str.contains_any(self._last_literals))
        if not lines.height:
            return _NOTHING
        held = lines["line"].str.extract_many(self._last_literals, overlapping=True)
        lines = lines.with_columns(_together(held, pl.int_range(len(held), eager=True)).alias("all"))
        written = rest.join(lines.select("row", "all"), on="row")
        syslog = headers(written).filter(pl.col("shape").is_in(_NAMING_HOSTS))
        own = bare(without(lines, syslog))
        syslog = syslog.with_columns(pl.lit(shape_number(SYSLOG), pl.Int16).alias("asked"))
        columns = ["row", "line", "all", "asked", "message", "hour", "minute", "second", "host", "shape"]
        shaped = pl.concat([syslog.select(columns), own.select(columns)]).filter(pl.col("hour").is_not_null())
        return self._readings.find(_once(shaped), {None: self._by_last}, by_shape=True)

    def _find_requests(self, lines: pl.DataFrame) -> pl.DataFrame:
        """The same for access logs, whoever carried them: rules see each request in one form."""
        lines = lines.filter(lines["text"].str.contains_any(list(self._by_request))).sort("row")
        if not lines.height:
            return _NOTHING
        read = transcribe(lines["text"])
        requests = pl.concat(
            [lines.select("row", "line", "all")[read["place"]], read.drop("place")], how="horizontal"
        )
        requests = requests.with_columns(
            pl.lit(None, pl.String).alias("host"),
            pl.lit(1, pl.Int64).alias("repeats"),
            pl.lit(shape_number(REQUESTS), pl.Int16).alias("asked"),
        )
        return self._readings.find(requests, {None: self._by_request})

    def _at_home(self, found: pl.DataFrame) -> pl.DataFrame:
        """The same, with the line's own host as the origin of what was done there."""
        if not found.height or not any(rule.local for rule in self.rules.rules):
            return found
        at_home = pl.col("origin") == THIS_HOST
        origin = pl.when(at_home).then(pl.col("host").fill_null("")).otherwise(pl.col("origin"))
        return found.with_columns(origin.alias("origin"))

    def _find_undated(self, undated: pl.Series, text: pl.Series, dated: pl.Series) -> pl.DataFrame:
        """Matching lines without a time, each with the time of the `dated` line above it."""
        if not self._bare_literals:
            return _NOTHING
        lines = self._held(pl.DataFrame({"row": undated, "line": text.gather(undated)})).with_columns(
            pl.col("line").alias("message"),
            pl.lit(shape_number(UNDATED), pl.Int16).alias("asked"),
            pl.lit(1, pl.Int64).alias("repeats"),
        )
        if not lines.height:
            return _NOTHING
        hits = self._readings.find(lines, {None: self._by_shape}, by_shape=True)
        above = pl.DataFrame({"at": dated, "dated": dated})
        hits = hits.sort("row").join_asof(above, left_on="row", right_on="at")
        above = times_of(text, hits["dated"].drop_nulls().unique())
        return hits.join(above, on="dated", how="left").with_columns(
            pl.col("hour").fill_null(""),
            pl.col("minute").fill_null(""),
            pl.col("second").fill_null(""),
            pl.col("shape").fill_null(shape_number(UNDATED)),
        ).select(_NOTHING.columns)  # fmt: skip

    def _number_of(self, program: str | None) -> int | None:
        """The section of the rules for a program, by its full name or what is behind the last `/`."""
        if program is None:
            return None
        number = self._section_of.get(program)
        return self._section_of.get(program.rpartition("/")[2]) if number is None else number

    def _settle(self, lines: pl.DataFrame, clock: Clock, target: str) -> tuple[pl.DataFrame, list[int]]:
        """Times, addresses and shelves of matching lines; and the rows whose time does not exist."""
        hours = {text: clock.hour(text) for text in lines["hour"].unique()}
        origins = {text: normalise(text) for text in lines["origin"].unique()}
        host = lines["named"].fill_null(lines["host"])
        hosts = {text: normalise(text) or target for text in host.drop_nulls().unique()}
        at = (
            _look_up(lines["hour"], hours, pl.Int64)
            + lines["minute"].cast(pl.Int64, strict=False).fill_null(0) * 60
            + lines["second"].cast(pl.Int64, strict=False).fill_null(0)
        )
        settled = lines.select(
            "row", "rule", "shape",
            pl.concat_str("line", pl.lit("")).alias("line"),  # a copy: the rest of the block's text is let go
            _look_up(lines["origin"], origins, pl.String).alias("origin"),
            _look_up(host, hosts, pl.String).fill_null(target).alias("target"),
            at.alias("at"),
            (at // DAY).alias("day"),
            (pl.col("repeats") * pl.col("times")).alias("count"),
            self._shelf_of.gather(lines["rule"]).alias("shelf"),
            self._kind_of.gather(lines["rule"]).alias("kind"),
            self._weight_of.gather(lines["rule"]).alias("weight"),
            self._solid_of.gather(lines["rule"]).alias("solid"),
        )  # fmt: skip
        timeless = at.is_null() | (lines["minute"] > "59") | (lines["second"] > "60")
        return settled.filter(~timeless & settled["origin"].is_not_null()), lines["row"].filter(
            timeless
        ).to_list()


def _section(rules: Ruleset, positions: Sequence[int]) -> Section:
    found: dict[str, list[int]] = {}
    for position in positions:
        for literal in rules.rules[position].literals:
            found.setdefault(literal, []).append(position)
    own_logs = any(rules.book_of[position].shapes for position in positions)
    return Section(list(found), found, own_logs)


_NOTHING = pl.DataFrame(
    schema={
        "row": pl.UInt32, "line": pl.String, "hour": pl.String, "minute": pl.String, "second": pl.String,
        "host": pl.String, "shape": pl.Int8, "repeats": pl.Int64, "origin": pl.String, "named": pl.String,
        "times": pl.Int64, "rule": pl.Int16,
    }
)  # fmt: skip


def _readable(text: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Which lines begin like syslog's, which with any time, and the rows of those that say something else."""
    headed = text.str.contains(HEADER)
    readable = headed
    if not headed.all():
        others = (~headed).arg_true()
        dated = others.filter(text.gather(others).str.contains(BARE_HEADER))
        if dated.len():
            readable = headed.clone().scatter(dated, True)
    if readable.all():
        return headed, readable, pl.Series([], dtype=pl.UInt32)
    return headed, readable, (~readable & (text.str.strip_chars() != "")).arg_true()


def _above(left: pl.Series, readable: pl.Series, height: int) -> pl.Series:
    """The rows that have a time, where `readable` is said of the rows `left` and all others have one."""
    dated = pl.repeat(value=True, n=height, dtype=pl.Boolean, eager=True)
    return dated.scatter(left.filter(~readable), False).arg_true()


# Syslog's shapes whose first word is a host for certain; a program's own ISO time may precede anything.
_NAMING_HOSTS = [number for number, shape in enumerate(SHAPES) if shape.year_open or shape is RFC5424]


def _once(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines of which none says that it was repeated."""
    return lines.with_columns(pl.lit(1, pl.Int64).alias("repeats"))


def _left(lines: pl.DataFrame, found: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The lines that none of these parts found."""
    for part in found:
        lines = without(lines, part)
    return lines


def _together(literals: pl.Series, rows: pl.Series) -> pl.Series:
    """The literals of each of these rows as one text: there are few such combinations."""
    lists = literals.gather(rows)
    together = lists.list.first()
    many = (lists.list.len() > 1).arg_true()
    return together.scatter(many, lists.gather(many).list.join(APART)) if many.len() else together


def _look_up(series: pl.Series, table: Mapping[Any, int | str | None], dtype: type[pl.DataType]) -> pl.Series:
    if not table:
        return pl.Series(series.name, [None] * len(series), dtype=dtype)
    return series.replace_strict(table, default=None, return_dtype=dtype)
