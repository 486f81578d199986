"""Many cases at once: what each owes first, and the coordinator's view of where silence is."""

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.db.models import Case as Choose
from django.db.models import Count, F, IntegerField, Max, Min, OuterRef, QuerySet, Subquery, Sum, When

from tocsin.access.models import Unit
from tocsin.access.policy import Actor, require
from tocsin.cases import parts, reach, words
from tocsin.cases.counted import counted
from tocsin.cases.models import Case, Clock, OneTimeLink
from tocsin.cases.sweeping import DESKS
from tocsin.cases.triage import DUTIES
from tocsin.cases.units import current_pack
from tocsin.cases.views import (
    ClockView,
    CoordinationRow,
    CoordinationView,
    SilentUnit,
)
from tocsin.kernel.time import now
from tocsin.reference.values import Pack

PAGE = 50
BATCH = 500
COUNTED_FOR = 60  # seconds, where there are very many


def by_urgency(cases: QuerySet[Case]) -> list[Case]:
    """A page of open cases with their units and coordinators, what is due first coming first."""
    pks = list(
        cases.filter(due_at__isnull=False).order_by("due_at", "pk").values_list("pk", flat=True)[:PAGE]
    )
    if len(pks) < PAGE:
        rest = cases.filter(due_at__isnull=True).order_by("-score", "opened_at")
        pks += rest.values_list("pk", flat=True)[: PAGE - len(pks)]
    related = Case.objects.select_related("investigating_unit", "support_unit", "coordinator")
    found = related.in_bulk(pks)
    return [found[pk] for pk in pks]


def first_due(pack: Pack, cases: Iterable[Case], at: dt.datetime) -> dict[int, ClockView]:
    """Of each case the running duty that is due first."""
    by_pk = {case.pk: case for case in cases}
    running = Clock.objects.filter(case=OuterRef("pk"), ended_at__isnull=True, clock_id__in=DUTIES)
    first = Subquery(running.order_by("due_at", "pk").values("pk")[:1])
    pks = Case.objects.filter(pk__in=by_pk).values_list(first, flat=True)
    return {
        case.pk: parts.clock_view(pack, clock, case.investigating_unit, at)
        for clock in Clock.objects.filter(pk__in=[pk for pk in pks if pk is not None])
        if (case := by_pk.get(clock.case_id or 0)) is not None
    }


def coordination(actor: Actor, at: dt.datetime | None = None) -> CoordinationView:
    """Units that have not joined, their unanswered cases, and every clock that was missed."""
    require(actor, "coordination.read")
    at, pack = at or now(), current_pack()
    open_cases = reach.visible_to(actor).filter(closed_at__isnull=True)
    not_joined = by_urgency(open_cases.exclude(investigating_unit__in=reach.joined_units()))
    # Both by what they leave out, so that they are read in order of due, and never by unit and then sorted.
    late = by_urgency(
        open_cases.filter(reach.is_late()).exclude(investigating_unit__in=reach.units_not_joined())
    )
    desks = desks_of([*not_joined, *late])
    silent, counted_at = counted(
        f"silent-{actor.person.pk if actor.person else 0}",
        lambda: silent_units(open_cases),
        cases_at,
        at,
        COUNTED_FOR,
    )
    due = first_due(pack, {case.pk: case for case in (*not_joined, *late)}.values(), at)
    links = links_of([*not_joined, *late])
    units = Unit.objects.filter(valid_to__isnull=True)
    view = CoordinationView(
        sentence="",
        silent_units=silent,
        counted_at=counted_at,
        not_joined=tuple(_row(pack, case, due, links, desks, at) for case in not_joined),
        escalated=tuple(_row(pack, case, due, links, desks, at) for case in late),
        joined_count=units.filter(joined_at__isnull=False).count(),
        unit_count=units.count(),
    )
    return CoordinationView(**{**view.__dict__, "sentence": coordination_sentence(view, at)})


def coordination_sentence(view: CoordinationView, at: dt.datetime) -> str:
    """Where silence is, in one line."""
    waiting = sum(unit.unanswered_count for unit in view.silent_units)
    if not waiting:
        return "No unit that has not joined has an unanswered case."
    oldest = min(unit.oldest_at for unit in view.silent_units)
    cases = words.many(waiting, "case waits", "cases wait")
    units = words.many(len(view.silent_units), "unit that has", "units that have")
    return f"{cases} at {units} not joined; the oldest for {words.many((at - oldest).days, 'day')}."


def cases_at(units: Iterable[SilentUnit]) -> int:
    """The unanswered cases of all these units."""
    return sum(unit.unanswered_count for unit in units)


def silent_units(open_cases: QuerySet[Case]) -> tuple[SilentUnit, ...]:
    """Units that have not joined and have cases that nobody there has answered, the longest silence first."""
    cases = open_cases.filter(investigating_unit__joined_at__isnull=True, owner_name="")
    rows = (
        cases.exclude(severity="info")
        .annotate(late=Choose(When(reach.is_escalated(0), then=1), default=0, output_field=IntegerField()))
        .values("investigating_unit")
        .annotate(
            count=Count("pk"), overdue=Sum("late"), oldest=Min("opened_at"), who=Min("coordinator__name")
        )
        .order_by("oldest")
    )
    units = Unit.objects.in_bulk([row["investigating_unit"] for row in rows])
    return tuple(
        SilentUnit(
            unit=parts.unit_view(units[row["investigating_unit"]]),
            unanswered_count=row["count"],
            overdue_count=row["overdue"],
            oldest_at=row["oldest"],
            coordinator_name=row["who"] or "",
        )
        for row in rows
    )


def links_of(cases: Iterable[Case]) -> dict[int, list[OneTimeLink]]:
    """Of each case its one-time links, the newest first: what was sent when."""
    found: dict[int, list[OneTimeLink]] = defaultdict(list)
    links = OneTimeLink.objects.filter(case__in={case.pk for case in cases}).select_related("made_by")
    for link in links.order_by("-made_at", "-pk"):
        found[link.case_id].append(link)
    return found


def desks_of(cases: Iterable[Case]) -> dict[int, str]:
    """At whose desk the missed duty of each case is that has gone up furthest; none where none was missed."""
    missed = Clock.objects.filter(
        case__in={case.pk for case in cases}, ended_at__isnull=True, breached_at__isnull=False
    )
    steps = missed.order_by().values("case").annotate(step=Max("step")).values_list("case_id", "step")
    return {pk: DESKS[step] for pk, step in steps if pk is not None}


def export_coordination(actor: Actor) -> Iterator[tuple[Case, OneTimeLink | None, int]]:
    """Every case of the coordinator's page with its newest link and how many were made, due first first."""
    require(actor, "coordination.read")
    seen = reach.visible_to(actor).filter(closed_at__isnull=True)
    related = seen.select_related("investigating_unit", "support_unit", "coordinator")
    rows = related.order_by(F("due_at").asc(nulls_last=True), "-score", "opened_at").iterator(BATCH)
    while batch := list(itertools.islice(rows, BATCH)):
        links = links_of(batch)
        for case in batch:
            mine = links.get(case.pk, [])
            yield case, mine[0] if mine else None, len(mine)


def _row(
    pack: Pack,
    case: Case,
    due: dict[int, ClockView],
    links: dict[int, list[OneTimeLink]],
    desks: dict[int, str],
    at: dt.datetime,
) -> CoordinationRow:
    return CoordinationRow(
        case_id=case.case_id,
        title=case.title,
        severity=case.severity,
        unit=parts.unit_view(case.investigating_unit),
        status_words=_status_words(pack, case),
        owner_name=case.owner_name,
        opened_at=case.opened_at,
        due=due.get(case.pk),
        links=tuple(parts.one_time_link_view(link, at) for link in links.get(case.pk, ())),
        report_count=case.report_count,
        may_send=case.lane == "ordinary" and not case.investigating_unit.has_joined,
        desk_words=desks.get(case.pk, ""),
    )


def _status_words(pack: Pack, case: Case) -> str:
    status = pack.statuses.get(case.status)
    return status.words if status else case.status
