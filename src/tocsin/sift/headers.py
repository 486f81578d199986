"""Taking lines apart: what stands before a message, as Polars columns.

A line is read as syslog by its first colon and the shapes of `shapes.SHAPES`, or as a program's own log by
those of `shapes.BARE`. Lines are frames with `row` (where in the block) and `line`; what is read is added.
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from tocsin.sift.access import transcribe
from tocsin.sift.shapes import BARE, HEADER, REPEATED, RFC5424, SHAPES

_PROGRAM = r"([^ \[]+?)(?:\[[0-9]+\])?$"
# How a program's own line begins that syslog, the journal or a container's log carries.
CARRIED = (
    r"^[\[(<]?(?:t(?:ime)?=\"?)?(?:[0-9]{4}[/-][0-9]{2}[/-][0-9]{2}[T -]"
    r"|[0-9]{2}[/-][A-Z][a-z]{2}[/-][0-9]{4}[ :]|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ 0-9][0-9] )"
)
_CONTAINER = r"^[A-Za-z0-9_./-]+ +\| +(.*)$"  # as `docker compose logs` names the container


def split(lines: pl.Series) -> pl.DataFrame:
    """Lines as `head`, `program` and `message`, with `message repeated` unfolded into `repeats`."""
    parts = lines.str.splitn(": ", 2).struct
    head = parts.field("field_0")
    parted = pl.DataFrame(
        {
            "line": lines,
            "head": head,
            "program": head.str.extract(_PROGRAM, 1),
            "message": parts.field("field_1"),
        }
    )
    if parted["message"].null_count():  # no colon: no syslog, whatever its last word is
        parted = parted.with_columns(
            pl.when(pl.col("message").is_not_null()).then(pl.col("program")).alias("program")
        )
    framed = lines.str.contains(RFC5424.start)
    if framed.any():
        groups = lines.str.extract_groups(RFC5424.pattern).struct
        parted = parted.with_columns(
            pl.when(framed).then(pl.col("line")).otherwise(pl.col("head")).alias("head"),
            pl.when(framed).then(groups.field("program")).otherwise(pl.col("program")).alias("program"),
            pl.when(framed).then(groups.field("message")).otherwise(pl.col("message")).alias("message"),
        )
    repeated = parted["message"].str.starts_with("message repeated ").fill_null(value=False)
    if not repeated.any():
        return parted.with_columns(pl.lit(1, pl.Int64).alias("repeats"))
    unfolded = parted["message"].str.extract_groups(REPEATED).struct
    return parted.with_columns(
        pl.when(repeated).then(unfolded.field("message")).otherwise(pl.col("message")).alias("message"),
        pl.when(repeated).then(unfolded.field("times").cast(pl.Int64)).otherwise(1).alias("repeats"),
    )


def headers(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines with their syslog header taken apart, shape after shape, the most frequent first; in order."""
    done = []
    for number, shape in enumerate(SHAPES):
        fields = lines["head"].str.extract_groups(shape.pattern).struct
        hour = fields.field("hour") + fields.field("tail") if shape.has_tail else fields.field("hour")
        parsed = lines.with_columns(
            hour.alias("hour"),
            *(fields.field(name).alias(name) for name in ("minute", "second", "host")),
            pl.lit(number, pl.Int8).alias("shape"),
        )
        hit = hour.is_not_null()
        done.append(parsed.filter(hit))
        lines = lines.filter(~hit)
        if not lines.height:
            break
    return pl.concat(done).sort("row") if len(done) > 1 else done[0]


def bare(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines with the time that a program's own log says and their message; in order."""
    done = []
    for number, shape in enumerate(BARE.values(), start=len(SHAPES)):
        if not lines.height:
            break
        fields = lines["line"].str.extract_groups(shape.pattern).struct
        hour = fields.field("hour")
        hit = hour.is_not_null()
        if not hit.any():
            continue
        if shape.has_tail:
            hour = hour + fields.field("tail").fill_null("")
        message = fields.field("message") if "(?P<message>" in shape.pattern else lines["line"]
        parsed = lines.with_columns(
            hour.alias("hour"),
            *(fields.field(name).alias(name) for name in ("minute", "second")),
            message.alias("message"),
            pl.lit(None, pl.String).alias("host"),
            pl.lit(number, pl.Int8).alias("shape"),
            pl.lit(number, pl.Int16).alias("asked"),
        )
        done.append(parsed.filter(hit))
        lines = lines.filter(~hit)
    return (
        pl.concat(done).sort("row")
        if done
        else lines.with_columns(
            *(
                pl.lit(None, pl.String).alias(name)
                for name in ("hour", "minute", "second", "message", "host")
            ),
            pl.lit(None, pl.Int8).alias("shape"),
            pl.lit(None, pl.Int16).alias("asked"),
        )
    )


def carried(unheaded: pl.DataFrame, written: pl.DataFrame) -> pl.DataFrame:
    """Lines of programs' own logs that syslog (`written`) or a container's log carried, read like these logs.

    `line` is the whole line as it was carried; the host is that of syslog's header.
    """
    inside = pl.col("line").str.contains(CARRIED)
    wrapped = written.select("row", "head", whole="line", line="message").filter(inside)
    message = pl.col("line").str.extract(_CONTAINER, 1)
    composed = unheaded.select("row", pl.lit("").alias("head"), whole="line", line=message).filter(inside)
    inner = pl.concat([wrapped, composed])
    hosts = headers(inner.filter(pl.col("head") != "")).select("row", by="host")
    read = bare(inner).filter(pl.col("hour").is_not_null()).join(hosts, on="row", how="left")
    return read.with_columns(line=pl.col("whole"), host=pl.col("by")).drop("whole", "head", "by")


def times_of(text: pl.Series, rows: pl.Series) -> pl.DataFrame:
    """What the headers of these rows say about time and host, by row (`dated`)."""
    lines = pl.DataFrame({"row": rows, "line": text.gather(rows)})
    written = pl.concat([lines.select("row"), split(lines["line"])], how="horizontal")
    headed = headers(written) if lines.height else written.clear()
    own = bare(without(lines, headed))
    columns = ["hour", "minute", "second", "host", "shape"]
    told = [
        part.select(pl.col("row").alias("dated"), *columns)
        for part in (headed, own)
        if "hour" in part.columns
    ]
    return pl.concat(told)


def without(lines: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """The lines that are not found yet."""
    return lines.filter(~lines["row"].is_in(found["row"].to_list())) if found.height else lines


def take_apart(line: str) -> Iterator[dict[str, Any]]:
    """The ways in which a line is read, in the order in which the rules see them: for `tocsin rules explain`.

    Each has `shape` (its number in `shapes.ALL`), `program` (None for a program's own log), `message`,
    `hour`, `minute`, `second` and `host`.
    """
    text = pl.Series([line], dtype=pl.String)
    one = pl.DataFrame({"row": [0], "line": text, "all": [[""]]})
    own = bare(one).filter(pl.col("hour").is_not_null()).with_columns(pl.lit(None).alias("program"))
    headed = text.str.contains(HEADER)[0]
    if headed:
        yield from headers(pl.concat([one.select("row", "all"), split(text)], how="horizontal")).to_dicts()
    yield from own.to_dicts()
    message = split(text)["message"].fill_null(line) if headed else text
    yield from transcribe(message).with_columns(program=None, host=None).to_dicts()
