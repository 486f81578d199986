"""What the parts of a score count at a unit: set by its supervisor, recorded, shown, undone by one press."""

import datetime as dt

from tocsin.access.models import Person, Role, Unit
from tocsin.access.policy import Actor, require
from tocsin.cases import triage
from tocsin.cases.models import UnitWeights
from tocsin.cases.units import current_pack
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed
from tocsin.kernel.time import now
from tocsin.reference.values import Weights
from tocsin.store import locks

HIGHEST = 100


def weights_of(unit: Unit) -> Weights:
    """What the parts count at this unit."""
    return triage.weights_of_units().get(unit.pk, current_pack().triage.weights.alone)


def set_weights(
    actor: Actor, unit: Unit, weights: Weights, reason: str, at: dt.datetime | None = None
) -> UnitWeights:
    """Weigh the unit's cases otherwise from now on. Raises NotAllowed, BadInput."""
    person = supervisor(actor, unit)
    numbers = (weights.severity, weights.solvability, weights.harm, weights.volume)
    if min(numbers) < 0 or max(numbers) > HIGHEST or not any(numbers):
        raise BadInput(f"weights are whole numbers of 0 to {HIGHEST}, and one of them counts")
    if not reason.strip():
        raise BadInput("say why the unit weighs its cases otherwise")
    with act() as recorded:
        locks.in_turn("linking")
        row = UnitWeights.objects.create(
            unit=unit,
            severity=weights.severity,
            solvability=weights.solvability,
            harm=weights.harm,
            volume=weights.volume,
            reason=reason.strip(),
            person=person,
            person_name=person.name,
            at=at or now(),
        )
        triage.weigh_unit_anew(unit.pk, weights)
        content = dict(zip(triage.PARTS, numbers, strict=True))
        recorded.record(
            "cases:weights:set", unit.unit_id, content | {"by": person.name, "reason": reason.strip()}
        )
    return row


def undo_weights(actor: Actor, unit: Unit, at: dt.datetime | None = None) -> Weights:
    """Go back to what held before the last change; gives it. Raises NotAllowed, Conflict."""
    person = supervisor(actor, unit)
    with act() as recorded:
        locks.in_turn("linking")
        rows = UnitWeights.objects.filter(unit=unit, undone_at__isnull=True)
        last = rows.order_by("at", "pk").last()
        if last is None:
            raise Conflict("the unit weighs its cases as the exchange proposes")
        last.undone_at = at or now()
        last.save(update_fields=["undone_at"])
        weights = weights_of(unit)
        triage.weigh_unit_anew(unit.pk, weights)
        recorded.record("cases:weights:undone", unit.unit_id, {"by": person.name})
    return weights


def history_of(unit: Unit) -> list[UnitWeights]:
    """Every change, the newest first."""
    return list(UnitWeights.objects.filter(unit=unit).order_by("-at", "-pk")[:20])


def supervised(actor: Actor) -> list[Unit]:
    """The units whose supervisor the actor is."""
    return [role.unit for role in actor.roles if role.name == Role.Name.SUPERVISOR and role.unit is not None]


def supervisor(actor: Actor, unit: Unit) -> Person:
    """The person, where they supervise this unit. Raises NotAllowed."""
    require(actor, "weights.set")
    if actor.person is None or unit.pk not in {own.pk for own in supervised(actor)}:
        raise NotAllowed("only the unit's supervisor weighs its cases")
    return actor.person
