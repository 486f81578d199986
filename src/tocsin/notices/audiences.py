"""Who hears of an entry: people of the members whose reports it is about, of the unit, of the exchange."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tocsin.access.models import Role
from tocsin.cases import reach
from tocsin.cases.models import Case, Seal


@dataclass(frozen=True)
class People:
    """Everybody who acts, by where: members' and units' rows, and the coordinators."""

    by_member: Mapping[int, frozenset[int]]
    by_unit: Mapping[int, frozenset[int]]
    coordinators: frozenset[int]


def people() -> People:
    """Those whose accounts are on, at members that are not suspended."""
    members: dict[int, set[int]] = defaultdict(set)
    units: dict[int, set[int]] = defaultdict(set)
    coordinators: set[int] = set()
    roles = Role.objects.filter(person__is_active=True, member__suspended_at__isnull=True)
    for person, name, member, unit in roles.values_list("person_id", "name", "member_id", "unit_id"):
        if member is not None and name == Role.Name.REPORTER:
            members[member].add(person)
        elif unit is not None and name in (Role.Name.OFFICER, Role.Name.SUPERVISOR):
            units[unit].add(person)
        elif name == Role.Name.COORDINATOR:
            coordinators.add(person)
    return People(
        {key: frozenset(found) for key, found in members.items()},
        {key: frozenset(found) for key, found in units.items()},
        frozenset(coordinators),
    )


def cases_of(subjects: Iterable[str]) -> dict[str, Case]:
    """Those of the subjects that are cases, with their units."""
    wanted = [subject for subject in subjects if subject.startswith("case_")]
    found = Case.objects.filter(case_id__in=wanted).select_related("investigating_unit")
    return {case.case_id: case for case in found}


def of_seal(case: Case) -> frozenset[int]:
    """Whoever set the case's seal, the newest where it was set again; nobody whose account is off."""
    seals = Seal.objects.filter(case=case, sealed_by__is_active=True).order_by("-sealed_at", "-pk")
    return frozenset(seals.values_list("sealed_by", flat=True)[:1])


def of_case(everybody: People, case: Case) -> frozenset[int]:
    """The people of the unit that has the case; its owner alone once it has one with an account.

    Of a sealed case, those whom its seal names.
    """
    unit = everybody.by_unit.get(case.investigating_unit_id, frozenset())
    named = reach.named_in_seal(case)
    if named is not None:
        unit &= named
    return frozenset({case.owner_id}) if case.owner_id is not None and case.owner_id in unit else unit
