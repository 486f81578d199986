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
from tocsin.sift.rulebook import Ruleset
from tocsin.sift.shapes import (
    BARE_HEADER,
    BARE_NAMES,
    HEADER,
    REQUESTS,
    RFC5424,
    SHAPES,
    SYSLOG,
    UNDATED,
    WHATEVER,
)
from tocsin.sift.stamps import Clock

DAY = 86_400
NO_HEADER = "no log header"
IMPOSSIBLE_TIME = "impossible time"
THIS_HOST = "\n"  # for an origin: no line holds it


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


# The origins of which a verdict is known, by service and kind.
Told = Mapping[tuple[str, str], set[str]]


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
                pl.col("solid").max(),
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
        self._patterns = [
            book.full_pattern(rule) for book, rule in zip(rules.book_of, rules.rules, strict=True)
        ]
        self._by_program: dict[str, list[int]] = {}
        self._by_shape: dict[str, list[int]] = {}
        self._by_request: dict[str, list[int]] = {}
        self._by_last: dict[str, list[int]] = {}
        for position, (book, rule) in enumerate(zip(rules.book_of, rules.rules, strict=True)):
            for literal in rule.literals:
                if book.last:
                    self._by_last.setdefault(literal, []).append(position)
                    continue
                if book.programs:
                    self._by_program.setdefault(literal, []).append(position)
                if REQUESTS in book.shapes:
                    self._by_request.setdefault(literal, []).append(position)
                elif book.shapes:
                    self._by_shape.setdefault(literal, []).append(position)
        asked = (self._by_program, self._by_shape, self._by_request)
        self._literals = list(dict.fromkeys(literal for literals in asked for literal in literals)) or [
            _APART
        ]
        self._last_literals = list(self._by_last)
        names = sorted({name for book in rules.books for name in book.programs})
        self._programs = {name: number for number, name in enumerate(names)}
        self._asked = [
            (
                frozenset(self._programs[name] for name in book.programs),
                frozenset(_shape_number(name) for name in book.shapes),
            )
            for book in rules.book_of
        ]
        self._shelf_of = pl.Series(
            [
                self.shelves.index((book.service, rule.kind, rule.evidence))
                for book, rule in zip(rules.book_of, rules.rules, strict=True)
            ],
            dtype=pl.Int16,
        )
        self._signs = [number for number, shelf in enumerate(self.shelves) if shelf[2] == "sign"]
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

    def match(self, block: Block, clock: Clock, target: str, told: Told | None = None) -> Matches:
        """Everything that the rules find in a block; `target` stands where a line names no host.

        Signs of origins that `told` names for their kind are left out: they will never count.
        """
        found, unreadable = self.find(block.text, told or {})
        rejected = [(row, NO_HEADER) for row in unreadable]
        settled, timeless = self._settle(found, clock, target)
        numbers = settled["row"].cast(pl.Int64) + block.first
        if block.numbers is not None:
            numbers = pl.Series(block.numbers, dtype=pl.Int64).gather(settled["row"])
        rejected += [(row, IMPOSSIBLE_TIME) for row in timeless]
        return Matches(block, settled.with_columns(numbers.alias("number")), sorted(rejected), self._signs)

    def find(self, text: pl.Series, told: Told) -> tuple[pl.DataFrame, list[int]]:
        """Lines that a rule matched, as the log and the rule wrote them; and the rows that are no log lines.

        Times and addresses are not settled yet: `origin` and `named` (the target) are what the rule read,
        `hour`, `minute`, `second`, `host` and `shape` what the header says.
        """
        headed = text.str.contains(HEADER)
        readable = headed
        if not headed.all():
            others = (~headed).arg_true()
            dated = others.filter(text.gather(others).str.contains(BARE_HEADER))
            if dated.len():
                readable = headed.clone().scatter(dated, True)
        unreadable = []
        if not readable.all():
            unreadable = (~readable & (text.str.strip_chars() != "")).arg_true().to_list()
        literals = text.str.extract_many(self._literals, overlapping=True)
        rows = (readable & (literals.list.len() > 0)).arg_true()
        candidates = pl.DataFrame({"row": rows, "line": text.gather(rows), "all": _together(literals, rows)})
        found, known = self._find_all(candidates, headed.gather(rows), told)
        if self._by_last:
            done = pl.repeat(value=False, n=len(text), dtype=pl.Boolean, eager=True)
            left = readable & ~done.scatter(found["row"], True).scatter(known, True)
            found = self._with_last(found, text, headed, left, told)
        found = self._at_home(found)
        if not unreadable:
            return found, unreadable
        followers = self._find_undated(pl.Series(unreadable, dtype=pl.UInt32), text, literals, readable, told)
        if not followers.height:
            return found, unreadable
        taken = set(followers["row"])
        both = pl.concat([found.select(_NOTHING.columns), followers]).sort("row")
        return both, [row for row in unreadable if row not in taken]

    def _find_all(
        self, candidates: pl.DataFrame, headed: pl.Series, told: Told
    ) -> tuple[pl.DataFrame, pl.Series]:
        """Matching lines with their header's fields, in order: syslog's first, then what is left as bare.

        And the rows of all lines that programs wrote of which a book tells.
        """
        lines = candidates.filter(headed)
        parted = pl.concat([lines.select("row", "all"), split(lines["line"])], how="horizontal")
        programs = {name: self._number_of(name) for name in parted["program"].unique()}
        asked = _look_up(parted["program"], programs, pl.Int16)
        written = parted.with_columns(asked.alias("asked"))
        mine = written.filter(asked.is_not_null())
        found = [headers(self._find(mine, self._by_program, 0, told))]
        unheaded, rest = candidates.filter(~headed), written.filter(asked.is_null())
        if self._by_shape or self._by_request:
            found += self._find_bare(unheaded, rest, told)
            inner = _left(carried(unheaded, written), found)
            if inner.height:
                found.append(self._find(_once(inner), self._by_shape, 1, told))
        found = [part for part in found if part.height]
        if len(found) < 2:
            return (found[0] if found else _NOTHING), mine["row"]
        return pl.concat([part.select(_NOTHING.columns) for part in found]).sort("row"), mine["row"]

    def _find_bare(self, unheaded: pl.DataFrame, rest: pl.DataFrame, told: Told) -> Iterator[pl.DataFrame]:
        """The same for programs' own logs, and for what syslog carried for programs that no book knows."""
        lines = pl.concat([unheaded, rest.select("row", "line", "all")]).sort("row")
        shaped = bare(lines)
        found = self._find(_once(shaped), self._by_shape, 1, told)
        yield found
        if self._by_request:
            carried = rest.select("row", "line", "all", text=pl.coalesce("message", "line"))
            requests = pl.concat([unheaded.select("row", "line", "all", text="line"), carried])
            asked = self._find_requests(without(requests, found), told)
            yield asked
            rest = without(rest, asked)
        left = without(rest, found)
        left = left.with_columns(pl.lit(_shape_number(SYSLOG), pl.Int16).alias("asked"))
        yield headers(self._find(left, self._by_shape, 1, told))

    def _with_last(
        self, found: pl.DataFrame, text: pl.Series, headed: pl.Series, left: pl.Series, told: Told
    ) -> pl.DataFrame:
        """The same, and what the books that are asked last find in lines of programs that no other knows."""
        rows = left.arg_true()
        rows = rows.filter(text.gather(rows).str.contains_any(self._last_literals))
        lines = pl.DataFrame({"row": rows, "line": text.gather(rows)})
        written = lines.filter(headed.gather(rows))
        written = pl.concat([written.select("row"), split(written["line"])], how="horizontal")
        programs = {name: self._number_of(name) for name in written["program"].unique()}
        known = _look_up(written["program"], programs, pl.Int16).is_not_null()
        lines = without(lines, written.filter(known))
        if not lines.height:
            return found
        held = lines["line"].str.extract_many(self._last_literals, overlapping=True)
        lines = lines.with_columns(_together(held, pl.arange(len(held), eager=True)).alias("all"))
        written = written.filter(~known).join(lines.select("row", "all"), on="row")
        syslog = headers(written).filter(pl.col("shape").is_in(_NAMING_HOSTS))
        own = bare(without(lines, syslog))
        columns = ["row", "line", "all", "message", "hour", "minute", "second", "host", "shape"]
        shaped = pl.concat([syslog.select(columns), own.select(columns)]).filter(pl.col("hour").is_not_null())
        shaped = _once(shaped).with_columns(pl.lit(_shape_number(WHATEVER), pl.Int16).alias("asked"))
        hits = self._find(shaped, self._by_last, 1, told)
        return pl.concat([found.select(_NOTHING.columns), hits.select(_NOTHING.columns)]).sort("row")

    def _find_requests(self, lines: pl.DataFrame, told: Told) -> pl.DataFrame:
        """The same for access logs, whoever carried them: rules see each request in one form."""
        lines = lines.filter(lines["text"].str.contains_any(list(self._by_request))).sort("row")
        read = transcribe(lines["text"])
        requests = pl.concat(
            [lines.select("row", "line", "all")[read["place"]], read.drop("place")], how="horizontal"
        )
        requests = requests.with_columns(
            pl.lit(None, pl.String).alias("host"),
            pl.lit(1, pl.Int64).alias("repeats"),
            pl.lit(_shape_number(REQUESTS), pl.Int16).alias("asked"),
        )
        return self._find(requests, self._by_request, 1, told)

    def _at_home(self, found: pl.DataFrame) -> pl.DataFrame:
        """The same, with the line's own host as the origin of what was done there."""
        if not found.height or not any(rule.local for rule in self.rules.rules):
            return found
        at_home = pl.col("origin") == THIS_HOST
        origin = pl.when(at_home).then(pl.col("host").fill_null("")).otherwise(pl.col("origin"))
        return found.with_columns(origin.alias("origin"))

    def _find_undated(
        self, undated: pl.Series, text: pl.Series, literals: pl.Series, readable: pl.Series, told: Told
    ) -> pl.DataFrame:
        """Matching lines without a time, each with the time of the dated line above it."""
        undated = undated.filter(literals.gather(undated).list.len() > 0)
        lines = pl.DataFrame(
            {"row": undated, "line": text.gather(undated), "all": _together(literals, undated)}
        ).with_columns(
            pl.col("line").alias("message"),
            pl.lit(_shape_number(UNDATED), pl.Int16).alias("asked"),
            pl.lit(1, pl.Int64).alias("repeats"),
        )
        if not lines.height:
            return _NOTHING
        hits = self._find(lines, self._by_shape, 1, told)
        above = pl.DataFrame({"at": readable.arg_true()}).with_columns(pl.col("at").alias("dated"))
        hits = hits.sort("row").join_asof(above, left_on="row", right_on="at")
        above = times_of(text, hits["dated"].drop_nulls().unique())
        return hits.join(above, on="dated", how="left").with_columns(
            pl.col("hour").fill_null(""),
            pl.col("minute").fill_null(""),
            pl.col("second").fill_null(""),
            pl.col("shape").fill_null(_shape_number(UNDATED)),
        ).select(_NOTHING.columns)  # fmt: skip

    def _number_of(self, program: str | None) -> int | None:
        if program is None:
            return None
        number = self._programs.get(program)
        return self._programs.get(program.rpartition("/")[2]) if number is None else number

    def _find(self, lines: pl.DataFrame, rules: Mapping[str, list[int]], by: int, told: Told) -> pl.DataFrame:
        """Lines that a rule matched, with `origin`, `named` (target), `times` and `rule` as it read them.

        `lines` have `message`, `all` (the literals in them) and `asked`: the program or shape that decides
        which rulebooks are asked. Rules are asked in the order of their files; a line is the first one's that
        fits.
        """
        place = pl.int_range(lines.height, eager=True)
        left = pl.DataFrame({"place": place, "message": lines["message"], "asked": lines["asked"]})
        where = lines.select("all", place=place).group_by("all").agg("place")
        wanted: dict[int, list[pl.Series]] = {}
        for together, places in zip(where["all"], where["place"], strict=True):
            for position in {p for literal in together.split(_APART) for p in rules.get(literal, ())}:
                wanted.setdefault(position, []).append(places)
        taken = pl.repeat(value=False, n=lines.height, dtype=pl.Boolean, eager=True)
        found = [_UNREAD]
        for position in sorted(wanted):
            places = pl.concat(wanted[position])
            part = left[places.filter(~taken.gather(places))]
            if part.height and (hits := self._ask(part, position, by)).height:
                found.append(self._untold(hits, position, told))
                taken = taken.scatter(hits["place"], True)
        read = pl.concat(found).sort("place")
        return pl.concat([lines[read["place"]], read.drop("place")], how="horizontal")

    def _untold(self, hits: pl.DataFrame, position: int, told: Told) -> pl.DataFrame:
        rule = self.rules.rules[position]
        if rule.evidence == "sign" and (names := told.get((self.rules.book_of[position].service, rule.kind))):
            return hits.filter(~pl.col("origin").is_in(list(names)))
        return hits

    def _ask(self, part: pl.DataFrame, position: int, by: int) -> pl.DataFrame:
        """What one rule reads from the lines of its own programs or shapes."""
        asked = self._asked[position][by]
        if not (by and _shape_number(WHATEVER) in asked):
            mine = part["asked"].is_in(list(asked))
            if not mine.any():
                return _UNREAD
            part = part if mine.all() else part.filter(mine)
        rule = self.rules.rules[position]
        if rule.local:
            return self._try_locally(part, position)
        return self._try_quickly(part, position) if rule.quick else self._try(part, position)

    def _try(self, part: pl.DataFrame, position: int) -> pl.DataFrame:
        """What one rule reads from messages that hold its literal."""
        rule = self.rules.rules[position]
        groups = part["message"].str.extract_groups(self._patterns[position]).struct
        times = groups.field("count").cast(pl.Int64) if rule.counts else pl.lit(1, pl.Int64)
        named = groups.field("target") if rule.names_target else pl.lit(None, pl.String)
        hits = part.select(
            "place",
            groups.field("origin").alias("origin"),
            named.alias("named"),
            times.alias("times"),
            pl.lit(position, pl.Int16).alias("rule"),
        )
        return hits.drop_nulls("origin")

    def _try_quickly(self, part: pl.DataFrame, position: int) -> pl.DataFrame:
        """The same, with the rule's quick pattern first, the full one where that gives nothing."""
        full = self._patterns[position]
        hits = part.filter(part["message"].str.contains(full))
        origin = hits["message"].str.extract(self.rules.rules[position].quick, 1)
        if origin.null_count():
            origin = origin.fill_null(hits["message"].str.extract_groups(full).struct.field("origin"))
        return hits.select(
            "place",
            origin.alias("origin"),
            pl.lit(None, pl.String).alias("named"),
            pl.lit(1, pl.Int64).alias("times"),
            pl.lit(position, pl.Int16).alias("rule"),
        )

    def _try_locally(self, part: pl.DataFrame, position: int) -> pl.DataFrame:
        """The same where the line's own host is the origin: who that is stands in the header."""
        hit = part["message"].str.contains(self._patterns[position])
        return part.filter(hit).select(
            "place",
            pl.lit(THIS_HOST).alias("origin"),
            pl.lit(None, pl.String).alias("named"),
            pl.lit(1, pl.Int64).alias("times"),
            pl.lit(position, pl.Int16).alias("rule"),
        )

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
            "row", "line", "rule", "shape",
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


_APART = "\0"  # stands in no literal
_UNREAD = pl.DataFrame(
    schema={"place": pl.Int64, "origin": pl.String, "named": pl.String, "times": pl.Int64, "rule": pl.Int16}
)
_NOTHING = pl.DataFrame(
    schema={
        "row": pl.UInt32, "line": pl.String, "hour": pl.String, "minute": pl.String, "second": pl.String,
        "host": pl.String, "shape": pl.Int8, "repeats": pl.Int64, "origin": pl.String, "named": pl.String,
        "times": pl.Int64, "rule": pl.Int16,
    }
)  # fmt: skip


def _shape_number(name: str) -> int:
    """A bare shape as rows carry it; `syslog`, `any` and `access` have numbers that no line's shape has."""
    if name == UNDATED:
        return len(SHAPES) + len(BARE_NAMES)
    return {SYSLOG: -1, WHATEVER: -2, REQUESTS: -3}.get(name) or len(SHAPES) + BARE_NAMES.index(name)


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
    return together.scatter(many, lists.gather(many).list.join(_APART)) if many.len() else together


def _look_up(series: pl.Series, table: Mapping[Any, int | str | None], dtype: type[pl.DataType]) -> pl.Series:
    if not table:
        return pl.Series(series.name, [None] * len(series), dtype=dtype)
    return series.replace_strict(table, default=None, return_dtype=dtype)
