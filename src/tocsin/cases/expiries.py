"""P07: the exchange's own duty to warn a provider before a log behind a case is destroyed.

What is kept longer than was said moves its warning when that falls due (`clocks.put_off`).
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from tocsin.cases.clocks import WARN
from tocsin.cases.models import Case, Clock
from tocsin.intake.models import Report, ReportHolding
from tocsin.reference import calendars
from tocsin.reference.values import Pack
from tocsin.store import bulk
from tocsin.store.rows import insert_rows, update_rows

Watched = dict[tuple[int, int], dt.datetime]  # (case, holding): when it will be destroyed
SUBJECT = "holding:"
HELD = """
SELECT r.report_id, r.holding_id, h.delete_at FROM intake_reportholding r
JOIN inventory_holding h ON h.id = r.holding_id WHERE h.delete_at IS NOT NULL AND r.report_id = ANY(%s)
"""


def watch(pack: Pack, told: Iterable[tuple[Case, Report]], whole: Sequence[Case], at: dt.datetime) -> None:
    """Run P07 for every log that will be destroyed: of the reports `told`, and all of the `whole` cases.

    A warning that runs already is moved where the date has changed.
    """
    wanted = _of_reports({report.pk: case.pk for case, report in told if case.is_open}, at)
    wanted |= _of_cases([case.pk for case in whole if case.is_open], at)
    known = _clocks(wanted)
    fresh, moved = [], []
    duration, unit = pack.clocks[WARN].limit(enhanced=False)
    for (case_pk, holding), delete_at in wanted.items():
        clock = known.get((case_pk, holding))
        if clock is not None and clock.due_at == delete_at:
            continue
        if clock is None or clock.ended_at is not None:
            clock = Clock(clock_id=WARN, case_id=case_pk, subject=f"{SUBJECT}{holding}", started_at=at)
            fresh.append(clock)
        else:
            moved.append(clock)
        clock.due_at = delete_at
        clock.next_step_at = calendars.due(delete_at, -duration, unit, pack.info.home_nation)
    insert_rows(fresh)
    update_rows(moved, ["due_at", "next_step_at"])


def _clocks(wanted: Watched) -> dict[tuple[int, int], Clock]:
    """The newest warning for each of these logs in each of these cases."""
    if not wanted:
        return {}
    found = Clock.objects.filter(
        case__in={case for case, _ in wanted},
        report__isnull=True,
        clock_id=WARN,
        subject__in={f"{SUBJECT}{holding}" for _, holding in wanted},
    ).order_by("started_at")
    return {(int(clock.case_id or 0), int(clock.subject.removeprefix(SUBJECT))): clock for clock in found}


def _of_reports(case_of: dict[int, int], at: dt.datetime) -> Watched:
    if not case_of:
        return {}
    found: Watched = {}
    for report, holding, delete_at in bulk.select(HELD, list(case_of)):
        gone_at = bulk.read(delete_at)
        if gone_at > at:
            found[case_of[report], holding] = gone_at
    return found


def _of_cases(case_pks: Sequence[int], at: dt.datetime) -> Watched:
    if not case_pks:
        return {}
    rows = ReportHolding.objects.filter(
        report__links__case__in=case_pks, report__links__detached_at__isnull=True, holding__delete_at__gt=at
    ).values_list("report__links__case", "holding", "holding__delete_at")
    return {(int(case), holding): delete_at for case, holding, delete_at in rows.distinct() if delete_at}
