"""TAXII objects out of a full store and into one, with medallion beside it in the same session.

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
INDICATOR_COLUMNS = (
    "id", "indicator_id", "stix_id", "kind", "value", "attack_kind", "state", "reason",
    "asserted_at", "changed_at", "valid_until", "tlp", "basis", "lookup",
)  # fmt: skip


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
    from tocsin.access import keys, services
    from tocsin.sharing.channels import contributions_of, shared_channel

    member = services.add_member("Benchmark", force_id="mps")
    fill(stored, shared_channel(None, "green"), with_indicators=True)
    fill(stored, contributions_of(member), with_indicators=False)
    key = keys.make_key(member, "bench", ["lists:read", "indicators:write"])[1]
    client = Client(headers={"Authorization": f"Bearer {key}"}, SERVER_NAME="127.0.0.1")
    address = "/taxii2/api/collections/everybody-green/objects/"
    row: dict[str, Any] = {"what": "TAXII objects out and in", "engine": engine, "stored": stored}
    for limit in (1_000, 10_000):
        wall, cpu = time.perf_counter(), time.process_time()
        count = page_through(client, address, {"limit": limit}, measured)
        row[f"objects_per_second_by_{limit}"] = round(count / (time.perf_counter() - wall))
        row[f"cpu_us_per_object_by_{limit}"] = round((time.process_time() - cpu) / count * 1e6, 1)
    late = {"limit": 1_000, "added_after": instant(stored - min(stored, 20_000)).isoformat()[:-6] + "Z"}
    wall = time.perf_counter()
    count = page_through(client, address, late, measured)
    row["objects_per_second_at_the_end"] = round(count / (time.perf_counter() - wall))
    own = f"/taxii2/api/collections/{contributions_of(member).channel_id}/objects/"
    for size in (1_000, 10_000):
        row |= write(client, own, size, min(measured, 100_000))
    return row


def write(client: Any, address: str, size: int, count: int) -> dict[str, Any]:
    """Write so many new objects in requests of that size; gives the rate, and the CPU of an object."""
    bodies = [envelope(start, size) for start in range(0, count, size)]
    wall, cpu = time.perf_counter(), time.process_time()
    for body in bodies:
        answer = client.post(address, body, content_type="application/taxii+json;version=2.1")
        if answer.status_code != 202 or answer.json()["success_count"] != size:
            raise SystemExit(f"{answer.status_code}: {answer.content[:300]!r}")
    took = time.perf_counter() - wall
    return {
        f"objects_in_per_second_by_{size}": round(size * len(bodies) / took),
        f"cpu_us_per_object_in_by_{size}": round((time.process_time() - cpu) / size / len(bodies) * 1e6, 1),
    }


def envelope(start: int, size: int) -> bytes:
    """Indicators such as another exchange sends, each a new one."""
    import uuid

    old = "2026-01-01T00:00:00.000Z"
    return msgspec.json.encode(
        {
            "objects": [
                {
                    "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}",
                    "created": old, "modified": old, "pattern_type": "stix", "valid_from": old,
                    "pattern": f"[ipv4-addr:value = '80.{start // 10_000}.{number >> 8}.{number & 255}']",
                    "name": "takes part in attacks", "indicator_types": ["malicious-activity"],
                }
                for number in range(size)
            ]
        }
    )  # fmt: skip


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


def fill(stored: int, channel: Any, *, with_indicators: bool) -> None:
    """Addresses as publishing, or their author, would have left them: rows of the feed, and indicators."""
    import uuid

    from tocsin.journal.acts import act
    from tocsin.sharing.models import Channel, Indicator, Outgoing
    from tocsin.store import bulk
    from tocsin.wire import stix

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
                 "intrusion-attempts/brute-force", "shared", "", when, when, when, "green", "voices", "")
            )  # fmt: skip
            entries.append(
                (channel.pk, number + 1, when, number + 1 if with_indicators else None, "indicator",
                 stored_uuid(stix_id), when, True, False, body)
            )  # fmt: skip
        with act():
            if with_indicators:
                bulk.insert(Indicator, INDICATOR_COLUMNS, indicators)
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
