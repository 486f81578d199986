"""Who acts on a case: a person of its unit, an officer with a one-time link, or the coordinator."""

from dataclasses import dataclass
from typing import Literal

from tocsin.access.models import Person, Role, Unit
from tocsin.access.policy import Actor, require
from tocsin.cases.models import Case, OneTimeLink
from tocsin.cases.reach import escalated_to, is_sealed_from
from tocsin.kernel.problems import NotAllowed, NotFound

EXCHANGE = "the exchange"


@dataclass(frozen=True)
class Responder:
    """Somebody who may act on one case, as the journal names them.

    `person` is None for an officer who came by a one-time link. `party` is what the state table calls them.
    """

    name: str
    unit: Unit
    person: Person | None = None
    link: OneTimeLink | None = None
    party: Literal["unit", "coordinator", "exchange"] = "unit"

    @classmethod
    def of(cls, actor: Actor, case: Case) -> "Responder":
        """The actor, as whoever they are to this case. Raises NotSignedIn or NotAllowed."""
        require(actor, "case.read")
        person = actor.person
        if person is None:
            raise NotAllowed()
        if is_sealed_from(actor, case):
            raise NotFound("there is no such case, or it is not yours to see")
        for unit in _officers_units(actor):
            if unit.pk == case.investigating_unit_id:
                return cls(person.name, unit, person)
        for unit in _officers_units(actor):
            if Case.objects.filter(escalated_to([unit.pk]), pk=case.pk).exists():
                return cls(person.name, unit, person)
        if Role.Name.COORDINATOR in actor.role_names:
            return cls(person.name, case.investigating_unit, person, party="coordinator")
        raise NotAllowed(
            "another unit has this case", hint="ask that unit, or the coordinator, to redirect it"
        )

    @classmethod
    def of_link(cls, link: OneTimeLink) -> "Responder":
        """The officer who came by a link and gave a name. Raises NotFound before a name was given."""
        if not link.officer_name:
            raise NotFound("nobody has accepted the case by this link yet", hint="give your name first")
        return cls(link.officer_name, link.case.investigating_unit, None, link)

    @classmethod
    def exchange(cls, case: Case) -> "Responder":
        """The exchange itself, acting on a case by what the reports say."""
        return cls(EXCHANGE, case.investigating_unit, party="exchange")

    @property
    def signature(self) -> str:
        """`Olive Green, Kent Police`."""
        return f"{self.name}, {self.unit.name}"


def _officers_units(actor: Actor) -> list[Unit]:
    return [
        role.unit
        for role in actor.roles
        if role.unit is not None and role.name in (Role.Name.OFFICER, Role.Name.SUPERVISOR)
    ]
