"""The country pack of this exchange, and its units as rows of the database."""

from django.conf import settings

from tocsin import reference
from tocsin.access.models import Unit
from tocsin.journal.acts import act
from tocsin.reference.values import Pack, UnitRow
from tocsin.store.rows import fetch

COLUMNS = ["name", "kind", "country", "valid_from", "valid_to", "confidence"]


def current_pack() -> Pack:
    """The pack that `TOCSIN_COUNTRY` names."""
    return reference.pack(settings.COUNTRY_PACK)


def load_units(pack: Pack | None = None) -> int:
    """Insert or update a row for every unit of the pack, with parents and successors; gives how many.

    Running it again changes nothing; whether a unit has joined is never touched.
    """
    pack = pack or current_pack()
    with act():
        Unit.objects.bulk_create(
            [_as_row(unit) for unit in pack.units.values()],
            update_conflicts=True,
            unique_fields=["unit_id"],
            update_fields=COLUMNS,
        )
        rows = units_by_id()
        for unit in pack.units.values():
            rows[unit.unit_id].parent = rows[unit.parent_id] if unit.parent_id else None
        Unit.objects.bulk_update([rows[unit_id] for unit_id in pack.units], ["parent"])
        for unit in pack.units.values():
            if unit.successor_ids:
                rows[unit.unit_id].successors.set([rows[other] for other in unit.successor_ids])
    return len(pack.units)


def units_by_id() -> dict[str, Unit]:
    """Every unit row by its id in the pack."""
    return {unit.unit_id: unit for unit in Unit.objects.all()}


class Units(dict[str, Unit]):
    """Units by their ids, fetched as they are asked for: a few one by one, then all.

    They are loaded from the pack where nobody has done so.
    """

    FEW = 3

    def __missing__(self, unit_id: str) -> Unit:
        found = fetch(Unit, "unit_id = ANY(%s)", [unit_id]) if len(self) < self.FEW else []
        if found:
            self[unit_id] = found[0]
        else:
            known = units_by_id()
            if unit_id not in known:
                load_units()
                known = units_by_id()
            self.update(known)
        return self[unit_id]


def _as_row(unit: UnitRow) -> Unit:
    return Unit(
        unit_id=unit.unit_id,
        name=unit.name,
        kind=unit.kind,
        country=unit.nation,
        valid_from=unit.valid_from,
        valid_to=unit.valid_to,
        confidence=unit.confidence,
    )
