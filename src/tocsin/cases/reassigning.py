"""A supervisor gives a case to somebody of the unit: who is away, drowning or gone keeps no case waiting.

No clock begins anew for it. Where nobody had the case, the person named has it from then on, as though they
had taken it themselves; its reporters are told who it is.
"""

import datetime as dt
from collections.abc import Iterable

from django.db.models import QuerySet

from tocsin.access.models import Person, Role
from tocsin.cases import clocks, reach, states
from tocsin.cases.decisions import lock_case, record, refuse_coordinator
from tocsin.cases.models import Case
from tocsin.cases.opening import push_status
from tocsin.cases.responders import Responder
from tocsin.cases.units import current_pack
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed
from tocsin.kernel.time import now

WORKING = (Role.Name.OFFICER, Role.Name.SUPERVISOR)


def people_at(unit_pks: Iterable[int]) -> QuerySet[Person]:
    """Who may have cases of these units (their rows): officers and supervisors whose accounts are on."""
    roles = Role.objects.filter(unit__in=list(unit_pks), name__in=WORKING)
    return Person.objects.filter(is_active=True, pk__in=roles.values("person")).order_by("name", "pk")


def reassign_case(
    case: Case, by: Responder, person: Person, reason: str = "", at: dt.datetime | None = None
) -> Case:
    """Make this person the owner. Twice is once.

    Raises NotAllowed for who is no supervisor of the unit that has the case; BadInput for somebody who does
    not work there; Conflict where the case is closed or its seal does not name them.
    """
    at, pack = at or now(), current_pack()
    with act() as recorded:
        case = lock_case(case)
        _refuse(case, by, person)
        if case.owner_id == person.pk:
            return case
        before, was_owned, status = case.owner_name, bool(case.owner_name), case.status
        case.status = status if was_owned else states.ACCEPTED
        states.check(pack, "reassign", status, case.status, by.party)
        case.owner, case.owner_name, case.owned_at, case.coordinator = person, person.name, at, None
        moved = {} if was_owned else clocks.turn(recorded, case, "accepted", at)
        content = {"owner": person.name, "from": before or "nobody", "reason": reason.strip()}
        record(recorded, "cases:case:reassigned", case, by, moved | content)
        case.save()
        push_status(case, at)
    return case


def _refuse(case: Case, by: Responder, person: Person) -> None:
    """Say why this cannot be. Raises NotAllowed, BadInput, Conflict."""
    refuse_coordinator(by)
    leads = Role.objects.filter(person=by.person, unit=case.investigating_unit_id, name=Role.Name.SUPERVISOR)
    if by.person is None or by.unit.pk != case.investigating_unit_id or not leads.exists():
        raise NotAllowed("only a supervisor of the unit that has the case gives it to somebody")
    if not case.is_open:
        raise Conflict("the case is closed")
    if not people_at([case.investigating_unit_id]).filter(pk=person.pk).exists():
        raise BadInput(f"{person.name} does not work at {case.investigating_unit.name}")
    named = reach.named_in_seal(case)
    if named is not None and person.pk not in named:
        raise Conflict(f"the case is sealed, and {person.name} is not named", hint="name them in the seal")
