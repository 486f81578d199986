"""Hits in, pieces out: DuckDB gives every indicator its number and every client its keyed id, day by day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tocsin.sift.hits import clients, sql
from tocsin.sift.hits.pieces import CLIENT_FORMS, DAY_FORMS, SECONDS, Piece, Pieces

if TYPE_CHECKING:
    import duckdb

Resolve = Callable[[str], str | None]

THREADS = 2
MEMORY = "1400MB"
MERGE_FROM = 16  # pieces of a day that are merged into one
_OPTIONS = "FORMAT parquet, PARTITION_BY (day), COMPRESSION zstd, ROW_GROUP_SIZE 1000000"
_DAY = f"DATE '1970-01-01' + CAST(hour // {SECONDS} AS INTEGER) AS day"


@dataclass(frozen=True)
class Taken:
    """What became of one batch: rows that are hits of a known indicator, and rows of other policies."""

    observed: int
    elsewhere: int
    pieces: tuple[Piece, ...]


class Staging:
    """Turns relations of hits (`value`, `hour`, `client` as text, `hits`) into pieces of a store.

    `resolve` says which indicator a value is, None where it is none of ours.
    """

    def __init__(self, pieces: Pieces, resolve: Resolve) -> None:
        self.pieces = pieces
        self._resolve = resolve
        self.db = connected(pieces)
        self.db.execute("CREATE TABLE named (value VARCHAR PRIMARY KEY, id UINTEGER)")
        self._drawn: int | None = None
        self._some_elsewhere = False

    def take(self, relation: str, log: int, *, keep_clients: bool = True) -> Taken:
        """Write the pieces of a relation without nulls in `value` and `hour`; they do not count yet."""
        self._name(relation)
        first, last, rows = self._one(f"SELECT min(hour), max(hour), count(*) FROM {relation} AS hits")
        if not rows:
            return Taken(0, 0, ())
        known = f"(SELECT value, hour, client, hits, id FROM {relation} AS hits JOIN named USING (value))"
        if self._some_elsewhere:
            (mine,) = self._one(f"SELECT count(*) FROM {known} WHERE id IS NOT NULL")
        else:
            mine = rows
        columns = f"{log}::UINTEGER AS source, id AS indicator, hour::UINTEGER AS hour, hits::BIGINT AS hits"
        query = f"SELECT {columns}, client FROM {known} WHERE id IS NOT NULL"
        if not keep_clients:
            placed = self._write("hours", _without(query))
            return Taken(mine, rows - mine, tuple(placed))
        placed, period = [], clients.PERIOD * SECONDS
        for start in range(first // period * period, last + 1, period):
            of_period = query
            if (first // period, last // period) != (start // period, start // period):
                of_period += f" AND hour >= {start} AND hour < {start + period}"
            placed += self._take_period(of_period, start // SECONDS)
        written = self._count(placed, "clients")
        if written < mine:
            placed += self._take_others(query, first // period, last // period)
        return Taken(mine, rows - mine, tuple(placed))

    def settle(self, day: int) -> None:
        """Make a day's tallies anew from its clients; many small pieces become one."""
        paths = self.pieces.paths(CLIENT_FORMS, day)
        folder = self.pieces.aside()
        parts = [
            f"({sql.tallies(read(files, 'indicator, hour, client, hits'))})"
            for files in paths.values()
            if files
        ]
        joined = " UNION ALL ".join(f"SELECT * FROM {part}" for part in parts)
        tallied = (
            "SELECT 0::UINTEGER AS source, indicator, hour, sum(hits)::BIGINT AS hits,"  # noqa: S608
            f" sum(clients)::BIGINT AS clients, {_DAY} FROM ({joined}) GROUP BY indicator, hour"
        )
        if len(parts) == 1:
            tallied = f"SELECT 0::UINTEGER AS source, *, {_DAY} FROM {parts[0]}"  # noqa: S608
        self.db.execute(f"COPY ({tallied}) TO '{quoted(folder)}' ({_OPTIONS})")
        settled, merged = self.pieces.place("settled", folder), []
        for form in CLIENT_FORMS:
            if len(paths[form]) > MERGE_FROM:
                merged += self._merge(form, paths[form])
        self.pieces.settle(day, settled, merged)

    def hits(self, placed: Sequence[Piece]) -> list[tuple[int, int, int, int]]:
        """Hits of some pieces: source, indicator, hour, hits."""
        paths = [str(self.pieces.path(piece)) for piece in placed]
        columns = "source, indicator, hour, hits"
        parts = " UNION ALL ".join(f"SELECT * FROM {read([path], columns)}" for path in paths)
        if not parts:
            return []
        return self.db.execute(
            f"SELECT source, indicator, hour, sum(hits)::BIGINT FROM ({parts}) GROUP BY source, indicator, hour"  # noqa: S608
        ).fetchall()

    def clients(self, day: int) -> list[tuple[int, int, int, int | None]]:
        """Different clients of a day, log by log: source, indicator, hour, clients.

        None where some hits say nothing of their client.
        """
        paths = self.pieces.paths((*CLIENT_FORMS, "hours"), day)
        found: dict[tuple[int, int, int], int | None] = {}
        for form in CLIENT_FORMS:
            if not paths[form]:
                continue
            logs = self.db.execute(
                f"SELECT DISTINCT source FROM {read(paths[form])} ORDER BY source"
            ).fetchall()  # noqa: S608
            for (log,) in logs:
                of_log = f"(SELECT * FROM {read(paths[form])} WHERE source = {log:d})"  # noqa: S608
                for indicator, hour, _, clients_ in self.db.execute(sql.tallies(of_log)).fetchall():
                    key = (log, indicator, hour)
                    found[key] = (found.get(key) or 0) + clients_
        if paths["hours"]:
            unknown = self.db.execute(f"SELECT DISTINCT source, indicator, hour FROM {read(paths['hours'])}")  # noqa: S608
            found.update(dict.fromkeys(unknown.fetchall()))
        return [(*key, count) for key, count in found.items()]

    def tallied(self) -> str:
        """All hourly tallies as a relation: `indicator` (a number), `hour`, `hits`, `clients`.

        Clients counted in two goes cannot be added up, nor known where some hits say nothing of them.
        """
        paths = self.pieces.paths(DAY_FORMS)
        files = [path for form in DAY_FORMS for path in paths[form]]
        if not files:
            return "(SELECT 0 AS indicator, 0 AS hour, 0 AS hits, 0 AS clients WHERE false)"
        return (
            "(SELECT indicator, hour, sum(hits)::BIGINT AS hits,"  # noqa: S608
            " CASE WHEN count(*) = 1 THEN max(clients) END AS clients"
            f" FROM {read(files)} GROUP BY indicator, hour)"
        )

    def _merge(self, form: str, paths: Sequence[str]) -> list[Piece]:
        folder = self.pieces.aside()
        keys = "source, indicator, hour, client"
        self.db.execute(
            f"COPY (SELECT {keys}, sum(hits)::BIGINT AS hits, {_DAY} FROM {read(paths)} GROUP BY {keys})"  # noqa: S608
            f" TO '{quoted(folder)}' ({_OPTIONS})"
        )
        return self.pieces.place(form, folder)

    def _name(self, relation: str) -> None:
        """Give every value of a relation its number, or none where it is nothing of ours."""
        new = self.db.execute(
            f"SELECT DISTINCT value FROM {relation} AS hits ANTI JOIN named USING (value)"  # noqa: S608
        ).fetchall()
        resolved = {value: self._resolve(value) for (value,) in new}
        numbers = self.pieces.indicators(sorted({value for value in resolved.values() if value is not None}))
        self._some_elsewhere |= None in resolved.values()
        self.db.execute(
            "INSERT INTO named SELECT unnest(?::VARCHAR[]), unnest(?::UINTEGER[])",
            [list(resolved), [None if value is None else numbers[value] for value in resolved.values()]],
        )

    def _take_period(self, query: str, day: int) -> list[Piece]:
        self._draw(day)
        addresses = query if self._is_number(query) else clients.address_of(query)
        numbered = f"SELECT * FROM ({addresses}) WHERE client IS NOT NULL"  # noqa: S608
        return self._write("clients", clients.scrambled(numbered))

    def _take_others(self, query: str, first: int, last: int) -> list[Piece]:
        """Clients that are no IPv4 address in its one spelling, or nobody: few, or a file of IPv6 alone."""
        self.db.execute(
            "CREATE OR REPLACE TEMP TABLE rest AS SELECT r.* FROM"  # noqa: S608
            f" ({query}) AS r WHERE {clients.is_other('client')}"
        )
        placed: list[Piece] = []
        for period in range(first, last + 1):
            start, length = period * clients.PERIOD * SECONDS, clients.PERIOD * SECONDS
            of_period = f"SELECT * FROM rest WHERE hour >= {start} AND hour < {start + length}"  # noqa: S608
            said = self.db.execute(
                f"SELECT DISTINCT client FROM ({of_period}) WHERE trim(client) <> ''"  # noqa: S608
            ).fetchall()
            if said:
                placed += self._take_said(of_period, [text for (text,) in said], period * clients.PERIOD)
        nobody = "SELECT * FROM rest WHERE client IS NULL OR trim(client) = ''"
        if self._one(f"SELECT count(*) FROM ({nobody})")[0]:
            placed += self._write("hours", _without(nobody))
        self.db.execute("DROP TABLE rest")
        return placed

    def _take_said(self, query: str, said: Sequence[str], day: int) -> list[Piece]:
        spelled = {text: clients.canonical(text) for text in said}
        key = self.pieces.key(day)
        addresses = {text: str(one) for text, one in spelled.items() if not isinstance(one, str)}
        others = {text: clients.other_id(one, key) for text, one in spelled.items() if isinstance(one, str)}
        placed: list[Piece] = []
        if addresses:
            placed += self._take_period(self._respelled(query, addresses, "VARCHAR"), day)
        if others:
            placed += self._write("others", self._respelled(query, others, "BLOB"))
        return placed

    def _respelled(self, query: str, ids: dict[str, Any], kind: str) -> str:
        name = f"spelled_{kind.lower()}"
        self.db.execute(f"CREATE OR REPLACE TEMP TABLE {name} (said VARCHAR, id {kind})")
        self.db.execute(
            f"INSERT INTO {name} SELECT unnest(?::VARCHAR[]), unnest(?::{kind}[])",  # noqa: S608
            [list(ids), list(ids.values())],
        )
        return (
            f"SELECT * EXCLUDE (client, said, id), {name}.id AS client"  # noqa: S608
            f" FROM ({query}) AS q JOIN {name} ON q.client = {name}.said"
        )

    def _draw(self, day: int) -> None:
        """Have the tables of the day's key at hand."""
        if self._drawn == clients.period_of(day):
            return
        for number, function in enumerate(clients.tables(self.pieces.key(day))):
            self.db.execute(
                f"CREATE OR REPLACE TEMP TABLE round{number} AS"  # noqa: S608
                f" SELECT unnest(range({clients.HALF}))::UINTEGER AS right_half, unnest(?::UINTEGER[]) AS f",
                [list(function)],
            )
        self._drawn = clients.period_of(day)

    def _write(self, form: str, query: str) -> list[Piece]:
        folder = self.pieces.aside()
        self.db.execute(f"COPY (SELECT *, {_DAY} FROM ({query})) TO '{quoted(folder)}' ({_OPTIONS})")  # noqa: S608
        return self.pieces.place(form, folder)

    def _count(self, pieces: Sequence[Piece], form: str) -> int:
        paths = [str(self.pieces.path(piece)) for piece in pieces if piece.form == form]
        return int(self._one(f"SELECT count(*) FROM {read(paths)}")[0]) if paths else 0

    def _is_number(self, query: str) -> bool:
        described = self.db.execute(f"DESCRIBE {query}").fetchall()
        return next(kind for name, kind, *_ in described if name == "client") == "UINTEGER"

    def _one(self, query: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self.db.execute(query).fetchone() or (0,)
        return row


def connected(pieces: Pieces) -> "duckdb.DuckDBPyConnection":
    """A DuckDB of bounded memory that puts aside beside the store what does not fit."""
    import duckdb

    pieces.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    db = duckdb.connect(
        config={"threads": THREADS, "memory_limit": MEMORY, "preserve_insertion_order": False}
    )
    db.execute(f"SET temp_directory = '{quoted(pieces.folder / 'aside' / 'spilled')}'")
    db.execute("SET TimeZone = 'UTC'")
    return db


def read(paths: Sequence[str], columns: str = "*") -> str:
    """Files as a relation."""
    listed = ", ".join(f"'{quoted(path)}'" for path in paths)
    return f"(SELECT {columns} FROM read_parquet([{listed}], hive_partitioning = false))"  # noqa: S608


def quoted(path: object) -> str:
    """A path inside SQL's single quotes."""
    return str(path).replace("'", "''")


def _without(query: str) -> str:
    return (
        "SELECT source, indicator, hour, sum(hits)::BIGINT AS hits, NULL::BIGINT AS clients"  # noqa: S608
        f" FROM ({query}) GROUP BY source, indicator, hour"
    )
