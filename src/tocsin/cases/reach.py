"""Who may see a case: its units, the desks that a missed clock has taken it to, and the coordinator.

A sealed case is visible to those who are named in its seal. Everybody else whom it would reach knows of it
(`known_to`): its number and its clock, and nothing that it says.
"""

import datetime as dt

from django.db.models import Exists, OuterRef, Q, QuerySet

from tocsin.access.models import Role, Unit
from tocsin.access.policy import Actor
from tocsin.cases.models import BrokenGlass, Case, Clock, Seal
from tocsin.intake.models import Report
from tocsin.kernel.time import now

REGIONAL_STEP, NATIONAL_STEP = 2, 3


def visible_to(actor: Actor) -> QuerySet[Case]:
    """The cases that somebody may see. Reporters see none: they see their reports.

    What is sealed from the actor is not among them, so whatever reads through here says nothing of it.
    """
    return known_to(actor).exclude(sealed_from(actor))


def known_to(actor: Actor) -> QuerySet[Case]:
    """The cases that somebody may know of, sealed ones among them.

    A unit sees what it investigates and what it supports, and what escalation has brought to it. Of the
    restricted lane it sees only what it investigates, or takes as the hotline.
    """
    units = [unit.pk for unit in actor.units]
    mine = Q(investigating_unit__in=units)
    mine |= Q(support_unit__in=units) & (
        Q(lane=Report.Lane.ORDINARY) | Q(support_unit__kind=Unit.Kind.HOTLINE)
    )
    mine |= Q(lane=Report.Lane.ORDINARY) & escalated_to(units)
    if Role.Name.COORDINATOR in actor.role_names:
        mine |= ~Q(investigating_unit__in=joined_units()) | is_late()
    return Case.objects.filter(mine)


def investigated_by(actor: Actor) -> QuerySet[Case]:
    """Of `known_to` what the actor's own units investigate: they know of it, whatever its lane."""
    return Case.objects.filter(investigating_unit__in=[unit.pk for unit in actor.units])


def joined_units() -> list[int]:
    """The units that answer by themselves, looked up first, so that a page in order of due needs no join."""
    return list(Unit.objects.filter(joined_at__isnull=False).order_by().values_list("pk", flat=True))


def units_not_joined() -> list[int]:
    """The units that have not joined."""
    return list(Unit.objects.filter(joined_at__isnull=True).order_by().values_list("pk", flat=True))


def sealed_from(actor: Actor, at: dt.datetime | None = None) -> Q:
    """Cases with a seal that does not name the actor, unless they have broken the glass within some hours.

    To a machine every seal is closed, whomever it says that it acts for: people read what is sealed.
    """
    sealed = Exists(Seal.objects.filter(case=OuterRef("pk"), lifted_at__isnull=True))
    if actor.person is None or actor.key is not None:
        return Q(sealed)
    named = Seal.objects.filter(case=OuterRef("pk"), lifted_at__isnull=True, people=actor.person)
    broken = BrokenGlass.objects.filter(case=OuterRef("pk"), person=actor.person, expires_at__gt=at or now())
    return Q(sealed) & ~Q(Exists(named)) & ~Q(Exists(broken))


def sealed_cases(actor: Actor) -> QuerySet[Case]:
    """The cases that are sealed from the actor, found by their seals, which are few."""
    sealed = Seal.objects.filter(lifted_at__isnull=True).values("case")
    return Case.objects.filter(sealed_from(actor), pk__in=sealed)


def is_sealed_from(actor: Actor, case: Case) -> bool:
    """Is this case's content kept from the actor?"""
    return Case.objects.filter(sealed_from(actor), pk=case.pk).exists()


def named_in_seal(case: Case) -> frozenset[int] | None:
    """The people (their rows) whom the case's seal names; None where it has no seal."""
    seal = Seal.objects.filter(case=case, lifted_at__isnull=True).first()
    return None if seal is None else frozenset(seal.people.values_list("pk", flat=True))


def escalated_to(unit_pks: list[int]) -> Q:
    """Cases that a missed clock has taken up to one of these units; a force is above nobody."""
    below = units_below(unit_pks)
    further = units_below(below) if below else []
    return (Q(investigating_unit__in=below) & is_escalated(REGIONAL_STEP)) | (
        Q(investigating_unit__in=further) & is_escalated(NATIONAL_STEP)
    )


def units_below(unit_pks: list[int]) -> list[int]:
    """The units right under these, looked up first: the database then finds their cases by index."""
    return list(Unit.objects.filter(parent__in=unit_pks).order_by().values_list("pk", flat=True))


def is_escalated(step: int) -> Q:
    """Cases with a running clock that was missed and has reached this step."""
    missed = Clock.objects.filter(ended_at__isnull=True, breached_at__isnull=False, step__gte=step)
    return Q(
        pk__in=missed.filter(case__isnull=False).values("case")
    )  # few, and found by an index of their own


def is_late() -> Q:
    """The same of any step, asked of each case in turn: where a page of many such is wanted in order."""
    missed = Clock.objects.filter(case=OuterRef("pk"), ended_at__isnull=True, breached_at__isnull=False)
    return Q(Exists(missed))


def sees_content(actor: Actor, case: Case) -> bool:
    """May this actor read what the reports say? Of the restricted lane, a coordinator may not (rule 10)."""
    return not is_sealed_from(actor, case) and reads_lane(actor, case)


def reads_lane(actor: Actor, case: Case) -> bool:
    """The same of a case that came through `visible_to`, so that its seal is no question any more."""
    if case.lane == Report.Lane.ORDINARY:
        return True
    units = {unit.pk for unit in actor.units}
    return case.investigating_unit_id in units or (
        case.support_unit_id in units and case.support_unit.kind == Unit.Kind.HOTLINE
    )
