"""A supervisor's page: who is drowning, what is late, and the cases behind each number, the oldest first.

Groups below the threshold owe nothing and are not counted. Sealed cases count, and say nothing of themselves.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, F, Min, Q, QuerySet

from tocsin.access.models import Person, Role, Unit
from tocsin.access.policy import Actor, require
from tocsin.cases import queueing, reach, sealing, words
from tocsin.cases.models import Case
from tocsin.cases.queueing import Bench, Wish
from tocsin.cases.reassigning import people_at
from tocsin.cases.units import current_pack
from tocsin.cases.views import QueueRow
from tocsin.kernel.time import now
from tocsin.reference import calendars

SIZE = 50
NOBODY = "nobody"
WHICH = ("open", "late", "today")


@dataclass(frozen=True)
class Load:
    """What one person, or nobody yet, has open.

    `key` asks the page for their cases; `late_since` is when the longest overdue duty fell due; `is_gone`
    says that they no longer work at the unit.
    """

    key: str
    name: str
    open: int = 0
    late: int = 0
    today: int = 0
    oldest_at: dt.datetime | None = None
    late_since: dt.datetime | None = None
    is_gone: bool = False


@dataclass(frozen=True)
class UnitLoad:
    """What one unit has open, of what the supervisor may know of; `is_own` where they are its supervisor."""

    unit_id: str
    name: str
    is_own: bool
    open: int
    unowned: int
    late: int
    oldest_at: dt.datetime | None


@dataclass(frozen=True)
class Asked:
    """Which cases the page shows: whose (`Load.key`), and all, the late, or those due today."""

    who: str = ""
    which: str = "open"


@dataclass(frozen=True)
class TeamView:
    """Who is drowning? `givers` of the list are (row, name) of those who may be given cases."""

    sentence: str
    people: tuple[Load, ...]
    units: tuple[UnitLoad, ...]
    rows: tuple[QueueRow, ...]
    total: int
    number: int
    pages: int
    asked: Asked
    whose: str
    receivers: tuple[tuple[int, str], ...]


def team(
    actor: Actor, asked: Asked | None = None, number: int = 1, at: dt.datetime | None = None
) -> TeamView:
    """The supervisor's units, their people and their cases. Raises NotSignedIn, NotAllowed."""
    require(actor, "team.read")
    at, asked = at or now(), asked or Asked()
    own = own_units(actor)
    own_pks = [unit.pk for unit in own]
    known = reach.known_to(actor).filter(closed_at__isnull=True, is_group=False)
    mine = known.filter(investigating_unit__in=own_pks)
    night = calendars.end_of_day(at, own[0].country) if own else at
    receivers = list(people_at(own_pks))
    loads = loads_of(mine, receivers, at, night)
    units = units_of(known, own_pks, at)
    shown = mine.filter(of_owner(asked.who), of_state(asked.which, at, night))
    total = shown.count()
    pages = max(1, -(-total // SIZE))
    number = min(max(1, number), pages)
    whose = next((load.name for load in loads if load.key == asked.who), "")
    return TeamView(
        sentence=sentence(loads, at),
        people=tuple(loads),
        units=tuple(units),
        rows=tuple(rows_of(actor, shown, number, at)),
        total=total,
        number=number,
        pages=pages,
        asked=replace(asked, who=asked.who if whose else ""),
        whose=whose,
        receivers=tuple((person.pk, person.name) for person in receivers),
    )


def own_units(actor: Actor) -> list[Unit]:
    """The units whose supervisor this is."""
    return [role.unit for role in actor.roles if role.unit is not None and role.name == Role.Name.SUPERVISOR]


def loads_of(
    mine: QuerySet[Case], working: Sequence[Person], at: dt.datetime, night: dt.datetime
) -> list[Load]:
    """Everybody who works there, whoever else has cases of theirs, and nobody: the most late come first."""
    late, today = of_state("late", at, night), of_state("today", at, night)
    found = {person.pk: Load(f"p{person.pk}", person.name) for person in working}
    others: dict[str, Load] = {}
    rows = (
        mine.order_by()
        .values("owner", "owner_name")
        .annotate(
            open=Count("pk"),
            late=Count("pk", filter=late),
            today=Count("pk", filter=today),
            oldest_at=Min("opened_at"),
            late_since=Min("due_at", filter=late),
        )
        .values_list("owner", "owner_name", "open", "late", "today", "oldest_at", "late_since")
    )
    for pk, name, *counted in rows:
        if pk in found:
            found[pk] = added(found[pk], Load("", "", *counted))
            continue
        key = f"p{pk}" if pk is not None else f"n{name}" if name else NOBODY
        fresh = Load(key, name or "Nobody yet", is_gone=bool(name))
        others[key] = added(others.get(key, fresh), Load("", "", *counted))
    return sorted(
        (*found.values(), *others.values()), key=lambda load: (-load.late, -load.today, -load.open, load.name)
    )


def added(load: Load, more: Load) -> Load:
    """Both together: somebody whose name has changed has cases under two names."""
    return replace(
        load,
        open=load.open + more.open,
        late=load.late + more.late,
        today=load.today + more.today,
        oldest_at=min(filter(None, (load.oldest_at, more.oldest_at)), default=None),
        late_since=min(filter(None, (load.late_since, more.late_since)), default=None),
    )


def units_of(known: QuerySet[Case], own_pks: Sequence[int], at: dt.datetime) -> list[UnitLoad]:
    """The own units, and those below them from which missed clocks have brought cases up."""
    rows = known.filter(Q(investigating_unit__in=own_pks) | Q(pk__in=brought_up(own_pks)))
    counted = {
        pk: numbers
        for pk, *numbers in rows.order_by()
        .values("investigating_unit")
        .annotate(
            open=Count("pk"),
            unowned=Count("pk", filter=Q(owner_name="")),
            late=Count("pk", filter=Q(due_at__lte=at)),
            oldest_at=Min("opened_at"),
        )
        .values_list("investigating_unit", "open", "unowned", "late", "oldest_at")
    }
    found = [
        UnitLoad(unit.unit_id, unit.name, pk in own_pks, *counted.get(pk, (0, 0, 0, None)))
        for pk, unit in Unit.objects.in_bulk([*own_pks, *counted]).items()
    ]
    return sorted(found, key=lambda unit: (not unit.is_own, -unit.late, unit.name))


def brought_up(own_pks: Sequence[int]) -> QuerySet[Case]:
    """Ordinary cases of units below that have gone up a desk to one of these units."""
    return Case.objects.filter(reach.escalated_to(list(own_pks)), lane="ordinary").values("pk")  # type: ignore[return-value]


def of_owner(who: str) -> Q:
    """The cases of whoever this key names; of everybody where it names nobody."""
    if who == NOBODY:
        return Q(owner_name="")
    if who[:1] == "p" and who[1:].isdecimal() and len(who) < 12:
        return Q(owner=int(who[1:]))
    return Q(owner__isnull=True, owner_name=who[1:]) if who[:1] == "n" and len(who) > 1 else Q()


def of_state(which: str, at: dt.datetime, night: dt.datetime) -> Q:
    """All of them, the late, or those due before the night."""
    return {"late": Q(due_at__lte=at), "today": Q(due_at__gt=at, due_at__lt=night)}.get(which, Q())


def rows_of(actor: Actor, shown: QuerySet[Case], number: int, at: dt.datetime) -> list[QueueRow]:
    """A page of the cases: what fell due first comes first, then the oldest."""
    order = (F("due_at").asc(nulls_last=True), "opened_at", "pk")
    first = (number - 1) * SIZE
    cases = list(shown.select_related("investigating_unit").order_by(*order)[first : first + SIZE])
    bench = Bench(actor, Wish(), at, current_pack())
    return sealing.masked(actor, queueing.rows_of(bench, cases, "waiting"))


def sentence(loads: Sequence[Load], at: dt.datetime) -> str:
    """Who is drowning, in one line."""
    late, opened = sum(load.late for load in loads), sum(load.open for load in loads)
    if not opened:
        return "No case is open."
    cases = words.many(opened, "case is", "cases are")
    if not late:
        return f"{cases} open, and none is overdue."
    worst = loads[0]
    since = min(load.late_since for load in loads if load.late_since is not None)
    days = (at - since).days
    oldest = f"{words.many(days, 'day')}" if days else "less than a day"
    who = "with nobody" if worst.key == NOBODY else f"with {worst.name}"
    return (
        f"{cases} open, {late:,} of them overdue, the most ({worst.late:,}) {who}; the longest by {oldest}."
    )
