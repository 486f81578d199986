"""Hits in, pieces out: DuckDB gives every indicator its number and every client its keyed id, day by day."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.sift.hits import clients, sql
from tocsin.sift.hits.pieces import CLIENT_FORMS, DAY_FORMS, SECONDS, Piece, Pieces

if TYPE_CHECKING:
    import duckdb

Resolve = Callable[[str], str | None]

THREADS = 2
MEMORY = "1400MB"
SETTLED_AT_ONCE = 32  # days, written to disk together
MERGE_FROM = 16  # pieces of a day that are merged into one
PARTED = "FORMAT parquet, PARTITION_BY (day), COMPRESSION zstd, COMPRESSION_LEVEL 1"
_DAY = f"DATE '1970-01-01' + CAST(hour // {SECONDS} AS INTEGER) AS day"


@dataclass(frozen=True)
class Span:
    """Of some hits: the start of their first hour and of their last, and how many rows they are."""

    first: int
    last: int
    rows: int


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
        self.db.execute("CREATE TABLE named (value VARCHAR, id UINTEGER)")
        self._drawn: tuple[int, int] | None = None
        self._some_elsewhere = self._values_differ = False

    def take(self, relation: str, log: int, span: Span | None = None) -> Taken:
        """Write the pieces of a relation without nulls in `value` and `hour`; they do not count yet.

        `span`, where it is known, spares a look at it.
        """
        self.name(relation)
        found = span or Span(*self._one(f"SELECT min(hour), max(hour), count(*) FROM {relation} AS hits"))
        if not found.rows:
            return Taken(0, 0, ())
        known = f"(SELECT value, hour, client, hits, id FROM {relation} AS hits JOIN named USING (value))"
        mine = found.rows
        if self._some_elsewhere:
            (mine,) = self._one(f"SELECT count(*) FROM {known} WHERE id IS NOT NULL")
        columns = f"{log}::UINTEGER AS source, id AS indicator, hour::UINTEGER AS hour, hits::BIGINT AS hits"
        query = f"SELECT {columns}, client FROM {known} WHERE id IS NOT NULL"
        length = clients.PERIOD * SECONDS
        first, last = found.first // length, found.last // length
        placed: list[Piece] = []
        for start in range(first, last + 1, clients.AT_ONCE):
            count = min(clients.AT_ONCE, last + 1 - start)
            some = query
            if last - first >= clients.AT_ONCE:
                some += f" AND hour >= {start * length} AND hour < {(start + count) * length}"
            placed += self._take_periods(some, start, count)
        if self._count(placed) < mine:
            placed += self._take_others(query, first, last)
        return Taken(mine, found.rows - mine, tuple(placed))

    def take_hits(self, relation: str, log: int, *, once: bool = False) -> Taken:
        """The same without clients, grouped at once by the names as they are. `once`: a row is one hit."""
        hits = "count(*)" if once else "sum(hits)::BIGINT"
        self.db.execute(
            f"CREATE OR REPLACE TEMP TABLE grouped AS SELECT value, hour, {hits} AS hits, count(*) AS rows"
            f" FROM (SELECT value, hour::UINTEGER AS hour, hits FROM {relation}) AS hits GROUP BY value, hour"
        )
        self.name("grouped")
        query = (
            f"SELECT {log}::UINTEGER AS source, id AS indicator, hour,"
            " sum(hits)::BIGINT AS hits, NULL::BIGINT AS clients"
            " FROM grouped JOIN named USING (value) WHERE id IS NOT NULL GROUP BY id, hour"
        )
        if not self._values_differ:
            query = query.replace("sum(hits)::BIGINT", "hits").removesuffix(" GROUP BY id, hour")
        (rows,) = self._one("SELECT coalesce(sum(rows), 0)::BIGINT FROM grouped")
        mine = rows
        if self._some_elsewhere:
            (mine,) = self._one(
                "SELECT coalesce(sum(rows), 0)::BIGINT FROM grouped JOIN named USING (value)"
                " WHERE id IS NOT NULL"
            )
        placed = self._write("hours", query)
        self.db.execute("DROP TABLE grouped")
        return Taken(mine, rows - mine, tuple(placed))

    def settle(self, days: Sequence[int]) -> None:
        """Make the tallies of days anew from their clients; many small pieces become one."""
        for at in range(0, len(days), SETTLED_AT_ONCE):
            some = days[at : at + SETTLED_AT_ONCE]
            work = [(form, query) for day in some for form, query in self._settled(day)]
            with ThreadPoolExecutor(THREADS) as beside:  # one day alone does not keep two processors busy
                folders = list(beside.map(self._beside, [query for _, query in work]))
            placed = []
            for form in dict.fromkeys(form for form, _ in work):
                mine = [folder for (of, _), folder in zip(work, folders, strict=True) if of == form]
                placed += self.pieces.place(form, *mine)
            self.pieces.settle(some, placed)

    def _settled(self, day: int) -> Iterator[tuple[str, str]]:
        """The queries that make a day's pieces anew, by form."""
        paths = self.pieces.paths(CLIENT_FORMS, day)
        parts = [
            f"({sql.tallies(read(files, 'indicator, hour, client, hits'))})"
            for files in paths.values()
            if files
        ]
        joined = " UNION ALL ".join(f"SELECT * FROM {part}" for part in parts)
        if len(parts) == 1:
            yield "settled", f"SELECT 0::UINTEGER AS source, * FROM {parts[0]}"
        else:
            yield (
                "settled",
                (
                    "SELECT 0::UINTEGER AS source, indicator, hour, sum(hits)::BIGINT AS hits,"
                    f" sum(clients)::BIGINT AS clients FROM ({joined}) GROUP BY indicator, hour"
                ),
            )
        keys = "source, indicator, hour, client"
        for form in CLIENT_FORMS:
            if len(paths[form]) > MERGE_FROM:
                yield (
                    form,
                    f"SELECT {keys}, sum(hits)::BIGINT AS hits FROM {read(paths[form])} GROUP BY {keys}",
                )

    def hits(self, placed: Sequence[Piece]) -> list[tuple[int, int, int, int]]:
        """Hits of some pieces: source, indicator, hour, hits."""
        paths = [str(self.pieces.path(piece)) for piece in placed]
        columns = "source, indicator, hour, hits"
        parts = " UNION ALL ".join(f"SELECT * FROM {read([path], columns)}" for path in paths)
        if not parts:
            return []
        return self.db.execute(
            f"SELECT source, indicator, hour, sum(hits)::BIGINT FROM ({parts})"
            " GROUP BY source, indicator, hour"
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
            ).fetchall()
            for (log,) in logs:
                of_log = f"(SELECT * FROM {read(paths[form])} WHERE source = {log:d})"
                for indicator, hour, _, clients_ in self.db.execute(sql.tallies(of_log)).fetchall():
                    key = (log, indicator, hour)
                    found[key] = (found.get(key) or 0) + clients_
        if paths["hours"]:
            unknown = self.db.execute(f"SELECT DISTINCT source, indicator, hour FROM {read(paths['hours'])}")
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
        if len({Path(path).parent.name for path in files}) == len(files):
            return read(files)  # one for each day
        return (
            "(SELECT indicator, hour, sum(hits)::BIGINT AS hits,"
            " CASE WHEN count(*) = 1 THEN max(clients) END AS clients"
            f" FROM {read(files)} GROUP BY indicator, hour)"
        )

    def name(self, relation: str) -> None:
        """Give every value of a relation its number, or none where it is nothing of ours."""
        new = self.db.execute(
            f"SELECT DISTINCT value FROM {relation} AS hits ANTI JOIN named USING (value)"
        ).fetchall()
        resolved = {value: self._resolve(value) for (value,) in new}
        numbers = self.pieces.indicators(sorted({value for value in resolved.values() if value is not None}))
        self._some_elsewhere |= None in resolved.values()
        self._values_differ |= any(value not in (text, None) for text, value in resolved.items())
        self.db.execute(
            "INSERT INTO named SELECT unnest(?::VARCHAR[]), unnest(?::UINTEGER[])",
            [list(resolved), [None if value is None else numbers[value] for value in resolved.values()]],
        )

    def _take_periods(self, query: str, first: int, count: int) -> list[Piece]:
        """Write those hits whose client is an IPv4 address; the keys of so many periods are needed."""
        self._draw(first, count)
        addresses = query if self._is_number(query) else clients.address_of(query)
        return self._write("clients", clients.scrambled(addresses, first, count))

    def _take_others(self, query: str, first: int, last: int) -> list[Piece]:
        """Clients that are no IPv4 address in its one spelling, or nobody: few, or a file of IPv6 alone."""
        self.db.execute(
            "CREATE OR REPLACE TEMP TABLE rest AS SELECT r.* FROM"
            f" ({query}) AS r WHERE {clients.is_other('client')}"
        )
        placed: list[Piece] = []
        for period in range(first, last + 1):
            start, length = period * clients.PERIOD * SECONDS, clients.PERIOD * SECONDS
            of_period = f"SELECT * FROM rest WHERE hour >= {start} AND hour < {start + length}"
            said = self.db.execute(
                f"SELECT DISTINCT client FROM ({of_period}) WHERE trim(client) <> ''"
            ).fetchall()
            if said:
                placed += self._take_said(of_period, [text for (text,) in said], period)
        nobody = "SELECT * FROM rest WHERE client IS NULL OR trim(client) = ''"
        if self._one(f"SELECT count(*) FROM ({nobody})")[0]:
            placed += self._write("hours", _without(nobody))
        self.db.execute("DROP TABLE rest")
        return placed

    def _take_said(self, query: str, said: Sequence[str], period: int) -> list[Piece]:
        spelled = {text: clients.canonical(text) for text in said}
        key = self.pieces.key(period)
        addresses = {text: str(one) for text, one in spelled.items() if not isinstance(one, str)}
        others = {text: clients.other_id(one, key) for text, one in spelled.items() if isinstance(one, str)}
        placed: list[Piece] = []
        if addresses:
            placed += self._take_periods(self._respelled(query, addresses, "VARCHAR"), period, 1)
        if others:
            placed += self._write("others", self._respelled(query, others, "BLOB"))
        return placed

    def _respelled(self, query: str, ids: dict[str, Any], kind: str) -> str:
        name = f"spelled_{kind.lower()}"
        self.db.execute(f"CREATE OR REPLACE TEMP TABLE {name} (said VARCHAR, id {kind})")
        self.db.execute(
            f"INSERT INTO {name} SELECT unnest(?::VARCHAR[]), unnest(?::{kind}[])",
            [list(ids), list(ids.values())],
        )
        return (
            f"SELECT * EXCLUDE (client, said, id), {name}.id AS client"
            f" FROM ({query}) AS q JOIN {name} ON q.client = {name}.said"
        )

    def _draw(self, first: int, count: int) -> None:
        """Have the round functions of so many periods at hand, one behind the other."""
        if self._drawn == (first, count):
            return
        keys = [self.pieces.key(period) for period in range(first, first + count)]
        rounds = [sum(of_round, ()) for of_round in zip(*map(clients.tables, keys), strict=True)]
        lists = ", ".join(f"?::UINTEGER[] AS f{number}" for number in range(clients.ROUNDS))
        self.db.execute(f"CREATE OR REPLACE TEMP TABLE rounds AS SELECT {lists}", list(map(list, rounds)))
        self._drawn = (first, count)

    def _write(self, form: str, query: str) -> list[Piece]:
        return self.pieces.place(form, self._aside(self.db, query))

    def _aside(self, db: "duckdb.DuckDBPyConnection", query: str) -> Path:
        """Write what a query finds to a folder, day by day."""
        folder = self.pieces.aside()
        db.execute(f"COPY (SELECT *, {_DAY} FROM ({query})) TO '{quoted(folder)}' ({PARTED})")
        return folder

    def _beside(self, query: str) -> Path:
        """The same while other queries run; temporary tables are not there."""
        with self.db.cursor() as db:
            return self._aside(db, query)

    def total(self, placed: Sequence[Piece]) -> int:
        """The sum of hits of some pieces."""
        paths = [str(self.pieces.path(piece)) for piece in placed]
        if not paths:
            return 0
        parts = " UNION ALL ".join(f"SELECT hits FROM {read([path], 'hits')}" for path in paths)
        return int(self._one(f"SELECT sum(hits)::BIGINT FROM ({parts})")[0])

    def _count(self, pieces: Sequence[Piece]) -> int:
        paths = [str(self.pieces.path(piece)) for piece in pieces]
        return int(self._one(f"SELECT count(*) FROM {read(paths)}")[0]) if paths else 0

    def _is_number(self, query: str) -> bool:
        described = self.db.execute(f"DESCRIBE {query}").fetchall()
        return ("client", "UINTEGER") in {(name, kind) for name, kind, *_ in described}

    def _one(self, query: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self.db.execute(query).fetchone() or (0,)
        return row


def connected(pieces: Pieces) -> "duckdb.DuckDBPyConnection":
    """A DuckDB of bounded memory that puts aside beside the store what does not fit."""
    import duckdb

    aside = pieces.folder / "aside"
    aside.mkdir(mode=0o700, parents=True, exist_ok=True)
    db = duckdb.connect(
        config={"threads": THREADS, "memory_limit": MEMORY, "preserve_insertion_order": False}
    )
    db.execute(f"SET temp_directory = '{quoted(aside / 'spilled')}'")
    db.execute("SET TimeZone = 'UTC'")
    return db


def read(paths: Sequence[str], columns: str = "*") -> str:
    """Files as a relation."""
    listed = ", ".join(f"'{quoted(path)}'" for path in paths)
    return f"(SELECT {columns} FROM read_parquet([{listed}], hive_partitioning = false))"


def quoted(path: object) -> str:
    """A path inside SQL's single quotes."""
    return str(path).replace("'", "''")


def _without(query: str) -> str:
    return (
        "SELECT source, indicator, hour, sum(hits)::BIGINT AS hits, NULL::BIGINT AS clients"
        f" FROM ({query}) GROUP BY source, indicator, hour"
    )
