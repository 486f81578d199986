"""What rules read from records, as a table: origins, targets and times as text; and times taken apart."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from tocsin.sift.recordplan import Outcome, Plan
from tocsin.sift.records import Names, Scalar, as_number, as_text

Columns = Sequence[Sequence[Scalar | None]]

HOUR = 3600
ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
TAIL = r"(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})$"
EPOCH = r"^([0-9]{10})(?:[0-9]{3}|[0-9]{6}|[0-9]{9})?(?:\.[0-9]*)?$"  # in seconds, or down to nanoseconds
NOBODY = (None, "", "-")
_OTHER = r"^(?:[A-Z][a-z]{2},? )?(.*?[ :T][0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,][0-9]+)?(.*)$"
_PLAIN = frozenset((str, type(None)))


def frame_of(
    plan: Plan, told: dict[int, list[int]], outcomes: list[Outcome | None], columns: Columns
) -> pl.DataFrame:
    """What the rules read, a row for each record in order, as text where it is not settled yet."""
    parts = []
    for number, places in told.items():
        rule = plan.rules[number][1]
        is_all = len(places) == len(outcomes)
        mine = [outcome for outcome in outcomes if outcome and outcome.rule == number]
        parts.append(
            pl.DataFrame(
                {
                    "place": places,
                    "rule": pl.repeat(number, len(mine), dtype=pl.Int32, eager=True),
                    "origin": _read(
                        plan, rule.origin, columns, None if is_all else places, [o.origin for o in mine]
                    ),
                    "target": _read(
                        plan, rule.target, columns, None if is_all else places, [o.target for o in mine]
                    ),
                    "time": _texts(plan, rule.time, columns, None if is_all else places),
                    "times": _counts(plan, rule.count, columns, places, mine),
                    "weight": [outcome.weight for outcome in mine],
                    "solid": [outcome.solid for outcome in mine],
                },
                schema=_FOUND,
            )
        )
    return pl.concat(parts).sort("place") if len(parts) > 1 else parts[0]


_FOUND = {
    "place": pl.Int64, "rule": pl.Int32, "origin": pl.String, "target": pl.String, "time": pl.String,
    "times": pl.Int64, "weight": pl.Int64, "solid": pl.Boolean,
}  # fmt: skip


def _read(
    plan: Plan, paths: Names, columns: Columns, places: list[int] | None, matched: list[str | None]
) -> Sequence[str | None]:
    """What a pattern read, or else the fields."""
    if matched.count(None) < len(matched):
        return matched
    return _texts(plan, paths, columns, places)


def _texts(plan: Plan, paths: Names, columns: Columns, places: list[int] | None) -> Sequence[str | None]:
    """What the first of some fields that holds something says, for the rows at `places` (None: all)."""
    found: Sequence[Any] = []
    for number in plan.places(paths):
        whole = columns[number]
        column: Sequence[Any] = whole if places is None else [whole[place] for place in places]
        if not found or found.count(None) == len(found):
            found = column
        else:
            found = [other if value in NOBODY else value for value, other in zip(found, column, strict=True)]
        if not any(map(found.count, NOBODY)):
            break
    if not found:
        return [None] * len(columns[0] if places is None else places)
    return found if set(map(type, found)) <= _PLAIN else [_text(value) for value in found]


def _counts(plan: Plan, path: str, columns: Columns, places: list[int], outcomes: list[Outcome]) -> list[int]:
    if not path:
        return [outcome.times or 1 for outcome in outcomes]
    column = columns[plan.place[path]]
    return [_count(column[place]) for place in places]


def _text(value: Any) -> str | None:
    return None if value is None else as_text(value)


def _count(value: Any) -> int:
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
