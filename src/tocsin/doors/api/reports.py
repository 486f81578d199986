"""Reports: telling them, and following how they stand."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from tocsin.blocking import queries as blocking
from tocsin.doors.api import cursors, words
from tocsin.doors.api.bodies import json_body
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.values import ReportPage, ReportState, described
from tocsin.intake import queries, services
from tocsin.intake.models import Report
from tocsin.intake.rules import BadReport
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.kernel.time import rfc3339
from tocsin.wire import report as wire

router = Router(tags=["reports"])

_report_id = re.compile(r"report_[0-9A-Z]{12}")
Limit = Annotated[int, Field(ge=1, le=1000)]
_batch = msgspec.json.Decoder(wire.Batch)


@router.post("", auth=guard("report.submit"), openapi_extra=described(wire.Accepted, body=wire.Report))
def submit_report(request: HttpRequest) -> HttpResponse:
    """Tell one attack. 201 where the exchange learned something, 200 where it knew it already."""
    accepted = services.submit(actor_of(request), [json_body(request)])
    if accepted.refusals:
        raise BadReport(accepted.refusals[0].detail, hint="correct the report and send it again")
    return answer(accepted, status=200 if accepted.states == ["known"] else 201)


@router.post("/batch", auth=guard("report.submit"), openapi_extra=described(wire.Accepted, body=wire.Batch))
def submit_batch(request: HttpRequest) -> HttpResponse:
    """Tell up to 1,000 attacks. Each gets a receipt or a refusal; a refused one stops no other."""
    try:
        batch = _batch.decode(json_body(request))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(str(error), hint='send {"reports": [...]}') from None
    return answer(services.submit(actor_of(request), batch.reports))


@router.get("", auth=guard("report.list"), openapi_extra=described(ReportPage))
def list_reports(
    request: HttpRequest,
    updated_since: str | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> HttpResponse:
    """One's own reports, oldest change first. `cursor` goes on where a page ended, `updated_since` begins."""
    found = queries.visible_to(actor_of(request)).order_by("updated_at", "pk")
    if updated_since is not None:
        found = found.filter(updated_at__gte=cursors.since(updated_since))
    if cursor is not None:
        found = cursors.behind(found, cursor)
    rows = list(found[: limit + 1])
    page, more = rows[:limit], len(rows) > limit
    after = cursors.encode(page[-1]) if page else cursor
    response = answer(ReportPage(shown(page), after, more))
    return cursors.linked(request, response, after if more else None)


@router.get("/{report_id}", auth=guard("report.read"), openapi_extra=described(ReportState))
def read_report(request: HttpRequest, report_id: str) -> HttpResponse:
    """One of one's own reports and how it stands."""
    return answer(shown([own_report(request, report_id)])[0])


@router.get("/{report_id}/receipt", auth=guard("receipt.read"), openapi_extra=described(wire.Receipt))
def read_receipt(request: HttpRequest, report_id: str) -> HttpResponse:
    """The receipt of the highest version, the same as it was given first."""
    return answer(queries.receipt(own_report(request, report_id)))


def own_report(request: HttpRequest, report_id: str) -> Report:
    """A report that the actor may see. Raises NotFound alike for another's and for none."""
    found = None
    if _report_id.fullmatch(report_id):
        found = queries.visible_to(actor_of(request)).filter(report_id=report_id).first()
    if found is None:
        raise NotFound()
    return found


def shown(reports: Sequence[Report]) -> list[ReportState]:
    """Rows as their owner sees them."""
    effects = blocking.effect_of_reports([report.pk for report in reports])
    return [
        ReportState(
            report_id=report.report_id,
            attack_id=report.attack_id,
            version=report.version,
            received_at=rfc3339(report.received_at),
            updated_at=rfc3339(report.updated_at),
            state=words.state_of(report.status),
            effect=effects[report.pk].words,
            content=msgspec.Raw(bytes(report.content)),
        )
        for report in reports
    ]


def answer(value: Any, status: int = 200) -> HttpResponse:
    """A value as JSON: a msgspec struct, or a dataclass."""
    return HttpResponse(msgspec.json.encode(value), content_type="application/json", status=status)
