"""Feeds and reports: Shadowserver's rows to attacks beside IntelMQ's parser, XARF v4 beside the xarf package.

    .venv/bin/python -m bench feeds

Rates are a CPU-second's, because both peers use one core. Ours go the whole way, from bytes to judged
attacks; IntelMQ's parser gives events as they go into its queue, the xarf package checked objects. IntelMQ
gets fewer rows, because it needs minutes for all; its environment is made under `var/` from the package
registry. How many attacks the rows make matters more than how many rows there are, so both ends are measured.
"""

import json
import statistics
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import feeds_made
from bench.engines import ROOT

INTELMQ = ROOT / "var" / "intelmq"
ROWS, PEER_ROWS = 50_000, 3_000
DOCUMENTS, PEER_DOCUMENTS = 5_000, 500
ROUNDS = 3


def run() -> list[dict[str, Any]]:
    """One row a feed and program, ours with its ratio to the peer's."""
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for name in ("event4_sinkhole", "scan_dns"):
            rows += feed(Path(folder), name)
        return rows + xarf(Path(folder))


def feed(folder: Path, name: str) -> list[dict[str, Any]]:
    """Rows of one report type to attacks, and IntelMQ's parser on the same rows."""
    report = feeds_made.write(folder, name, ROWS)
    ours, read = _rate(ROWS, _sift(report)), _rate(ROWS, _read(report))
    scattered = _rate(ROWS, _sift(feeds_made.write(folder, name, ROWS, customers=1_000_000)))
    small = folder / "peer"
    small.mkdir(exist_ok=True)
    theirs = intelmq(feeds_made.write(small, name, PEER_ROWS))
    rows: list[dict[str, Any]] = [
        {"what": f"shadowserver {name}, rows to attacks", "rows": ROWS, "rows_per_cpu_second": ours},
        {"what": "the same, each row its own attack", "rows": ROWS, "rows_per_cpu_second": scattered},
        {"what": "the same, rows to events only", "rows": ROWS, "rows_per_cpu_second": read},
    ]
    for row in rows if "rows_per_cpu_second" in theirs else ():
        row["tocsin_is_faster_by"] = round(row["rows_per_cpu_second"] / theirs["rows_per_cpu_second"], 1)
    return [*rows, {"what": f"intelmq's parser, {name}", **theirs}]


def xarf(folder: Path) -> list[dict[str, Any]]:
    """XARF v4 reports to attacks, and the xarf package parsing the same reports."""
    documents = [json.dumps(_report(number)).encode() for number in range(DOCUMENTS)]
    path = folder / "reports.json"
    path.write_bytes(b"\n".join(documents))
    ours = _rate(DOCUMENTS, _sift(path))
    row: dict[str, Any] = {
        "what": "XARF v4, documents to attacks",
        "rows": DOCUMENTS,
        "rows_per_cpu_second": ours,
    }
    try:
        from xarf import parse
    except ImportError:
        return [row, {"what": "the xarf package", "skipped": "it is not installed"}]
    plain = [document.decode() for document in documents[:PEER_DOCUMENTS]]
    theirs = _rate(PEER_DOCUMENTS, lambda: [parse(document) for document in plain])
    row["tocsin_is_faster_by"] = round(ours / theirs, 1)
    return [row, {"what": "the xarf package", "rows": PEER_DOCUMENTS, "rows_per_cpu_second": theirs}]


def intelmq(path: Path) -> dict[str, Any]:
    """IntelMQ's figure, or why there is none."""
    python = INTELMQ / "bin" / "python"
    try:
        if not python.exists():
            venv.create(INTELMQ, with_pip=True)
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "intelmq"]
        subprocess.run(install, check=True, capture_output=True, timeout=300)
        command = [python, Path(__file__).with_name("feeds_intelmq.py"), path]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        return {"skipped": f"intelmq does not run here: {type(error).__name__}"}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _sift(path: Path) -> Callable[[], object]:
    from tocsin.sift.engine import sift

    return lambda: len(sift([str(path)]).attacks)


def _read(path: Path) -> Callable[[], object]:
    from tocsin.sift.feeds.shadowserver import read_rows

    def work() -> int:
        with path.open("rb") as file:
            return sum(1 for _ in read_rows(file, path.name))

    return work


def _rate(count: int, work: Callable[[], object]) -> int:
    """How many a CPU-second, the median of some rounds after one to warm up."""
    work()
    rates = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        rates.append(count / (time.process_time() - began))
    return round(statistics.median(rates))


def _report(number: int) -> dict[str, Any]:
    contact = {"org": "Example", "contact": "abuse@example.org", "domain": "example.org"}
    return {
        "xarf_version": "4.2.0",
        "report_id": f"9ac39cd1-85f3-4c31-ae87-{number:012x}",
        "timestamp": "2026-03-01T12:00:00Z",
        "reporter": contact,
        "sender": contact,
        "source_identifier": f"80.94.{number >> 8 & 255}.{number & 255}",
        "source_port": 4711,
        "category": "connection",
        "type": "login_attack",
        "protocol": "tcp",
        "first_seen": "2026-03-01T10:00:00Z",
        "service": "ssh",
        "attempt_count": 12,
        "evidence_source": "honeypot",
        "evidence": [{"content_type": "text/plain", "description": "log", "payload": "bG9nIGxpbmU="}],
    }
