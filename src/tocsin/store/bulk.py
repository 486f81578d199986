"""Many rows at once, past the ORM: COPY on PostgreSQL, `executemany` on SQLite."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from django.db import connection, models

Row = Sequence[Any]


def insert(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert `rows`, whose items follow `columns` (database names), in the running transaction.

    Instants come `spelled`. Raises Django's IntegrityError like any insert.
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
            with connection.wrap_database_errors:
                # The driver's own cursor: Django's would rewrite the statement for every call.
                raw = cursor.cursor
                raw.connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608


def update(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Set `columns` of existing rows; the last item of each row is its primary key.

    Instants come `spelled`.
    """
    if not rows:
        return
    key = quoted(str(model._meta.pk.column))
    sets = ", ".join(f"{quoted(column)} = %s" for column in columns)
    statement = f"UPDATE {quoted(model._meta.db_table)} SET {sets} WHERE {key} = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


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


def select(statement: str, *values: Any) -> list[Row]:
    """The rows of a statement of our own, a tenth of what the ORM costs to build the same.

    A list goes to `= ANY(%s)` as one parameter. Rows come as the engine gives them, instants to be `read`.
    """
    with connection.cursor() as cursor:
        cursor.execute(*spoken(statement, values))
        return list(cursor.fetchall())


def change(statement: str, *values: Any) -> None:
    """Run a statement of our own that gives no rows; its values are those of `select`, instants `spelled`."""
    with connection.cursor() as cursor:
        cursor.execute(*spoken(statement, values))


def for_update() -> str:
    """What makes a `select` lock its rows; on SQLite an act holds the only write lock already."""
    return " FOR UPDATE" if connection.vendor == "postgresql" else ""


def spoken(statement: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """A statement for PostgreSQL and its values, as the engine in use takes them."""
    if connection.vendor == "postgresql":
        return statement, list(values)
    statement = statement.replace("= ANY(%s)", "IN (SELECT value FROM json_each(%s))")
    return statement, [json.dumps(value) if isinstance(value, list) else value for value in values]


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


def spelled(instant: dt.datetime) -> str:
    """An aware UTC instant as both engines take it past Django: `2026-11-22 01:02:03.000004`.

    SQLite keeps the text, exactly as Django would write it; PostgreSQL reads it in the connection's zone,
    which Django sets to UTC.
    """
    return instant.isoformat(" ")[:-6]


def read(instant: Any) -> dt.datetime:
    """An instant as `select` gives it, aware and in UTC."""
    found: dt.datetime = instant if isinstance(instant, dt.datetime) else dt.datetime.fromisoformat(instant)
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)


def quoted(name: str) -> str:
    """An identifier, quoted for the engine in use."""
    return connection.ops.quote_name(name)
