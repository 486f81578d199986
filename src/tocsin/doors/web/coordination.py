"""The coordinator's pages: where silence is, case by case and over the whole country."""

import csv
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse

from tocsin.access.policy import Actor
from tocsin.cases import parts, queries, services
from tocsin.cases.one_time import VALID_FOR
from tocsin.cases.overviews import export_coordination
from tocsin.doors.web.documents import typeset
from tocsin.doors.web.documents.summaries import of_packet
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.doors.web.papers import kept, table
from tocsin.doors.web.reports import Echo, cell
from tocsin.journal import queries as journal
from tocsin.kernel.time import now

COLUMNS = ("unit_id", "name", "kind", "joined", "open", "unanswered", "overdue", "oldest_unanswered")
CASES = (
    *("case_id", "title", "unit", "joined", "severity", "status", "owner", "coordinator", "opened_at"),
    *("due_at", "reports", "links_made", "last_sent_at", "last_sent_by", "link_state"),
)


@guards("coordination.read")
def coordination(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Where is silence?"""
    return page(
        request, "coordination", {"view": queries.coordination(actor), "rising": queries.rising(actor)}
    )


@guards("coordination.read")
def coordination_csv(request: HttpRequest, actor: Actor) -> StreamingHttpResponse:
    """Every case on the page, and what was sent when, as a file: every instant UTC."""
    return StreamingHttpResponse(
        case_lines(actor),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="tocsin-coordination.csv"'},
    )


def case_lines(actor: Actor) -> Iterator[str]:
    """The lines of the file, header first (RFC 4180)."""
    writer = csv.writer(Echo())
    yield writer.writerow(CASES)
    for case, link, made in export_coordination(actor):
        unit, sent = case.investigating_unit, parts.one_time_link_view(link, now()) if link else None
        values = (
            *(case.case_id, case.title, unit.unit_id, "yes" if unit.has_joined else "no", case.severity),
            *(case.status, case.owner_name, case.coordinator.name if case.coordinator else ""),
            *(case.opened_at, case.due_at, case.report_count, made),
            *((sent.made_at, sent.made_by, sent.state) if sent else ("", "", "")),
        )
        yield writer.writerow([cell("" if value is None else value) for value in values])


@guards("link.make", "GET", "POST")
def send(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """Packet and one-time link in one press: a PDF to send by the unit's published route."""
    case, at = queries.fetch_case(actor, case_id), now()
    if request.method != "POST":
        return HttpResponseRedirect(reverse("case", kwargs={"case_id": case_id}))
    queries.packet(case, at)  # refuses what is not printed before there is a link to it
    token = services.make_one_time_link(case, actor, at, with_packet=True)
    address = request.build_absolute_uri(reverse("one-time", kwargs={"token": token}))
    packet = queries.packet(queries.fetch_case(actor, case_id), at)
    paper = of_packet(packet, address, at + VALID_FOR, journal.size())
    return kept(typeset(paper), "application/pdf", f"{case_id}-packet.pdf")


@guards("coordination.read")
def nation(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Where is silence over the whole country?"""
    return page(request, "nation", {"view": queries.nation(actor)})


@guards("coordination.read")
def nation_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same numbers as a file."""
    rows = (
        (
            *(one.unit_id, one.name, one.kind, "yes" if one.has_joined else "no"),
            *(one.open, one.unanswered, one.overdue, one.oldest_at or ""),
        )
        for one in queries.nation(actor).units
    )
    return table("nation.csv", COLUMNS, rows)
