"""A reporter's pages: what became of mine, one report, its receipt, the list, the export."""

import csv
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse

from tocsin.access.policy import Actor
from tocsin.blocking import queries as blocking
from tocsin.cases import queries
from tocsin.cases.ratings import STEPS
from tocsin.cases.units import current_pack
from tocsin.doors.web import listing
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.doors.web.paging import Paging
from tocsin.figures import effects
from tocsin.intake import queries as intake
from tocsin.intake.models import Report
from tocsin.kernel.problems import NotFound
from tocsin.kernel.time import rfc3339
from tocsin.notices import queries as notices
from tocsin.notices import services as told
from tocsin.sharing import queries as sharing

COLUMNS = (
    "report_id", "attack_id", "kind", "origin", "target", "service", "severity", "count",
    "first_seen_at", "last_seen_at", "received_at", "updated_at", "status",
)  # fmt: skip
NEWS = 20


@guards("report.list")
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What became of mine?"""
    news = [notice for notice in notices.for_member(actor) if notice.is_new]
    context = {
        "home": queries.reporter_home(actor),
        "led_to": effects.led_to(actor),
        "duties": queries.clocks_of(actor) if not actor.units else (),
        "news": news[:NEWS],
        "public_url": settings.PUBLIC_URL,
    }
    return page(request, "reports", context)


@guards("report.read")
def report(request: HttpRequest, actor: Actor, report_id: str) -> HttpResponse:
    """Where does this one stand?"""
    return show(request, actor, report_id, Typed())


def show(
    request: HttpRequest, actor: Actor, report_id: str, typed: Typed, *, status: int = 200
) -> HttpResponse:
    """The page of a report, with what was typed in its forms and what is wrong with it."""
    view = queries.report_view(actor, report_id)
    mine = intake.visible_to(actor).filter(report_id=report_id)
    own = mine.select_related("member").first()
    pks = [own.pk] if own is not None else []
    effect = next(iter(blocking.effect_of_reports(pks).values()), None)
    warned = effects.warnings_of(actor, sharing.asserted_by(pks))
    context = {"view": view, "effect": effect, "warned": warned, "typed": typed, "errors": typed.errors}
    return page(request, "report", context | (_own(actor, own) if own else {}), status=status)


def _own(actor: Actor, report: Report) -> dict[str, Any]:
    """What the member itself may do about it: answer, rate, mind its duties."""
    return {
        "questions": queries.questions_of_report(actor, report),
        "rating": queries.rating_of(report),
        "steps": STEPS,
        "duties": queries.duties_of_report(actor, report),
        "awareness": current_pack().awareness.values(),
    }


@guards("receipt.read")
def receipt(request: HttpRequest, actor: Actor, report_id: str) -> HttpResponse:
    """The receipt as a file, the same that the report's sender got."""
    found = intake.visible_to(actor).filter(report_id=report_id).first()
    if found is None:
        raise NotFound()
    body = msgspec.json.encode(intake.receipt(found))
    name = f"{report_id}.receipt.json"
    return HttpResponse(
        body,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@guards("report.list")
def report_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All of mine, the newest change first, by words and state, a page at a time."""
    query, state = request.GET.get("q", "").strip()[:200], request.GET.get("state", "")
    found = listing.find(actor, query, state)
    chosen = urlencode({"q": query, "state": state})
    paging = Paging(request, listing.count(actor, query, state, found), reverse("report-list") + "?" + chosen)
    rows = listing.rows(list(found.defer("content", "salt")[paging.first : paging.last]))
    context = {
        "rows": rows,
        "matching": paging.total,
        "most": listing.MOST,
        "query": query,
        "state": state,
        "filter_query": chosen,
    }
    return page(request, "report_list", context | paging.context())


@guards("report.list")
def reports_csv(request: HttpRequest, actor: Actor) -> StreamingHttpResponse:
    """The same list as a file: every instant UTC, every field as it was received."""
    found = listing.find(actor, request.GET.get("q", "").strip()[:200], request.GET.get("state", ""))
    return StreamingHttpResponse(
        csv_lines(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="tocsin-reports.csv"'},
    )


@guards("report.list", "POST")
def notices_seen(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What was shown as new is seen: exactly what was on the page, nothing that came since."""
    told.mark_seen(actor, [int(notice) for notice in request.POST.getlist("notice") if notice.isdecimal()])
    messages.success(request, "Marked as seen.")
    return HttpResponseRedirect(reverse("reports"))


def csv_lines(found: QuerySet[Report]) -> Iterator[str]:
    """The lines of the file, header first (RFC 4180)."""
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    for row in found.values_list(*COLUMNS).iterator(2000):
        yield writer.writerow([cell(value) for value in row])


class Echo:
    """A file that gives back what is written to it, so that lines leave one by one."""

    def write(self, line: str) -> str:
        return line


def cell(value: Any) -> str:
    """What a cell of a file says."""
    text = rfc3339(value) if hasattr(value, "astimezone") else str(value)
    # A spreadsheet would run a cell that begins so as a formula.
    return "'" + text if text[:1] in "=+-@\t\r" and text else text
