"""The whole country at a glance: what each unit has open, what nobody there has answered, what is overdue.

For the coordinator alone: numbers of one unit say something of its providers.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from tocsin.access.models import Unit
from tocsin.access.policy import Actor, require
from tocsin.cases import words
from tocsin.cases.counted import counted
from tocsin.cases.models import Case
from tocsin.cases.units import current_pack
from tocsin.kernel.time import now
from tocsin.reference.values import Tile
from tocsin.store import fence

COUNTED_FOR = 60  # seconds, where there are very many


@dataclass(frozen=True)
class UnitRow:
    """One unit. `oldest_at` is since when its oldest unanswered case waits; `tile` its place on the map."""

    unit_id: str
    name: str
    kind: str
    has_joined: bool
    open: int
    unanswered: int
    overdue: int
    oldest_at: dt.datetime | None
    short: str = ""
    tile: tuple[int, int] | None = None

    @property
    def is_silent(self) -> bool:
        """Does a case wait there whose time is over?"""
        return bool(self.overdue)


@dataclass(frozen=True)
class NationView:
    """Where is silence, over the whole country? Units by what is overdue; `columns` and `rows` of the map."""

    sentence: str
    units: tuple[UnitRow, ...]
    quiet_count: int
    columns: int
    rows: int
    counted_at: dt.datetime | None = None

    @property
    def tiles(self) -> tuple[UnitRow, ...]:
        """Those on the map, by place."""
        return tuple(
            sorted((one for one in self.units if one.tile), key=lambda one: (one.tile or (0, 0))[::-1])
        )


@fence.lifted()  # numbers of all units, and no case among them
def nation(actor: Actor, at: dt.datetime | None = None) -> NationView:
    """Every current unit with its numbers. Raises NotSignedIn, NotAllowed but for a coordinator."""
    require(actor, "coordination.read")
    at, pack = at or now(), current_pack()
    (counts, late), counted_at = counted(
        "nation", lambda: (open_by_unit(), dict(overdue_by_unit(at))), open_in_all, at, COUNTED_FOR
    )
    places = {tile.unit_id: tile for tile in pack.tiles}
    rows = [
        _row(unit, counts.get(unit.pk, {}), late.get(unit.pk, 0), places.get(unit.unit_id))
        for unit in current_units(at.date())
    ]
    rows.sort(key=lambda row: (-row.overdue, -row.unanswered, -row.open, row.name))
    return NationView(
        sentence=sentence(rows),
        units=tuple(rows),
        quiet_count=sum(not row.open for row in rows),
        columns=1 + max((tile.column for tile in pack.tiles), default=-1),
        rows=1 + max((tile.row for tile in pack.tiles), default=-1),
        counted_at=counted_at,
    )


def open_by_unit() -> dict[int, dict[str, Any]]:
    """What each unit (its row) has open, what nobody there has answered, and since when the oldest waits."""
    opened = Case.objects.filter(closed_at__isnull=True).exclude(severity="info")
    rows = opened.values("investigating_unit").annotate(
        open=Count("pk"),
        unanswered=Count("pk", filter=Q(owner_name="")),
        oldest=Min("opened_at", filter=Q(owner_name="")),
    )
    return {row["investigating_unit"]: dict(row) for row in rows.order_by()}


def open_in_all(counts: tuple[dict[int, dict[str, Any]], dict[int, int]]) -> int:
    """The open cases of the whole country."""
    return sum(int(row["open"]) for row in counts[0].values())


def overdue_by_unit(at: dt.datetime) -> QuerySet[Case, tuple[int, int]]:
    """Pairs of a unit's row and how many of its open cases owe something past its time."""
    late = Case.objects.filter(closed_at__isnull=True, due_at__lte=at)
    return (
        late.values("investigating_unit")
        .annotate(cases=Count("pk"))
        .order_by()
        .values_list("investigating_unit", "cases")
    )


def current_units(day: dt.date) -> QuerySet[Unit]:
    """The units that exist on this day."""
    return Unit.objects.filter(
        Q(valid_from__isnull=True) | Q(valid_from__lte=day), Q(valid_to__isnull=True) | Q(valid_to__gte=day)
    ).exclude(kind=Unit.Kind.HOTLINE)


def sentence(rows: Sequence[UnitRow]) -> str:
    """Where silence is, in one line."""
    silent = [row for row in rows if row.is_silent]
    waiting = sum(row.unanswered for row in rows)
    if silent:
        cases = words.many(sum(row.overdue for row in silent), "case is", "cases are")
        units = words.many(len(silent), "unit")
        return f"{cases} overdue at {units}; the most at {silent[0].name}."
    if waiting:
        waits = words.many(waiting, "case waits", "cases wait")
        return f"No unit owes an answer past its time; {waits} for an owner."
    return "No unit owes an answer past its time, and every open case has an owner."


def _row(unit: Unit, counted: Mapping[str, Any], late: int, tile: Tile | None) -> UnitRow:
    return UnitRow(
        unit_id=unit.unit_id,
        name=unit.name,
        kind=unit.kind,
        has_joined=unit.has_joined,
        open=counted.get("open", 0),
        unanswered=counted.get("unanswered", 0),
        overdue=late,
        oldest_at=counted.get("oldest"),
        short=tile.short if tile is not None else "",
        tile=(tile.column, tile.row) if tile is not None else None,
    )
