"""Batch intake with a journal entry each, beside a hand-written insert that does the same by hand.

    python -m bench.intake [--stored 100000] [--measured 50000] [--engine sqlite|postgresql] [--alone]

All sides decode the same bytes, look for what they know already, write the same rows behind the same indexes
with an entry, a Merkle leaf and a signed head for each batch of 500, and commit durably. `by_hand` judges the
fields and answers with receipts as the product does; `bare` inserts and says nothing. The product's own are
versions, holdings, jobs, and the act around it all. The sides take turns, so that a busy machine slows all.
They share one database, which so holds three times what is stored; `--alone` leaves the two others out.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.engines import run_engine

BATCH = 500


def run(stored: int = 1_000_000, measured: int = 50_000) -> list[dict[str, Any]]:
    """One row for each engine, each measured in a process, a home and a database of its own."""
    return [
        run_engine("bench.intake", engine, stored, measured, durable=True)
        for engine in ("sqlite", "postgresql")
    ]


def measure(engine: str, stored: int, measured: int, *, alone: bool) -> dict[str, Any]:
    """In the measured process: fill all stores to `stored`, then race batch by batch."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from bench.intake_by_hand import Bare, ByHand
    from tocsin.access import keys, services
    from tocsin.intake import services as intake

    member = services.add_member("Benchmark Broadband", force_id="mps")
    actor = keys.actor_of_key(keys.make_key(member, "bench", ["reports:write"])[1])
    sides: dict[str, Callable[[list[bytes]], object]] = {
        "tocsin": lambda batch: intake.submit(actor, batch),
        "by_hand": ByHand(member.pk).submit,
        "bare": Bare(member.pk).submit,
    }
    if alone:
        del sides["by_hand"], sides["bare"]
    for batch in batches(stored):
        for side in sides.values():
            side(batch)
    spent = {name: [0.0, 0.0] for name in sides}
    order = list(sides)
    for batch in batches(measured):
        order.append(order.pop(0))
        for name in order:
            race(sides[name], batch, spent[name])
    rates = {name: measured / wall for name, (wall, _) in spent.items()}
    row: dict[str, Any] = {
        "what": "reports in, batches of 500, an entry each",
        "engine": engine,
        "stored": stored,
        "measured": measured,
        "reports_per_second": round(rates["tocsin"]),
        "cpu_us_per_report": round(spent["tocsin"][1] / measured * 1e6, 1),
    }
    for name in order:
        if name != "tocsin":
            row[f"{name}_per_second"] = round(rates[name])
            row[f"ratio_to_{name}"] = round(rates["tocsin"] / rates[name], 2)
            row[f"{name}_cpu_us_per_report"] = round(spent[name][1] / measured * 1e6, 1)
    return row


def race(side: Callable[[list[bytes]], object], batch: list[bytes], spent: list[float]) -> None:
    """Add one side's wall and CPU seconds (of this process) for a batch."""
    wall, cpu = time.perf_counter(), time.process_time()
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
    parser.add_argument("--alone", action="store_true", help="without the references and their rows")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(measure(given.engine, given.stored, given.measured, alone=given.alone)))
        return
    more = ("--alone",) if given.alone else ()
    for engine in [given.engine] if given.engine else ["sqlite", "postgresql"]:
        row = run_engine("bench.intake", engine, given.stored, given.measured, durable=True, more=more)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
