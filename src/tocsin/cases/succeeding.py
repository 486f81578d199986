"""When a unit ends: its open cases go to the unit that succeeds it by law, on the day after its last.

Whoever had a case and works at the successor keeps it. No clock stops.
"""

import datetime as dt

from django.db.models import Q

from tocsin.access.models import Unit
from tocsin.cases import states
from tocsin.cases.decisions import lock_case, record
from tocsin.cases.models import Case, OneTimeLink
from tocsin.cases.opening import Desk, name_coordinators, push_status, route_content
from tocsin.cases.reassigning import people_at
from tocsin.cases.responders import Responder
from tocsin.cases.stating import hand_over
from tocsin.journal.acts import act
from tocsin.kernel.time import now
from tocsin.reference.values import Pack


def succeed(at: dt.datetime | None = None) -> int:
    """Move every open case of a unit that has ended; gives how many. Twice is once, each by itself."""
    at, moved = at or now(), 0
    ended = _ended(at)
    if not ended:
        return 0
    waiting = Case.objects.filter(
        Q(investigating_unit__in=ended) | Q(support_unit__in=ended), closed_at__isnull=True
    )
    for case in waiting.order_by("pk").iterator(500):
        moved += succeed_case(case, at)
    return moved


def succeed_case(case: Case, at: dt.datetime) -> bool:
    """Move one case to its unit's successor; gives whether there was anything to move."""
    with act() as recorded:
        desk = Desk.laid(recorded, at)
        case = lock_case(case)
        before, support = case.investigating_unit, case.support_unit
        now_has = desk.units[successor(desk.pack, before.unit_id, desk.day)]
        now_supports = desk.units[successor(desk.pack, support.unit_id, desk.day)]
        if not case.is_open or (now_has.pk, now_supports.pk) == (before.pk, support.pk):
            return False
        by, turned = Responder.exchange(case), {}
        case.support_unit = now_supports
        told = _told(support, now_supports)
        if now_has.pk != before.pk:
            told = case.route_reason = case.route_told = _told(before, now_has)
            turned = _pass_on(desk, case, now_has, by)
        content = turned | route_content(case) | {"from": before.name, "reason": told}
        record(recorded, "cases:case:succeeded", case, by, content)
        case.save()
        push_status(case, at)
    return True


def _pass_on(desk: Desk, case: Case, unit: Unit, by: Responder) -> dict[str, object]:
    """To the successor, with its owner where they work there."""
    if case.owner_id is None or not people_at([unit.pk]).filter(pk=case.owner_id).exists():
        return hand_over(desk.recorded, case, unit, by, desk.at, "succeed")
    states.check(desk.pack, "succeed", case.status, case.status, by.party)
    case.investigating_unit = unit
    case.coordinator = None
    name_coordinators([case])
    OneTimeLink.objects.filter(case=case, revoked_at__isnull=True).update(revoked_at=desk.at)
    return {}


def successor(pack: Pack, unit_id: str, day: dt.date) -> str:
    """The unit that is there on that day: itself, its successor, or the national unit where it has none."""
    if unit_id not in pack.units:
        return unit_id
    found = pack.current_unit(unit_id, day)
    return found.unit_id if found.is_current(day) else pack.info.national_unit


def _ended(at: dt.datetime) -> list[int]:
    """The units whose last day has passed: the database knows them after an upgrade has loaded the pack."""
    return list(Unit.objects.filter(valid_to__lt=at.date()).values_list("pk", flat=True))


def _told(unit: Unit, after: Unit) -> str:
    """`Kent Police ended on 31 March 2027, and Essex Police succeeds it`."""
    return f"{unit.name} ended on {_day(unit)}, and {after.name} succeeds it"


def _day(unit: Unit) -> str:
    """`31 March 2027`."""
    return f"{unit.valid_to.day} {unit.valid_to:%B %Y}" if unit.valid_to is not None else "an earlier day"
