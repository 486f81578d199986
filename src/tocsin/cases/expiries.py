"""P07: the exchange's own duty to warn a provider before a log behind a case is destroyed."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from tocsin.cases.clocks import WARN
from tocsin.cases.models import Case, Clock
from tocsin.intake.models import Report, ReportHolding
from tocsin.inventory.models import Holding
from tocsin.reference import calendars
from tocsin.reference.values import Pack
from tocsin.store.rows import insert_rows, update_rows

Watched = dict[tuple[int, int], dt.datetime]  # (case, holding): when it will be destroyed


def watch(
    pack: Pack,
    cases: Sequence[Case],
    told: Iterable[tuple[Case, Report]],
    at: dt.datetime,
    *,
    before: Sequence[Case] | None = None,
    whole: Sequence[Case] = (),
) -> None:
    """Run P07 for every log of these cases that will be destroyed; move it where the date has changed.

    Looked at are the logs of the reports `told`, those already watched in cases that were there `before`
    (all of them, unless said), and every log of the `whole` cases.
    """
    by_pk = {case.pk: case for case in cases if case.is_open}
    known = _clocks(by_pk.keys() & {case.pk for case in (cases if before is None else before)})
    wanted = _of_reports(by_pk, told, at) | _of_cases(by_pk.keys() & {case.pk for case in whole}, at)
    wanted |= _watched([pair for pair, clock in known.items() if clock.ended_at is None], at)
    fresh, moved = [], []
    duration, unit = pack.clocks[WARN].limit(enhanced=False)
    for (case_pk, holding), delete_at in wanted.items():
        clock = known.get((case_pk, holding))
        if clock is not None and clock.due_at == delete_at:
            continue
        if clock is None or clock.ended_at is not None:
            clock = Clock(clock_id=WARN, case_id=case_pk, subject=f"holding:{holding}", started_at=at)
            fresh.append(clock)
        else:
            moved.append(clock)
        clock.due_at = delete_at
        clock.next_step_at = calendars.due(delete_at, -duration, unit, pack.info.home_nation)
    insert_rows(fresh)
    update_rows(moved, ["due_at", "next_step_at"])


def _clocks(case_pks: Collection[int]) -> dict[tuple[int, int], Clock]:
    if not case_pks:
        return {}
    found = Clock.objects.filter(case__in=case_pks, clock_id=WARN).order_by("started_at")
    return {(int(clock.case_id or 0), int(clock.subject.removeprefix("holding:"))): clock for clock in found}


def _of_reports(by_pk: dict[int, Case], told: Iterable[tuple[Case, Report]], at: dt.datetime) -> Watched:
    case_of = {report.pk: case.pk for case, report in told if case.pk in by_pk}
    rows = ReportHolding.objects.filter(report__in=list(case_of), holding__delete_at__gt=at)
    pairs = rows.values_list("report_id", "holding_id", "holding__delete_at") if case_of else ()
    return {(case_of[int(report)], holding): delete_at for report, holding, delete_at in pairs if delete_at}


def _of_cases(case_pks: Collection[int], at: dt.datetime) -> Watched:
    if not case_pks:
        return {}
    rows = ReportHolding.objects.filter(
        report__links__case__in=case_pks, report__links__detached_at__isnull=True, holding__delete_at__gt=at
    ).values_list("report__links__case", "holding", "holding__delete_at")
    return {(int(case), holding): delete_at for case, holding, delete_at in rows.distinct() if delete_at}


def _watched(pairs: Sequence[tuple[int, int]], at: dt.datetime) -> Watched:
    if not pairs:
        return {}
    held = Holding.objects.filter(pk__in={holding for _, holding in pairs}, delete_at__gt=at)
    dates = dict(held.values_list("pk", "delete_at"))
    return {pair: date for pair in pairs if (date := dates.get(pair[1])) is not None}
