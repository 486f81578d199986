"""Parquet files of any make, by the record rules or the mapping whose marks are among their columns.

DuckDB reads them, a slice of rows at a time. A row is one record; its evidence is the row's values as JSON.
"""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tocsin.sift.records import steps
from tocsin.sift.regions import Hasher
from tocsin.sift.sources import Unreadable
from tocsin.sift.values import Region

if TYPE_CHECKING:
    import duckdb

    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Source, Stream

MAGIC = b"PAR1"
DAMAGED = "a damaged Parquet file"
_SLICE = 50_000
_CHUNK = 1 << 20


def looks_like(start: bytes) -> bool:
    """A Parquet file."""
    return start.startswith(MAGIC)


def read(run: "Run", source: "Source", stream: "Stream") -> None:
    """Read the rows to their end. Raises Unreadable for a damaged file or one that no rule knows."""
    import duckdb

    with ExitStack() as stack:
        copy = stack.enter_context(
            tempfile.NamedTemporaryFile(suffix=".parquet")
        )  # it may be packed or a pipe
        hasher = Hasher()
        while data := stream.read(_CHUNK):
            hasher.update(data)
            run.see(data)
            copy.write(data)
        copy.flush()
        database = stack.enter_context(duckdb.connect(config={"threads": 2}))
        try:
            _read(run, source, database, Path(copy.name), hasher.regions())
        except duckdb.Error as error:
            raise Unreadable(DAMAGED) from error


def _read(
    run: "Run", source: "Source", database: "duckdb.DuckDBPyConnection", file: Path, regions: list[Region]
) -> None:
    from tocsin.sift.recordplan import Plan
    from tocsin.sift.recordreader import RecordReader

    table = "read_parquet(?, file_row_number = true)"
    kinds = {
        name: kind for name, kind, *_ in database.execute(f"DESCRIBE FROM {table}", [str(file)]).fetchall()
    }
    books = [run.options.mapping] if run.options.mapping else run.rules.general
    plan = Plan([book for book in books if book.marks and set(book.marks) <= set(kinds)])
    if not plan.fields:
        raise Unreadable("a Parquet file of columns that no rule names: give a mapping with --map")
    (count,) = database.execute(f"SELECT count(*) FROM {table}", [str(file)]).fetchone() or (0,)  # noqa: S608
    if run.seen_before(regions, count):
        return
    reader = RecordReader(run, source, plan)
    columns = ", ".join(_expression(path, kinds) for path in plan.fields)
    found = database.execute(f"SELECT file_row_number, {columns} FROM {table}", [str(file)])  # noqa: S608 (names are quoted)
    while rows := found.fetchmany(_SLICE):
        values: list[tuple[Any, ...]] = [row[1:] for row in rows]
        numbers, lines = [row[0] + 1 for row in rows], [msgspec.json.encode(row) for row in values]
        reader.take(numbers, lines, list(zip(*values, strict=True)))
    reader.close()


def _expression(path: str, kinds: dict[str, str]) -> str:
    """A field as SQL that gives text; nothing where there is no such column."""
    walked: Sequence[str | int] = steps(path)
    whole = ".".join(map(str, walked))
    if whole in kinds:
        walked = [whole]
    elif walked[0] not in kinds or (len(walked) > 1 and not kinds[str(walked[0])].startswith("STRUCT")):
        return "NULL"
    named = _quoted(str(walked[0])) + "".join(
        f"[{step + 1}]" if isinstance(step, int) else f".{_quoted(step)}" for step in walked[1:]
    )
    kind = kinds[str(walked[0])] if len(walked) == 1 else ""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({named} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')"
    return f"CAST({named} AS VARCHAR)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
