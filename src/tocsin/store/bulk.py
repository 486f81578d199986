"""Many rows at once, past the ORM: COPY on PostgreSQL, `executemany` on SQLite."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
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


def sqlite_instant(value: dt.datetime | None) -> str | None:
    """`2026-11-22 01:02:03.000004`: what Django's SQLite backend stores."""
    return None if value is None else str(value.replace(tzinfo=None))


def quoted(name: str) -> str:
    """An identifier, quoted for the engine in use."""
    return connection.ops.quote_name(name)
