"""Is every report in one case, with an owner or somebody who owes it one, a status and a clock?"""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, QuerySet

from tocsin.cases import clocks, shares, states, triage
from tocsin.cases.models import Case, CaseHolding, Clock, Link, Move, Question, Share
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
    yield from _questions()
    yield from _running_clocks()
    yield from _counts()
    yield from _joined()
    yield from _held()
    yield from _queue()
    for case_id in shares.mistaken().values_list("case__case_id", flat=True).distinct():
        yield Finding(f"case {case_id}", "what its members' pages count is not how it stands")


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
    ends_with_it = [rule.clock_id for rule in current_pack().clock_rules if rule.ends_with("case.closed")]
    for case_id in closed.filter(_running(tuple(ends_with_it))).values_list("case_id", flat=True):
        yield Finding(f"case {case_id}", "it is closed, and a clock of it still runs")
    for case_id in closed.exclude(status__in=final).values_list("case_id", flat=True):
        yield Finding(f"case {case_id}", "it is closed, and its status is not")
    opened = Case.objects.filter(closed_at__isnull=True, status__in=final)
    for case_id in opened.values_list("case_id", flat=True):
        yield Finding(f"case {case_id}", "it is open, and its status is not")


def _questions() -> Iterator[Finding]:
    """A question is open in a case that waits for it, about a report of that case."""
    waiting = Question.objects.filter(closed_at__isnull=True)
    asks = Exists(waiting.filter(case=OuterRef("pk")))
    for case_id in Case.objects.filter(~asks, status=states.QUESTION).values_list("case_id", flat=True):
        yield Finding(f"case {case_id}", "it waits for an answer, and nothing is asked")
    elsewhere = waiting.exclude(case__status=states.QUESTION)
    for question_id, case_id in elsewhere.values_list("question_id", "case__case_id"):
        yield Finding(f"question {question_id}", f"it is open, and {case_id}, its case, does not wait for it")
    linked = Link.objects.filter(report=OuterRef("report"), case=OuterRef("case"), detached_at__isnull=True)
    for question_id in waiting.filter(~Exists(linked)).values_list("question_id", flat=True):
        yield Finding(f"question {question_id}", "its report is not in its case")


def _running_clocks() -> Iterator[Finding]:
    """What stands still has a question to wait for; what runs has a next step that the sweep will find."""
    running = Clock.objects.filter(ended_at__isnull=True)
    asked = Exists(Question.objects.filter(case=OuterRef("case"), closed_at__isnull=True))
    for clock_id, case_id in running.filter(~asked, paused_at__isnull=False).values_list(
        "clock_id", "case__case_id"
    ):
        yield Finding(f"case {case_id}", f"{clock_id} stands still, and no question is open")
    lost = running.filter(next_step_at__isnull=True, breached_at__isnull=True)
    for clock_id, case_id in lost.values_list("clock_id", "case__case_id"):
        yield Finding(f"case {case_id}", f"{clock_id} runs, and nothing will ever mark it as missed")


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


def _joined() -> Iterator[Finding]:
    """What was joined, by whom ever, and every link's reason."""
    merges = Move.objects.filter(kind=Move.Kind.MERGE, undone_at__isnull=True)
    for case_id in merges.filter(source__closed_at__isnull=True).values_list("source__case_id", flat=True):
        yield Finding(f"case {case_id}", "it was joined with another, and is still open")
    for case_id in merges.exclude(source__lane=F("target__lane")).values_list("source__case_id", flat=True):
        yield Finding(f"case {case_id}", "it was joined with a case of another lane")
    bare = Link.objects.filter(reason="") | Link.objects.filter(strength__gt=100)
    for report_id in bare.values_list("report__report_id", flat=True):
        yield Finding(f"report {report_id}", "nothing says why it is in its case, or how strongly")


def _held() -> Iterator[Finding]:
    """The logs behind a case, against those behind its reports; as whole sets, and not row by row."""
    kept = CaseHolding.objects.values_list("case", "holding")
    links = Link.objects.filter(detached_at__isnull=True, report__held__isnull=False)
    needed = links.values_list("case", "report__held__holding")
    for pairs, words in (
        (kept.difference(needed), "it counts on a log that stands behind none of its reports"),
        (needed.difference(kept), "a log behind one of its reports is not among what is held"),
    ):
        pks = sorted({case for case, _ in pairs})
        for start in range(0, len(pks), BATCH):
            for case in Case.objects.filter(pk__in=pks[start : start + BATCH]).order_by("pk"):
                yield Finding(f"case {case.case_id}", words)


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
