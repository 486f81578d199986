"""Do the reports still say what their entries committed to?"""

from collections.abc import Iterator
from typing import Any

import msgspec
from django.db.models import Exists, OuterRef, QuerySet

from tocsin.intake.models import EarlierVersion, Report
from tocsin.journal.audit import Finding, opens
from tocsin.journal.models import Entry
from tocsin.wire import report as wire

COLUMNS = ("attack_id", "kind", "service", "severity", "count")


def check_reports() -> Iterator[Finding]:
    """Reports and replaced versions whose content does not open its entry, and reports that are gone."""
    for row in _with_commitment(Report.objects.order_by("pk")).iterator(5000):
        name = f"report {row.report_id}"
        if row.committed is None:
            yield Finding(name, f"its journal entry {row.entry_seq} does not exist")
        elif not opens(bytes(row.committed), bytes(row.salt), bytes(row.content)):
            yield Finding(name, f"its content does not fit the commitment of entry {row.entry_seq}")
        else:
            yield from _check_columns(name, row)
    for row in _with_commitment(EarlierVersion.objects.select_related("report").order_by("pk")).iterator(
        5000
    ):
        if row.committed is None or not opens(bytes(row.committed), bytes(row.salt), bytes(row.content)):
            name = f"version {row.version} of report {row.report.report_id}"
            yield Finding(name, f"its content does not fit the commitment of entry {row.entry_seq}")
    there = Report.objects.filter(report_id=OuterRef("subject"))
    gone = Entry.objects.filter(~Exists(there), event="intake:report:received").order_by("seq")
    for seq, subject in gone.values_list("seq", "subject").iterator(5000):
        yield Finding(f"report {subject}", f"received at entry {seq}, but gone")


def _with_commitment(rows: QuerySet[Any]) -> QuerySet[Any]:
    committed = Entry.objects.filter(seq=OuterRef("entry_seq")).values("commitment")[:1]
    annotated: QuerySet[Any] = rows.annotate(committed=committed)
    return annotated


def _check_columns(name: str, row: Report) -> Iterator[Finding]:
    told = msgspec.json.decode(bytes(row.content), type=wire.Report)
    for column in COLUMNS:
        if getattr(told, column) != getattr(row, column):
            yield Finding(name, f"its {column} is not what was reported")
