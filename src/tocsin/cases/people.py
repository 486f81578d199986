"""Who has to do with a case: its owner and coordinator, whoever decided, and the members that report."""

from dataclasses import dataclass

from tocsin.cases import words
from tocsin.cases.models import Case, Decision, Share

MOST_MEMBERS = 20


@dataclass(frozen=True)
class PersonLine:
    """Somebody, and what they have to do with the case."""

    name: str
    part: str


def people_of(case: Case) -> tuple[PersonLine, ...]:
    """The people of a case and its reporting members, for its own unit."""
    found = []
    if case.owner_name:
        found.append(PersonLine(case.owner_name, f"owner, {case.investigating_unit.name}"))
    if case.coordinator is not None:
        found.append(PersonLine(case.coordinator.name, "coordinator of the exchange"))
    decided = Decision.objects.filter(case=case).order_by("at").values_list("person_name", "unit__name")
    for name, unit in dict.fromkeys(decided):
        if name != case.owner_name:
            found.append(PersonLine(name, f"decided, {unit}"))
    shares = Share.objects.filter(case=case).order_by("-reports", "pk")
    members = list(shares.values_list("member__name", "reports")[: MOST_MEMBERS + 1])
    found += [PersonLine(name, words.many(count, "report")) for name, count in members[:MOST_MEMBERS]]
    if len(members) > MOST_MEMBERS:
        found.append(PersonLine(f"{case.member_count - MOST_MEMBERS} more members", "reported too"))
    return tuple(found)
