"""`tocsin tally` beside hand-written DuckDB queries, on the same Parquet files in the same session.

    .venv/bin/python -m bench.tally [ROWS]

The hits are made here: 100,000 names by Zipf's law (1.05), five million clients (0.7), thirty days, five
million rows a file. Two pairs are compared: hourly hits, and hourly hits with exact distinct clients, the
reference for these being the two-level query, which is faster than `count(DISTINCT …)`. The references write
what they found to one Parquet file; ours also keeps keyed ids of the clients by day, so that the next file
costs only itself. Every run is a process of its own with a store of its own; starting up counts.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROWS = 20_000_000
SHORT_ROWS = 5_000_000
FILE_ROWS = 5_000_000
ROUNDS = 3
NAMES, CLIENTS, DAYS = 100_000, 5_000_000, 30
START = 1_767_225_600  # 2026-01-01
MEMORY = "12GB"

HITS = """
COPY (SELECT name, date_trunc('hour', time) AS hour, count(*) AS hits
      FROM read_parquet('{files}') GROUP BY ALL) TO '{out}' (FORMAT parquet, COMPRESSION zstd)
"""
EXACT = """
COPY (SELECT name, hour, sum(hits)::BIGINT AS hits, count(*) AS clients FROM (
        SELECT name, date_trunc('hour', time) AS hour, client, count(*) AS hits
        FROM read_parquet('{files}') GROUP BY ALL)
      GROUP BY ALL) TO '{out}' (FORMAT parquet, COMPRESSION zstd)
"""
BY_HAND = """
import duckdb, sys
options = {"threads": 2, "memory_limit": sys.argv[2], "preserve_insertion_order": False}
database = duckdb.connect(config=options)
database.execute(f"SET temp_directory = '{sys.argv[3]}'")
database.execute(sys.argv[1])
"""
OURS = "import sys; from tocsin.cli.main import main; main(['tally', *sys.argv[1:]])"


def write_hits(folder: Path, rows: int, seed: int = 1) -> None:
    """So many hits, five million a file; the same for the same seed."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    chance = np.random.default_rng(seed)
    name_shares, client_shares = _zipf(NAMES, 1.05), _zipf(CLIENTS, 0.7)
    names = pa.array([f"host-{number:06}.bad-{number % 977}.example" for number in range(NAMES)])
    numbers = chance.permutation(1 << 24)[:CLIENTS].tolist()
    clients = pa.array([f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in numbers])
    for number in range(-(-rows // FILE_ROWS)):
        count = min(FILE_ROWS, rows - number * FILE_ROWS)
        at = START * 10**6 + chance.integers(0, DAYS * 86_400 * 10**6, count)
        table = pa.table(
            {
                "time": pa.array(at, pa.timestamp("us", tz="UTC")),
                "client": clients.take(pa.array(np.searchsorted(client_shares, chance.random(count)))),
                "name": names.take(pa.array(np.searchsorted(name_shares, chance.random(count)))),
            }
        )
        pq.write_table(table, folder / f"{number:03}.parquet", compression="zstd", row_group_size=1_000_000)


def _zipf(count: int, exponent: float) -> Any:
    import numpy as np

    shares = np.cumsum(1 / np.arange(1, count + 1) ** exponent)
    return shares / shares[-1]


def run(rows: int = 0) -> list[dict[str, Any]]:
    """Measure; a row for each program, with medians, and the ratio of ours to the reference's."""
    is_short = os.environ.get("TOCSIN_BENCH_SHORT") == "1"
    rows = rows or (SHORT_ROWS if is_short else ROWS)
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as made:
        folder = Path(made)
        hits = folder / "hits"
        hits.mkdir()
        # In a process of its own: a child's peak of memory is never below that of who started it.
        subprocess.run([sys.executable, "-m", "bench.tally", "--write", str(hits), str(rows)], check=True)
        taken: dict[str, list[dict[str, float]]] = {}
        for _ in range(1 if is_short else int(os.environ.get("TOCSIN_BENCH_ROUNDS", ROUNDS))):
            for name in ("hits by hand", "hits", "exact by hand", "exact"):
                taken.setdefault(name, []).append(_measure(name, folder, hits))
        answers = {name: _answer(name, folder) for name in taken}
        return [_row(name, rows, taken, answers) for name in taken]


def _measure(name: str, folder: Path, hits: Path) -> dict[str, float]:
    out = folder / f"{name}.parquet"
    environment = {**os.environ, "TOCSIN_EDGE_HOME": str(folder / f"store of {name}")}
    if name.endswith("by hand"):
        query = (EXACT if name.startswith("exact") else HITS).format(files=hits / "*.parquet", out=out)
        arguments = [sys.executable, "-c", BY_HAND, query, MEMORY, str(folder / "spilled")]
    else:
        shutil.rmtree(folder / f"store of {name}", ignore_errors=True)
        arguments = [sys.executable, "-c", OURS, str(hits), "--keep-clients", "3650"]
        arguments += ["--no-clients"] if name == "hits" else []
    began, load = time.perf_counter(), os.getloadavg()[0]
    with (folder / "talk").open("wb") as talk:
        process = subprocess.Popen(arguments, env=environment, stdout=talk, stderr=talk)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, (folder / "talk").read_text()
    return {
        "wall": time.perf_counter() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
        "load": load,
    }


def _answer(name: str, folder: Path) -> tuple[int, ...]:
    """Groups, hits and clients: equal sums over millions of groups are no accident."""
    import duckdb

    out = folder / f"{name}.parquet"
    if not name.endswith("by hand"):
        environment = {**os.environ, "TOCSIN_EDGE_HOME": str(folder / f"store of {name}")}
        told = ["--hours", str(out), "--here"]
        subprocess.run([sys.executable, "-c", OURS, *told], env=environment, check=True, capture_output=True)
    clients = "sum(clients)" if name.startswith("exact") else "0"
    with duckdb.connect() as database:
        query = f"SELECT count(*), sum(hits), {clients} FROM read_parquet('{out}')"
        row = database.execute(query).fetchone()
    return tuple(map(int, row or ()))


def _row(
    name: str, rows: int, taken: dict[str, list[dict[str, float]]], answers: dict[str, tuple[int, ...]]
) -> dict[str, Any]:
    reference = name if name.endswith("by hand") else f"{name} by hand"
    pairs = list(zip(taken[name], taken[reference], strict=True))
    middle = {key: statistics.median(one[key] for one in taken[name]) for key in taken[name][0]}
    return {
        "program": name,
        "rows": rows,
        "wall_seconds": round(middle["wall"], 1),
        "cpu_seconds": round(middle["cpu"], 1),
        "peak_mb": round(max(one["peak_mb"] for one in taken[name])),
        "cpu_times_reference": round(statistics.median(a["cpu"] / b["cpu"] for a, b in pairs), 2),
        "wall_times_reference": round(statistics.median(a["wall"] / b["wall"] for a, b in pairs), 2),
        "load": round(middle["load"], 1),
        "same_answer": answers[name] == answers[reference],
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write_hits(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else 0), indent=2))
