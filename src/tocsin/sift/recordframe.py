"""What rules read from records, as a table: origins, targets and times as text; and times taken apart."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import polars as pl

from tocsin.sift.origins import normalise
from tocsin.sift.recordplan import Outcome, Plan, Row
from tocsin.sift.records import Names, Scalar, as_number, as_text, bare_address

Columns = Sequence[Sequence[Scalar | None]]
Kept = Mapping[int, Sequence[Scalar | None]]  # some of the columns, by their place

HOUR = 3600
ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
TAIL = r"(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})$"
EPOCH = r"^([0-9]{10})(?:[0-9]{3}|[0-9]{6}|[0-9]{9})?(?:\.[0-9]*)?$"  # in seconds, or down to nanoseconds
NOBODY = (None, "", "-")
_OTHER = r"^(?:[A-Z][a-z]{2},? )?(.*?[ :T][0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,][0-9]+)?(.*)$"
_PLAIN = frozenset((str, type(None)))
NOTHING, CARRIED = -1, -2
_TOLD = {
    "rule": pl.Int32, "side": pl.Int32, "origin": pl.String, "target": pl.String, "weight": pl.Int64,
    "solid": pl.Boolean, "times": pl.Int64,
}  # fmt: skip


class Meanings(dict[Row, int]):
    """What rows mean by their first `Plan.saying` values: a number, worked out when first asked for.

    `told` explains those from 0 on. NOTHING is for rows of which no rule reads an origin; what is below it is
    for those that carry a line: CARRIED less the place in `plan.wrapped`.
    """

    def __init__(self, plan: Plan, target: str) -> None:
        super().__init__()
        self._plan, self._target = plan, target
        self._told: list[tuple[Any, ...]] = []
        self._sides: dict[tuple[int, str, str], int] = {}

    def __missing__(self, row: Row) -> int:
        self[row] = number = self._number(row)
        return number

    def _number(self, row: Row) -> int:
        outcome = self._plan.outcomes[row[: self._plan.deciding]]
        if outcome is None:
            return NOTHING
        if outcome.wrapped:
            return CARRIED - self._plan.wrapped.index(outcome.wrapped)
        origin, target = map(_address, sides(self._plan, outcome, row))
        if origin is None:
            return NOTHING
        key = self._plan.shelf_of[outcome.rule], origin, target or self._target
        side = self._sides.setdefault(key, len(self._sides))
        self._told.append((outcome.rule, side, *key[1:], outcome.weight, outcome.solid, outcome.times or 1))
        return len(self._told) - 1

    def told(self) -> pl.DataFrame:
        """Of every number: the rule, who is told of, the weight, whether it is solid, and how often.

        `side` is one number wherever service, kind, evidence, origin and target are the same.
        """
        return pl.DataFrame(list(map(list, zip(*self._told, strict=True))), schema=_TOLD)


@lru_cache(maxsize=100_000)
def _address(text: str) -> str | None:
    return normalise(bare_address(text))


def sides(plan: Plan, outcome: Outcome, row: Row) -> tuple[str, str]:
    """Origin and target of a row as they are written: what a pattern read, or else the fields."""
    rule = plan.rules[outcome.rule][1]
    origin = first_of(plan, rule.origin, row) if outcome.origin is None else outcome.origin
    target = first_of(plan, rule.target, row) if outcome.target is None else outcome.target
    return origin, target


def first_of(plan: Plan, paths: Names, row: Row) -> str:
    """What the first of some fields that holds something says in a row."""
    for place in plan.places(paths):
        if (value := row[place]) is not None and value not in NOBODY:
            return as_text(value)
    return ""


def frame_of(plan: Plan, meanings: Meanings, meant: Sequence[int], columns: Kept) -> pl.DataFrame:
    """The rows that tell of somebody, with their `place`, their `time` as text and what they mean."""
    frame = pl.DataFrame({"meant": meant}, schema={"meant": pl.Int32}).with_row_index("place")
    frame = frame.filter(pl.col("meant") > NOTHING)
    frame = frame.hstack(meanings.told()[frame["meant"]])
    parts = []
    for part in frame.partition_by("rule", maintain_order=True):
        rule = plan.rules[int(part["rule"][0])][1]
        places = part["place"].to_list() if part.height < len(meant) else None
        part = part.with_columns(pl.Series("time", _texts(plan, rule.time, columns, places), dtype=pl.String))
        if rule.count:
            part = part.with_columns(pl.Series("times", _counts(plan, rule.count, columns, places)))
        parts.append(part)
    return pl.concat(parts).sort("place") if len(parts) > 1 else parts[0]


def _texts(plan: Plan, paths: Names, columns: Kept, places: list[int] | None) -> Sequence[str | None]:
    """What the first of some fields that holds something says, for the rows at `places` (None: all)."""
    found: Sequence[Any] = ()
    for number in plan.places(paths):
        column = _at(columns[number], places)
        if not found or found.count(None) == len(found):
            found = column
        else:
            found = [other if value in NOBODY else value for value, other in zip(found, column, strict=True)]
        if not any(map(found.count, NOBODY)):
            break
    return found if set(map(type, found)) <= _PLAIN else [_text(value) for value in found]


def _counts(plan: Plan, path: str, columns: Kept, places: list[int] | None) -> list[int]:
    return list(map(count_of, _at(columns[plan.place[path]], places)))


def _at(column: Sequence[Any], places: list[int] | None) -> Sequence[Any]:
    return column if places is None else [column[place] for place in places]


def _text(value: Any) -> str | None:
    return None if value is None else as_text(value)


def count_of(value: Any) -> int:
    """How often, as a field says it; once where it says no number."""
    number = None if value is None else as_number(value)
    return int(number) if number is not None and 1 <= number < 1e9 else 1


def times_of(texts: pl.Series) -> pl.DataFrame:
    """Times as `hour` (what `stamps.Clock` settles), `seconds` behind it, and whether the zone is `open`."""
    hour, seconds = _clocked(texts.str.slice(0, 13), texts.str.slice(14, 2), texts.str.slice(17, 2))
    tail = texts.str.slice(19).str.extract(TAIL, 1)
    iso = texts.str.contains(ISO)
    frame = pl.DataFrame({"hour": hour + tail.fill_null(""), "seconds": seconds, "open": tail.is_null()})
    if iso.all() and not iso.null_count():
        return frame
    epoch = texts.str.extract(EPOCH, 1).cast(pl.Int64)
    parts = texts.str.extract_groups(_OTHER).struct
    others, behind = _clocked(parts.field("1"), parts.field("2"), parts.field("3"))
    after = parts.field("4").str.strip_chars(" ])")
    rest = pl.DataFrame(
        {
            "hour": pl.select(
                pl.coalesce((epoch // HOUR * HOUR).cast(pl.String), others + after)
            ).to_series(),
            "seconds": pl.select(
                pl.when(epoch.is_not_null()).then(epoch % HOUR).otherwise(behind)
            ).to_series(),
            "open": epoch.is_null() & ~after.str.contains("^(Z|UTC|GMT|[+-])").fill_null(value=False),
        }
    )
    known = iso.fill_null(value=False)
    columns = ("hour", "seconds", "open")
    return pl.select([pl.when(known).then(frame[name]).otherwise(rest[name]).alias(name) for name in columns])


def _clocked(hour: pl.Series, minute: pl.Series, second: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The hour where minute and second are possible (null elsewhere), and the seconds behind it."""
    minutes, seconds = minute.cast(pl.Int64, strict=False), second.cast(pl.Int64, strict=False)
    possible = ((minutes < 60) & (seconds < 61)).fill_null(value=False)
    return pl.select(pl.when(possible).then(hour)).to_series(), minutes * 60 + seconds


def look_up(series: pl.Series, table: dict[str, Any], dtype: Any = pl.String) -> pl.Series:
    if not table:
        return pl.Series(series.name, [None] * len(series), dtype=dtype)
    return series.replace_strict(table, default=None, return_dtype=dtype)
