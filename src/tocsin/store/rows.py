"""Writing many changed rows at once."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model


def update_rows(rows: Sequence[Model], fields: Sequence[str]) -> None:
    """Store these fields of rows that exist, in one statement a batch.

    Does what `bulk_update` does by INSERT … ON CONFLICT DO UPDATE, which both engines know: Django's own
    builds a CASE of expressions for every field and row, at several milliseconds a row.
    """
    if rows:
        model: Any = type(rows[0])
        model.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=[model._meta.pk.attname], update_fields=list(fields)
        )
