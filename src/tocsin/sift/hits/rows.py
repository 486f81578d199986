"""Rows of an export (CSV, NDJSON) as hits: the time settled, the action judged, the indicator found."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from tocsin.sift.hits.columns import FIELDS, recognised
from tocsin.sift.hits.sql import HOUR, STOPPED
from tocsin.sift.lines import IMPOSSIBLE_TIME

if TYPE_CHECKING:
    from tocsin.sift.lines import Block
    from tocsin.sift.stamps import Clock

NO_INDICATOR = "a row without an indicator"
NO_TIME = "a row without a time"
NOT_JSON = "not a JSON object"
WRONG_COLUMNS = "not as many columns as are named"
NOT_CSV = "broken CSV"
DELIMITERS = ",;\t|"
SCHEMA = {"value": pl.String, "hour": pl.Int64, "client": pl.String, "hits": pl.Int64}

Reject = Callable[[int, str, bytes], None]
Read = tuple[list[int], dict[str, list[str | None]]]


@dataclass(frozen=True)
class Export:
    """How a file of rows is read: which rows of a block are whole and their fields, and is there a header?"""

    columns: Callable[["Block", Reject], Read]
    has_header: bool


def export_of(start: bytes, mapping: dict[str, str] | None) -> Export | None:
    """How a file that begins so is read; None where no column says when, or what was blocked."""
    header = header_of(start)
    if header and (fields := recognised(header[1], mapping)):
        delimiter, names = header
        return Export(lambda block, reject: csv_columns(block, delimiter, names, fields, reject), True)
    if inside := recognised(json_names(start), mapping):
        return Export(lambda block, reject: json_columns(block, inside, reject), False)
    return None


def is_export(start: bytes) -> bool:
    """Whether it is an export of some kind, and no log."""
    return is_csv(start) or any(json_names(start))


def header_of(start: bytes) -> tuple[str, list[str]] | None:
    """The delimiter and the names in the first line of a CSV file; None where it is none."""
    first = start.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
    if first[:1] in ("", "{", "[", "<") or "\0" in first:
        return None
    delimiter = max(DELIMITERS, key=first.count)
    try:
        (names,) = csv.reader([first], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):
        return None
    return (delimiter, [name.strip() for name in names]) if len(names) > 1 else None


def csv_columns(
    block: "Block", delimiter: str, names: Sequence[str], fields: Mapping[str, str], reject: Reject
) -> Read:
    """The rows of a block that can be read, and their fields. A quoted line break is no line of ours."""
    places = {field: list(names).index(column) for field, column in fields.items()}
    rows: list[int] = []
    found: dict[str, list[str | None]] = {field: [] for field in fields}
    for row, line in enumerate(block.text):
        if not line.strip():
            continue
        if '"' in line:
            try:
                (cells,) = csv.reader([line], delimiter=delimiter, strict=True)
            except (csv.Error, ValueError):
                reject(block.number(row), NOT_CSV, block.line(row))
                continue
        else:
            cells = line.split(delimiter)
        if len(cells) != len(names):
            reject(block.number(row), WRONG_COLUMNS, block.line(row))
            continue
        rows.append(row)
        for field, place in places.items():
            found[field].append(cells[place])
    return rows, found


def json_columns(block: "Block", fields: Mapping[str, str], reject: Reject) -> Read:
    """The same of NDJSON: fields by their names, those with a dot also inside of others."""
    import msgspec

    decode = msgspec.json.Decoder(dict[str, Any]).decode
    rows: list[int] = []
    found: dict[str, list[str | None]] = {field: [] for field in fields}
    for row, line in enumerate(block.text):
        if not line.strip():
            continue
        try:
            document = decode(line)
        except (msgspec.DecodeError, RecursionError):
            reject(block.number(row), NOT_JSON, block.line(row))
            continue
        rows.append(row)
        for field, column in fields.items():
            found[field].append(_text(_inside(document, column)))
    return rows, found


def hits_of(
    block: "Block",
    rows: Sequence[int],
    fields: Mapping[str, Sequence[str | None]],
    clock: "Clock",
    find: Callable[[str], str | None],
    reject: Reject,
) -> tuple[pl.DataFrame, int]:
    """Hits by value, hour and client; and how many rows stopped nobody, or are nobody's business but ours."""
    from tocsin.sift.stamps import EARLIEST, not_after

    frame = pl.DataFrame(
        {"row": rows} | {field: fields.get(field, [None] * len(rows)) for field in FIELDS},
        schema={"row": pl.Int64} | dict.fromkeys(FIELDS, pl.String),
    )
    frame = _without(
        frame, pl.col("indicator").str.strip_chars().fill_null("") == "", NO_INDICATOR, block, reject
    )
    frame = _without(frame, pl.col("time").str.strip_chars().fill_null("") == "", NO_TIME, block, reject)
    if not len(frame):
        return pl.DataFrame(schema=SCHEMA), 0
    frame = frame.with_columns(_hours(frame["time"], clock)).with_columns(
        value=_each(frame["indicator"], find), client=pl.col("client").str.strip_chars()
    )
    impossible = pl.col("hour").is_null() | ~pl.col("hour").is_between(int(EARLIEST.timestamp()), not_after())
    frame = _without(frame, impossible, IMPOSSIBLE_TIME, block, reject)
    mine = frame.filter(pl.col("value").is_not_null())
    if "action" in fields:
        mine = mine.filter(pl.col("action").str.to_lowercase().str.strip_chars().is_in(STOPPED))
    hits = mine.group_by("value", "hour", "client").agg(hits=pl.len().cast(pl.Int64))
    return hits.select(list(SCHEMA)), len(frame) - len(mine)


def _without(frame: pl.DataFrame, bad: pl.Expr, reason: str, block: "Block", reject: Reject) -> pl.DataFrame:
    for row in frame.filter(bad)["row"]:
        reject(block.number(row), reason, block.line(row))
    return frame.filter(~bad)


def _hours(texts: pl.Series, clock: "Clock") -> pl.Series:
    from tocsin.sift.recordframe import times_of

    times = times_of(texts)
    hours = {text: clock.hour(text) for text in times["hour"].unique() if text is not None}
    table = pl.DataFrame(
        {"hour": list(hours), "at": list(hours.values())}, schema={"hour": pl.String, "at": pl.Int64}
    )
    at = times.join(table, on="hour", how="left", maintain_order="left")
    return at.select(((pl.col("at") + pl.col("seconds")) // HOUR * HOUR).alias("hour")).to_series()


def _each(texts: pl.Series, find: Callable[[str], str | None]) -> pl.Series:
    found = {text: find(text) for text in texts.unique()}
    return texts.replace_strict(found, return_dtype=pl.String)


def _inside(document: dict[str, Any], column: str) -> Any:
    if column in document or "." not in column:
        return document.get(column)
    found: Any = document
    for step in column.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def json_names(start: bytes) -> Iterator[str]:
    """The names in the first object of NDJSON, those inside of others with a dot; none if there is none."""
    import msgspec

    try:
        document = msgspec.json.decode(start.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    yield from _names(document, "")


def _names(document: Any, before: str) -> Iterator[str]:
    if isinstance(document, dict):
        for name, value in document.items():
            yield before + name
            yield from _names(value, f"{before}{name}.")


def is_csv(start: bytes) -> bool:
    """Whether the first line looks like names of columns, and those after it have as many cells."""
    found = header_of(start)
    lines = start.decode("utf-8", "replace").splitlines()[:5]
    if not found or len(lines) < 2 or not all(name.isidentifier() for name in found[1]):
        return False
    return len({line.count(found[0]) for line in lines}) == 1


def without_first(block: "Block") -> "Block":
    """A block without its first line."""
    from tocsin.sift.lines import Block

    return Block(block.text.slice(1), block.first + 1, raw=block.raw[1:] if block.raw else None)
