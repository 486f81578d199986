"""What rules read from messages that hold their literals: one rule's pattern at a time, in the rules' order.

Series and no frames: a rule is asked a few times a block, and what that costs adds up over hundreds of rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tocsin.sift.patterns import Word, origin_word
from tocsin.sift.quick import certainly, quickly
from tocsin.sift.rulebook import Ruleset
from tocsin.sift.shapes import BARE_NAMES, REQUESTS, SHAPES, SYSLOG, UNDATED, WHATEVER

THIS_HOST = "\n"  # for an origin: no line holds it
_MANY = 200  # messages; for fewer, one pattern with groups is quicker than several calls
APART = "\0"  # between literals: stands in none


@dataclass(frozen=True)
class _Hits:
    """Where a rule fitted, and what it read there; None for no target, and for once."""

    places: pl.Series
    origin: pl.Series
    named: pl.Series | None = None
    times: pl.Series | None = None

    def filter(self, mask: pl.Series) -> "_Hits":
        """Those of them for which the mask is true."""
        named = None if self.named is None else self.named.filter(mask)
        times = None if self.times is None else self.times.filter(mask)
        return _Hits(self.places.filter(mask), self.origin.filter(mask), named, times)


class Readings:
    """A ruleset's patterns, ready to be asked."""

    def __init__(self, rules: Ruleset) -> None:
        self._rules = rules
        of_books = zip(rules.book_of, rules.rules, strict=True)
        self._patterns = [book.full_pattern(rule) for book, rule in of_books]
        self._shapes = [frozenset(map(shape_number, book.shapes)) for book in rules.book_of]

    def find(
        self,
        lines: pl.DataFrame,
        rules: Mapping[int | None, Mapping[str, list[int]]],
        *,
        by_shape: bool = False,
    ) -> pl.DataFrame:
        """Lines that a rule matched, with `origin`, `named` (target), `times` and `rule` as it read them.

        `lines` have `message` and `all` (the literals in them); with `by_shape` also `asked`, the shape that
        decides which rulebooks are asked, else maybe `section`: `rules` are by section, and by literal. They
        are asked in the order of their files; a line is the first one's that fits.
        """
        section = pl.col("section") if "section" in lines.columns else pl.lit(None)
        place = pl.int_range(lines.height, dtype=pl.UInt32)
        where = lines.select("all", section=section, place=place).group_by("section", "all").agg("place")
        wanted: dict[int, list[pl.Series]] = {}
        contested: set[int] = set()  # rules that ask for lines of which others ask, too
        for number, together, places in zip(where["section"], where["all"], where["place"], strict=True):
            by_literal = rules[number]
            asking = {p for literal in together.split(APART) for p in by_literal.get(literal, ())}
            contested |= asking if len(asking) > 1 else set()
            for position in asking:
                wanted.setdefault(position, []).append(places)
        messages = lines["message"]
        asked = lines["asked"] if by_shape else None
        taken = pl.repeat(value=False, n=lines.height, dtype=pl.Boolean, eager=True)
        found: dict[int, _Hits] = {}
        for position in sorted(wanted):
            places = pl.concat(wanted[position])
            if position in contested:
                places = places.filter(~taken.gather(places))
            if asked is not None:
                places = self._of_its_shapes(places, asked, position)
            if not len(places):
                continue
            hits = self._ask(messages.gather(places), places, position)
            if not len(hits.places):
                continue
            found[position] = hits
            if position in contested:
                taken = taken.scatter(hits.places, True)
        return _together(lines, found)

    def _word(self, position: int) -> Word | None:
        return origin_word(self._rules.rules[position].pattern, self._rules.book_of[position].suffix)

    def _of_its_shapes(self, places: pl.Series, asked: pl.Series, position: int) -> pl.Series:
        """The places of lines of the shapes that a rule is about."""
        shapes = self._shapes[position]
        if shape_number(WHATEVER) in shapes:
            return places
        return places.filter(asked.gather(places).is_in(list(shapes)))

    def _ask(self, messages: pl.Series, places: pl.Series, position: int) -> _Hits:
        """What one rule reads from messages that hold its literal."""
        rule, full = self._rules.rules[position], self._patterns[position]
        if rule.local:  # who that is stands in the header
            places = places.filter(messages.str.contains(full))
            return _Hits(places, _repeated(THIS_HOST, len(places), pl.String))
        word = None if rule.counts or rule.names_target else self._word(position)
        if rule.quick or (word and len(messages) >= _MANY):
            fits = messages.str.contains(full)
            messages, places = messages.filter(fits), places.filter(fits)
            origin = quickly(messages, rule.quick) if rule.quick or not word else certainly(messages, word)
            if origin.null_count():
                unread = origin.is_null().arg_true()
                origin = origin.scatter(unread, _groups(messages.gather(unread), full)["origin"])
            return _Hits(places, origin)
        groups = _groups(messages, full)
        named = groups["target"] if rule.names_target else None
        hits = _Hits(places, groups["origin"], named, _number(groups["count"]) if rule.counts else None)
        return hits.filter(hits.origin.is_not_null())


def _groups(messages: pl.Series, pattern: str) -> pl.DataFrame:
    return messages.str.extract_groups(pattern).struct.unnest()


def _together(lines: pl.DataFrame, found: Mapping[int, _Hits]) -> pl.DataFrame:
    """The lines of all that was found, in their order, with what was read in them."""
    if not found:
        none = pl.DataFrame(
            schema={"origin": pl.String, "named": pl.String, "times": pl.Int64, "rule": pl.Int16}
        )
        return pl.concat([lines.clear(), none], how="horizontal")
    read = pl.DataFrame(
        {
            "place": pl.concat([hits.places for hits in found.values()]),
            "origin": pl.concat([hits.origin for hits in found.values()]),
            "named": _joined([hits.named for hits in found.values()], found, None, pl.String),
            "times": _joined([hits.times for hits in found.values()], found, 1, pl.Int64),
            "rule": pl.concat(
                [_repeated(position, len(hits.places), pl.Int16) for position, hits in found.items()]
            ),
        }
    ).sort("place")
    return pl.concat([lines[read["place"]], read.drop("place")], how="horizontal")


def _joined(
    parts: Sequence[pl.Series | None], found: Mapping[int, _Hits], usual: int | None, dtype: type[pl.DataType]
) -> pl.Series:
    """Parts one after another, the usual value where there is no part."""
    if not any(part is not None for part in parts):
        return _repeated(usual, sum(len(hits.places) for hits in found.values()), dtype)
    filled = zip(parts, found.values(), strict=True)
    return pl.concat(
        [
            _repeated(usual, len(hits.places), dtype) if part is None else part.cast(dtype)
            for part, hits in filled
        ]
    )


def _repeated(value: str | int | None, times: int, dtype: type[pl.DataType]) -> pl.Series:
    return pl.Series([value], dtype=dtype).new_from_index(0, times)


def _number(texts: pl.Series) -> pl.Series:
    """How often something happened, as the rule read it; once where that is no number that could be meant."""
    return texts.str.slice(0, 10).cast(pl.Int64, strict=False).fill_null(1)


def shape_number(name: str) -> int:
    """A bare shape as rows carry it; `syslog`, `any` and `access` have numbers that no line's shape has."""
    if name == UNDATED:
        return len(SHAPES) + len(BARE_NAMES)
    return {SYSLOG: -1, WHATEVER: -2, REQUESTS: -3}.get(name) or len(SHAPES) + BARE_NAMES.index(name)
