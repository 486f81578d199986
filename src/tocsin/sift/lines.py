"""Matching a block of log lines against the rules: Polars over one column, one rule's pattern at a time.

A header check gives the rejected lines. Aho-Corasick over the rules' literals splits the rest, so that each
pattern runs only over lines that hold its literal; a line whose first literal led nowhere is tried with its
others. What matched is grouped here, block by block, so that the merge sees groups and not lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tocsin.sift.origins import normalise
from tocsin.sift.rulebook import Rulebook
from tocsin.sift.shapes import HEADER, REPEATED, RFC5424, SHAPES
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


Told = Mapping[str, set[str]]


@dataclass(frozen=True)
class Matches:
    """What was found in a block: `rows` one per matching line in order, `rejected` as (row, reason)."""

    block: Block
    rows: pl.DataFrame
    rejected: list[tuple[int, str]]
    signs: Sequence[int]

    def groups(self) -> pl.DataFrame:
        """The matching lines by kind, evidence, origin, target and day, each with its lines in order."""
        return (
            self._telling()
            .group_by("shelf", "origin", "target", "day")
            .agg(
                pl.col("row") if self.block.raw is not None else pl.lit(0),
                pl.col("number"),
                pl.col("line").str.join("\n"),
                pl.col("count").sum(),
                (pl.col("count") * pl.col("weight")).sum().alias("score"),
                pl.col("at").min().alias("first"),
                pl.col("at").max().alias("last"),
                pl.col("rule").min(),
                pl.col("shape").min(),
            )
        )

    def _telling(self) -> pl.DataFrame:
        """The rows without signs of what a verdict in this very block tells: they will never count."""
        is_sign = pl.col("shelf").is_in(self.signs)
        signs = self.rows.filter(is_sign)
        if not signs.height:
            return self.rows
        rest = self.rows.filter(~is_sign)
        return pl.concat(
            [rest, signs.join(rest.select("origin", "kind").unique(), on=["origin", "kind"], how="anti")]
        )


class Matcher:
    """A rulebook ready to run. `shelves` are its kinds of evidence, (kind, evidence), as groups number
    them: verdicts first."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        shelves = dict.fromkeys((rule.kind, rule.evidence) for rule in book.rules)
        self.shelves = sorted(shelves, key=lambda shelf: (shelf[1] != "verdict", shelf))
        self._rules: dict[str, list[int]] = {}
        for position, rule in enumerate(book.rules):
            self._rules.setdefault(rule.literal, []).append(position)
        self._shelf_of = pl.Series(
            [self.shelves.index((rule.kind, rule.evidence)) for rule in book.rules], dtype=pl.Int8
        )
        self._signs = [number for number, shelf in enumerate(self.shelves) if shelf[1] == "sign"]
        kinds = sorted({rule.kind for rule in book.rules})
        self._kind_of = pl.Series([kinds.index(rule.kind) for rule in book.rules], dtype=pl.Int8)
        self._weight_of = pl.Series([rule.weight for rule in book.rules], dtype=pl.Int64)

    def match(self, block: Block, clock: Clock, target: str, told: Told | None = None) -> Matches:
        """Everything that the rules find in a block; `target` stands where a header names no host.

        Signs of origins that `told` names for their kind are left out: they will never count.
        """
        text = block.text
        headed = text.str.contains(HEADER)
        rejected = []
        if not headed.all():
            rejected = [(row, NO_HEADER) for row in (~headed & (text.str.strip_chars() != "")).arg_true()]
        literals = text.str.extract_many(list(self._rules), overlapping=True)
        rows = (headed & (literals.list.len() > 0)).arg_true()
        messages = _split(text.gather(rows))
        found = self._find(messages["message"], literals.gather(rows), told or {})
        place = found["place"]
        lines = messages.select(pl.col("line", "head", "repeats").gather(place))
        lines = pl.concat([lines, found.select("origin", "times", "rule")], how="horizontal")
        lines = _headers(lines.with_columns(rows.gather(place).alias("row")))
        programs = [
            name for name in lines["program"].unique() if name.rpartition("/")[2] in self.book.programs
        ]
        mine = lines.filter(pl.col("program").is_in(programs))
        settled, timeless = self._settle(mine, clock, target)
        numbers = settled["row"].cast(pl.Int64) + block.first
        if block.numbers is not None:
            numbers = pl.Series(block.numbers, dtype=pl.Int64).gather(settled["row"])
        rejected += [(row, IMPOSSIBLE_TIME) for row in timeless]
        return Matches(block, settled.with_columns(numbers.alias("number")), sorted(rejected), self._signs)

    def _find(self, messages: pl.Series, literals: pl.Series, told: Told) -> pl.DataFrame:
        """Which rule matched which message, with the origin and the number of times that it read."""
        found = [_NOTHING]
        left = pl.DataFrame(
            {"place": pl.int_range(len(messages), eager=True), "message": messages, "all": literals}
        )
        turn = 0
        while left.height:
            left = left.with_columns(pl.col("all").list.get(turn, null_on_oob=True).alias("literal"))
            unmatched = []
            for literal in left["literal"].drop_nulls().unique():
                part = left.filter(pl.col("literal") == literal)
                for position in self._rules[literal]:
                    hits, part = self._try(part, position)
                    rule = self.book.rules[position]
                    if rule.evidence == "sign" and hits.height and (names := told.get(rule.kind)):
                        hits = hits.filter(~pl.col("origin").is_in(list(names)))
                    found.append(hits)
                unmatched.append(part)
            left = pl.concat(unmatched) if unmatched else left.clear()
            turn += 1
        return pl.concat(found).sort("place")

    def _try(self, part: pl.DataFrame, position: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """What one rule reads from messages that hold its literal, and the messages that it leaves."""
        if not part.height:
            return _NOTHING, part
        rule = self.book.rules[position]
        if rule.quick:
            return self._try_quickly(part, position)
        groups = part["message"].str.extract_groups(self.book.full_pattern(rule)).struct
        hit = groups.field("origin").is_not_null()
        times = groups.field("count").cast(pl.Int64) if rule.counts else pl.lit(1, pl.Int64)
        hits = part.select(
            "place",
            groups.field("origin").alias("origin"),
            times.alias("times"),
            pl.lit(position, pl.Int16).alias("rule"),
        )
        return hits.filter(hit), part.filter(~hit)

    def _try_quickly(self, part: pl.DataFrame, position: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The same, with the rule's quick pattern first, the full one where that gives nothing."""
        rule = self.book.rules[position]
        full = self.book.full_pattern(rule)
        hit = part["message"].str.contains(full)
        hits = part.filter(hit)
        origin = hits["message"].str.extract(rule.quick, 1)
        if origin.null_count():
            origin = origin.fill_null(hits["message"].str.extract_groups(full).struct.field("origin"))
        found = hits.select(
            "place",
            origin.alias("origin"),
            pl.lit(1, pl.Int64).alias("times"),
            pl.lit(position, pl.Int16).alias("rule"),
        )
        return found, part.filter(~hit)

    def _settle(self, lines: pl.DataFrame, clock: Clock, target: str) -> tuple[pl.DataFrame, list[int]]:
        """Times, addresses and shelves of matching lines; and the rows whose time does not exist."""
        hours = {text: clock.hour(text) for text in lines["hour"].unique()}
        origins = {text: normalise(text) for text in lines["origin"].unique()}
        hosts = {text: normalise(text) or target for text in lines["host"].drop_nulls().unique()}
        at = (
            _look_up(lines["hour"], hours, pl.Int64)
            + lines["minute"].cast(pl.Int64) * 60
            + lines["second"].cast(pl.Int64)
        )
        settled = lines.select(
            "row", "line", "rule", "shape",
            _look_up(lines["origin"], origins, pl.String).alias("origin"),
            _look_up(lines["host"], hosts, pl.String).fill_null(target).alias("target"),
            at.alias("at"),
            (at // DAY).alias("day"),
            (pl.col("repeats") * pl.col("times")).alias("count"),
            self._shelf_of.gather(lines["rule"]).alias("shelf"),
            self._kind_of.gather(lines["rule"]).alias("kind"),
            self._weight_of.gather(lines["rule"]).alias("weight"),
        )  # fmt: skip
        timeless = at.is_null() | (lines["minute"] > "59") | (lines["second"] > "60")
        return settled.filter(~timeless & settled["origin"].is_not_null()), lines["row"].filter(
            timeless
        ).to_list()


_NOTHING = pl.DataFrame(schema={"place": pl.Int64, "origin": pl.String, "times": pl.Int64, "rule": pl.Int16})


def _split(lines: pl.Series) -> pl.DataFrame:
    """Lines as `head` and `message`, with `message repeated` unfolded into `repeats`."""
    parts = lines.str.splitn(": ", 2).struct
    split = pl.DataFrame({"line": lines, "head": parts.field("field_0"), "message": parts.field("field_1")})
    framed = lines.str.contains(RFC5424.start)
    if framed.any():
        message = lines.str.extract(RFC5424.pattern, RFC5424.message_group)
        split = split.with_columns(
            pl.when(framed).then(pl.col("line")).otherwise(pl.col("head")).alias("head"),
            pl.when(framed).then(message).otherwise(pl.col("message")).alias("message"),
        )
    repeated = split["message"].str.starts_with("message repeated ").fill_null(value=False)
    if not repeated.any():
        return split.with_columns(pl.lit(1, pl.Int64).alias("repeats"))
    unfolded = split["message"].str.extract_groups(REPEATED).struct
    return split.with_columns(
        pl.when(repeated).then(unfolded.field("message")).otherwise(pl.col("message")).alias("message"),
        pl.when(repeated).then(unfolded.field("times").cast(pl.Int64)).otherwise(1).alias("repeats"),
    )


def _headers(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines with their header taken apart, shape after shape, the most frequent first; in order."""
    done = []
    for number, shape in enumerate(SHAPES):
        fields = lines["head"].str.extract_groups(shape.pattern).struct
        hour = fields.field("hour") + fields.field("tail") if shape.has_tail else fields.field("hour")
        parsed = lines.with_columns(
            hour.alias("hour"),
            *(fields.field(name).alias(name) for name in ("minute", "second", "host", "program")),
            pl.lit(number, pl.Int8).alias("shape"),
        )
        hit = hour.is_not_null()
        done.append(parsed.filter(hit))
        lines = lines.filter(~hit)
        if not lines.height:
            break
    return pl.concat(done).sort("row") if len(done) > 1 else done[0]


def _look_up(series: pl.Series, table: Mapping[str, int | str | None], dtype: type[pl.DataType]) -> pl.Series:
    if not table:
        return pl.Series(series.name, [None] * len(series), dtype=dtype)
    return series.replace_strict(table, default=None, return_dtype=dtype)
