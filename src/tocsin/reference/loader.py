"""Reading a country pack from its folder, with errors that name file, line and column."""

import csv
import tomllib
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import msgspec

from tocsin.kernel.problems import Problem
from tocsin.reference import calendars, values

T = TypeVar("T", bound=msgspec.Struct)

LISTS = {
    "successor_ids",
    "only_units",
    "starts",
    "ends",
    "renews",
    "pauses",
    "kinds",
}  # cells that hold several ids, separated by spaces
YES_NO = {"yes": True, "no": False}


class BadPack(Problem):
    """The country pack is not valid."""

    slug = "bad-pack"
    exit_code = 2


@lru_cache(maxsize=8)
def pack(country: str) -> values.Pack:
    """The pack of a country by its lower-case code, such as `gb`. Raises BadPack."""
    return load(resources.files("tocsin.reference").joinpath("data", country.lower()))


def load(folder: Traversable) -> values.Pack:
    """The pack in a folder, checked row by row and across files. Raises BadPack."""
    if not folder.is_dir():
        raise BadPack(f"there is no country pack {folder.name!r}")
    loaded = values.Pack(
        info=_convert(_toml(folder, "pack.toml"), values.PackInfo, "pack.toml"),
        units=_table(folder, "units.csv", values.UnitRow, "unit_id"),
        outcomes=_table(folder, "outcomes.csv", values.OutcomeRow, "outcome_code"),
        statuses=_table(folder, "statuses.csv", values.StatusRow, "status_code"),
        transitions=tuple(_rows(folder, "transitions.csv", values.Transition)),
        clocks=_table(folder, "clocks.csv", values.ClockRow, "clock_id"),
        clock_rules=tuple(_rows(folder, "clock_rules.csv", values.ClockRule)),
        questions=_table(folder, "questions.csv", values.QuestionRow, "code"),
        updates=_table(folder, "updates.csv", values.UpdateRow, "code"),
        awareness=_table(folder, "awareness.csv", values.AwarenessRow, "code"),
        kinds=_table(folder, "kinds.csv", values.KindRow, "kind"),
        categories=_table(folder, "categories.csv", values.CategoryRow, "category"),
        offences=_table(folder, "offences.csv", values.OffenceRow, "offence_code"),
        help=_table(folder, "help.csv", values.HelpRow, "code"),
        log_types=_table(folder, "log_types.csv", values.LogTypeRow, "log_type"),
        bodies=_table(folder, "bodies.csv", values.BodyRow, "body_id"),
        routes=tuple(
            _convert(rule, values.RouteRule, f"routing.toml rule {number}")
            for number, rule in enumerate(_toml(folder, "routing.toml").get("rule", []), start=1)
        ),
        forms=tuple(_rows(folder, "forms.csv", values.FormField)),
        tiles=tuple(_rows(folder, "tiles.csv", values.Tile)),
        triage=_convert(_toml(folder, "triage.toml"), values.Triage, "triage.toml"),
    )
    _check_references(loaded)
    return loaded


@lru_cache(maxsize=1)
def known_kinds() -> dict[str, str]:
    """Every kind of attack (RSIT `class/type`) that a shipped pack knows, with its words, sorted."""
    data = resources.files("tocsin.reference").joinpath("data")
    folders = sorted((entry for entry in data.iterdir() if entry.is_dir()), key=lambda entry: entry.name)
    rows = (row for folder in folders for row in _table(folder, "kinds.csv", values.KindRow, "kind").values())
    found: dict[str, str] = {}
    for row in rows:
        found.setdefault(row.kind, row.words)
    return dict(sorted(found.items()))


def _toml(folder: Traversable, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadPack(f"{name}: {error}") from error


def _rows(folder: Traversable, name: str, row_type: type[T]) -> list[T]:
    try:
        text = folder.joinpath(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPack(f"{name}: {error}") from error
    found = []
    for line, cells in enumerate(csv.DictReader(text.splitlines()), start=2):
        where = f"{name} line {line}"
        if None in cells or None in cells.values():
            raise BadPack(f"{where}: the number of cells is not the header's")
        found.append(_convert({key: _cell(key, cell) for key, cell in cells.items()}, row_type, where))
    return found


def _cell(column: str, cell: str) -> str | bool | list[str] | None:
    if column in LISTS:
        return cell.split()
    return YES_NO.get(cell, cell) if cell in YES_NO and column != "suspect_identified" else cell


def _convert(plain: dict[str, Any], row_type: type[T], where: str) -> T:
    """An empty cell is None where the column may be empty, and is refused where it may not."""
    fields = {field.name: field for field in msgspec.structs.fields(row_type)}
    filled = {
        key: None if cell == "" and key in fields and _may_be_none(fields[key].type) else cell
        for key, cell in plain.items()
    }
    try:
        return msgspec.convert(filled, row_type, strict=False)
    except msgspec.ValidationError as error:
        raise BadPack(f"{where}: {error}") from error


def _may_be_none(annotation: Any) -> bool:
    return type(None) in getattr(annotation, "__args__", ())


def _table(folder: Traversable, name: str, row_type: type[T], key: str) -> dict[str, T]:
    table: dict[str, T] = {}
    for row in _rows(folder, name, row_type):
        row_id = getattr(row, key)
        if row_id in table:
            raise BadPack(f"{name}: {key} {row_id!r} stands twice")
        table[row_id] = row
    return table


def _check_references(loaded: values.Pack) -> None:
    """Every id that a row mentions exists."""
    for unit in loaded.units.values():
        for other in (unit.parent_id, *unit.successor_ids):
            if other is not None and other not in loaded.units:
                raise BadPack(f"units.csv: {unit.unit_id} names {other!r}, which is no unit")
    for unit_id in (loaded.info.national_unit, loaded.info.hotline_unit):
        if unit_id not in loaded.units:
            raise BadPack(f"pack.toml: {unit_id!r} is no unit")
    for tile in loaded.tiles:
        if tile.unit_id not in loaded.units:
            raise BadPack(f"tiles.csv: {tile.unit_id!r} is no unit")
    if len({(tile.column, tile.row) for tile in loaded.tiles}) < len(loaded.tiles):
        raise BadPack("tiles.csv: two units stand on one tile")
    for outcome in loaded.outcomes.values():
        for unit_id in outcome.only_units:
            if unit_id not in loaded.units:
                raise BadPack(f"outcomes.csv: {outcome.outcome_code} names {unit_id!r}, which is no unit")
    for move in loaded.transitions:
        for status in (move.from_status, move.to_status):
            if status and status not in loaded.statuses:
                raise BadPack(f"transitions.csv: {status!r} is no status")
    _check_clock_rules(loaded)
    if (
        loaded.triage.weights.alone.whole <= 0
        or min(msgspec.structs.astuple(loaded.triage.weights.alone)) < 0
    ):
        raise BadPack("triage.toml: weights are none below 0, and one of them above it")
    _check_bodies(loaded)
    for route in loaded.routes:
        if "enquiry" in (route.investigating, route.support) and route.when.enquiry != "unit":
            raise BadPack(f"routing.toml: {route.rule} follows a line of enquiry that it does not ask for")
    if not loaded.routes or loaded.routes[-1].when != values.Conditions():
        raise BadPack("routing.toml: the last rule must hold always, or a case could go nowhere")


def _check_bodies(loaded: values.Pack) -> None:
    """Whatever is no matter for police is somebody else's, named once."""
    classes = {kind.split("/")[0] for kind in loaded.kinds}
    named = [name for body in loaded.bodies.values() for name in body.kinds]
    for name in named:
        if name not in loaded.kinds and name not in classes:
            raise BadPack(f"bodies.csv: {name!r} is no kind and no class of kinds")
        if named.count(name) > 1:
            raise BadPack(f"bodies.csv: {name!r} is two bodies' matter")
    for kind in loaded.kinds.values():
        if kind.handling == "divert" and loaded.body_for(kind.kind) is None:
            raise BadPack(f"bodies.csv: {kind.kind} is diverted, and to nobody")


def _check_clock_rules(loaded: values.Pack) -> None:
    """Every clock that runs is in the table of clocks, can end, and has a length or a prompt."""
    for number, rule in enumerate(loaded.clock_rules, start=2):
        where = f"clock_rules.csv line {number}: {rule.clock_id}"
        row = loaded.clocks.get(rule.clock_id)
        if row is None:
            raise BadPack(f"{where} is no clock")
        if not rule.starts or not rule.ends:
            raise BadPack(f"{where} needs an event that starts it and one that ends it")
        if bool(rule.pauses) != (rule.cap_duration is not None and rule.cap_unit is not None):
            raise BadPack(f"{where} pauses and has no cap, or the other way round")
        if (row.unit == "as_soon_as") != (rule.prompt_duration is not None and rule.prompt_unit is not None):
            raise BadPack(f"{where} has a prompt where its law has a number, or neither")
    for clock in loaded.clocks.values():
        if clock.jurisdiction not in calendars.jurisdictions():
            raise BadPack(f"clocks.csv: {clock.clock_id} holds in {clock.jurisdiction!r}, which is unknown")
    for aware in loaded.awareness.values():
        if aware.trigger not in loaded.clock_events:
            raise BadPack(f"awareness.csv: {aware.code} starts nothing")
    for question in loaded.questions.values():
        if (question.answer == "choice") != bool(question.choices):
            raise BadPack(f"questions.csv: {question.code} has choices without being one, or the other way")
