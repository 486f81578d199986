"""The clocks that somebody can act on, an officer's or a member's own, and the press that says it is done."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from tocsin.access.models import Role
from tocsin.access.policy import Actor, require
from tocsin.cases import clocks, parts, reach
from tocsin.cases.decisions import refuse_coordinator
from tocsin.cases.models import Case, Clock
from tocsin.cases.responders import Responder
from tocsin.cases.sweeping import advance, journal_subject, owed_by
from tocsin.cases.units import current_pack
from tocsin.cases.views import ClockView
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.kernel.problems import Conflict, NotFound
from tocsin.kernel.time import now
from tocsin.reference.values import Pack

SHOWN = 20
MOST = 1_000  # clocks of one case that are counted


@dataclass(frozen=True)
class DutyView:
    """A clock that the reader can act on; `count` of them, one for each report, are due with it.

    `by_hand` are the words of the press that says that it is done; empty where an act on the case does.
    """

    duty_id: int
    clock: ClockView
    count: int
    case_id: str
    title: str
    report_id: str
    by_hand: str


def clocks_of(actor: Actor, at: dt.datetime | None = None) -> tuple[DutyView, ...]:
    """The twenty running clocks that are due first of those that this actor can act on.

    An officer's: of the cases that he or she has, and of those in the unit that nobody has; a supervisor's:
    of all the unit's. A reporter's: what the own member owes. Raises NotSignedIn, NotAllowed.
    """
    if actor.person is not None and not actor.units:
        require(actor, "report.list")
    at, pack = at or now(), current_pack()
    return tuple([*duties_of_members(pack, actor, at), *duties_of_units(pack, actor, at)][:SHOWN])


def duties_of_units(pack: Pack, actor: Actor, at: dt.datetime) -> list[DutyView]:
    """What the actor's units owe, the first of each kind and case.

    A clock of a report is always the one that ends when somebody takes the case: the first of each case that
    nobody has is found by what the case owes first, and no other is read.
    """
    units = [unit.pk for unit in actor.units]
    if not units:
        return []
    mine = Case.objects.filter(investigating_unit__in=units)
    if Role.Name.SUPERVISOR not in actor.role_names:
        mine = mine.filter(Q(owner=actor.person) | Q(owner_name=""))
    counts = accepting(
        mine.filter(owner_name="", closed_at__isnull=True, due_at__isnull=False).order_by("due_at", "pk")[
            :SHOWN
        ]
    )
    owing = mine.filter(due_at__isnull=False)  # a closed case owes at most P05, and says so there
    own = Clock.objects.filter(
        case__in=owing, report__isnull=True, ended_at__isnull=True, member__isnull=True, unit__isnull=True
    )
    others = own.exclude(clock_id=clocks.WARN).order_by("due_at", "pk").values_list("pk", flat=True)
    counts |= dict.fromkeys(others[:SHOWN], 1)
    first = Clock.objects.filter(pk__in=counts).order_by("due_at", "pk")[:SHOWN]
    return _views(pack, first, at, counts)


def accepting(cases: QuerySet[Case]) -> dict[int, int]:
    """Of each of these cases the first clock to name an owner that a report of it began, and how many run.

    In a case of very many reports, that nobody has, they are taken for as many as its reports.
    """
    running = Clock.objects.filter(clock_id=clocks.ACCEPT, ended_at__isnull=True, report__isnull=False)
    first = running.filter(case=OuterRef("pk")).order_by("due_at", "pk").values("pk")[:1]
    found = list(cases.annotate(first=Subquery(first)).values_list("pk", "report_count", "first"))
    sizes = {pk: reports for pk, reports, _ in found}
    few = running.filter(case__in=[pk for pk, reports in sizes.items() if reports <= MOST])
    counts = sizes | dict(few.order_by().values_list("case").annotate(Count("pk")))
    return {clock: counts[pk] for pk, _, clock in found if clock is not None}


def duties_of_members(pack: Pack, actor: Actor, at: dt.datetime) -> list[DutyView]:
    """What the actor's members owe by laws of their own; nobody else is shown it."""
    if not actor.members:
        return []
    return _views(pack, _running_of(actor).order_by("due_at", "pk")[:SHOWN], at, {})


def duties_of_report(actor: Actor, report: Report, at: dt.datetime | None = None) -> tuple[DutyView, ...]:
    """What the report's member owes about it."""
    found = _running_of(actor).filter(report=report)
    return tuple(_views(current_pack(), found, at or now(), {}))


def duties_of_case(case: Case, at: dt.datetime | None = None) -> tuple[DutyView, ...]:
    """What the case's unit can say about it that it is done."""
    pack = current_pack()
    by_hand = [rule.clock_id for rule in pack.clock_rules if rule.by_hand]
    # No rule of a report is met by hand, and of those a case may have a hundred thousand.
    own = Clock.objects.filter(case=case, report__isnull=True, member__isnull=True, ended_at__isnull=True)
    return tuple(_views(pack, own.filter(clock_id__in=by_hand), at or now(), {}))


def _running_of(actor: Actor) -> QuerySet[Clock]:
    return Clock.objects.filter(member__in=[m.pk for m in actor.members], ended_at__isnull=True)


def _views(pack: Pack, found: QuerySet[Clock], at: dt.datetime, counts: dict[int, int]) -> list[DutyView]:
    rows = found.select_related("case__investigating_unit", "report", "member", "unit")
    views = [
        DutyView(
            duty_id=clock.pk,
            clock=parts.duty_view(pack, clock, at),
            count=counts.get(clock.pk, 1),
            case_id=clock.case.case_id if clock.case is not None and clock.member is None else "",
            title=clock.case.title if clock.case is not None and clock.member is None else "",
            report_id=clock.report.report_id if clock.report is not None else "",
            by_hand=pack.rule_of[clock.clock_id].by_hand if clock.clock_id in pack.rule_of else "",
        )
        for clock in rows
    ]
    return sorted(views, key=lambda view: view.clock.due_at)


def meet_duty(actor: Actor, duty_id: int, *, applies: bool = True, at: dt.datetime | None = None) -> Clock:
    """Whoever owes a duty says that it is done, or that it does not apply to them. Twice is once.

    Raises NotSignedIn, NotAllowed; NotFound for what is not the actor's; Conflict for a duty that only an
    act on the case can end.
    """
    at, pack = at or now(), current_pack()
    found = Clock.objects.filter(pk=duty_id).select_related("case", "member").first()
    if found is None:
        raise NotFound()
    with act() as recorded:
        if found.case is not None and found.member is None:
            Case.objects.select_for_update().get(pk=found.case.pk)
        related = Clock.objects.select_related("case__investigating_unit", "report", "member", "unit")
        clock = related.select_for_update(of=("self",)).get(pk=found.pk)
        by = _may_meet(actor, clock)
        rule = pack.rule_of.get(clock.clock_id)
        if rule is None or not rule.by_hand:
            raise Conflict("this ends with what you do about the case, not by saying so")
        if clock.ended_at is not None:
            return clock
        if clock.next_step_at is not None and clock.next_step_at <= at:
            advance(recorded, [clock], at)
        clock.ended_at, clock.next_step_at = at, None
        clock.ended_by = clocks.PERSON if applies else clocks.NOT_OURS
        clock.save()
        about = clocks.Subject(clock.case, clock.report, clock.member, clock.unit, clock.subject)
        content = {
            "clock_id": clock.clock_id,
            "what": pack.clocks[clock.clock_id].what.format(unit=owed_by(clock)),
            "how": rule.by_hand if applies else "It does not apply here",
            "by": by,
            "unit": owed_by(clock),
            "started": clocks.follow(pack, rule.ends[0], about, at) if applies else {},
        }
        if clock.report is not None:
            content["reports"] = [clock.report.report_id]
        recorded.record("cases:duty:met", journal_subject(clock), content)
    return clock


def _may_meet(actor: Actor, clock: Clock) -> str:
    """The name of who says so. Raises NotFound or NotAllowed for anybody who does not owe it."""
    if clock.member is not None:
        require(actor, "report.aware")
        if clock.member not in actor.members:
            raise NotFound()
        return actor.label
    require(actor, "case.duty")
    if clock.case is None or not reach.visible_to(actor).filter(pk=clock.case.pk).exists():
        raise NotFound()
    by = Responder.of(actor, clock.case)
    refuse_coordinator(by)
    return by.signature
