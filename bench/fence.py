"""What the second fence costs: the same pages on PostgreSQL with row-level security and without.

    python -m bench.fence [--stored 100000]

Each page is asked for in turn with the fence up and down, in one process, so that both meet the same caches.
"""

import argparse
import json
import os
import statistics
import time
from typing import Any

from bench.engines import run_engine

ROUNDS = 15
SHORT = os.environ.get("TOCSIN_BENCH_SHORT") == "1"


def run(stored: int | None = None) -> list[dict[str, Any]]:
    """One row a page: median milliseconds with the fence and without."""
    size = stored or (5_000 if SHORT else 100_000)
    rows: list[dict[str, Any]] = run_engine("bench.fence", "postgresql", size, 0, durable=True)["pages"]
    return rows


def measure(stored: int) -> dict[str, Any]:
    """In the measured process: fill the store, then read."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.cache import cache
    from django.core.management import call_command
    from django.test import Client
    from django.test.utils import setup_test_environment

    setup_test_environment()
    call_command("migrate", verbosity=0)
    from bench.linking import World
    from tocsin.access import services
    from tocsin.access.models import Member
    from tocsin.cases.units import load_units
    from tocsin.store import fence

    load_units()
    World(stored).store()
    force = spread_over_units()
    rita = services.add_person("rita@example.org", "Rita", "four words of brass")
    services.give_role(rita, "reporter", member=Member.objects.order_by("pk")[0])
    olive = services.add_person("olive@example.org", "Olive", "four words of brass")
    services.give_role(olive, "officer", unit=force)
    assert fence.is_usable()
    report = Member.objects.order_by("pk")[0].reports.order_by("-pk")[0].report_id
    case = force.investigating.order_by("-pk")[0].case_id
    pages = []
    for person, address in (
        (rita, "/reports"),
        (rita, "/reports/all"),
        (rita, f"/reports/{report}"),
        (olive, "/queue"),
        (olive, f"/cases/{case}"),
    ):
        client = Client()
        client.force_login(person)
        spent: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(2 * ROUNDS + 2):
            settings.FENCE = is_up = turn % 2 == 0
            cache.clear()
            began = time.perf_counter()
            assert client.get(address).status_code == 200, address
            if turn >= 2:  # the first of each warms up
                spent[is_up].append(time.perf_counter() - began)
        name = address.replace(report, "…").replace(case, "…")
        with_fence, without = (round(statistics.median(spent[up]) * 1e3, 1) for up in (True, False))
        pages.append({"page": name, "stored": stored, "with_fence_ms": with_fence, "without_ms": without})
    return {"pages": pages}


def spread_over_units() -> Any:
    """Give the cases to the forces in turn, let the first join, and update statistics; gives the first."""
    from django.db import connection

    from tocsin.access import services
    from tocsin.access.models import Unit
    from tocsin.journal.acts import act

    forces = list(Unit.objects.filter(kind="force").order_by("pk"))
    with act(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_case SET investigating_unit_id = (%s::bigint[])[1 + id %% %s], "
            "support_unit_id = (%s::bigint[])[1 + id %% %s]",
            [pks := [unit.pk for unit in forces], len(pks), pks, len(pks)],
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return services.join_unit(forces[0].unit_id)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stored", type=int)
    parser.add_argument("--measured", type=int)
    parser.add_argument("--engine")
    parser.add_argument("--inside", action="store_true")
    given = parser.parse_args()
    print(json.dumps(measure(given.stored) if given.inside else run(given.stored)))
