"""Is every report in one case, with an owner or somebody who owes it one, a status and a clock?"""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, QuerySet

from tocsin.cases import clocks, states, triage
from tocsin.cases.models import Case, Clock, Link, Share
from tocsin.cases.triage import DUTIES
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report
from tocsin.journal.audit import Finding
from tocsin.kernel.time import now

BATCH = 1_000
LINKED_WITHIN = dt.timedelta(hours=1)  # the background worker needs seconds


def check_cases() -> Iterator[Finding]:
    """What breaks the promise that nobody meets silence; nothing when all is well."""
    yield from _reports()
    yield from _open_cases()
    yield from _closed_cases()
    yield from _counts()
    yield from _queue()


def _reports() -> Iterator[Finding]:
    links = Link.objects.filter(report=OuterRef("pk"), detached_at__isnull=True)
    alone = Report.objects.filter(~Exists(links), received_at__lt=now() - LINKED_WITHIN)
    for report_id in alone.exclude(status=states.DIVERTED).values_list("report_id", flat=True):
        yield Finding(f"report {report_id}", "it is in no case and was not diverted")
    other = Link.objects.filter(detached_at__isnull=True).exclude(report__status=F("case__status"))
    for report_id, case_id in other.values_list("report__report_id", "case__case_id"):
        yield Finding(f"report {report_id}", f"its status is not that of {case_id}, its case")
    acknowledged = Clock.objects.filter(report=OuterRef("report"), clock_id=clocks.ACKNOWLEDGE)
    bare = Link.objects.filter(~Exists(acknowledged), detached_at__isnull=True)
    for report_id in bare.values_list("report__report_id", flat=True):
        yield Finding(f"report {report_id}", "nothing says when it was acknowledged")


def _open_cases() -> Iterator[Finding]:
    police = Case.objects.filter(closed_at__isnull=True).exclude(severity="info")
    for case_id in police.filter(~_running(DUTIES)).values_list("case_id", flat=True):
        yield Finding(f"case {case_id}", "it is open, and nobody owes anybody anything")
    unowned = police.filter(owner_name="").filter(~_running((clocks.ACCEPT,)))
    for case_id in unowned.values_list("case_id", flat=True):
        yield Finding(f"case {case_id}", "nobody has it, and nobody owes it an owner")


def _closed_cases() -> Iterator[Finding]:
    final = [code for code, status in current_pack().statuses.items() if status.is_final]
    closed = Case.objects.filter(closed_at__isnull=False)
    for case_id in closed.filter(_running()).values_list("case_id", flat=True):
        yield Finding(f"case {case_id}", "it is closed, and a clock of it still runs")
    for case_id in closed.exclude(status__in=final).values_list("case_id", flat=True):
        yield Finding(f"case {case_id}", "it is closed, and its status is not")
    opened = Case.objects.filter(closed_at__isnull=True, status__in=final)
    for case_id in opened.values_list("case_id", flat=True):
        yield Finding(f"case {case_id}", "it is open, and its status is not")


def _counts() -> Iterator[Finding]:
    """Both sums of a case, against its links and against each other."""
    counted: dict[int, int] = {}
    links: QuerySet[Link] = Link.objects.filter(detached_at__isnull=True)
    for case_pk in links.order_by().values_list("case_id", flat=True).iterator(10_000):
        counted[case_pk] = counted.get(case_pk, 0) + 1
    shared: dict[int, list[int]] = {}
    for case_pk, reports in Share.objects.values_list("case_id", "reports").iterator(10_000):
        shared.setdefault(case_pk, []).append(reports)
    rows = Case.objects.values_list("pk", "case_id", "report_count", "member_count")
    for case_pk, case_id, reports, members in rows.iterator(10_000):
        mine = shared.get(case_pk, [])
        if (sum(mine), len(mine), reports) != (reports, members, counted.get(case_pk, 0)):
            yield Finding(f"case {case_id}", "its counts are not those of its reports and their members")


def _queue() -> Iterator[Finding]:
    """What the queue is ordered by, against the clocks and parts that it comes from."""
    last = 0
    while cases := list(Case.objects.filter(closed_at__isnull=True, pk__gt=last).order_by("pk")[:BATCH]):
        for case in triage.mixed(cases):
            yield Finding(
                f"case {case.case_id}", "its place in the queue is not that of its clocks and score"
            )
        last = cases[-1].pk


def _running(clock_ids: tuple[str, ...] = ()) -> Exists:
    running = Clock.objects.filter(case=OuterRef("pk"), ended_at__isnull=True)
    return Exists(running.filter(clock_id__in=clock_ids) if clock_ids else running)
