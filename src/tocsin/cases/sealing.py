"""Sealing a case to named people, lifting the seal, and breaking the glass in need.

What a seal keeps from whom is decided in `cases.reach` alone. A seal stops no clock and hides no duty:
everybody whom the case would reach still sees its number and what is due. A machine passes on what a person
decided about a seal; it reads nothing by that, and who is concerned hears by which key it came.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from django.db.models import Q

from tocsin.access import alerts
from tocsin.access.models import Person, Role
from tocsin.access.policy import Actor, may, require
from tocsin.cases import reach
from tocsin.cases.models import BrokenGlass, Case, Seal
from tocsin.cases.responders import Responder
from tocsin.cases.views import QueueRow
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound, Problem
from tocsin.kernel.time import now, rfc3339

GLASS_FOR = dt.timedelta(hours=4)
SHORTEST_REASON = 10
SEALED = "Sealed case"


class SealedCase(Problem):
    """This case is sealed: only named people read it."""

    slug = "sealed"
    status = 403
    exit_code = 4
    hint = "ask the unit's supervisor; the case's clocks keep running"


def seal_case(
    case: Case, actor: Actor, people: Sequence[Person], reason: str, at: dt.datetime | None = None
) -> Seal:
    """Seal a case to these people and to whoever seals it; a second seal replaces the names of the first.

    Raises NotSignedIn, NotAllowed for who is no supervisor of the investigating unit, BadInput for somebody
    who is at neither of the case's units.
    """
    by, at = _supervisor(case, actor), at or now()
    reason = _reason(reason)
    strangers = {p.pk for p in people} - {p.pk for p in people_of(case)}
    if strangers:
        raise BadInput("a seal names people of the investigating and the support unit alone")
    assert by.person is not None  # noqa: S101 (a supervisor is a person)
    with act() as recorded:
        Case.objects.select_for_update().get(pk=case.pk)
        Seal.objects.filter(case=case, lifted_at__isnull=True).update(lifted_at=at)
        made = Seal.objects.create(case=case, sealed_by=by.person, reason=reason, sealed_at=at)
        made.people.set({*people, by.person})
        named = made.people.count()
        recorded.record("cases:case:sealed", case.case_id, by.signed | {"count": named})
        told = [person for person in people if person.pk != by.person.pk]
        alerts.tell(told, f"{by.signature}, named you to the sealed case {case.case_id}.")
    return made


def lift_seal(case: Case, actor: Actor, at: dt.datetime | None = None) -> None:
    """Let the case be read as any other. Twice changes nothing.

    Where a machine passes it on, everybody whom the seal named is told: it opens the case to that key.
    """
    by, at = _supervisor(case, actor), at or now()
    with act() as recorded:
        named = list(Person.objects.filter(seals__case=case, seals__lifted_at__isnull=True))
        if Seal.objects.filter(case=case, lifted_at__isnull=True).update(lifted_at=at):
            recorded.record("cases:case:unsealed", case.case_id, by.signed)
            if by.key:
                alerts.tell(
                    named, f"{by.signature}, lifted the seal of case {case.case_id} by the key {by.key}."
                )


def break_glass(actor: Actor, case_id: str, reason: str, at: dt.datetime | None = None) -> BrokenGlass:
    """Read a sealed case for some hours, with a reason: the sealing person and the coordinator are told.

    Raises NotSignedIn, NotAllowed, BadInput without reason, NotFound where there is nothing to break.
    """
    require(actor, "case.break_glass")
    label = actor.key.label if actor.key is not None else ""
    actor, at, reason = as_person(actor), at or now(), _reason(reason)
    case = _sealed_from_supervisor(actor, case_id)
    seal = Seal.objects.select_related("sealed_by").filter(case=case, lifted_at__isnull=True).first()
    if case is None or seal is None or actor.person is None:
        raise NotFound("there is no such sealed case, or it is not yours to see")
    unit = next(role.unit for role in actor.roles if role.name == Role.Name.SUPERVISOR)
    until = at + GLASS_FOR
    with act() as recorded:
        made = BrokenGlass.objects.create(
            case=case, person=actor.person, reason=reason, at=at, expires_at=until
        )
        content = {
            "by": actor.person.name,
            "by_unit": unit.name if unit else "",
            "reason": reason,
            "until": rfc3339(until),
        }
        if label:
            content["by_key"] = label
        recorded.record("cases:seal:broken", case.case_id, content)
        coordinators = Person.objects.filter(roles__name=Role.Name.COORDINATOR).distinct()
        alerts.tell(
            [seal.sealed_by, *coordinators],
            f"{actor.person.name}, {unit.name if unit else ''}, broke the seal of case {case.case_id} for "
            f"{GLASS_FOR.seconds // 3600} hours. The reason stands in the journal of the case: {reason}"[
                :300
            ],
        )
    return made


def as_person(actor: Actor) -> Actor:
    """Whoever decided, without the key that passes it on: a seal asks what they may read, not what it may.

    Raises NotAllowed where the key names nobody.
    """
    if actor.key is not None and actor.person is None:
        raise NotAllowed("a seal is a person's", hint="name who decided: On-Behalf-Of: their address")
    return replace(actor, key=None)


def may_break(actor: Actor, case_id: str) -> bool:
    """Could the actor break this case's glass?"""
    return may(actor, "case.break_glass") and _sealed_from_supervisor(actor, case_id) is not None


def current_seal(case: Case) -> Seal | None:
    """The seal that is on the case."""
    return (
        Seal.objects.select_related("sealed_by")
        .prefetch_related("people")
        .filter(case=case, lifted_at__isnull=True)
        .first()
    )


def people_of(case: Case) -> list[Person]:
    """Who could be named in a seal: officers and supervisors of the case's units."""
    units = Q(roles__unit__in=[case.investigating_unit_id, case.support_unit_id])
    return list(Person.objects.filter(units, is_active=True).distinct().order_by("name"))


def is_supervisor_of(actor: Actor, case: Case) -> bool:
    """Does the actor supervise the investigating unit?"""
    return any(
        role.name == Role.Name.SUPERVISOR and role.unit_id == case.investigating_unit_id
        for role in actor.roles
    )


def raise_if_sealed(actor: Actor, case_id: str) -> None:
    """Raises SealedCase where the actor may know of the case and nothing more."""
    if reach.known_to(actor).filter(reach.sealed_from(actor), case_id=case_id).exists():
        raise SealedCase()


def masked(actor: Actor, rows: list[QueueRow]) -> list[QueueRow]:
    """The rows of a queue, those of sealed cases with number, unit and clock alone."""
    ids = [row.case_id for row in rows]
    if not Seal.objects.filter(case__case_id__in=ids, lifted_at__isnull=True).exists():
        return rows
    sealed = set(
        Case.objects.filter(reach.sealed_from(actor), case_id__in=ids).values_list("case_id", flat=True)
    )
    return [_mask(row) if row.case_id in sealed else row for row in rows]


def _mask(row: QueueRow) -> QueueRow:
    return replace(
        row,
        title=f"{SEALED} {row.case_id}",
        kind_words=SEALED,
        severity="info",
        status_words="sealed",
        owner_name="",
        evidence_days_left=None,
        report_count=0,
        member_count=0,
        score=0,
        unusual_words="",
    )


def _sealed_from_supervisor(actor: Actor, case_id: str) -> Case | None:
    """The case, where it reaches the actor as a supervisor and its content is kept from them."""
    as_supervisor = replace(actor, roles=tuple(r for r in actor.roles if r.name == Role.Name.SUPERVISOR))
    return reach.known_to(as_supervisor).filter(reach.sealed_from(actor), case_id=case_id).first()


def _supervisor(case: Case, actor: Actor) -> Responder:
    require(actor, "case.seal")
    by = Responder.of(as_person(actor), case)
    if not is_supervisor_of(actor, case):
        raise NotAllowed("a supervisor of the investigating unit seals its cases")
    if by.person is None:
        raise Conflict("a seal is a person's act")
    return replace(by, key=actor.key.label) if actor.key is not None else by


def _reason(reason: str) -> str:
    reason = " ".join(reason.split())
    if len(reason) < SHORTEST_REASON:
        raise BadInput("say why, in a sentence", hint="it is kept, and read by those it concerns")
    return reason[:1000]
