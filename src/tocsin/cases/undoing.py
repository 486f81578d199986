"""Taking an act back within its minute: the case, its clocks and its links as though it had not happened.

What an act found and left is kept beside it (`Doing`). It is taken back only while the case still is as the
act left it, by whom did it, and the journal keeps both ways.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from tocsin.cases import clocks, states
from tocsin.cases.decisions import UNDO_FOR, lock_case, record, withdraw_answer
from tocsin.cases.models import Bulk, Case, Clock, Decision, Doing, OneTimeLink
from tocsin.cases.opening import push_status
from tocsin.cases.responders import Responder
from tocsin.cases.units import current_pack
from tocsin.journal.acts import act
from tocsin.kernel.problems import Conflict
from tocsin.kernel.time import parse_rfc3339, rfc3339

FIELDS = (
    *(
        "is_automatic",
        "status",
        "outcome_code",
        "investigating_unit_id",
        "route_rule",
        "route_reason",
        "route_told",
    ),
    *("owner_id", "owner_name", "coordinator_id"),
)
INSTANTS = ("closed_at", "owned_at")


def perform(bulk: Bulk, case: Case, by: Responder, do: Callable[[Case], Any], at: dt.datetime) -> None:
    """Do something to a case, and keep what it was before, in one transaction. Raises whatever `do` does.

    Giving a case to whoever has it already changes nothing and leaves nothing to take back.
    """
    with act():
        case = lock_case(case)
        before = fields_of(case)
        running = list(Clock.objects.filter(case=case, ended_at__isnull=True).values_list("pk", flat=True))
        do(case)
        after = fields_of(Case.objects.get(pk=case.pk))
        if bulk.act in ("accept", "reassign") and before == after:
            return
        Doing.objects.create(
            bulk=bulk,
            case=case,
            unit=by.unit,
            act=bulk.act,
            before=before,
            after=after,
            clocks_before=running,
            at=at,
        )


def fields_of(case: Case) -> dict[str, Any]:
    """What acts change of a case, as JSON."""
    found = {name: getattr(case, name) for name in FIELDS}
    instants = {name: getattr(case, name) for name in INSTANTS}
    return found | {name: rfc3339(at) if at else None for name, at in instants.items()}


def take_back(doing: Doing, by: Responder, at: dt.datetime) -> Case:
    """Take one act back. Raises Conflict when its minute is over or somebody has acted since."""
    with act() as recorded:
        case = lock_case(doing.case)
        doing = Doing.objects.select_for_update().get(pk=doing.pk)
        if doing.undone_at is not None:
            return case
        if at - doing.at > UNDO_FOR:
            raise Conflict("it can be taken back for one minute", hint="open the case and decide anew")
        if fields_of(case) != doing.after:
            raise Conflict("somebody has done something to the case since", hint="look at it again")
        if doing.act == "answer":
            case = withdraw_answer(case, by, at)
        else:
            states.check(current_pack(), "undo", case.status, doing.before["status"], by.party)
            restore(case, doing)
            record(recorded, "cases:case:undone", case, by, {"act": doing.act, "status": case.status})
            push_status(case, at)
        doing.undone_at = at
        doing.save(update_fields=["undone_at"])
    return case


def restore(case: Case, doing: Doing) -> None:
    """Put back the fields, the clocks that the act ended, and the links that it revoked."""
    for name, value in doing.before.items():
        setattr(case, name, parse_rfc3339(value) if name in INSTANTS and value else value)
    case.save()
    mine = Clock.objects.filter(case=case)
    mine.filter(started_at=doing.at, report__isnull=True).exclude(pk__in=doing.clocks_before).delete()
    clocks.revive(mine.filter(pk__in=doing.clocks_before, ended_at=doing.at), case)
    Decision.objects.filter(case=case, at=doing.at).delete()
    OneTimeLink.objects.filter(case=case, revoked_at=doing.at).update(revoked_at=None)
