"""Who acts on a case: a person of its unit, an officer with a one-time link, or the coordinator."""

from dataclasses import dataclass
from typing import Literal

from tocsin.access.models import ApiKey, Person, Role, Unit
from tocsin.access.policy import Actor, require
from tocsin.cases.models import Case, OneTimeLink
from tocsin.cases.reach import escalated_to, is_sealed_from
from tocsin.kernel.problems import NotAllowed, NotFound

EXCHANGE = "the exchange"
ANOTHERS = "another unit has this case"
ASK = "ask that unit, or the coordinator, to redirect it"


@dataclass(frozen=True)
class Responder:
    """Somebody who may act on one case, as the journal names them.

    `person` is None for an officer who came by a one-time link, and for a unit's machine, which acts by a key
    and by itself (`is_automatic`). `key` is the label of the key by which a machine passed the act on.
    `party` is what the state table calls them.
    """

    name: str
    unit: Unit
    person: Person | None = None
    link: OneTimeLink | None = None
    party: Literal["unit", "coordinator", "exchange"] = "unit"
    key: str = ""

    @classmethod
    def of(cls, actor: Actor, case: Case) -> "Responder":
        """The actor, as whoever they are to this case. Raises NotSignedIn or NotAllowed."""
        require(actor, "case.read")
        if is_sealed_from(actor, case):
            raise NotFound("there is no such case, or it is not yours to see")
        return cls.of_seen(actor, case)

    @classmethod
    def of_seen(cls, actor: Actor, case: Case) -> "Responder":
        """The same for a case that the actor was shown, so that its seal is no question any more."""
        if actor.key is not None:
            return cls._of_key(actor, actor.key, case)
        person = actor.person
        if person is None:
            raise NotAllowed()
        for unit in _officers_units(actor):
            if unit.pk == case.investigating_unit_id:
                return cls(person.name, unit, person)
        for unit in _officers_units(actor):
            if Case.objects.filter(escalated_to([unit.pk]), pk=case.pk).exists():
                return cls(person.name, unit, person)
        if Role.Name.COORDINATOR in actor.role_names:
            return cls(person.name, case.investigating_unit, person, party="coordinator")
        raise NotAllowed(ANOTHERS, hint=ASK)

    @classmethod
    def _of_key(cls, actor: Actor, key: ApiKey, case: Case) -> "Responder":
        """A machine of a unit, by itself or passing on what a person decided; of the exchange, always so.

        Raises NotAllowed.
        """
        if key.place is None and Role.Name.COORDINATOR in actor.role_names:
            unit = case.investigating_unit
            return cls(actor.label, unit, actor.person, party="coordinator", key=key.label)
        if key.unit is None:
            raise NotAllowed()
        has_it = key.unit.pk == case.investigating_unit_id
        if not has_it and not Case.objects.filter(escalated_to([key.unit.pk]), pk=case.pk).exists():
            raise NotAllowed(ANOTHERS, hint=ASK)
        return cls(actor.label, key.unit, actor.person, key=key.label)

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
    def is_automatic(self) -> bool:
        """Did a machine decide this by itself? Then it is never follow-up."""
        return bool(self.key) and self.person is None

    @property
    def signed(self) -> dict[str, str | int]:
        """How the journal names them, and the key by which a machine passed the act on."""
        who: dict[str, str | int] = {"by": self.name, "by_unit": self.unit.name}
        return who | {"by_key": self.key} if self.key else who

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
