"""The whole country at a glance, for the coordinator alone."""

import csv
import datetime as dt
import io

from django.test import Client
from tests.cases.town import NOON, Town

from tocsin import reference
from tocsin.cases import clocks
from tocsin.cases.nationwide import nation


def test_every_unit_is_counted_and_the_late_come_first(town: Town) -> None:
    """What is open, unanswered and overdue, by unit; groups below the threshold owe nothing."""
    town.report("lakes")
    town.report("ferry", origins=("203.0.113.8",))
    town.report("medway", origins=("203.0.113.8",))
    town.report("ferry", origins=("203.0.113.9",), severity="info")
    later = NOON + dt.timedelta(days=10)
    clocks.sweep(later)
    view = nation(town.actor("cora"), later)
    rows = {row.unit_id: row for row in view.units}
    assert (rows["kent"].open, rows["kent"].unanswered, rows["kent"].overdue) == (1, 1, 1)
    assert (rows["cumbria"].open, rows["cumbria"].has_joined) == (1, False)
    assert rows["essex"].open == 0
    assert {view.units[0].unit_id, view.units[1].unit_id} == {"kent", "cumbria"}
    assert view.sentence.startswith("2 cases are overdue at 2 units")
    assert nation(town.actor("cora"), NOON).sentence.startswith("No unit owes")


def test_every_force_has_a_tile_of_its_own() -> None:
    """The map leaves out no force that has an area; the loader refuses two on one tile."""
    pack = reference.pack("gb")
    forces = {unit.unit_id for unit in pack.units.values() if unit.kind == "force"}
    assert forces - {tile.unit_id for tile in pack.tiles} == {"btp", "mod-police", "civil-nuclear"}


def test_the_page_and_the_file_say_the_same(town: Town, client: Client) -> None:
    """A coordinator sees map, table and CSV; an officer sees none of them."""
    town.report("lakes")
    client.force_login(town.people["olive"])
    assert client.get("/coordination/nation").status_code == 403
    client.force_login(town.people["cora"])
    page = client.get("/coordination/nation").content.decode()
    assert "<svg" in page and "Cumbria (not joined)" in page.replace(" Constabulary", "").replace(
        " Police", ""
    )
    rows = csv.DictReader(io.StringIO(client.get("/coordination/nation.csv").content.decode()))
    counted = {row["unit_id"]: row for row in rows}
    assert counted["cumbria"]["open"] == "1" and counted["kent"]["open"] == "0"
