"""Linking with a million reports stored: one report, a batch, and a million from cold; then how right it is.

    python -m bench.linking [--stored 1000000] [--engine sqlite|postgresql]

The store is written in bulk, ten reports a case and one case of a tenth of all. Reports come in as intake
writes them, and are linked as its background job does. `TOCSIN_BENCH_SHORT=1` shortens everything.
"""

import argparse
import datetime as dt
import itertools
import json
import os
import random
import statistics
import time
from collections.abc import Sequence
from typing import Any

from bench import linking_truth
from bench.engines import run_engine
from bench.pages.rows import write

BATCH = 500
SEEN = "2026-11-20T01:02:03Z"
STORED_AT = "2026-11-20 04:05:06.000007"
OPENED_AT = dt.datetime.fromisoformat(STORED_AT + "+00:00")
SHORT = os.environ.get("TOCSIN_BENCH_SHORT") == "1"


def run(stored: int | None = None) -> list[dict[str, Any]]:
    """How fast on SQLite, in a process and a home of its own, and how right (`bench.linking_truth`)."""
    size = stored or (20_000 if SHORT else 1_000_000)
    return [run_engine("bench.linking", "sqlite", size, size, durable=True), *linking_truth.run()]


def measure(stored: int, cold: int) -> dict[str, Any]:
    """In the measured process: fill the store, link singly and in batches, then all that lies unlinked."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tocsin.cases.linking import link_reports
    from tocsin.cases.models import Case
    from tocsin.cases.units import load_units

    load_units()
    world = World(stored)
    world.store()
    singles = [spent(link_reports, pks) for pks in world.arrivals(20 if SHORT else 200, 1)]
    batches = [spent(link_reports, pks) for pks in world.arrivals(4 if SHORT else 20, BATCH)]
    before = Case.objects.count()
    wall, cpu = spent(link_reports, world.cold(cold))
    return {
        "what": "linking",
        "stored": stored,
        "one_report_ms": round(statistics.median(cpu for _, cpu in singles) * 1e3, 2),
        "one_report_wall_ms": round(statistics.median(wall for wall, _ in singles) * 1e3, 2),
        "in_batches_ms_a_report": round(statistics.median(cpu for _, cpu in batches) / BATCH * 1e3, 3),
        "cold": cold,
        "cold_seconds": round(wall, 1),
        "cold_cpu_seconds": round(cpu, 1),
        "cold_cases": Case.objects.count() - before,
    }


def spent(link: Any, pks: Sequence[int]) -> tuple[float, float]:
    """Wall and CPU seconds of linking these reports."""
    wall, cpu = time.perf_counter(), time.process_time()
    link(pks)
    return time.perf_counter() - wall, time.process_time() - cpu


class World:
    """A store with cases of ten reports, one of a tenth of all, and members all over the country."""

    def __init__(self, stored: int) -> None:
        from tocsin.access import services
        from tocsin.cases.units import current_pack

        self.stored, self.dice = stored, random.Random(7)
        forces = sorted(unit.unit_id for unit in current_pack().units.values() if unit.kind == "force")
        self.members = [
            services.add_member(f"Bench {n}", force_id=forces[n % len(forces)]).pk for n in range(130)
        ]
        self.numbers = itertools.count(1)
        self.cases = max(1, stored // 10)

    def origin(self, case: int) -> str:
        """The origin that a case is about; case 0 is the one of a tenth of all."""
        return f"2001:db8:{case >> 16:x}:{case & 0xFFFF:x}::1"

    def store(self) -> None:
        """Write everything as linking would have left it, without the journal's part."""
        from tocsin.cases.models import Case, CaseOrigin, Clock, Link, Share
        from tocsin.cases.units import units_by_id
        from tocsin.journal.acts import act
        from tocsin.store import bulk

        unit = units_by_id()["nca-nccu"].pk
        write(
            Case,
            ("id", "case_id", "investigating_unit", "support_unit"),
            ((n + 1, f"case_{n}", unit, unit) for n in range(self.cases)),
            title="Guessing", kind="intrusion-attempts/brute-force", severity="medium", status="X-DIS",
            opened_at=OPENED_AT, route_rule="two-regions", route_reason="because", route_told="because",
        )  # fmt: skip
        write(CaseOrigin, ("case", "origin"), ((n + 1, self.origin(n)) for n in range(self.cases)))
        shares: dict[tuple[int, int], list[int]] = {}
        for start in range(0, self.stored, 20_000):
            with act():
                wanted = [self._case(n) for n in range(start, min(self.stored, start + 20_000))]
                rows = self.reports([self.origin(case) for case in wanted])
                for (pk, member), case in zip(rows, wanted, strict=True):
                    share = shares.setdefault((case + 1, member), [0, pk])
                    share[0] += 1
                joined = [(case + 1, pk) for (pk, _), case in zip(rows, wanted, strict=True)]
                bulk.insert(
                    Link,
                    ("case_id", "report_id", "reason", "strength", "linked_at"),
                    [(case, pk, "shares the origin", 90, STORED_AT) for case, pk in joined],
                )
            ended = ((clock, case, pk) for case, pk in joined for clock in ("P01", "P02"))
            at = dict.fromkeys(("started_at", "due_at", "ended_at"), OPENED_AT)
            write(Clock, ("clock_id", "case", "report"), ended, ended_by="automatic", **at)
        with act():
            bulk.insert(
                Share,
                ("case_id", "member_id", "reports", "first_report"),
                [(case, member, count, first) for (case, member), (count, first) in shares.items()],
            )

    def _case(self, number: int) -> int:
        return 0 if number % 10 == 0 else number // 10

    def reports(self, origins: Sequence[str]) -> list[tuple[int, int]]:
        """Insert a report for each origin as intake does; gives (report, member)."""
        import msgspec

        from tocsin.intake.models import Report
        from tocsin.intake.services import NEW_COLUMNS
        from tocsin.store import bulk
        from tocsin.wire import report as wire

        rows, made = [], []
        for pk, origin in zip(bulk.reserve_ids(Report, len(origins)), origins, strict=True):
            number, member = next(self.numbers), self.dice.choice(self.members)
            told = wire.Report(
                f"attack_{number:032x}", "intrusion-attempts/brute-force", (origin,), ("mx1.example",), "ssh",
                SEEN, SEEN, 420, "medium",
            )  # fmt: skip
            rows.append(
                (pk, f"report_{number:012}", member, told.attack_id, STORED_AT, "X-ACK", told.kind, origin,
                 "mx1.example", "ssh", "medium", "ordinary", 420, STORED_AT, STORED_AT, STORED_AT, 1,
                 msgspec.json.encode(told), bytes(32), 0)
            )  # fmt: skip
            made.append((pk, member))
        bulk.insert(Report, NEW_COLUMNS, rows)
        return made

    def arrivals(self, batches: int, size: int) -> list[list[int]]:
        """Fresh reports: a third opens cases, the rest joins known ones, now and then the large one."""
        from tocsin.journal.acts import act

        found = []
        for _ in range(batches):
            wanted = [self.dice.randrange(round(self.cases * 1.5)) for _ in range(size)]
            wanted = [0 if self.dice.random() < 0.1 else case for case in wanted]
            with act():
                found.append([pk for pk, _ in self.reports([self.origin(case) for case in wanted])])
        return found

    def cold(self, count: int) -> list[int]:
        """Reports that nothing has linked yet, about ten times as few origins that nobody knows."""
        from tocsin.journal.acts import act

        found: list[int] = []
        for start in range(0, count, 20_000):
            wanted = [2 * self.cases + self._case(n) for n in range(start, min(count, start + 20_000))]
            with act():
                found += [pk for pk, _ in self.reports([self.origin(case) for case in wanted])]
        return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stored", type=int, default=1_000_000)
    parser.add_argument("--measured", type=int, help="how many from cold; as many as stored by default")
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    cold = given.stored if given.measured is None else given.measured
    if given.inside:
        print(json.dumps(measure(given.stored, cold)))
        return
    print(json.dumps(run_engine("bench.linking", given.engine, given.stored, cold, durable=True)))


if __name__ == "__main__":
    main()
