"""The coordinator's pages: where silence is, case by case and over the whole country."""

import csv
import io

from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor
from tocsin.cases import queries
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.doors.web.papers import kept
from tocsin.kernel.time import rfc3339

COLUMNS = ("unit_id", "name", "kind", "joined", "open", "unanswered", "overdue", "oldest_unanswered")


@guards("coordination.read")
def coordination(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Where is silence?"""
    return page(request, "coordination", {"view": queries.coordination(actor)})


@guards("coordination.read")
def nation(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Where is silence over the whole country?"""
    return page(request, "nation", {"view": queries.nation(actor)})


@guards("coordination.read")
def nation_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same numbers as a file."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in queries.nation(actor).units:
        oldest = rfc3339(one.oldest_at) if one.oldest_at else ""
        writer.writerow(
            (
                one.unit_id,
                one.name,
                one.kind,
                "yes" if one.has_joined else "no",
                one.open,
                one.unanswered,
                one.overdue,
                oldest,
            )
        )
    return kept(out.getvalue().encode(), "text/csv; charset=utf-8", "nation.csv")
