"""Matching a block of log lines against the rules: Polars over one column, one rule's pattern at a time.

A header check gives the rejected lines. Aho-Corasick over the rules' literals splits the rest, so that each
pattern runs only over lines that hold its literal; a line whose first literal led nowhere is tried with its
others. What matched is grouped here, block by block, so that the merge sees groups and not lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from tocsin.sift.origins import normalise
from tocsin.sift.rulebook import Rulebook
from tocsin.sift.shapes import HEADER, SHAPES
from tocsin.sift.stamps import Clock

DAY = 86_400

@dataclass(frozen=True)
class Block:
    """Lines of one source. `numbers` are the 1-based line numbers, None for consecutive ones from `first`.

    `raw` holds each line's bytes where the text is not exactly those bytes (not UTF-8, or made from a record).
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

    def groups(self) -> pl.DataFrame:
        """The matching lines by kind, evidence, origin, target and day, each with its lines in order."""
        return self.rows.group_by("shelf", "origin", "target", "day").agg(
            pl.col("row"),
            pl.col("line").str.join("\n") if self.block.raw is None else pl.lit("").first().alias("line"),
            pl.col("count").sum().alias("count"),
            (pl.col("count") * pl.col("weight")).sum().alias("score"),
            pl.col("at").min().alias("first"),
            pl.col("at").max().alias("last"),
            pl.col("rule").min().alias("rule"),
            pl.col("shape").min().alias("shape"),
        )


class Matcher:
    """A rulebook ready to run. `shelves` are its kinds of evidence: (kind, evidence), as groups number them."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self.shelves = list(dict.fromkeys((rule.kind, rule.evidence) for rule in book.rules))
        self._literals = list(dict.fromkeys(rule.literal for rule in book.rules))

    @cached_property
    def _rules_by_literal(self) -> dict[str, list[int]]:
        table: dict[str, list[int]] = {literal: [] for literal in self._literals}
        for position, rule in enumerate(self.book.rules):
            table[rule.literal].append(position)
        return table

    def match(self, block: Block, clock: Clock, target: str) -> Matches:
        """Everything that the rules find in a block; `target` stands where a header names no host."""
        lines = pl.DataFrame({"line": block.text}).with_row_index("row")
        headed = block.text.str.contains(HEADER)
        rejected = [(row, "no log header") for row in (~headed & (block.text.str.strip_chars() != "")).arg_true()]
        literals = block.text.str.extract_many(self._literals, overlapping=True)
        wanted = lines.with_columns(literals.alias("literals")).filter(headed & (literals.list.len() > 0))
        found = self._by_rule(self._messages(_headers(wanted)))
        rows, impossible = _settle(found, clock, target, self.book)
        return Matches(block, rows, sorted(rejected + impossible))

    def _messages(self, headed: pl.DataFrame) -> pl.DataFrame:
        """Only this rulebook's programs, with `message repeated` unfolded into a count."""
        program = pl.col("program").str.replace(r"^.*/", "")
        mine = headed.filter(program.is_in(self.book.programs))
        repeated = mine["message"].str.starts_with("message repeated ")
        if not repeated.any():
            return mine.with_columns(pl.lit(1, pl.Int64).alias("repeats"))
        pattern = r"^message repeated (?P<n>\d{1,9}) times?: \[ ?(?P<inner>.*?) ?\]?$"
        parts = pl.col("message").str.extract_groups(pattern)
        inner, times = parts.struct.field("inner"), parts.struct.field("n").cast(pl.Int64)
        return mine.with_columns(
            pl.when(repeated).then(inner).otherwise(pl.col("message")).fill_null("").alias("message"),
            pl.when(repeated).then(times).otherwise(1).fill_null(1).alias("repeats"),
        )

    def _by_rule(self, messages: pl.DataFrame) -> pl.DataFrame:
        """The rows that a rule matched, with its number and the origin it read."""
        found: list[pl.DataFrame] = []
        place = 0
        while messages.height:
            literal = pl.col("literals").list.get(place, null_on_oob=True)
            left: list[pl.DataFrame] = []
            staged = messages.with_columns(literal.alias("literal")).filter(pl.col("literal").is_not_null())
            for part in staged.partition_by("literal"):
                matched, unmatched = self._try(part, self._rules_by_literal[part["literal"][0]])
                found += matched
                left.append(unmatched)
            messages = pl.concat(left).drop("literal") if left else messages.clear()
            place += 1
        return pl.concat(found) if found else _NOTHING

    def _try(self, part: pl.DataFrame, rules: list[int]) -> tuple[list[pl.DataFrame], pl.DataFrame]:
        matched: list[pl.DataFrame] = []
        for position in rules:
            rule = self.book.rules[position]
            groups = part["message"].str.extract_groups(self.book.full_pattern(rule)).struct
            origin = groups.field("origin")
            hit = origin.is_not_null()
            if not hit.any():
                continue
            count = groups.field("count").cast(pl.Int64, strict=False) if "(?P<count>" in rule.pattern else pl.lit(1)
            matched.append(
                part.with_columns(
                    origin.alias("origin"),
                    (pl.col("repeats") * count).alias("count"),
                    pl.lit(position, pl.Int16).alias("rule"),
                ).filter(hit).select(_NOTHING.columns)
            )  # fmt: skip
            part = part.filter(~hit)
            if not part.height:
                break
        return matched, part


_NOTHING = pl.DataFrame(
    schema={
        "row": pl.get_index_type(), "line": pl.String, "hour": pl.String, "minute": pl.String,
        "second": pl.String, "host": pl.String, "shape": pl.Int8, "origin": pl.String, "count": pl.Int64,
        "rule": pl.Int16,
    }
)  # fmt: skip
_HEADED = ("row", "line", "literals", "hour", "minute", "second", "host", "program", "shape", "message")


def _headers(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines whose header can be read, taken apart; the shape that most lines have is tried first."""
    done: list[pl.DataFrame] = []
    for number, shape in enumerate(SHAPES):
        if shape.whole_line:
            fields = lines["line"].str.extract_groups(shape.pattern).struct.unnest()
        else:
            split = lines["line"].str.splitn(": ", 2).struct
            fields = split.field("field_0").str.extract_groups(shape.pattern).struct.unnest()
            fields = fields.with_columns(split.field("field_1").alias("message"))
        parsed = pl.concat([lines, fields], how="horizontal").with_columns(
            (pl.col("hour") + pl.col("tail")).alias("hour"), pl.lit(number, pl.Int8).alias("shape")
        )
        hit = parsed["hour"].is_not_null() & parsed["message"].is_not_null()
        done.append(parsed.filter(hit).select(_HEADED))
        lines = lines.filter(~hit)
        if not lines.height:
            break
    return pl.concat(done)


def _settle(
    found: pl.DataFrame, clock: Clock, target: str, book: Rulebook
) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """Times, addresses and shelves of the matched rows; those with an impossible time or origin apart."""
    shelves = list(dict.fromkeys((rule.kind, rule.evidence) for rule in book.rules))
    hours = {text: clock.hour(text) for text in found["hour"].unique()}
    origins = {text: normalise(text) for text in found["origin"].unique()}
    hosts = {text: normalise(text) or target for text in found["host"].drop_nulls().unique()}
    shelf_of = pl.Series([shelves.index((r.kind, r.evidence)) for r in book.rules], dtype=pl.Int8)
    weight_of = pl.Series([r.weight for r in book.rules], dtype=pl.Int64)
    at = (
        _look_up(found["hour"], hours, pl.Int64)
        + found["minute"].cast(pl.Int64) * 60
        + found["second"].cast(pl.Int64)
    )
    rows = found.with_columns(
        at.alias("at"),
        (at // DAY).alias("day"),
        _look_up(found["origin"], origins, pl.String).alias("origin"),
        _look_up(found["host"], hosts, pl.String).fill_null(target).alias("target"),
        shelf_of.gather(found["rule"]).alias("shelf"),
        weight_of.gather(found["rule"]).alias("weight"),
    )
    timeless = rows["at"].is_null() | (found["minute"] > "59") | (found["second"] > "60")
    impossible = [(row, "impossible time") for row in rows["row"].filter(timeless)]
    return rows.filter(~timeless & rows["origin"].is_not_null()).sort("row"), impossible


def _look_up(series: pl.Series, table: dict[str, int | None] | dict[str, str | None] | dict[str, str], dtype: type[pl.DataType]) -> pl.Series:
    if not table:
        return pl.Series(series.name, [None] * len(series), dtype=dtype)
    return series.replace_strict(table, default=None, return_dtype=dtype)
