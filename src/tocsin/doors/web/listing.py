"""A member's own reports as a list: found by words and state, with what is due."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from tocsin.access.policy import Actor
from tocsin.cases import reporter_home, terms
from tocsin.cases.member_reports import first_due
from tocsin.cases.models import Clock, Link
from tocsin.cases.units import current_pack
from tocsin.intake import queries as intake
from tocsin.intake.models import Report
from tocsin.kernel.time import now

MOST = (
    1_000  # reports that are counted and paged through; whoever seeks others gives words, or takes the file
)


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
    """The actor's own reports that match, the newest change first; `state` may be `waiting` or `answered`."""
    found = intake.visible_to(actor).order_by("-updated_at", "-pk")
    if query:
        found = terms.own_reports(found, query)
    final = [code for code, row in current_pack().statuses.items() if row.is_final]
    if state == "waiting":
        return found.exclude(status__in=final)
    return found.filter(status__in=final) if state == "answered" else found


def count(actor: Actor, query: str, state: str, found: QuerySet[Report]) -> int:
    """How many there are, `MOST` at most: counting stops there, and so do the pages.

    Where the sums say that none waits or none is answered, nothing is looked through.
    """
    if state in ("waiting", "answered") and not query:
        is_open = state == "waiting"
        mine = reporter_home.of_members(actor).filter(closed_at__isnull=is_open)
        apart = intake.visible_to(actor).filter(updated_at__gt=now() - terms.NOT_YET_FILLED)
        if not mine.exists() and not apart.exists():
            return 0
    return found.values("pk")[:MOST].count()  # in the list's order, which an index has


def rows(reports: Sequence[Report]) -> list[ListRow]:
    """The lines for these reports, in their order."""
    links = Link.objects.filter(report__in=reports, detached_at__isnull=True)
    linked = {link.report_id: link for link in links.select_related("case__investigating_unit")}
    due = first_due(list(linked.values()))
    return [
        _row(report, link := linked.get(report.pk), due.get(link.pk) if link else None) for report in reports
    ]


def _row(report: Report, link: Link | None, due: Clock | None) -> ListRow:
    pack = current_pack()
    status = pack.statuses.get(report.status)
    words = pack.kind_words(report.kind)
    return ListRow(
        report=report,
        what=words[:1].upper() + words[1:],
        status_words=status.words if status else report.status,
        unit_name=link.case.investigating_unit.name if link else "",
        owner_name=link.case.owner_name if link else "",
        due_at=due.due_at if due else None,
        answered_at=link.case.closed_at if link else None,
    )
