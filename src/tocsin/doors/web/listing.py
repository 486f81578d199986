"""A member's own reports as a list: found by words and state, with what is due."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from tocsin.access.policy import Actor
from tocsin.cases import terms
from tocsin.cases.member_reports import by_due
from tocsin.cases.models import Link
from tocsin.cases.units import current_pack
from tocsin.intake import queries as intake
from tocsin.intake.models import Report


@dataclass(frozen=True)
class ListRow:
    """One line of the list; `due_at` is the first thing due about the report, None where nothing is."""

    report: Report
    what: str
    status_words: str
    unit_name: str
    owner_name: str
    due_at: dt.datetime | None
    answered_at: dt.datetime | None


def find(actor: Actor, query: str, state: str) -> QuerySet[Report]:
    """The actor's own reports that match, newest first; `state` is `waiting`, `answered` or anything else."""
    found = intake.visible_to(actor).order_by("-received_at", "-pk")
    if query:
        found = terms.own_reports(found, query)
    answered = Exists(_links().filter(report=OuterRef("pk"), case__closed_at__isnull=False))
    if state == "waiting":
        return found.filter(~answered)
    return found.filter(answered) if state == "answered" else found


def rows(reports: Sequence[Report]) -> list[ListRow]:
    """The lines for these reports, in their order."""
    links = by_due(_links().filter(report__in=reports)).select_related("case__investigating_unit")
    linked = {link.report_id: link for link in links}
    return [_row(report, linked.get(report.pk)) for report in reports]


def _links() -> QuerySet[Link]:
    return Link.objects.filter(detached_at__isnull=True)


def _row(report: Report, link: Link | None) -> ListRow:
    pack = current_pack()
    status = pack.statuses.get(report.status)
    words = pack.kind_words(report.kind)
    return ListRow(
        report=report,
        what=words[:1].upper() + words[1:],
        status_words=status.words if status else report.status,
        unit_name=link.case.investigating_unit.name if link else "",
        owner_name=link.case.owner_name if link else "",
        due_at=getattr(link, "due_at", None),
        answered_at=link.case.closed_at if link else None,
    )
