"""Unlinking and linking by hand: ordinary, recorded acts, each with its reason."""

import datetime as dt

from tocsin.cases import shares, states
from tocsin.cases.decisions import lock_case, record, refuse_coordinator
from tocsin.cases.linking import report_keys
from tocsin.cases.models import Case, Clock, Link
from tocsin.cases.opening import Desk, Placed, clear_desk, new_case, renew
from tocsin.cases.responders import Responder
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, Conflict
from tocsin.kernel.time import now
from tocsin.store import locks


def detach_report(
    case: Case, by: Responder, report: Report, reason: str, at: dt.datetime | None = None
) -> Case:
    """Take a report out of a case, with a reason, into a case of its own; gives that one.

    Its clocks go with it; nothing it is owed is lost. Raises BadInput, Conflict.
    """
    at = at or now()
    if not reason.strip():
        raise BadInput("taking a report out needs a reason")
    with act() as recorded:
        locks.in_turn("linking")
        case = lock_case(case)
        refuse_coordinator(by)
        link = _active_link(case, report)
        if case.report_count < 2:
            raise Conflict("it is the only report of its case")
        if not case.is_open:
            raise Conflict("the case is closed")
        link.detached_at, link.detached_by = at, by.person
        link.save()
        content = {"case_id": case.case_id, "report": report.report_id, "reason": reason.strip()}
        record(recorded, "cases:report:detached", case, by, content)
        desk = Desk.laid(recorded, at)
        fresh = new_case(desk, report)
        placed = Placed(
            report, report_keys(report), fresh, f"taken out of another case: {reason.strip()}", 100
        )
        Clock.objects.filter(report=report, case=case).delete()  # begun anew, from the same instants
        clear_desk(desk, [placed], [fresh])
        left = lock_case(case)
        shares.count_anew([left])
        renew(Desk(recorded, desk.pack, at, desk.units), [left], [], [left.pk])
    return fresh


def attach_report(
    case: Case, by: Responder, report: Report, reason: str, at: dt.datetime | None = None
) -> Case:
    """Move a report into this case by hand: also the way to undo a detaching.

    A case that loses its only report in this way is closed as merged. Raises BadInput, Conflict.
    """
    at = at or now()
    if not reason.strip():
        raise BadInput("linking a report needs a reason")
    with act() as recorded:
        locks.in_turn("linking")
        refuse_coordinator(by)
        link = Link.objects.select_related("case").filter(report=report, detached_at__isnull=True).first()
        if link is None or link.case_id == case.pk:
            raise Conflict("the report is in this case already, or in none")
        rows = {
            row.pk: row for row in Case.objects.select_for_update().filter(pk__in=[case.pk, link.case_id])
        }
        case, left = rows[case.pk], rows[link.case_id]
        if not case.is_open or not left.is_open or case.lane != left.lane:
            raise Conflict("both cases must be open, and in the same lane")
        link.detached_at, link.detached_by = at, by.person
        link.save()
        Clock.objects.filter(report=report, case=left).delete()
        desk = Desk.laid(recorded, at)
        words = f"{by.signature}: {reason.strip()}"
        clear_desk(desk, [Placed(report, report_keys(report), case, words, 100)], [case])
        Link.objects.filter(report=report, detached_at__isnull=True).update(linked_by=by.person)
        _close_if_empty(desk, left, by)
    return case


def _active_link(case: Case, report: Report) -> Link:
    link = Link.objects.filter(case=case, report=report, detached_at__isnull=True).first()
    if link is None:
        raise Conflict("the report is not in this case")
    return link


def _close_if_empty(desk: Desk, left: Case, by: Responder) -> None:
    shares.count_anew([left])
    renew(desk, [left], [], [left.pk])
    if left.report_count == 0:
        left.status, left.closed_at = states.DUPLICATE, desk.at
        left.save()
        Clock.objects.filter(case=left, ended_at__isnull=True).update(
            ended_at=desk.at, ended_by="person", next_step_at=None
        )
        record(desk.recorded, "cases:case:merged", left, by, {"status": states.DUPLICATE})
