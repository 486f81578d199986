"""Many rows at once, past the ORM: COPY on PostgreSQL, `executemany` on SQLite."""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from django.db import connection, models

Row = Sequence[Any]


def insert(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert `rows`, whose items follow `columns` (database names), in the running transaction.

    Instants must be aware and in UTC. Raises Django's IntegrityError like any insert.
    """
    if not rows:
        return
    table, names = quoted(model._meta.db_table), ", ".join(map(quoted, columns))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            statement = f"COPY {table} ({names}) FROM STDIN"
            with connection.wrap_database_errors, cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["?"] * len(columns))
            native = instants_adapted(model, columns, rows)
            with connection.wrap_database_errors:
                # The driver's own cursor: Django's would rewrite the statement for every call.
                raw = cursor.cursor
                raw.connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", native)  # noqa: S608


def update(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Set `columns` of existing rows; the last item of each row is its primary key."""
    if not rows:
        return
    key = quoted(str(model._meta.pk.column))
    sets = ", ".join(f"{quoted(column)} = %s" for column in columns)
    statement = f"UPDATE {quoted(model._meta.db_table)} SET {sets} WHERE {key} = %s"  # noqa: S608
    native = rows if connection.vendor == "postgresql" else instants_adapted(model, columns, rows)
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(native))


def keys_where(model: type[models.Model], column: str, values: Sequence[str], **equal: int) -> list[int]:
    """Primary keys of the rows whose `column` is among `values`, the list sent as one parameter.

    `equal` names further columns (by their database names) and what they must be.
    """
    key = quoted(str(model._meta.pk.column))
    where = [f"{quoted(name)} = %s" for name in equal]
    if connection.vendor == "postgresql":
        where.append(f"{quoted(column)} = ANY(%s)")
        wanted: Any = list(values)
    else:
        where.append(f"{quoted(column)} IN (SELECT value FROM json_each(%s))")  # noqa: S608
        wanted = json.dumps(list(values))
    statement = f"SELECT {key} FROM {quoted(model._meta.db_table)} WHERE {' AND '.join(where)}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [*equal.values(), wanted])
        return [row[0] for row in cursor.fetchall()]


def reserve_ids(model: type[models.Model], count: int) -> Sequence[int]:
    """`count` fresh primary keys in ascending order, so that dependent rows need no reading back.

    On SQLite they are only safe inside a transaction that already holds the write lock, as every act does.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                [quoted(table), model._meta.pk.column, count],
            )
            return [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = (cursor.fetchone() or (0,))[0]
        return range(last + 1, last + 1 + count)


def instants_adapted(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> Iterable[Row]:
    """The rows with their instants spelled as Django spells them in SQLite."""
    kinds = {field.column: field for field in model._meta.concrete_fields}
    places = [i for i, name in enumerate(columns) if isinstance(kinds[name], models.DateTimeField)]
    if not places:
        return rows
    return map(_adapter(places), rows)


def _adapter(places: Sequence[int]) -> Callable[[Row], Row]:
    pick = itemgetter(*places) if len(places) > 1 else lambda row: (row[places[0]],)

    def adapt(row: Row) -> Row:
        changed = list(row)
        for place, value in zip(places, pick(row), strict=True):
            changed[place] = sqlite_instant(value)
        return changed

    return adapt


@lru_cache(4096)  # one batch spells the same instants in several tables
def sqlite_instant(value: dt.datetime | None) -> str | None:
    """`2026-11-22 01:02:03.000004`: what Django's SQLite backend stores."""
    return None if value is None else str(value.replace(tzinfo=None))


def quoted(name: str) -> str:
    """An identifier, quoted for the engine in use."""
    return connection.ops.quote_name(name)
