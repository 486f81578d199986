"""Unlinking and linking one report by hand: ordinary, recorded acts, each with its reason."""

import datetime as dt

from tocsin.cases.decisions import refuse_coordinator
from tocsin.cases.merging import given, lock_both, split_case
from tocsin.cases.models import Case, Link, Move
from tocsin.cases.moving import Hand, move
from tocsin.cases.opening import Desk
from tocsin.cases.responders import Responder
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.kernel.problems import Conflict
from tocsin.kernel.time import now
from tocsin.store import locks


def detach_report(
    case: Case, by: Responder, report: Report, reason: str, at: dt.datetime | None = None
) -> Case:
    """Take a report out of a case, with a reason, into a case of its own; gives that one.

    Its clocks go with it; nothing it is owed is lost. Raises BadInput, Conflict.
    """
    return split_case(case, by, [report.pk], reason, at)


def attach_report(
    case: Case, by: Responder, report: Report, reason: str, at: dt.datetime | None = None
) -> Case:
    """Move a report into this case by hand: also the way to undo a detaching.

    A case that loses its only report in this way is closed as merged. Raises BadInput, Conflict.
    """
    at, reason = at or now(), given(reason, "linking a report needs a reason")
    with act() as recorded:
        locks.in_turn("linking")
        refuse_coordinator(by)
        link = Link.objects.select_related("case").filter(report=report, detached_at__isnull=True).first()
        if link is None or link.case_id == case.pk:
            raise Conflict("the report is in this case already, or in none")
        case, left = lock_both(case, link.case)
        if not case.is_open or not left.is_open or case.lane != left.lane:
            raise Conflict("both cases must be open, and in the same lane")
        told = f"{by.signature}: {reason}"
        move(Desk.laid(recorded, at), Hand(Move.Kind.ATTACH, by, left, case, [report], reason, told))
    return case
