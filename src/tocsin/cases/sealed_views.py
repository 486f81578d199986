"""What is seen of a case that is sealed from its reader."""

import datetime as dt
from dataclasses import dataclass

from tocsin.access.policy import Actor, require
from tocsin.cases import overviews, reach, sealing
from tocsin.cases.units import current_pack
from tocsin.cases.views import ClockView
from tocsin.kernel.problems import NotFound
from tocsin.kernel.time import now


@dataclass(frozen=True)
class SealedView:
    """A sealed case: number, unit and clock."""

    case_id: str
    unit_name: str
    due: ClockView | None
    may_break: bool


def sealed_view(actor: Actor, case_id: str, at: dt.datetime | None = None) -> SealedView:
    """The case from outside. Raises NotSignedIn, NotAllowed; NotFound where it does not reach the actor."""
    require(actor, "case.read")
    case = (
        reach.known_to(actor)
        .filter(reach.sealed_from(actor))
        .select_related("investigating_unit", "support_unit", "coordinator")
        .filter(case_id=case_id)
        .first()
    )
    if case is None:
        raise NotFound("there is no such case, or it is not yours to see")
    due = overviews.first_due(current_pack(), [case], at or now()).get(case.pk)
    return SealedView(case.case_id, case.investigating_unit.name, due, sealing.may_break(actor, case_id))
