"""Batch intake with a journal entry each, beside a hand-written insert that does the same by hand.

    python -m bench.intake [--stored 100000] [--measured 50000] [--engine sqlite|postgresql]

Both sides decode the same bytes, refuse what they know already, write the same rows behind the same indexes
with an entry, a Merkle leaf and a signed head for each batch of 500, and commit durably. The product also
validates, records holdings, enqueues jobs and builds receipts: that is its overhead over the other.
The two are measured in alternating rounds, so that a busy machine slows both.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BATCH = 500
ROUND = 10_000


def run(stored: int = 1_000_000, measured: int = 50_000) -> list[dict[str, Any]]:
    """One row for each engine, each measured in a process, a home and a database of its own."""
    return [run_engine(engine, stored, measured) for engine in ("sqlite", "postgresql")]


def run_engine(engine: str, stored: int, measured: int) -> dict[str, Any]:
    """Measure one engine in a fresh process."""
    inside = [sys.executable, "-m", "bench.intake", "--inside", "--stored", str(stored)]
    inside += ["--measured", str(measured), "--engine", engine]
    if engine == "postgresql":
        inside = [sys.executable, "tools/with_postgres.py", "--durable", *inside]
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as home:
        environment = {**os.environ, "TOCSIN_HOME": home, "DJANGO_SETTINGS_MODULE": "tocsin.site.settings"}
        if engine == "sqlite":
            environment.pop("DATABASE_URL", None)
        done = subprocess.run(inside, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def measure(engine: str, stored: int, measured: int) -> dict[str, Any]:
    """In the measured process: fill both stores to `stored`, then race in alternating rounds."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from bench.intake_by_hand import ByHand
    from tocsin.access import keys, services
    from tocsin.intake import services as intake

    member = services.add_member("Benchmark Broadband", force_id="mps")
    actor = keys.actor_of_key(keys.make_key(member, "bench", ["reports:write"])[1])
    by_hand = ByHand(member.pk)
    sides: dict[str, Callable[[list[bytes]], object]] = {
        "tocsin": lambda batch: intake.submit(actor, batch),
        "by_hand": by_hand.submit,
    }
    for batch in batches(stored):
        for side in sides.values():
            side(batch)
    spent = {name: [0.0, 0.0] for name in sides}
    for _ in range(max(measured // ROUND, 1)):
        for name, side in sides.items():
            race(side, list(batches(ROUND)), spent[name])
    reports = max(measured // ROUND, 1) * ROUND
    rates = {name: reports / wall for name, (wall, _) in spent.items()}
    return {
        "what": "reports in, batches of 500, an entry each",
        "engine": engine,
        "stored": stored,
        "measured": reports,
        "reports_per_second": round(rates["tocsin"]),
        "by_hand_per_second": round(rates["by_hand"]),
        "ratio": round(rates["tocsin"] / rates["by_hand"], 2),
        "cpu_us_per_report": round(spent["tocsin"][1] / reports * 1e6, 1),
        "by_hand_cpu_us_per_report": round(spent["by_hand"][1] / reports * 1e6, 1),
    }


def race(side: Callable[[list[bytes]], object], rounds: list[list[bytes]], spent: list[float]) -> None:
    """Add one side's wall and CPU seconds (of this process) for these batches."""
    wall, cpu = time.perf_counter(), time.process_time()
    for batch in rounds:
        side(batch)
    spent[0] += time.perf_counter() - wall
    spent[1] += time.process_time() - cpu


def batches(count: int) -> Iterator[list[bytes]]:
    """`count` fresh reports in batches, spelled as the edge tool sends them."""
    import msgspec

    from tocsin.wire import report as wire

    held = wire.Holding(
        "auth.log", "portal-login", "2026-11-01T00:00:00Z", "2026-11-21T00:00:00Z", "2027-01-01T00:00:00Z", 50
    )
    for _ in range(count // BATCH):
        batch = []
        for _ in range(BATCH):
            dice = os.urandom(18)
            batch.append(
                msgspec.json.encode(
                    wire.Report(
                        attack_id=f"attack_{dice[:16].hex()}",
                        kind="intrusion-attempts/login-attempts",
                        origins=(f"198.51.{dice[16]}.{dice[17]}",),
                        targets=("mx1.example",),
                        service="ssh",
                        first_seen_at="2026-11-20T01:02:03Z",
                        last_seen_at="2026-11-20T03:02:03Z",
                        count=420,
                        severity="medium",
                        evidence=(wire.Evidence("auth.log", 420, dice.hex()[:32] * 2),),
                        holdings=(held,),
                    )
                )
            )
        yield batch


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stored", type=int, default=100_000)
    parser.add_argument("--measured", type=int, default=50_000)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(measure(given.engine, given.stored, given.measured)))
        return
    for engine in [given.engine] if given.engine else ["sqlite", "postgresql"]:
        print(json.dumps(run_engine(engine, given.stored, given.measured)), flush=True)


if __name__ == "__main__":
    main()
