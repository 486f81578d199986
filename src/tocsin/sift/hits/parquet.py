"""Parquet files of hits, of any make: DuckDB reads them where they lie, and Python never sees a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tocsin.sift.hits.sql import HOUR, STOPPED
from tocsin.sift.hits.staging import Span, quoted
from tocsin.sift.sources import Unreadable
from tocsin.sift.stamps import EARLIEST, not_after

if TYPE_CHECKING:
    import duckdb

MAGIC = b"PAR1"
DAMAGED = "a damaged Parquet file"
MOST_KEPT = 10_000  # rejected rows that are kept one by one


@dataclass(frozen=True)
class Surveyed:
    """What one file holds: the relation of its hits with their span, and the rows that stopped nobody.

    `rejected` are the reasons with their number of rows; `kept` the first rejected rows as number, reason and
    JSON.
    """

    relation: str
    span: Span
    noise: int
    rejected: dict[str, int]
    kept: list[tuple[int, str, bytes]]


def columns_of(db: "duckdb.DuckDBPyConnection", path: str) -> dict[str, str]:
    """Names and types of a file's columns, those inside of others with a dot. Raises Unreadable."""
    import duckdb

    try:
        described = db.execute(f"DESCRIBE FROM read_parquet('{quoted(path)}')").fetchall()
    except duckdb.Error as error:
        raise Unreadable(DAMAGED) from error
    return {name: kind for name, kind, *_ in described}


def rows_of(db: "duckdb.DuckDBPyConnection", path: str) -> int:
    """How many rows a file has."""
    (count,) = db.execute(f"SELECT count(*) FROM read_parquet('{quoted(path)}')").fetchone() or (0,)
    return int(count)


def survey(
    db: "duckdb.DuckDBPyConnection",
    path: str,
    fields: Mapping[str, str],
    kinds: Mapping[str, str],
    tz: str | None,
) -> Surveyed:
    """Look a file over: what can be counted, and what cannot and why. Raises Unreadable."""
    import duckdb

    columns = {field: '"' + column.replace('"', '""') + '"' for field, column in fields.items()}
    hour = _hour(columns["time"], kinds[fields["time"]], tz)
    value = f"CAST({columns['indicator']} AS VARCHAR)"
    least, most = int(EARLIEST.timestamp()), not_after()
    bad = {
        "a row without an indicator": f"coalesce({value}, '') = ''",
        "a row without a time": f"{columns['time']} IS NULL",
        "impossible time": f"coalesce(({hour}) NOT BETWEEN {least} AND {most}, TRUE)",
    }
    reason = "CASE " + " ".join(f"WHEN {test} THEN '{words}'" for words, test in bad.items()) + " END"
    stopped = "TRUE"
    if "action" in columns:
        words = ", ".join(f"'{word}'" for word in STOPPED)
        stopped = f"coalesce(lower(CAST({columns['action']} AS VARCHAR)), '') IN ({words})"
    file = f"read_parquet('{quoted(path)}')"
    span = _sound(db, file, columns, kinds[fields["time"]], kinds[fields["indicator"]], tz)
    client = "CAST(NULL AS VARCHAR)"
    if "client" in columns:
        is_number = kinds[fields["client"]] == "UINTEGER"
        client = columns["client"] if is_number else f"CAST({columns['client']} AS VARCHAR)"
    found = f"SELECT {value} AS value, {hour} AS hour, {client} AS client, 1 AS hits FROM {file}"
    if span:
        return Surveyed(f"({found})", span, 0, {}, [])
    try:
        counted = db.execute(
            f"SELECT {reason} AS reason, {stopped} AS stopped, count(*), min({hour}), max({hour})"
            f" FROM {file} GROUP BY reason, stopped"
        ).fetchall()
        rejected = {why: 0 for why, *_ in counted if why}
        for why, _, count, *_ in counted:
            if why:
                rejected[why] += count
        kept = _kept(db, path, reason) if rejected else []
    except duckdb.Error as error:
        raise Unreadable(DAMAGED) from error
    where = [stopped] if "action" in columns else []
    where += [f"NOT ({test})" for words, test in bad.items() if words in rejected]
    relation = f"({found}{' WHERE ' + ' AND '.join(where) if where else ''})"
    noise = sum(count for why, is_stopped, count, *_ in counted if not why and not is_stopped)
    good = [row for row in counted if not row[0] and row[1]]
    span = Span(good[0][3], good[0][4], good[0][2]) if good else Span(0, 0, 0)
    return Surveyed(relation, span, noise, rejected, kept)


def _sound(
    db: "duckdb.DuckDBPyConnection",
    file: str,
    columns: Mapping[str, str],
    time_kind: str,
    value_kind: str,
    tz: str | None,
) -> Span | None:
    """The span of a file of which every row is a hit; None where it must be looked over.

    DuckDB answers all this from the file's own statistics, where there are some.
    """
    import duckdb

    is_instant = time_kind.startswith("TIMESTAMP") and ("ZONE" in time_kind or not tz)
    if "action" in columns or value_kind != "VARCHAR" or not is_instant:
        return None
    time, value = columns["time"], columns["indicator"]
    hours = ", ".join(_hour(column, time_kind, tz) for column in ("least", "most"))
    try:
        broken = db.execute(
            f"SELECT count(*) FROM {file} WHERE {time} IS NULL OR {value} IS NULL OR {value} = ''"
        ).fetchone()
        found = db.execute(
            f"SELECT {hours}, rows"
            f" FROM (SELECT min({time}) AS least, max({time}) AS most, count(*) AS rows FROM {file})"
        ).fetchone()
    except duckdb.Error as error:
        raise Unreadable(DAMAGED) from error
    if broken != (0,) or not found or not found[2]:
        return None
    span = Span(*found)
    return span if span.first >= int(EARLIEST.timestamp()) and span.last <= not_after() else None


def _kept(db: "duckdb.DuckDBPyConnection", path: str, reason: str) -> list[tuple[int, str, bytes]]:
    rows = db.execute(
        f"SELECT file_row_number + 1, {reason} AS reason, to_json(raw)::VARCHAR"
        f" FROM (FROM read_parquet('{quoted(path)}', file_row_number = true)) AS raw"
        f" WHERE {reason} IS NOT NULL ORDER BY 1 LIMIT {MOST_KEPT}"
    ).fetchall()
    return [(number, why, str(text).encode()) for number, why, text in rows]


def _hour(column: str, kind: str, tz: str | None) -> str:
    """The start of the hour in seconds since 1970, whatever type the time has. Raises Unreadable."""
    if kind.startswith("TIMESTAMP") and "ZONE" not in kind:
        at = f"CAST({column} AS TIMESTAMP)"
        if tz:
            at = f"timezone('{quoted(tz)}', {at})"
        return f"epoch_us({at}) // {HOUR}000000 * {HOUR}"
    if kind.startswith("TIMESTAMP"):
        return f"epoch_us({column}) // {HOUR}000000 * {HOUR}"
    if kind == "VARCHAR":
        return f"epoch_us(TRY_CAST({column} AS TIMESTAMPTZ)) // {HOUR}000000 * {HOUR}"
    if kind in ("BIGINT", "UBIGINT", "INTEGER", "UINTEGER", "DOUBLE"):
        number = f"CAST({column} AS DOUBLE)"
        parts = ((1e11, 1), (1e14, 1e3), (1e17, 1e6))  # seconds, or thousandths and so on of them
        scale = " ".join(f"WHEN {number} < {most} THEN {scale}" for most, scale in parts)
        scale = f"CASE {scale} ELSE 1e9 END"
        return f"CAST(floor({number} / {scale} / {HOUR}) AS BIGINT) * {HOUR}"
    raise Unreadable(f"a time of type {kind}")
