"""What will go a desk higher next, and when: the coordinator can still see to it that it need not."""

import datetime as dt
from dataclasses import dataclass

from tocsin.access.policy import Actor, require
from tocsin.cases import reach
from tocsin.cases.models import Clock
from tocsin.cases.sweeping import DESKS
from tocsin.cases.units import current_pack

MOST = 50


@dataclass(frozen=True)
class Rising:
    """A missed duty: what, at whose desk it is, whose is next, and from when."""

    case_id: str
    title: str
    unit_name: str
    what: str
    desk: str
    next_desk: str
    next_at: dt.datetime


def rising(actor: Actor) -> tuple[Rising, ...]:
    """Missed duties of the cases on the coordinator's page, the next to go up first; `MOST` at most."""
    require(actor, "coordination.read")
    pack = current_pack()
    # Every missed duty of an open case is before the coordinator, so that only seals keep one from the page.
    missed = Clock.objects.exclude(case__in=reach.sealed_cases(actor).values("pk")).filter(
        case__closed_at__isnull=True,
        ended_at__isnull=True,
        breached_at__isnull=False,
        next_step_at__isnull=False,
        member__isnull=True,
    )
    found = missed.select_related("case__investigating_unit").order_by("next_step_at", "pk")
    return tuple(
        Rising(
            case_id=case.case_id,
            title=case.title,
            unit_name=case.investigating_unit.name,
            what=pack.clocks[clock.clock_id].what.format(unit=case.investigating_unit.name),
            desk=DESKS[clock.step],
            next_desk=DESKS[clock.step + 1],
            next_at=clock.next_step_at,
        )
        for clock in found[:MOST]
        if (case := clock.case) is not None and clock.next_step_at is not None
    )
