"""Rows in bulk with every column filled: what is not given takes the model's own default."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

AT_ONCE = 20_000


def write(model: Any, columns: Sequence[str], rows: Iterable[Sequence[Any]], **same: Any) -> int:
    """Insert rows of these columns (field names); `same` are columns that all rows share; gives how many."""
    from django.db import connection

    from tocsin.journal.acts import act
    from tocsin.store import bulk

    fields = {field.name: field for field in model._meta.concrete_fields}
    given = [fields[name].column for name in columns]
    shared = {
        field.column: prepared(field, same[name] if name in same else field.get_default(), connection)
        for name, field in fields.items()
        if name not in columns and not field.primary_key
    }
    tail = list(shared.values())
    total, source = 0, iter(rows)
    while found := list(islice(source, AT_ONCE)):
        with act():
            bulk.insert(model, (*given, *shared), [[*map(plain, row), *tail] for row in found])
        total += len(found)
    return total


def prepared(field: Any, value: Any, connection: Any) -> Any:
    """A value as the engine takes it past the ORM."""
    if hasattr(value, "pk"):
        value = value.pk
    return plain(field.get_db_prep_save(value, connection)) if value is not None else None


def plain(value: Any) -> Any:
    """Instants spelled, everything else as it is."""
    from tocsin.store import bulk

    return bulk.spelled(value) if isinstance(value, dt.datetime) else value


def restart_ids(models: Iterable[Any]) -> None:
    """Let the next keys follow the highest written by hand: PostgreSQL keeps a counter of its own."""
    from django.core.management.color import no_style
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)


def chosen(weights: Mapping[str, float], dice: Any, count: int) -> list[str]:
    """So many keys, each by its weight."""
    found: list[str] = dice.choices(list(weights), list(weights.values()), k=count)
    return found
