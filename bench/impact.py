"""A month's blocked connections, from what members counted to what the pages say, to the last connection.

    python -m bench.impact [--hits 135000000] [--names 12] [--parquet 2000000] [--engine sqlite|postgresql]

130 members of very different sizes tell a served exchange over HTTP what they counted: cumulative tallies, a
row for each member, hour and listed name, as `tocsin tally --to` sends them, 10,000 a request. The rows are
drawn here (Zipf's law over members and names); `bench.tally` counts such numbers from log lines. One member
more does count here: its hits are a Parquet file, which `tocsin tally --to` reads. Then every name's impact,
the pages of some reports and cases, and the public figures are compared with what was sent.
"""

import argparse
import datetime as dt
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.engines import run_engine

HITS, NAMES, PARQUET = 135_000_000, 12, 2_000_000
SHORT_HITS, SHORT_NAMES, SHORT_PARQUET = 1_350_000, 3, 100_000
MEMBERS, DAYS, A_REQUEST, AT_A_TIME = 130, 30, 10_000, 4
PAGES = 3  # reports and cases that are looked at as pages
PASSWORD = "bell-and-bronze-2026"
TALLY = "import sys; from tocsin.cli.main import main; main(['tally', *sys.argv[1:]])"
Rows = list[tuple[str, str, int]]  # name, hour, connections


def run() -> list[dict[str, Any]]:
    """A row for each engine; the short form is of a hundredth."""
    short = os.environ.get("TOCSIN_BENCH_SHORT") == "1"
    hits, names = (SHORT_HITS, SHORT_NAMES) if short else (HITS, NAMES)
    os.environ.setdefault("TOCSIN_BENCH_PARQUET", str(SHORT_PARQUET if short else PARQUET))
    return [
        run_engine("bench.impact", engine, names, hits, durable=True) for engine in ("sqlite", "postgresql")
    ]


def measure(engine: str, names: int, hits: int, parquet: int) -> dict[str, Any]:
    """In the measured process: share the names, tell what was stopped, and read what the pages say."""
    from tocsin.doors.admin.setup import prepare

    prepare()
    from django.db import connections

    from bench.nation import served
    from tocsin.access import keys, services

    members = [services.add_member(f"Provider {number}", force_id="mps") for number in range(MEMBERS + 1)]
    tell = [keys.make_key(member, "resolver", ["tallies:write", "lists:read"])[1] for member in members]
    values = [f"login-{number}.bad-{number % 977}.top" for number in range(names)]
    reports = shared(values)
    connections.close_all()
    with served() as url:
        wait_for(lambda: len(listed()) == names, "the names are not shared")
        began, load, rows, sent = time.perf_counter(), os.getloadavg()[0], 0, 0
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            jobs = [
                pool.submit(send, url, key, drawn(values, number, hits))
                for number, key in enumerate(tell[:MEMBERS])
            ]
            for job in jobs:
                told, connections_ = job.result()
                rows, sent = rows + told, sent + connections_
        took = time.perf_counter() - began
        began = time.perf_counter()
        by_parquet = tallied(url, tell[MEMBERS], values, parquet)
        parquet_s = time.perf_counter() - began
        expected = dict.fromkeys(values, 0)
        for number in range(MEMBERS):
            for value, _, count in drawn(values, number, hits):
                expected[value] += count
        for value, count in by_parquet.items():
            expected[value] += count
        read = compared(url, expected, reports)
        peaks = memory_of(os.getpid())
    return {
        "what": "a month's hits, told, added up and read on the pages",
        "engine": engine,
        "hits": sent + sum(by_parquet.values()),
        "of_them_from_parquet": sum(by_parquet.values()),
        "rows": rows,
        "seconds": round(took, 1),
        "rows_per_second": round(rows / took),
        "parquet_seconds": round(parquet_s, 1),
        "load": round(load, 1),
        **read,
        **peaks,
    }


def drawn(values: list[str], member: int, hits: int) -> Rows:
    """What one member counted of its share of the hits; the same for the same member."""
    import numpy as np

    shares = 1 / np.arange(1, MEMBERS + 1) ** 0.9
    counts = np.floor(hits * shares / shares.sum()).astype(int)
    counts[0] += hits - counts.sum()
    weights = np.repeat(1 / np.arange(1, len(values) + 1) ** 1.05, DAYS * 24)
    found = np.random.default_rng(member).multinomial(counts[member], weights / weights.sum())
    found = found.reshape(len(values), DAYS * 24)
    hours = [hour_before(back) for back in range(DAYS * 24)]
    return [
        (value, hours[at], int(count))
        for value, told in zip(values, found, strict=True)
        for at, count in enumerate(told)
        if count
    ]


def hour_before(back: int) -> str:
    """The start of an hour, so many before the one in which this process began."""
    return (BEGAN - back * dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:00:00Z")


BEGAN = dt.datetime.now(dt.UTC)


def send(url: str, key: str, rows: Rows) -> tuple[int, int]:
    """Tell one member's rows; gives how many were taken, and their connections."""
    import httpx

    taken = 0
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=300) as client:
        for start in range(0, len(rows), A_REQUEST):
            tallies = [
                {"kind": "name", "value": value, "hour": hour, "hits": count}
                for value, hour, count in rows[start : start + A_REQUEST]
            ]
            answer = client.post("/api/v1/tallies", json={"source_id": "resolver", "tallies": tallies})
            answer.raise_for_status()
            taken += answer.json()["taken"]
    return taken, sum(count for _, _, count in rows)


def tallied(url: str, key: str, values: list[str], hits: int) -> dict[str, int]:
    """One member counts its own Parquet files and tells; gives its connections by name."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    chance, folder = np.random.default_rng(99), Path(os.environ["TOCSIN_HOME"]) / "hits"
    folder.mkdir()
    chosen = chance.integers(0, len(values), hits)
    last = int(BEGAN.replace(minute=0, second=0, microsecond=0).timestamp())
    at = (last - chance.integers(1, DAYS * 86_400, hits)) * 10**6
    clients = pa.array([f"10.0.{n >> 8}.{n & 255}" for n in range(1 << 16)])
    table = pa.table(
        {
            "time": pa.array(at, pa.timestamp("us", tz="UTC")),
            "client": clients.take(pa.array(chance.integers(0, 1 << 16, hits))),
            "name": pa.array(values).take(pa.array(chosen)),
        }
    )
    pq.write_table(table, folder / "hits.parquet", compression="zstd")
    edge = {"TOCSIN_KEY": key, "TOCSIN_EDGE_HOME": str(folder / "edge"), "HOME": str(folder)}
    subprocess.run(
        [sys.executable, "-c", TALLY, str(folder / "hits.parquet"), "--to", url, "--json"],
        env={**os.environ, **edge},
        check=True,
        capture_output=True,
    )
    return dict(zip(values, np.bincount(chosen, minlength=len(values)).tolist(), strict=True))


def shared(values: list[str]) -> dict[str, str]:
    """Two members report each of these names; gives the first one's reports by name. Reporter: Rita."""
    import msgspec

    from tocsin.access import keys, services
    from tocsin.intake import services as intake
    from tocsin.wire import report as wire

    found = {}
    for member in ("Ferry", "Medway"):
        joined = services.add_member(member, force_id="mps")
        actor = keys.actor_of_key(keys.make_key(joined, "desk", ["reports:write"])[1])
        if member == "Ferry":
            rita = services.add_person("rita@bench.example", "Rita", PASSWORD)
            services.give_role(rita, "reporter", member=joined)
        for start in range(0, len(values), 100):
            made = [
                msgspec.json.encode(
                    wire.Report(
                        attack_id=f"attack_{os.urandom(16).hex()}",
                        kind="fraud/phishing",
                        origins=(f"45.83.64.{1 + number % 250}",),
                        targets=(f"bank-{number}.example",),
                        names=(value,),
                        service="http",
                        first_seen_at=hour_before(3),
                        last_seen_at=hour_before(2),
                        count=42,
                        severity="high",
                        evidence=(wire.Evidence("mail", 42, os.urandom(32).hex()),),
                    )
                )
                for number, value in enumerate(values[start : start + 100])
            ]
            receipts = intake.submit(actor, made).receipts
            if member == "Ferry":
                found |= dict(zip(values[start:], (one.report_id for one in receipts), strict=False))
    return found


def listed() -> list[str]:
    """The names on the list now."""
    from tocsin.sharing import queries

    return list(queries.shared("name"))


def compared(url: str, expected: dict[str, int], reports: dict[str, str]) -> dict[str, Any]:
    """Read every name's impact, some reports and cases, and the figures; gives how long each took.

    Raises AssertionError where one differs from what was sent.
    """
    import httpx

    from tocsin.doors.admin.pages import Visitor

    spent: dict[str, list[float]] = {}

    def connections(what: str, open_: Any, *path: str) -> int:
        began = time.perf_counter()
        text = re.sub(r"<[^>]+>", " ", open_(*path))
        spent.setdefault(what, []).append(time.perf_counter() - began)
        told = re.search(rf"stopped ([\d,]+) connections at {MEMBERS + 1} ", text)
        return int(told[1].replace(",", "")) if told is not None else 0

    client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {reader_key()}"}, timeout=300)
    for value, count in expected.items():
        path = f"/api/v1/indicators?value={value}"
        assert connections("indicator", lambda at: client.get(at).json()["stopped"], path) == count
    rita = Visitor(url).sign_in("rita@bench.example", PASSWORD)
    for value in list(expected)[:PAGES]:
        assert connections("report", rita.open, f"/reports/{reports[value]}") == expected[value]
    for case_id, (email, about) in cases_of([reports[value] for value in list(expected)[:PAGES]]).items():
        officer = Visitor(url).sign_in(email, PASSWORD)
        assert connections("case", officer.open, f"/cases/{case_id}") == sum(
            expected[value] for value in about
        )
    whole, anybody = sum(expected.values()), Visitor(url)
    wait_for(lambda: connections("figures", anybody.open, "/figures") == whole, "the figures lag", 900)
    return {
        "indicators_compared": len(expected),
        "pages_compared": 2 * PAGES + 1,
        **{f"{what}_ms": round(max(times) * 1e3) for what, times in spent.items()},
    }


def reader_key() -> str:
    """The key of a member that neither reported nor stopped anything."""
    from tocsin.access import keys, services

    stranger = services.add_member("Stranger", force_id="mps")
    return keys.make_key(stranger, "why", ["lists:read"])[1]


def cases_of(reports: list[str]) -> dict[str, tuple[str, set[str]]]:
    """The cases of these reports: the sign-in of an officer who may read each, and the names it is about."""
    from tocsin.access import services
    from tocsin.cases.models import Case, Link
    from tocsin.sharing.models import Assertion

    found = {}
    links = Link.objects.filter(detached_at__isnull=True)
    for case in Case.objects.filter(pk__in=links.filter(report__report_id__in=reports).values("case")):
        email = f"officer-{case.pk}@bench.example"
        officer = services.add_person(email, "Olive", PASSWORD)
        services.give_role(officer, "officer", unit=case.investigating_unit)
        said = Assertion.objects.filter(report__in=links.filter(case=case).values("report"))
        found[case.case_id] = email, set(said.values_list("indicator__value", flat=True))
    return found


def memory_of(above: int) -> dict[str, int]:
    """The peak of the memory of each of the exchange's processes, summed up and the largest, in MB."""
    parents, peaks = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
        except OSError:
            continue
        parent, peak = re.search(r"PPid:\s+(\d+)", status), re.search(r"VmHWM:\s+(\d+)", status)
        if parent is not None and peak is not None:
            parents[int(folder.name)], peaks[int(folder.name)] = int(parent[1]), int(peak[1]) // 1024
    found, before = {above}, 0
    while len(found) > before:
        before = len(found)
        found |= {pid for pid, parent in parents.items() if parent in found}
    mine = [peaks[pid] for pid in found - {above}]
    return {"exchange_peak_mb": sum(mine), "largest_process_peak_mb": max(mine)}


def wait_for(holds: Any, complaint: str, seconds: float = 300) -> None:
    """Return as soon as it holds. Raises SystemExit with the complaint when it does not in time."""
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            raise SystemExit(complaint)
        time.sleep(0.5)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hits", "--measured", dest="hits", type=int, default=HITS)
    parser.add_argument("--names", "--stored", dest="names", type=int, default=NAMES)
    parser.add_argument("--parquet", type=int, default=int(os.environ.get("TOCSIN_BENCH_PARQUET") or PARQUET))
    parser.add_argument("--engine", choices=["sqlite", "postgresql"])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(measure(given.engine, given.names, given.hits, given.parquet)))
        return
    os.environ["TOCSIN_BENCH_PARQUET"] = str(given.parquet)
    for engine in [given.engine] if given.engine else ["sqlite", "postgresql"]:
        print(
            json.dumps(run_engine("bench.impact", engine, given.names, given.hits, durable=True)), flush=True
        )


if __name__ == "__main__":
    main()
