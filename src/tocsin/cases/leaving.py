"""When somebody leaves who has open cases: their supervisors hear of it, so that no case is forgotten."""

from collections import defaultdict
from collections.abc import Iterable

from tocsin.access import alerts
from tocsin.access.models import Person, Role
from tocsin.cases import words
from tocsin.cases.models import Case

GONE = frozenset({"access:person:left", "access:person:off", "access:role:taken"})


def tell_of_leaving(person_pks: Iterable[int]) -> int:
    """Tell the supervisors of the units whose open cases these people still own; gives how many were told of.

    Somebody who still acts in the unit has not left it. Twice is once.
    """
    found = Case.objects.filter(owner__in=list(person_pks), closed_at__isnull=True)
    orphans: dict[tuple[int, str], list[str]] = defaultdict(list)
    for case in found.order_by("opened_at"):
        acts_still = Role.objects.filter(
            person=case.owner,
            person__is_active=True,
            unit=case.investigating_unit_id,
            name__in=[Role.Name.OFFICER, Role.Name.SUPERVISOR],
        )
        if not acts_still.exists():
            orphans[case.investigating_unit_id, case.owner_name].append(case.case_id)
    for (unit, name), case_ids in orphans.items():
        supervisors = Person.objects.filter(roles__unit=unit, roles__name=Role.Name.SUPERVISOR)
        count = words.many(len(case_ids), "open case")
        alerts.tell(supervisors, f"{name} no longer acts here and has {count}, the oldest {case_ids[0]}.")
    return sum(map(len, orphans.values()))
