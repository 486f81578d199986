"""The simulated nation end to end: made, sifted, taken in by a served exchange over its API, and judged.

    python -m bench.nation [--seed 1] [--providers 130] [--forces 43] [--days 30]

The exchange runs as the process it is, on SQLite, with its background worker; each provider sends what it
found in batches, as its edge tool would. Providers that never report do not; late ones send last. What was
found is then judged by the hidden truth, which neither end has seen. A model, not evidence.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tocsin.nation import making, score, scoring, truth
from tocsin.nation.shape import Shape
from tocsin.sift import engine, holdings, minimise
from tocsin.sift.spool import Confirmation
from tocsin.wire.report import Accepted, Report

ROOT = Path(__file__).parent.parent
BATCH = 500
KEY = bytes(32)  # under which a provider of the model hides its customers
SERVE = "from tocsin.doors.admin import commands; commands.serve()"


def run(seed: int = 1, providers: int = 130, forces: int = 43, days: int = 30) -> list[dict[str, Any]]:
    """The rows of one nation, measured in a process and a home of its own."""
    inside = [sys.executable, "-m", "bench.nation", "--inside", "--seed", str(seed)]
    inside += ["--providers", str(providers), "--forces", str(forces), "--days", str(days)]
    with tempfile.TemporaryDirectory(prefix="tocsin-nation-") as home:
        environment = {**os.environ, "TOCSIN_HOME": home, "DJANGO_SETTINGS_MODULE": "tocsin.site.settings"}
        environment.pop("DATABASE_URL", None)
        done = subprocess.run(
            inside, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        )
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


@dataclass
class Evidence:
    """What sifting gave: attacks to judge, reports to send by member, lines read, and how long it took."""

    found: list[scoring.Found] = field(default_factory=list)
    reports: dict[str, list[Report]] = field(default_factory=dict)
    lines: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


def measure(shape: Shape) -> list[dict[str, Any]]:
    """In the measured process: every step in turn."""
    folder = Path(os.environ["TOCSIN_HOME"]) / "nation"
    began, began_cpu = time.perf_counter(), time.process_time()
    made = making.simulate(shape, folder)
    making_seconds, making_cpu = time.perf_counter() - began, time.process_time() - began_cpu
    members = json.loads((folder / "members.json").read_bytes())
    evidence = sift(folder, members)
    scores = score(truth.read(folder), evidence.found)
    rows = [
        {
            "what": "the nation is made",
            "seconds": round(making_seconds, 1),
            "cpu_seconds": round(making_cpu, 1),
            **msgspec.to_builtins(made),
            "lines_per_second": round(made.lines / making_seconds),
        },
        {
            "what": "all of it is sifted",
            "seconds": round(evidence.seconds, 1),
            "cpu_seconds": round(evidence.cpu_seconds, 1),
            "lines": evidence.lines,
            "attacks": len(evidence.found),
            "lines_per_second": round(evidence.lines / evidence.seconds),
        },
        take_in(members, evidence.reports),
    ]
    return rows + [judged(one) for one in scores]


def sift(folder: Path, members: list[dict[str, Any]]) -> Evidence:
    """Every provider's evidence, as its own desk would: its zone, its networks, what it confirms."""
    evidence = Evidence()
    began, began_cpu = time.perf_counter(), time.process_time()
    for member in members:
        options = engine.Options(tz=member["time_zone"], networks=tuple(member["networks"]))
        sifted = engine.sift([str(folder / "evidence" / member["key"])], options)
        evidence.lines += sifted.balance.read
        evidence.found += [
            scoring.Found(a.kind, a.origins, a.targets, a.service, a.first_seen_at, a.severity, member["key"])
            for a in sifted.attacks
        ]
        said = Confirmation(member["kept_days"], member["clock_error_ms"])
        held = {source.source_id: holdings.holding(source, said) for source in sifted.sources}
        names = {source.path: source.source_id for source in sifted.sources}
        evidence.reports[member["key"]] = [
            minimise.minimise(
                attack, own=minimise.networks(member["networks"]), key=KEY, source_ids=names, holdings=held
            )
            for attack in sifted.attacks
            if attack.severity != "info"
        ]
    evidence.seconds = time.perf_counter() - began
    evidence.cpu_seconds = time.process_time() - began_cpu
    return evidence


def take_in(members: list[dict[str, Any]], reports: dict[str, list[Report]]) -> dict[str, Any]:
    """Send everything that is sent at all to a served exchange, and wait until it is linked."""
    from tocsin.doors.admin.setup import prepare

    prepare()
    from django.db import connections

    from tocsin.access import keys, services
    from tocsin.cases.models import Case, Link

    api_keys = {}
    for member in members:
        row = services.add_member(member["name"], force_id=member["force"])
        api_keys[member["key"]] = keys.make_key(row, "edge", ["reports:write"])[1]
    connections.close_all()
    order = sorted((one for one in members if one["reports"] != "never"), key=lambda one: one["delay_days"])
    with served() as url:
        began = time.perf_counter()
        taken = refused = 0
        for member in order:
            more, fewer = send(url, api_keys[member["key"]], reports[member["key"]])
            taken, refused = taken + more, refused + fewer
        sent = time.perf_counter() - began
        while Link.objects.filter(detached_at__isnull=True).count() < taken:
            if time.perf_counter() - began > 60 + 20 * sent:
                raise SystemExit("the background worker does not link what was taken in")
            time.sleep(0.2)
        linked = time.perf_counter() - began
    return {
        "what": "it is taken in by a served exchange",
        "members": len(order),
        "reports": taken,
        "refused": refused,
        "seconds": round(sent, 1),
        "reports_per_second": round(taken / sent),
        "seconds_until_linked": round(linked, 1),
        "linked_per_second": round(taken / linked),
        "cases": Case.objects.count(),
    }


def send(url: str, key: str, reports: list[Report]) -> tuple[int, int]:
    """All of a member's reports in batches; how many were taken, and how many refused."""
    taken = refused = 0
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with httpx.Client(headers=headers, timeout=60) as client:
        for start in range(0, len(reports), BATCH):
            body = msgspec.json.encode({"reports": reports[start : start + BATCH]})
            answer = client.post(f"{url}/api/v1/reports/batch", content=body)
            answer.raise_for_status()
            accepted = msgspec.json.decode(answer.content, type=Accepted)
            taken += accepted.states.count("new")
            refused += len(accepted.refusals)
            for refusal in accepted.refusals[:3]:
                print(f"  refused: {refusal.detail}", file=sys.stderr)
    return taken, refused


@contextmanager
def served(*options: str) -> Iterator[str]:
    """`tocsin serve` with these options on a free port, until the block ends."""
    from tocsin.doors.admin.demo import free_port

    port = free_port()
    log = Path(os.environ["TOCSIN_HOME"]) / "serve.log"
    with log.open("wb") as out:
        command = [sys.executable, "-c", SERVE, "--port", str(port), *options]
        server = subprocess.Popen(command, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}"
    try:
        ends = time.monotonic() + 60
        while not _answers(url):
            if server.poll() is not None or time.monotonic() > ends:
                raise SystemExit(f"the exchange does not start: {log.read_text(errors='replace')}")
            time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def judged(one: scoring.Score) -> dict[str, Any]:
    """A score as a row."""
    return {
        "what": f"judged by the truth: {one.kind}",
        "true": one.true,
        "recall": round(one.recall, 4),
        "evidence_recall": round(one.evidence_recall, 4),
        "told_recall": round(one.told_recall, 4),
        "precision": round(one.precision, 4),
        "missed": one.missed,
        "wrong": one.wrong,
    }


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v1/exchange", timeout=5).is_success
    except httpx.TransportError:
        return False


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("seed", 1), ("providers", 130), ("forces", 43), ("days", 30)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    size = (given.seed, given.providers, given.forces, given.days)
    if given.inside:
        print(json.dumps(measure(Shape(*size))))
        return
    for row in run(*size):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
