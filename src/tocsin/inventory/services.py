"""Recording what providers hold."""

import datetime as dt
from collections.abc import Sequence

from tocsin.access.models import Member
from tocsin.inventory.models import Holding
from tocsin.journal.acts import current
from tocsin.kernel.time import now, parse_rfc3339
from tocsin.wire import report as wire

FIELDS = [
    "period_from",
    "period_to",
    "delete_at",
    "clock_error_ms",
    "clock_source",
    "time_zone",
    "fields_present",
    "confirmed",
    "updated_at",
]


def key_of(told: wire.Holding) -> tuple[str, str]:
    """What makes two mentions the same holding of one member: the source and the type of log."""
    return told.source_id, told.log_type


def record_holdings(member: Member, holdings: Sequence[wire.Holding]) -> list[Holding]:
    """Insert or update a member's holdings, one row for each source and log type, in that order of keys.

    Mentions of one holding are merged: the period spans them all, the latest deletion date and the newest
    clock data stand, and what a person has confirmed stays confirmed. Must run inside an act that holds the
    member's row locked; two batches of one member would otherwise overwrite each other.
    """
    current()
    if not holdings:
        return []
    sources = {told.source_id for told in holdings}
    rows = {
        (row.source_id, row.log_type): row
        for row in Holding.objects.filter(member=member, source_id__in=sources)
    }
    at, mentioned, changed = now(), {}, {}
    for told in dict.fromkeys(holdings):
        key = key_of(told)
        row = rows.get(key)
        if row is None:
            row = rows[key] = Holding(member=member, source_id=told.source_id, log_type=told.log_type)
            row.period_from, row.period_to = parse_rfc3339(told.period_from), parse_rfc3339(told.period_to)
        mentioned[key] = row
        if merge(row, told):
            row.updated_at = at
            changed[key] = row
    if changed:
        Holding.objects.bulk_create(
            list(changed.values()),
            update_conflicts=True,
            unique_fields=["member", "source_id", "log_type"],
            update_fields=FIELDS,
        )
    return list(mentioned.values())


def merge(row: Holding, told: wire.Holding) -> bool:
    """Fold one mention into a row; was anything new?"""
    before = [getattr(row, name) for name in FIELDS[:-1]] if row.pk else None
    row.period_from = min(row.period_from, parse_rfc3339(told.period_from))
    row.period_to = max(row.period_to, parse_rfc3339(told.period_to))
    row.delete_at = _latest(row.delete_at, told.delete_at)
    if told.clock_error_ms is not None:
        row.clock_error_ms = told.clock_error_ms
    if told.clock_source != "unknown":
        row.clock_source = told.clock_source
    row.time_zone = told.time_zone
    row.fields_present = sorted({*row.fields_present, *told.fields_present})
    row.confirmed = row.confirmed or told.confirmed
    return before != [getattr(row, name) for name in FIELDS[:-1]]


def _latest(kept: dt.datetime | None, told: str | None) -> dt.datetime | None:
    instants = [instant for instant in (kept, parse_rfc3339(told) if told else None) if instant is not None]
    return max(instants, default=None)
