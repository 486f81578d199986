"""Which clocks reports bring into a case: begun with new ones, carried along with those that move."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from tocsin.cases import clocks
from tocsin.cases.models import Case, Clock, Link
from tocsin.intake.models import Report, ReportHolding

if TYPE_CHECKING:
    from tocsin.cases.opening import Desk


def begin(desk: "Desk", joined: Sequence[tuple[Case, Report]], promoted: Collection[Case]) -> None:
    """P01 and P02 of new reports. Below the threshold nobody is put under a clock.

    Those of a promoted case are left to `promote`.
    """
    waiting = {case.pk for case in promoted}
    rows: list[clocks.Begun] = []
    for case, report in joined:
        rows.append(clocks.acknowledged(desk.pack, report, case))
        if case.severity != "info" and case.pk not in waiting:
            rows.append(accepting(desk, case, report))
    clocks.insert(rows)


def promote(desk: "Desk", promoted: Sequence[Case]) -> None:
    """P02 of every report of cases that were below the threshold, counted from when it was received."""
    if not promoted:
        return
    by_pk = {case.pk: case for case in promoted}
    have = Clock.objects.filter(case__in=by_pk, clock_id=clocks.ACCEPT).values("report")
    links = Link.objects.filter(case__in=by_pk, detached_at__isnull=True).exclude(report__in=have)
    clocks.insert(
        accepting(desk, by_pk[link.case_id], link.report) for link in links.select_related("report")
    )


def start(desk: "Desk", promoted: Sequence[Case]) -> None:
    """The cases' own clocks, of those opened, promoted and reopened."""
    opened = {case.pk: case for case in (*desk.fresh, *promoted)}.values()
    for event, cases in (("opened", opened), ("reopened", desk.reopened)):
        clocks.start(desk.pack, [case for case in cases if case.severity != "info"], event, desk.at)


def accepting(desk: "Desk", case: Case, report: Report) -> clocks.Begun:
    """P02 of a report; in a case that has an owner it is met at once, and counted as automatic."""
    clock = clocks.new_clock(
        desk.pack,
        clocks.ACCEPT,
        case,
        report.received_at,
        report=report,
        is_urgent=case.severity == "critical",
    )
    return clocks.met(clock, desk.at) if case.owner_name else clock


def carry(desk: "Desk", reports: Sequence[Report], source: Case, target: Case) -> None:
    """Take the reports' own clocks along, missed ones with the step that they have reached.

    In a case with an owner they are met at once; one that an owner had met begins anew, from when the report
    was received, where nobody has the case. Below the threshold nobody is under a clock. Warnings about logs
    that nothing left behind is about go along too.
    """
    carry_warnings(reports, source, target)
    theirs = Clock.objects.filter(report__in=[report.pk for report in reports])
    theirs.filter(case=source, clock_id=clocks.ACKNOWLEDGE).update(case=target)
    waiting = theirs.filter(clock_id=clocks.ACCEPT)
    if target.severity == "info":
        waiting.filter(case=source).delete()
        return
    if target.owner_name:
        waiting.filter(case=source, ended_at__isnull=True).update(
            ended_at=desk.at, ended_by=clocks.AUTOMATIC, next_step_at=None
        )
    else:
        waiting.filter(case=source, ended_at__isnull=False).delete()
    waiting.filter(case=source).update(case=target)
    have = set(waiting.filter(case=target).values_list("report_id", flat=True))
    clocks.insert(accepting(desk, target, report) for report in reports if report.pk not in have)


def carry_warnings(reports: Sequence[Report], source: Case, target: Case) -> None:
    """Take P07 along where no report that stays is about the log; given ones too: none is given twice.

    Where the other case watches that log already, its warning is the one that stands.
    """
    gone = ReportHolding.objects.filter(report__in=[report.pk for report in reports])
    stays = ReportHolding.objects.filter(
        report__links__case=source, report__links__detached_at__isnull=True
    ).filter(holding__in=gone.values("holding"))
    subjects = {f"holding:{pk}" for pk in gone.values_list("holding", flat=True).distinct()}
    subjects -= {f"holding:{pk}" for pk in stays.values_list("holding", flat=True).distinct()}
    warnings = Clock.objects.filter(clock_id=clocks.WARN, subject__in=subjects)
    watched = set(warnings.filter(case=target).values_list("subject", flat=True))
    warnings.filter(case=source, subject__in=watched, ended_at__isnull=True).delete()
    warnings.filter(case=source).exclude(subject__in=watched).update(case=target)
