"""From a report's acceptance to every subscriber of the live stream, on a served exchange with its worker.

    python -m bench.stream [--trials 40] [--subscribers 130] [--engine sqlite|postgresql]

The second member's report is posted over HTTP; the clock starts when its receipt has come. Then the worker
judges the address, and the stream tells it to all. Two trials go before and are not counted: until then
the worker may still be reading the warning lists.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.engines import run_engine

TRIALS, SUBSCRIBERS, A_KEY, BEFORE = 40, 130, 20, 2
STREAM = "from tocsin.doors.stream.command import stream; stream()"


def run(trials: int = TRIALS, subscribers: int = SUBSCRIBERS) -> list[dict[str, Any]]:
    """A row for each engine."""
    return [
        run_engine("bench.stream", engine, trials, subscribers, durable=True)
        for engine in ("sqlite", "postgresql")
    ]


def measure(engine: str, trials: int, subscribers: int) -> dict[str, Any]:
    """In the measured process: serve, subscribe, report."""
    from tocsin.doors.admin.setup import prepare

    prepare()
    from django.db import connections

    from bench.nation import served
    from tocsin.access import keys, services
    from tocsin.doors.admin.demo import free_port

    members = [services.add_member(name, force_id="mps") for name in ("Ferry", "Medway", "Reader")]
    writers = [keys.make_key(member, "bench", ["reports:write"])[1] for member in members[:2]]
    readers = [
        keys.make_key(members[2], f"bench {n}", ["lists:read"])[1] for n in range(-(-subscribers // A_KEY))
    ]
    connections.close_all()
    port = free_port()
    with served() as url:
        log = Path(os.environ["TOCSIN_HOME"]) / "stream.log"
        with log.open("wb") as out:
            stream = subprocess.Popen(
                [sys.executable, "-c", STREAM, "--port", str(port)], stdout=out, stderr=out
            )
        try:
            while b"streaming at" not in log.read_bytes():
                time.sleep(0.05)
            address = f"http://127.0.0.1:{port}/stream/v1/channels/everybody-green"
            waits = asyncio.run(trial_all(url, address, writers, readers, trials, subscribers))
        finally:
            stream.terminate()
            stream.wait(20)
    ordered = sorted(waits)
    return {
        "what": "report accepted to live stream",
        "engine": engine,
        "subscribers": subscribers,
        "trials": trials,
        "p50_ms": round(statistics.median(ordered) * 1e3),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)] * 1e3),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1e3),
        "max_ms": round(ordered[-1] * 1e3),
        "received": len(ordered),
    }


async def trial_all(
    url: str, address: str, writers: list[str], readers: list[str], trials: int, subscribers: int
) -> list[float]:
    """Seconds that each subscriber waited in each trial."""
    import httpx

    got: asyncio.Queue[tuple[str, float]] = asyncio.Queue()
    begun = asyncio.Semaphore(0)

    async def subscribe(key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            httpx.AsyncClient(timeout=None) as client,
            client.stream("GET", address, headers=headers) as response,
        ):
            async for line in response.aiter_lines():
                if line.startswith(": from"):
                    begun.release()
                elif line.startswith("data: ") and "ipv4-addr" in line:
                    value = line.partition("value = '")[2].partition("'")[0]
                    got.put_nowait((value, time.perf_counter()))

    waits: list[float] = []
    tasks = [asyncio.ensure_future(subscribe(readers[n // A_KEY])) for n in range(subscribers)]
    for _ in range(subscribers):
        await begun.acquire()
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for trial in range(BEFORE + trials):
            value = f"80.94.90.{trial + 1}"
            for key in writers:
                headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
                answer = await client.post("/api/v1/reports", content=report(value), headers=headers)
                answer.raise_for_status()
                accepted = time.perf_counter()
                if key == writers[0]:
                    await asyncio.sleep(0.7)  # so that its word stands
            for _ in range(subscribers):
                found, at = await asyncio.wait_for(got.get(), 30)
                if found != value:
                    raise SystemExit(f"{found} came instead of {value}")
                if trial >= BEFORE:
                    waits.append(at - accepted)
    for task in tasks:
        task.cancel()
    return waits


def report(origin: str) -> bytes:
    """An attack of today from that address."""
    from tests.exchange import a_report, spelled

    return spelled(a_report(attack_id=f"attack_{int(origin.rpartition('.')[2]):032x}", origins=(origin,)))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.stream")
    parser.add_argument("--trials", "--stored", type=int, default=TRIALS)
    parser.add_argument("--subscribers", "--measured", type=int, default=SUBSCRIBERS)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(measure(given.engine, given.trials, given.subscribers)))
        return
    for engine in [given.engine] if given.engine else ["sqlite", "postgresql"]:
        print(json.dumps(run_engine("bench.stream", engine, given.trials, given.subscribers, durable=True)))


if __name__ == "__main__":
    main()
