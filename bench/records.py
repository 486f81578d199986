"""EVE and NDJSON sift beside DuckDB, on the same file in the same session.

    .venv/bin/python -m bench.records [grow]

The log is made here: a sensor of a provider, one event in four an alert. There are two references. `counts`
is the shortest query that gives the same attacks, with how often, first and last: it keeps no evidence. `same
answer` gives what an attack needs besides, its line numbers and the digest of its lines, and knows the file
again by its own digest. Neither finds broken lines. Both run in a process of their own, like ours; processor
seconds are compared, starting up counts.
"""

import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EVENTS = 1_000_000
ROUNDS = 3
GROWN = 20_000_000
OURS = "import sys; from tocsin.cli.main import main; main(['sift', '--json', sys.argv[1]])"
COUNTS = """
SELECT src_ip, dest_ip, timestamp[:10], count(*), min(timestamp), max(timestamp),
    sum(CASE alert.severity WHEN 1 THEN 20 WHEN 2 THEN 5 ELSE 1 END)
FROM read_json(?, format = 'newline_delimited', ignore_errors = true, columns = {
    timestamp: 'VARCHAR', event_type: 'VARCHAR', src_ip: 'VARCHAR', dest_ip: 'VARCHAR', proto: 'VARCHAR',
    alert: 'STRUCT(severity INTEGER)'})
WHERE event_type = 'alert' GROUP BY 1, 2, 3
"""
SAME = """
WITH lines AS (SELECT json, row_number() OVER () AS n FROM read_ndjson_objects(?, ignore_errors = true)),
alerts AS (
    SELECT n, json, json_extract_string(json, ['$.src_ip', '$.dest_ip', '$.timestamp', '$.alert.severity',
        '$.event_type']) AS v
    FROM lines WHERE contains(json::VARCHAR, '"alert"'))
SELECT v[1], v[2], v[3][:10], count(*), min(v[3]), max(v[3]),
    sum(CASE v[4] WHEN '1' THEN 20 WHEN '2' THEN 5 ELSE 1 END),
    list(n ORDER BY n), sha256(string_agg(json::VARCHAR, chr(10) ORDER BY n))
FROM alerts WHERE v[5] = 'alert' GROUP BY 1, 2, 3
"""


def events(seed: int) -> Iterator[str]:
    """Events of a sensor without end: alerts from a few thousand addresses, flows and requests."""
    chance = random.Random(seed)
    attackers = [f"203.0.{chance.randrange(256)}.{chance.randrange(1, 255)}" for _ in range(3000)]
    flow = {"pkts_toserver": 3, "pkts_toclient": 2, "bytes_toserver": 300, "bytes_toclient": 120}
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:95.0) Gecko/20100101 Firefox/95.0"
    second = 0.0
    while True:
        second += chance.expovariate(12)
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1767744000 + second))
        place = int(len(attackers) * chance.random() ** 3)
        event: dict[str, Any] = {
            "timestamp": f"{at}.{chance.randrange(10**6):06}+0000", "flow_id": chance.randrange(10**15),
            "in_iface": "eth0", "event_type": "alert", "src_ip": attackers[place],
            "src_port": chance.randrange(1024, 65536), "dest_ip": f"198.51.100.{place % 20}",
            "dest_port": chance.choice((22, 80, 443, 25)), "proto": "TCP",
        }  # fmt: skip
        if (kind := chance.random()) < 0.25:
            event["alert"] = {
                "action": "allowed", "gid": 1, "signature_id": 2_000_000 + chance.randrange(300), "rev": 3,
                "signature": "a probe of some service", "category": "Attempted Information Leak",
                "severity": chance.randrange(1, 4),
            }  # fmt: skip
            event["flow"] = flow
        elif kind < 0.6:
            event |= {"event_type": "flow", "flow": flow | {"age": 1, "state": "closed", "alerted": False}}
            event["tcp"] = {"tcp_flags": "1b", "syn": True, "fin": True, "ack": True, "state": "closed"}
        else:
            event |= {"event_type": "http", "http": {"hostname": "example.net", "url": "/index.php?x=1"}}
            event["http"] |= {"http_user_agent": agent, "http_method": "GET", "status": 200, "length": 347}
        yield json.dumps(event, separators=(",", ":"))


def write_log(path: Path, count: int, seed: int = 1) -> None:
    """So many events; the same for the same seed."""
    source = events(seed)
    with path.open("w") as out:
        for _ in range(count):
            out.write(next(source) + "\n")


def run() -> list[dict[str, Any]]:
    """Measure; one row for each program, with the ratio of its processor seconds to ours."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "eve.json")
        write_log(log, EVENTS)
        taken: dict[str, list[tuple[float, float, int]]] = {}
        origins: dict[str, set[str]] = {}
        for _ in range(ROUNDS):
            for program, arguments in _programs(log).items():
                cpu, wall, peak, found = _measure(arguments, log.with_suffix(".out"))
                taken.setdefault(program, []).append((cpu, wall, peak))
                origins[program] = found
        rows = []
        for program, times in taken.items():
            cpu = statistics.median(cpu for cpu, _, _ in times)
            ratios = [theirs[0] / ours[0] for theirs, ours in zip(times, taken["tocsin"], strict=True)]
            rows.append(
                {
                    "program": program,
                    "events_per_cpu_second": round(EVENTS / cpu),
                    "cpu_seconds": round(cpu, 2),
                    "wall_seconds": round(statistics.median(wall for _, wall, _ in times), 2),
                    "peak_mb": max(peak for _, _, peak in times),
                    "tocsin_is_faster_by": round(statistics.median(ratios), 2),
                    "same_origins": origins[program] == origins["tocsin"],
                }
            )
        return rows


def grow() -> list[dict[str, Any]]:
    """Time and memory on twenty times the events."""
    rows = []
    for count in (EVENTS, GROWN):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "eve.json")
            write_log(log, count)
            cpu, wall, peak, _ = _measure(_programs(log)["tocsin"], log.with_suffix(".out"))
            rows.append(
                {
                    "events": count,
                    "cpu_seconds": round(cpu, 2),
                    "wall_seconds": round(wall, 2),
                    "peak_mb": peak,
                }
            )
    return rows


def _programs(log: Path) -> dict[str, list[str]]:
    here = [sys.executable, "-m", "bench.records"]
    return {
        "tocsin": [sys.executable, "-c", OURS, str(log)],
        "duckdb, counts": [*here, "counts", str(log)],
        "duckdb, same answer": [*here, "same", str(log)],
    }


def _measure(arguments: list[str], out: Path) -> tuple[float, float, int, set[str]]:
    """Processor seconds, wall seconds, peak megabytes and the origins that were found."""
    began = time.perf_counter()
    with out.open("wb") as stdout:
        process = subprocess.Popen(arguments, stdout=stdout, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    origins = {origin for line in out.open() for origin in json.loads(line)["origins"]}
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss // 1024, origins


def _reference(name: str, log: str) -> None:
    """A reference's own process."""
    import duckdb

    with duckdb.connect(config={"threads": 2}) as database:
        rows = database.execute(COUNTS if name == "counts" else SAME, [log]).fetchall()
    if name == "same":
        digest = hashlib.sha256()
        with Path(log).open("rb") as source:
            while data := source.read(1 << 20):
                digest.update(data)
    for row in rows:
        print(json.dumps({"origins": [row[0]], "count": row[3]}))


if __name__ == "__main__":
    if sys.argv[1:2] in (["counts"], ["same"]):
        _reference(*sys.argv[1:3])
    else:
        print(json.dumps(grow() if "grow" in sys.argv else run(), indent=2))
