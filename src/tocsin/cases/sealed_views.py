"""What is seen of a case that is sealed from its reader, and who is let in to it."""

import datetime as dt
from dataclasses import dataclass, replace

from tocsin.access.policy import Actor, require
from tocsin.cases import overviews, reach, sealing
from tocsin.cases.models import BrokenGlass
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


@dataclass(frozen=True)
class Admitted:
    """Somebody who reads a sealed case; `until` where they broke the glass."""

    name: str
    email: str
    until: dt.datetime | None = None


@dataclass(frozen=True)
class SealView:
    """Is a case sealed, and who is let in? By whom, why and to whom is read by those alone who are."""

    case_id: str
    unit_id: str
    is_sealed: bool
    due: ClockView | None
    may_break: bool
    sealed_at: dt.datetime | None = None
    sealed_by: str = ""
    reason: str = ""
    people: tuple[Admitted, ...] = ()


def seal_of(actor: Actor, case_id: str, at: dt.datetime | None = None) -> SealView:
    """The seal of a case. A machine reads what the person whom it names may read.

    Raises NotSignedIn, NotAllowed; NotFound where the case does not reach the actor.
    """
    require(actor, "case.read")
    at = at or now()
    reader = sealing.as_person(actor) if actor.person is not None else actor
    case = reach.known_to(reader).select_related("investigating_unit").filter(case_id=case_id).first()
    if case is None:
        raise NotFound("there is no such case, or it is not yours to see")
    seal = sealing.current_seal(case)
    view = SealView(
        case_id=case.case_id,
        unit_id=case.investigating_unit.unit_id,
        is_sealed=seal is not None,
        due=overviews.first_due(current_pack(), [case], at).get(case.pk),
        may_break=sealing.may_break(reader, case_id),
    )
    if seal is None or reach.is_sealed_from(reader, case):
        return view
    broken = BrokenGlass.objects.filter(case=case, expires_at__gt=at).select_related("person").order_by("at")
    return replace(
        view,
        sealed_at=seal.sealed_at,
        sealed_by=seal.sealed_by.name,
        reason=seal.reason,
        people=(
            *(Admitted(one.name, one.email) for one in sorted(seal.people.all(), key=lambda one: one.name)),
            *(Admitted(one.person.name, one.person.email, one.expires_at) for one in broken),
        ),
    )


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
