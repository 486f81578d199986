"""Serving the store and asking for its pages with wrk."""

import argparse
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.engines import run_engine
from bench.pages.beside import KEY, PREFIX, TOKEN
from bench.pages.store import PASSWORD, Store

SHORT = os.environ.get("TOCSIN_BENCH_SHORT") == "1"
SIZE = (20_000, 2_000) if SHORT else (1_000_000, 100_000)
SECONDS = 1 if SHORT else 5
CONNECTIONS = 20
REACH_MS = 150
BEARER = f"Bearer tocsin_{PREFIX}_{KEY}"
LUA = """
THINKS
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"errors":%d,"p50_ms":%.1f,"p95_ms":%.1f,"p99_ms":%.1f}\\n',
    summary.requests, errors.status + errors.connect + errors.read + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
"""
THINKS = "delay = function() return math.random(500, 1500) end"  # milliseconds, a second on average


def run(reports: int = SIZE[0], cases: int = SIZE[1]) -> list[dict[str, Any]]:
    """A row for each page on each engine."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: make system installs it")
    rows = []
    for engine in ("sqlite", "postgresql"):
        rows += run_engine("bench.pages", engine, reports, cases, durable=True)["pages"]
    return rows


def pages(store: Store) -> list[tuple[str, str, str]]:
    """Who looks at what: person, words, address."""
    kents = 12 * (store.cases // 24)
    since = (store.now - dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    report = next(pk for _, pk in store.numbered() if store.member(0, pk) == store.members[0])
    address = store.origin(kents)
    return [
        ("rita", "reporter: home", "/reports"),
        ("rita", "reporter: list", "/reports/all"),
        ("rita", "reporter: list, waiting", "/reports/all?state=waiting"),
        ("rita", "reporter: list, an address", f"/reports/all?q={address}"),
        ("rita", "reporter: list, a word", "/reports/all?q=phishing"),
        ("rita", "reporter: one report", f"/reports/report_{report:012}"),
        ("olive", "officer: queue", "/queue"),
        ("olive", "officer: queue, overdue", "/queue?group=overdue"),
        ("olive", "officer: queue, last page", "/queue?page=9999"),
        ("olive", "officer: queue, a word", "/queue?q=ssh"),
        ("olive", "officer: queue, an address", f"/queue?q={address}"),
        ("olive", "officer: groups", "/queue/below"),
        ("olive", "officer: link review", "/links"),
        ("olive", "officer: a small case", f"/cases/case_{kents:012}"),
        ("olive", "officer: the largest case", f"/cases/case_{0:012}"),
        ("olive", "officer: its last reports", f"/cases/case_{0:012}?reports=9999"),
        ("olive", "officer: its form", f"/cases/case_{0:012}/forms/crime-record"),
        ("saul", "supervisor: queue", "/queue"),
        ("saul", "supervisor: weights", "/queue/weights"),
        ("saul", "supervisor: administration", "/administration"),
        ("adam", "administrator", "/administration"),
        ("opal", "operator: administration", "/administration"),
        ("cora", "coordinator: where is silence", "/coordination"),
        ("cora", "coordinator: the whole country", "/coordination/nation"),
        ("", "officer by link: a case", f"/link/{TOKEN}"),
        ("", "guest: a room", f"/room/{TOKEN}"),
        ("rita", "notices", "/notices"),
        ("rita", "account", "/account"),
        ("olive", "figures", "/figures"),
        ("olive", "journal", "/journal"),
        ("rita", "network", "/network"),
        ("rita", "network: by class of attack", "/network/classes"),
        ("rita", "indicator", f"/indicators/indicator_{0:012}"),
        ("rita", "resolvers: a member's", "/network/resolvers"),
        ("cora", "resolvers: everybody's", "/network/resolvers"),
        ("key", "API: reports", "/api/v1/reports"),
        ("key", "API: reports since", f"/api/v1/reports?updated_since={since}"),
        ("key", "API: one report", f"/api/v1/reports/report_{report:012}"),
        ("key", "API: journal", "/api/v1/journal/head"),
        ("", "start", "/"),
    ]


def measure(engine: str, reports: int, cases: int, seconds: int) -> dict[str, Any]:
    """In the measured process: build, serve, ask."""
    from tocsin.doors.admin.setup import prepare

    prepare()
    from django.db import connections

    from bench.nation import served

    store = Store(reports, cases)
    store.stand(Path(os.environ["TOCSIN_HOME"]))
    connections.close_all()
    rows = []
    with served() as url, tempfile.TemporaryDirectory() as folder:
        asking = {person for person, _, _ in pages(store)} & set(store.people)
        cookies = {name: signed_in(url, f"{name}@bench.example") for name in asking}
        for person, words, address in pages(store):
            header = f"Authorization: {BEARER}" if person == "key" else f"Cookie: {cookies.get(person, '')}"
            row = asked(url + address, header, Path(folder), seconds)
            rows.append({"what": words, "engine": engine, "reports": reports, "cases": cases, **row})
            print(rows[-1], file=sys.stderr)
    return {"pages": rows}


def signed_in(url: str, email: str) -> str:
    """The session cookie of somebody who signed in by the page."""
    import httpx

    with httpx.Client(base_url=url, follow_redirects=True, timeout=60) as client:
        client.get("/sign-in")
        form = {"email": email, "password": PASSWORD, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        client.post("/sign-in", data=form, headers={"Referer": url})
        return f"sessionid={client.cookies['sessionid']}"


def asked(address: str, header: str, folder: Path, seconds: int) -> dict[str, Any]:
    """One page, asked for by one person again and again, by twenty who read, and as fast as it comes."""
    import httpx

    first = httpx.get(address, headers=dict([header.split(": ", 1)]), timeout=120)
    if first.status_code != 200:
        raise SystemExit(f"{address}: {first.status_code}")
    alone = wrk(address, header, folder, seconds, "", connections=1)
    people = wrk(address, header, folder, 2 * seconds, THINKS)
    full = wrk(address, header, folder, seconds, "")
    return {
        **people,
        "alone_p50_ms": alone["p50_ms"],
        "alone_p95_ms": alone["p95_ms"],
        "full_a_second": round(full["requests"] / seconds, 1),
        "full_p95_ms": full["p95_ms"],
        "first_ms": round(first.elapsed.total_seconds() * 1e3, 1),
        "reached": bool(alone["requests"]) and not people["errors"] and alone["p95_ms"] <= REACH_MS,
        "reached_by_twenty": bool(people["requests"]) and people["p95_ms"] <= REACH_MS,
    }


def wrk(
    address: str, header: str, folder: Path, seconds: int, thinks: str, connections: int = CONNECTIONS
) -> dict[str, Any]:
    """What wrk says of so many connections."""
    script = folder / "people.lua"
    script.write_text(LUA.replace("THINKS", thinks))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(script)]
    done = subprocess.run([*command, "-H", header, address], check=True, capture_output=True, text=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages")
    parser.add_argument("--reports", "--stored", type=int, default=SIZE[0])
    parser.add_argument("--cases", "--measured", type=int, default=SIZE[1])
    parser.add_argument("--engine", choices=["sqlite", "postgresql"])
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--home", type=Path, help="measure the store that stands here, as DATABASE_URL says")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.home:
        os.environ |= {"TOCSIN_HOME": str(given.home), "DJANGO_SETTINGS_MODULE": "tocsin.site.settings"}
        os.environ.setdefault("TOCSIN_SECOND_FACTOR", "none")
        engine = "postgresql" if os.environ.get("DATABASE_URL") else "sqlite"
        for row in measure(engine, given.reports, given.cases, given.seconds)["pages"]:
            print(json.dumps(row), flush=True)
        return
    if given.inside:
        print(json.dumps(measure(given.engine, given.reports, given.cases, given.seconds)))
        return
    for engine in [given.engine] if given.engine else ["sqlite", "postgresql"]:
        for row in run_engine("bench.pages", engine, given.reports, given.cases, durable=True)["pages"]:
            print(json.dumps(row), flush=True)
