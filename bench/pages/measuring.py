"""Serving the store and asking for its pages with wrk."""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.engines import run_engine
from bench.pages.listed import BEARER, pages
from bench.pages.mixing import mixed
from bench.pages.store import PASSWORD, Store

SHORT = os.environ.get("TOCSIN_BENCH_SHORT") == "1"
SIZE = (20_000, 2_000) if SHORT else (1_000_000, 100_000)
SECONDS = 1.0 if SHORT else 5.0
MIX_SECONDS = 10.0 if SHORT else 300.0
CONNECTIONS = 20
REACH_MS = 150
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
    """A row for each page on each engine, and for each in the mix."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: make system installs it")
    rows = []
    for engine in ("sqlite", "postgresql"):
        rows += run_engine("bench.pages", engine, reports, cases, durable=True)["pages"]
    return rows


@dataclass(frozen=True)
class Plan:
    """What is measured: pages whose words have `only` in them, for so long, with so many web processes.

    `alone` asks for each page by itself, `mix` lets twenty people go from page to page.
    """

    seconds: float = SECONDS
    mix_seconds: float = MIX_SECONDS
    only: str = ""
    workers: int = 1
    alone: bool = True
    mix: bool = True


def measure(engine: str, reports: int, cases: int, plan: Plan) -> dict[str, Any]:
    """In the measured process: build, serve, ask."""
    from tocsin.doors.admin.setup import prepare

    prepare()
    from django.db import connections

    from bench.nation import served

    store = Store(reports, cases)
    store.stand(Path(os.environ["TOCSIN_HOME"]))
    connections.close_all()
    listed = [page for page in pages(store) if plan.only in page[1]]
    about = {"engine": engine, "reports": reports, "cases": cases, "workers": plan.workers}
    rows = []
    with served("--workers", str(plan.workers)) as url, tempfile.TemporaryDirectory() as folder:
        asking = {person for person, _, _ in listed} & set(store.people)
        cookies = {name: signed_in(url, f"{name}@bench.example") for name in sorted(asking)}
        headers = {name: f"Cookie: {cookie}" for name, cookie in cookies.items()}
        headers |= {"key": f"Authorization: {BEARER}", "": "Accept: text/html"}
        for person, words, address in listed if plan.alone else ():
            row = asked(url + address, headers[person], Path(folder), plan.seconds)
            rows.append({"what": words, **about, **row})
            print(rows[-1], file=sys.stderr)
        if plan.mix:
            rows += [row | about for row in mixed(url, listed, headers, plan.mix_seconds)]
    return {"pages": rows}


def signed_in(url: str, email: str) -> str:
    """The session cookie of somebody who signed in by the page."""
    import httpx

    with httpx.Client(base_url=url, follow_redirects=True, timeout=60) as client:
        client.get("/sign-in")
        form = {"email": email, "password": PASSWORD, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        client.post("/sign-in", data=form, headers={"Referer": url})
        return f"sessionid={client.cookies['sessionid']}"


def asked(address: str, header: str, folder: Path, seconds: float) -> dict[str, Any]:
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
    address: str, header: str, folder: Path, seconds: float, thinks: str, connections: int = CONNECTIONS
) -> dict[str, Any]:
    """What wrk says of so many connections."""
    script = folder / "people.lua"
    script.write_text(LUA.replace("THINKS", thinks))
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{math.ceil(seconds)}s",
        "--timeout",
        "30s",
        "-s",
        str(script),
    ]
    done = subprocess.run([*command, "-H", header, address], check=True, capture_output=True, text=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages")
    parser.add_argument("--reports", "--stored", type=int, default=SIZE[0])
    parser.add_argument("--cases", "--measured", type=int, default=SIZE[1])
    parser.add_argument("--engine", choices=["sqlite", "postgresql"])
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--mix-seconds", type=float, default=MIX_SECONDS)
    parser.add_argument("--home", type=Path, help="measure the store that stands here, as DATABASE_URL says")
    parser.add_argument("--workers", type=int, default=1, help="web processes of a store that stands")
    parser.add_argument("--only", default="", help="pages whose words have this in them")
    parser.add_argument("--part", choices=["alone", "mix"], help="this half of it alone")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    plan = Plan(
        given.seconds,
        given.mix_seconds,
        given.only,
        given.workers,
        alone=given.part != "mix",
        mix=given.part != "alone",
    )
    if given.inside:
        print(json.dumps(measure(given.engine, given.reports, given.cases, plan)))
        return
    if given.home:
        os.environ |= {"TOCSIN_HOME": str(given.home), "DJANGO_SETTINGS_MODULE": "tocsin.site.settings"}
        os.environ.setdefault("TOCSIN_SECOND_FACTOR", "none")
        engine = "postgresql" if os.environ.get("DATABASE_URL") else "sqlite"
        for row in measure(engine, given.reports, given.cases, plan)["pages"]:
            print(json.dumps(row), flush=True)
        return
    for engine in [given.engine] if given.engine else ["sqlite", "postgresql"]:
        for row in run_engine("bench.pages", engine, given.reports, given.cases, durable=True)["pages"]:
            print(json.dumps(row), flush=True)
