"""TAXII objects out of a full store, with medallion beside it in the same session.

    python -m bench.taxii [--stored 1000000] [--measured 200000] [--engine sqlite|postgresql]

Both servers are asked inside their own process by their framework's test client, with a key or a password,
and page through the collection as a client does. Medallion's memory backend copies and matches everything it
stores for every question, so it is asked with as many objects as it answers in reasonable time; the figure
beside it is ours with a full store. Its environment is made under `var/` from the package registry.
"""

import argparse
import json
import subprocess
import time
import venv
from pathlib import Path
from typing import Any

import msgspec

from bench.engines import ROOT, run_engine

MEDALLION = ROOT / "var" / "medallion"
MEDALLION_STORED = 1_000
CHUNK = 50_000


class Envelope(msgspec.Struct):
    """What a client must read to go on; the objects stay as they came."""

    more: bool = False
    next: str = ""
    objects: list[msgspec.Raw] = []


def run(stored: int = 1_000_000, measured: int = 200_000) -> list[dict[str, Any]]:
    """One row an engine, each in a process, a home and a database of its own, and medallion's."""
    rows = [
        run_engine("bench.taxii", engine, stored, measured, durable=False)
        for engine in ("sqlite", "postgresql")
    ]
    return [*rows, run_medallion(MEDALLION_STORED)]


def measure(engine: str, stored: int, measured: int) -> dict[str, Any]:
    """In the measured process: fill the feed, then page through its first and its last part."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    fill(stored)
    from tocsin.access import keys, services
    from tocsin.doors.taxii.views import collection_id

    key = keys.make_key(services.add_member("Benchmark", force_id="mps"), "bench", ["lists:read"])[1]
    client = Client(headers={"Authorization": f"Bearer {key}"}, SERVER_NAME="127.0.0.1")
    address = f"/taxii2/api/collections/{collection_id()}/objects/"
    row: dict[str, Any] = {"what": "TAXII objects out", "engine": engine, "stored": stored}
    for limit in (1_000, 10_000):
        wall, cpu = time.perf_counter(), time.process_time()
        count = page_through(client, address, {"limit": limit}, measured)
        row[f"objects_per_second_by_{limit}"] = round(count / (time.perf_counter() - wall))
        row[f"cpu_us_per_object_by_{limit}"] = round((time.process_time() - cpu) / count * 1e6, 1)
    late = {"limit": 1_000, "added_after": instant(stored - min(stored, 20_000)).isoformat()[:-6] + "Z"}
    wall = time.perf_counter()
    count = page_through(client, address, late, measured)
    row["objects_per_second_at_the_end"] = round(count / (time.perf_counter() - wall))
    return row


def page_through(client: Any, address: str, query: dict[str, Any], most: int) -> int:
    """Follow `next` until `most` objects came or no more are there; gives their number."""
    count, following = 0, None
    while count < most:
        answer = client.get(address, query if following is None else {**query, "next": following})
        envelope = msgspec.json.decode(answer.content, type=Envelope)
        count += len(envelope.objects)
        if not envelope.more:
            break
        following = envelope.next
    return count


def fill(stored: int) -> None:
    """Shared addresses as publishing would have left them: rows of the feed, and their indicators."""
    import uuid

    from tocsin.journal.acts import act
    from tocsin.sharing.channels import shared_channel
    from tocsin.sharing.models import Channel, Indicator, Outgoing
    from tocsin.store import bulk
    from tocsin.wire import stix

    channel = shared_channel(None, "green")
    for start in range(0, stored, CHUNK):
        indicators, entries, stop = [], [], min(start + CHUNK, stored)
        for number in range(start, stop):
            value = f"{80 + (number >> 24)}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            at, stix_id = instant(number), uuid.UUID(int=number)
            body = stix.indicator_body(
                "address", value, stix_id, created=at, modified=at, valid_from=at, valid_until=instant(10**9),
                tlp="green",
            )  # fmt: skip
            when = bulk.spelled(at)
            indicators.append(
                (number + 1, f"indicator_{number}", stored_uuid(stix_id), "address", value,
                 "intrusion-attempts/brute-force", "shared", "", when, when, when)
            )  # fmt: skip
            entries.append(
                (channel.pk, number + 1, when, number + 1, "indicator", stored_uuid(stix_id), when, True,
                 False, body)
            )  # fmt: skip
        with act():
            bulk.insert(
                Indicator,
                ("id", "indicator_id", "stix_id", "kind", "value", "attack_kind", "state", "reason",
                 "asserted_at", "changed_at", "valid_until"),
                indicators,
            )  # fmt: skip
            bulk.insert(
                Outgoing,
                ("channel_id", "number", "date_added", "indicator_id", "stix_type", "stix_id", "modified",
                 "is_latest", "revoked", "body"),
                entries,
            )  # fmt: skip
            Channel.objects.filter(pk=channel.pk).update(number=stop, last_at=instant(stop - 1))


def stored_uuid(value: Any) -> Any:
    """A UUID as the engine keeps it."""
    from django.db import connection

    return value.hex if connection.vendor == "sqlite" else value


def instant(number: int) -> Any:
    """The instant of the entry of that number: strictly increasing."""
    import datetime as dt

    return dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=number)


def run_medallion(stored: int) -> dict[str, Any]:
    """Medallion's figure, or why there is none."""
    row: dict[str, Any] = {
        "what": "TAXII objects out",
        "engine": "medallion, memory backend",
        "stored": stored,
    }
    python = MEDALLION / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "medallion"]
    try:
        if not python.exists():
            venv.create(MEDALLION, with_pip=True)
        subprocess.run(install, check=True, capture_output=True, timeout=300)
        script = Path(__file__).with_name("taxii_medallion.py")
        command = [python, script, str(stored)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        return {**row, "skipped": f"medallion does not run here: {type(error).__name__}"}
    return {**row, **json.loads(done.stdout.splitlines()[-1])}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stored", type=int, default=50_000)
    parser.add_argument("--measured", type=int, default=50_000)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(measure(given.engine, given.stored, given.measured)))
        return
    for engine in [given.engine] if given.engine else ["sqlite", "postgresql"]:
        print(
            json.dumps(run_engine("bench.taxii", engine, given.stored, given.measured, durable=False)),
            flush=True,
        )
    print(json.dumps(run_medallion(MEDALLION_STORED)), flush=True)


if __name__ == "__main__":
    main()
