"""One nation, lived through under each set of habits."""

import datetime as dt
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import time_machine

from bench.habits import old, sums
from bench.habits.desks import Session, sessions
from bench.habits.effort import Exchange, Habits
from bench.habits.exchange import Arrivals, Town, fates
from bench.habits.sensitivity import sensitivity
from bench.nation import sift
from tocsin.kernel.time import parse_rfc3339
from tocsin.nation import making, people
from tocsin.nation.shape import Shape

ROOT = Path(__file__).parent.parent.parent
SHORT = os.environ.get("TOCSIN_BENCH_SHORT") == "1"
SIZE = (31, 8, 5, 10) if SHORT else (31, 130, 43, 90)
MORNING = dt.time(6, tzinfo=dt.UTC)
CAPTION = "a model, not evidence"


@dataclass(frozen=True)
class Nation:
    """Who is there, who works when, and which reports come when."""

    shape: Shape
    members: list[dict[str, Any]]
    joined: frozenset[str]
    officers: list[people.Officer]
    arrivals: Arrivals

    @property
    def ends_at(self) -> dt.datetime:
        """The end of the last day."""
        return dt.datetime.combine(self.shape.day(self.shape.days), dt.time(0), dt.UTC)

    def shifts(self, hours: float = 1.0) -> list[Session]:
        """Every officer's days."""
        return sessions(self.officers, self.shape.first_day, self.shape.days, hours)

    def above(self) -> frozenset[str]:
        """The units above the forces: the regional ones and the national one."""
        places = {officer.unit_id for officer in self.officers if officer.unit_id}
        return frozenset(places - set(people.forces([people.Unit(place, True) for place in places])))

    def told(self) -> list[old.Told]:
        """The reports as mails to the force of each provider's seat."""
        force = {member["key"]: member["force"] for member in self.members}
        return [
            old.Told(key, force[key], at, report.severity, report.count)
            for at, found in sorted(self.arrivals.items())
            for key, reports in sorted(found.items())
            for report in reports
        ]


def make(shape: Shape, folder: Path) -> Nation:
    """Make the nation, sift it as every provider's desk would, and say when each report is sent.

    A report leaves on the morning after the attack's day, or as many days later as its provider is late.
    Units that have not joined have officers like the others: they are only reached by letter.
    """
    making.simulate(shape, folder)
    members = json.loads((folder / "members.json").read_bytes())
    units = people.units(shape)
    officers = people.officers(shape, [people.Unit(unit.unit_id, True) for unit in units])
    sending = [member for member in members if member["reports"] != "never"]
    arrivals: Arrivals = defaultdict(lambda: defaultdict(list))
    found = sift(folder, sending).reports
    for member in sending:
        for report in found[member["key"]]:
            day = parse_rfc3339(report.last_seen_at).date() + dt.timedelta(days=1 + member["delay_days"])
            if day < shape.day(shape.days):
                arrivals[dt.datetime.combine(day, MORNING)][member["key"]].append(report)
    plain = {at: dict(reports) for at, reports in arrivals.items()}
    joined = frozenset(unit.unit_id for unit in units if unit.has_joined)
    return Nation(shape, sending, joined, officers, plain)


def habits_of_2016(nation: Nation) -> list[dict[str, Any]]:
    """Both worlds without Tocsin: what desks found time for, and all that there is."""
    habits, reports, shifts = Habits(), nation.told(), nation.shifts()
    custom = old.customs({member["force"] for member in nation.members}, nation.shape.dice("customs"))
    rows = []
    for what, sent in (
        ("habits of 2016, reports by hand", old.chosen(reports, habits)),
        ("habits of 2016, every report", reports),
    ):
        answered, minutes = old.answer(sent, shifts, custom, habits, nation.shape.dice("habits"))
        rows.append(sums.row(what, answered, minutes, nation.ends_at))
    rows[0]["provider_minutes"] = round(rows[0]["reports"] * habits.desk_report)
    return rows


def with_tocsin(nation: Nation, *, unwilling: bool = False, passing: bool = True) -> list[dict[str, Any]]:
    """The exchange itself, in this process's own home, and what `tocsin check` finds: it must be nothing.

    `passing`: units above the forces pass on what is not grave; `unwilling`: three forces in ten never look.
    """
    from tocsin.doors.admin.setup import prepare

    prepare()
    from django.db import connection

    from tocsin.cases.audit import check_cases
    from tocsin.cases.models import Case, Clock

    custom = old.customs({member["force"] for member in nation.members}, nation.shape.dice("customs"))
    silent = frozenset(force for force, chance in custom.items() if not chance) if unwilling else frozenset()
    town = Town(Exchange(), silent, nation.above() if passing else frozenset())
    began = time.perf_counter()
    with time_machine.travel(min(nation.arrivals) - dt.timedelta(days=1)):
        town.join(nation.members, nation.joined, nation.officers)
    town.run(nation.arrivals, nation.shifts(), nation.ends_at)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # nobody else does within a test's one transaction
    with time_machine.travel(nation.ends_at, tick=False):
        findings = [str(finding) for finding in check_cases()]
    what = "Tocsin" if passing else "Tocsin, nothing is passed on"
    what += ", three forces in ten never look" if unwilling else ""
    lived = fates({member["name"]: member["key"] for member in nation.members})
    row = sums.row(what, lived, town.minutes, nation.ends_at)
    row |= {
        "cases": Case.objects.count(),
        "clocks_missed": Clock.objects.filter(breached_at__isnull=False).count(),
        "taken_higher": Clock.objects.filter(step__gt=0).count(),
        "check_finds": len(findings),
        "seconds": round(time.perf_counter() - began),
    }
    for finding in findings[:5]:
        print(finding, file=sys.stderr)
    return [row, *sensitivity(nation)] if passing and not unwilling else [row]


WORLDS = {
    "habits": habits_of_2016,
    "kept": lambda nation: with_tocsin(nation, passing=False),
    "tocsin": with_tocsin,
    "unwilling": lambda nation: with_tocsin(nation, unwilling=True),
}


def run(
    seed: int = SIZE[0], providers: int = SIZE[1], forces: int = SIZE[2], days: int = SIZE[3]
) -> list[dict[str, Any]]:
    """The rows of one nation."""
    return list(lives(seed, providers, forces, days))


def lives(seed: int, providers: int, forces: int, days: int) -> Iterator[dict[str, Any]]:
    """The rows of one nation, world after world; each lives in a process and a home of its own."""
    with tempfile.TemporaryDirectory(prefix="tocsin-habits-") as home:
        kept = Path(home) / "nation.pickle"
        kept.write_bytes(pickle.dumps(make(Shape(seed, providers, forces, days), Path(home) / "nation")))
        for world in WORLDS:
            environment = {
                **os.environ,
                "TOCSIN_HOME": f"{home}/{world}",
                "DJANGO_SETTINGS_MODULE": "tocsin.site.settings",
            }
            environment.pop("DATABASE_URL", None)
            inside = [sys.executable, "-m", "bench.habits", "--world", world, "--nation", str(kept)]
            done = subprocess.run(
                inside, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
            )
            for row in json.loads(done.stdout.splitlines()[-1]):
                yield {"caption": CAPTION, **row}
