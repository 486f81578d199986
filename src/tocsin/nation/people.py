"""Forces and the few people they have for this work, with the hours that those people have."""

import msgspec

from tocsin.nation import words
from tocsin.nation.shape import Shape
from tocsin.reference import loader

NATIONAL = "nca-nccu"
_TERRITORIAL = ("ENG", "WLS")  # the 43 forces of England and Wales


class Unit(msgspec.Struct, frozen=True):
    """A unit and whether it has joined the exchange."""

    unit_id: str
    has_joined: bool


class Officer(msgspec.Struct, frozen=True):
    """Somebody who answers cases: hours on the nation's wall, and the minutes a working day that are left for
    this. `unit_id` is empty for the exchange's coordinator."""

    name: str
    email: str
    unit_id: str
    works_from: str
    works_to: str
    weekdays: tuple[int, ...]
    minutes_a_day: int


def units(shape: Shape) -> list[Unit]:
    """The forces, the regional units above them, and the national one; three forces in four have joined."""
    dice, rows = shape.dice("units"), loader.pack("gb").units
    there = sorted(
        row.unit_id
        for row in rows.values()
        if row.kind == "force" and row.nation in _TERRITORIAL and row.is_current(shape.first_day)
    )
    forces = sorted(dice.sample(there, min(shape.forces, len(there))))
    regions = sorted({parent for force in forces if (parent := rows[force].parent_id)})
    first = dice.choice(forces)
    return [
        *(Unit(force, force == first or dice.random() < 0.75) for force in forces),
        *(Unit(region, True) for region in regions if region != NATIONAL),
        Unit(NATIONAL, True),
    ]


def forces(made: list[Unit]) -> list[str]:
    """The ids of those units that are forces."""
    rows = loader.pack("gb").units
    return [unit.unit_id for unit in made if rows[unit.unit_id].kind == "force"]


def officers(shape: Shape, made: list[Unit]) -> list[Officer]:
    """Who answers: one to three at a joined force, one at a region, two nationally, and a coordinator."""
    dice, found = shape.dice("officers"), []
    local = set(forces(made))
    places = [
        unit.unit_id
        for unit in made
        if unit.has_joined
        for _ in range(dice.randint(1, 3) if unit.unit_id in local else 2 if unit.unit_id == NATIONAL else 1)
    ]
    for number, unit_id in enumerate([*places, ""], start=1):
        name = words.person(dice)
        starts = dice.choice((7, 8, 9, 14))
        found.append(
            Officer(
                name=name,
                email=f"{name.lower().replace(' ', '.')}.{number}@{unit_id or 'exchange'}.example",
                unit_id=unit_id,
                works_from=f"{starts:02}:00",
                works_to=f"{starts + 8:02}:00",
                weekdays=(1, 2, 3, 4, 5) if dice.random() < 0.8 else (3, 4, 5, 6, 7),
                minutes_a_day=420 if not unit_id else dice.choice((30, 60, 60, 120, 240)),
            )
        )
    return found
