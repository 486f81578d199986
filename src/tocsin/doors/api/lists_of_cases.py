"""Whole lists of cases and reports: a unit's old list in, and copies out that are kept up to date."""

import csv
from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import msgspec
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Router
from pydantic import Field

from tocsin.access.policy import Actor
from tocsin.cases import exporting, importing
from tocsin.cases.exporting import Change
from tocsin.doors.api import cursors
from tocsin.doors.api.bodies import decoded
from tocsin.doors.api.case_values import CaseState, CaseWhole
from tocsin.doors.api.cases import state_of, whole_of
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.reports import answer, shown
from tocsin.doors.api.values import ReportState, described, streamed
from tocsin.intake import queries as intake
from tocsin.intake.models import Report
from tocsin.journal import queries as journal
from tocsin.kernel.problems import NotAllowed
from tocsin.kernel.time import rfc3339

imports = Router(tags=["imports"])
exports = Router(tags=["exports"])

NDJSON, CSV = "application/x-ndjson", "text/csv; charset=utf-8"
BATCH = 500
FORMULA = ("=", "+", "-", "@", "\t", "\r")
Format = Literal["ndjson", "csv"]
CASE_COLUMNS = ("position", "event", "case_id", "into", *CaseState.__struct_fields__[2:])
REPORT_COLUMNS = (
    *("cursor", "report_id", "attack_id", "version", "received_at", "updated_at", "status", "status_words"),
    *("kind", "origin", "target", "service", "severity", "count", "first_seen_at", "last_seen_at", "effect"),
)


class Import(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A list of cases as CSV, headings first, and the map that says which column is what."""

    map: importing.Map
    csv: str
    dry_run: bool = False


class ImportedRow(msgspec.Struct, frozen=True):
    """A row that was imported: its number there and its id here; no id in a dry run."""

    line: int
    number: str
    case_id: str


class RejectedRow(msgspec.Struct, frozen=True):
    """A row that was not taken, why, and the row itself: mend it and send it again."""

    line: int
    number: str
    reason: str
    content: dict[str, str]


class ImportResult(msgspec.Struct, frozen=True):
    """Every row is in one of the three counts."""

    is_dry_run: bool
    imported: int
    known: int
    rejected: int
    imported_rows: list[ImportedRow]
    rejected_rows: list[RejectedRow]


class CaseLine(msgspec.Struct, frozen=True):
    """One line of an export. `position` is where to go on; `state` is none once it is out of sight."""

    position: int
    event: str
    case_id: str
    into: str = ""
    state: CaseState | None = None
    whole: CaseWhole | None = None


class ReportLine(msgspec.Struct, frozen=True):
    """One line of an export of reports. `cursor` is where to go on."""

    cursor: str
    report: ReportState


SHAPES = (Import, ImportResult, CaseLine, ReportLine)


@imports.post("/cases", auth=guard("case.import"), openapi_extra=described(ImportResult, body=Import))
def import_cases(request: HttpRequest) -> HttpResponse:
    """Take in the list of cases that the unit has kept so far; `dry_run` only says what would become of it.

    A case is known by its number there, so that sending a list again changes nothing. What is open needs an
    owner who decides at the unit; its clocks begin now, and nothing in the list counts as followed up.
    """
    body, actor = decoded(request, Import), actor_of(request)
    if not actor.units:
        raise NotAllowed()
    rows = importing.import_cases(actor.units[0], actor.label, body.csv, body.map, dry_run=body.dry_run)
    counted = importing.counts(rows)
    return answer(
        ImportResult(
            body.dry_run,
            counted["imported"],
            counted["known"],
            counted["rejected"],
            [ImportedRow(row.line, row.number, row.case_id) for row in rows if row.state == "imported"],
            [
                RejectedRow(row.line, row.number, row.reason, row.content or {})
                for row in rows
                if row.state == "rejected"
            ],
        )
    )


@exports.get("/cases", auth=guard("case.export"), openapi_extra=streamed(CaseLine))
def export_cases(
    request: HttpRequest,
    after: Annotated[int, Field(ge=-1, lt=2**62)] = -1,
    form: Format = "ndjson",
    detail: Literal["state", "whole"] = "state",
) -> StreamingHttpResponse:
    """Every case that changed behind position `after`, as it is now, line by line.

    Keep the `position` of the last line, or `Tocsin-Position` where there was none, and give it as `after`
    the next time. Lines say `changed`, `merged` (with `into`), `passed on` or `sealed`: the last two are out
    of one's sight. `detail=whole` gives everything that a case's page shows, and only as NDJSON.
    """
    actor, end = actor_of(request), journal.size() - 1
    whole = detail == "whole" and form == "ndjson"
    lines = (case_line(actor, change, whole=whole) for change in exporting.changes(actor, after))
    written = in_lines(lines) if form == "ndjson" else in_csv(CASE_COLUMNS, lines, case_cells)
    response = StreamingHttpResponse(written, content_type=NDJSON if form == "ndjson" else CSV)
    response["Tocsin-Position"] = str(max(after, end))
    return response


@exports.get("/reports", auth=guard("report.list"), openapi_extra=streamed(ReportLine))
def export_reports(
    request: HttpRequest, cursor: str | None = None, form: Format = "ndjson"
) -> StreamingHttpResponse:
    """All of one's own reports that changed behind the cursor, oldest change first, line by line."""
    actor = actor_of(request)
    place = cursors.decode(cursor) if cursor is not None else None
    lines = report_lines(actor, place)
    written = in_lines(lines) if form == "ndjson" else in_csv(REPORT_COLUMNS, lines, report_cells)
    return StreamingHttpResponse(written, content_type=NDJSON if form == "ndjson" else CSV)


def case_line(actor: Actor, change: Change, *, whole: bool) -> CaseLine:
    """A change as a line."""
    if change.case is None:
        return CaseLine(change.position, change.event, change.case_id)
    return CaseLine(
        change.position,
        change.event,
        change.case_id,
        change.into,
        state_of(change.case),
        whole_of(actor, change.case) if whole else None,
    )


def report_lines(actor: Actor, place: tuple[object, int] | None) -> Iterator[ReportLine]:
    """Reports behind a place, some hundreds read at a time."""
    cursor = cursors.sealed(rfc3339(place[0]), place[1]) if place is not None else None  # type: ignore[arg-type]
    while True:
        found = intake.visible_to(actor).order_by("updated_at", "pk")
        rows: list[Report] = list((cursors.behind(found, cursor) if cursor else found)[:BATCH])
        for row, state in zip(rows, shown(rows), strict=True):
            cursor = cursors.encode(row)
            yield ReportLine(cursor, state)
        if len(rows) < BATCH:
            return


def in_lines(values: Iterator[msgspec.Struct]) -> Iterator[bytes]:
    """NDJSON."""
    for value in values:
        yield msgspec.json.encode(value) + b"\n"


class _Echo:
    """A file that gives back what is written."""

    def write(self, text: str) -> str:
        return text


def in_csv(
    columns: tuple[str, ...],
    values: Iterator[CaseLine] | Iterator[ReportLine],
    cells: Callable[..., list[object]],
) -> Iterator[str]:
    """CSV (RFC 4180), its headings first; no cell begins as a formula would."""
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for value in values:
        yield writer.writerow([safe(cell) for cell in cells(value)])


def safe(cell: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA) and not isinstance(cell, int) else text


def case_cells(line: CaseLine) -> list[object]:
    """The cells of a case."""
    state = line.state
    rest = [getattr(state, name) for name in CASE_COLUMNS[4:]] if state is not None else []
    return [
        line.position,
        line.event,
        line.case_id,
        line.into,
        *rest,
        *[""] * (len(CASE_COLUMNS) - 4 - len(rest)),
    ]


def report_cells(line: ReportLine) -> list[object]:
    """The cells of a report."""
    report = line.report
    told = msgspec.json.decode(report.content)
    return [
        *(line.cursor, report.report_id, report.attack_id, report.version, report.received_at),
        *(report.updated_at, report.state.code, report.state.words, told.get("kind")),
        *(" ".join(told.get("origins", ())), " ".join(told.get("targets", ())), told.get("service")),
        *(told.get("severity"), told.get("count"), told.get("first_seen_at"), told.get("last_seen_at")),
        report.effect,
    ]
