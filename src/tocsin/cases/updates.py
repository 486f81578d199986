"""Saying how a case stands where nothing has changed: one press, prepared words, and P04 begins again."""

import datetime as dt

from tocsin.cases import clocks, states
from tocsin.cases.decisions import ended_by, own, record
from tocsin.cases.models import Case
from tocsin.cases.opening import push_status
from tocsin.cases.responders import Responder
from tocsin.cases.units import current_pack
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import now


def say_update(case: Case, by: Responder, code: str, at: dt.datetime | None = None) -> Case:
    """Tell every reporter of the case how it stands, in the pack's words. It is news and no decision.

    Raises BadInput for words that are not in the list, Conflict where the case is not open.
    """
    at, pack = at or now(), current_pack()
    if code not in pack.updates:
        raise BadInput("choose how it stands", hint=f"one of {', '.join(pack.updates)}")
    with act() as recorded:
        case = own(recorded, case, by, at)
        states.check(pack, "update", case.status, case.status, by.party)
        moved = clocks.turn(recorded, case, "updated", at, ended_by(by))
        content = moved | {"code": code, "words": pack.updates[code].words}
        record(recorded, "cases:case:updated", case, by, content)
        case.save()
        push_status(case, at)
    return case
