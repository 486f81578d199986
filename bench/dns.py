"""From the decision to share or to withdraw a name, to what a real Unbound and a real BIND answer for it.

    python -m bench.dns [--names 100000] [--trials 200] [--at-once 1000] [--engine sqlite|postgresql]

A served exchange with its worker; `tocsin dns` and Knot as hidden primary; both resolvers follow it by the
printed set-up text. The zone is full before the first trial, and one member has said its word of each name.
A trial: the second member's report is posted, and the clock starts when its receipt has come; it stops when
the resolver refuses the name. Then a trusted person withdraws it: the clock starts before that call.
Between two changes lies a second or two, as BIND applies one a second (`min-update-interval 1`). The floor is
the same for a name that is put into Knot by hand, with nothing of ours running beside but the idle exchange.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.engines import ROOT

if TYPE_CHECKING:
    from tests.stories.daemons import Resolver
    from tests.stories.primary import Primary

NAMES, TRIALS, AT_ONCE, FLOOR = 100_000, 200, 1_000, 10
PATIENCE = 120.0
PARENT = "bad-site.top"  # below which both resolvers know an address for every name
NOERROR, NXDOMAIN = 0, 3
LOOK = 0.005  # seconds between two questions to a resolver: the figures are no finer
Times = dict[str, float]


def run(
    names: int = NAMES, trials: int = TRIALS, at_once: int = AT_ONCE, engine: str = "sqlite"
) -> list[dict[str, Any]]:
    """The rows, measured in a process, a home and a database of its own."""
    inside = [sys.executable, "-m", "bench.dns", "--inside", "--names", str(names)]
    inside += ["--trials", str(trials), "--at-once", str(at_once), "--engine", engine]
    if engine == "postgresql":
        inside = [sys.executable, "tools/with_postgres.py", "--durable", *inside]
    with tempfile.TemporaryDirectory(prefix="tocsin-dns-") as home:
        environment = {**os.environ, "TOCSIN_HOME": home, "DJANGO_SETTINGS_MODULE": "tocsin.site.settings"}
        if engine == "sqlite":
            environment.pop("DATABASE_URL", None)
        done = subprocess.run(
            inside, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        )
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def measure(names: int, trials: int, at_once: int) -> list[dict[str, Any]]:
    """In the measured process: fill, serve, follow, then try."""
    from tocsin.doors.admin.setup import prepare

    prepare()
    from django.db import connections
    from tests.stories.primary import primary, secondary

    from bench.nation import served
    from tocsin.access import keys, services
    from tocsin.access.policy import Actor

    members = [services.add_member(name, force_id="mps") for name in ("Ferry", "Medway", "Harbour")]
    first, second = (keys.make_key(member, "bench", ["reports:write"])[1] for member in members[:2])
    reader = keys.make_key(members[2], "bench", ["lists:read"])[1]
    person = services.add_person("tess@example.org", "Tess", "bell-and-bronze-2026")
    services.give_role(person, "trusted")
    fill(names)
    connections.close_all()
    folder = Path(os.environ["TOCSIN_HOME"]) / "harbour"
    tried = [f"tried-{n}.bad-site.top" for n in range(trials)]
    many = [f"many-{n}.bad-site.top" for n in range(at_once)]
    with served() as url:
        report_all(url, first, [*tried, *many])
        wait_for_words(trials + at_once)
        began = time.time()
        with (
            primary(url, reader, folder, ["unbound", "bind"]) as made,
            secondary("unbound", made, [PARENT]) as unbound,
            secondary("bind", made, [PARENT]) as bind,
        ):
            resolvers = {"unbound": unbound, "bind": bind}
            loaded = until(resolvers, [f"seed-{names - 1}.bad-site.top"], NXDOMAIN, began)
            rows: list[dict[str, Any]] = [{"what": "the whole list is loaded", "names": names, **ms(loaded)}]
            shared, withdrawn = [], []
            for name in tried:
                pause()
                report_all(url, second, [name])
                shared.append(follow(made, resolvers, [name], NXDOMAIN, time.time()))
                pause()
                began = time.time()
                withdraw(name, Actor.of_person(person))
                withdrawn.append(follow(made, resolvers, [name], NOERROR, began))
            rows.append(summary("one report to refused", names, shared))
            rows.append(summary("withdrawn to answered again", names, withdrawn))
            if many:
                pause()
                report_all(url, second, many)
                began = time.time()
                last = follow(made, resolvers, many, NXDOMAIN, began)
                rows.append(
                    {"what": f"{at_once:,} names at once, the last refused", "names": names, **ms(last)}
                )
            made.kill("process")
            rows.append(summary("floor: put into Knot by hand", names, floor(made, resolvers)))
    return rows


def fill(names: int) -> None:
    """So many names stand on everybody's list, as though they had been shared an hour ago."""
    import datetime as dt
    import uuid

    from tocsin.kernel.time import now
    from tocsin.sharing.models import Indicator, ListHead
    from tocsin.wire.indicators import lookup_of

    at = now() - dt.timedelta(hours=1)
    until_ = at + dt.timedelta(days=30)
    for start in range(0, names, 50_000):
        Indicator.objects.bulk_create(
            Indicator(
                indicator_id=f"ind_{n:028x}",
                stix_id=uuid.uuid4(),
                kind="name",
                value=f"seed-{n}.bad-site.top",
                attack_kind="fraud/phishing",
                state="shared",
                reason="seeded",
                asserted_at=at,
                changed_at=at,
                valid_until=until_,
                tlp="green",
                basis="voices",
                lookup=lookup_of(f"seed-{n}.bad-site.top")[:16],
            )
            for n in range(start, min(names, start + 50_000))
        )
    ListHead.objects.create(kind="name", number=1, changed_at=at)


def report_all(url: str, key: str, names: Iterable[str]) -> None:
    """One phishing report for each name, posted and taken."""
    import httpx
    import msgspec
    from tests.exchange import a_report

    reports = [
        a_report(
            attack_id=f"attack_{random.getrandbits(128):032x}",
            kind="fraud/phishing",
            origins=("198.51.100.1",),
            targets=("bank",),
            names=(name,),
        )
        for name in names
    ]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    for start in range(0, len(reports), 500):
        body = msgspec.json.encode({"reports": reports[start : start + 500]})
        answer = httpx.post(f"{url}/api/v1/reports/batch", content=body, headers=headers, timeout=60)
        answer.raise_for_status()
        if answer.json().get("refusals"):
            raise SystemExit(f"refused: {answer.text[:300]}")


def wait_for_words(count: int) -> None:
    """Until the worker has taken the first member's reports as words."""
    from tocsin.sharing.models import Assertion

    ends = time.time() + 600
    while Assertion.objects.count() < count:
        if time.time() > ends:
            raise SystemExit("the worker does not take the reports as words")
        time.sleep(0.2)


def withdraw(name: str, by: Any) -> None:
    """A trusted person's act, in a process beside the exchange's."""
    from tocsin.sharing import queries, services

    found = queries.find("name", name)
    if found is None:
        raise SystemExit(f"{name} was never shared")
    services.withdraw(found, by, "it was cleaned up")


def follow(
    made: "Primary", resolvers: "dict[str, Resolver]", names: list[str], rcode: int, began: float
) -> Times:
    """Seconds from `began` to each step, for the last of these names; the resolvers' answers come last."""
    from tocsin.sharing.models import Indicator, ListHead

    answered = until(resolvers, names, rcode, began)
    judged = Indicator.objects.get(kind="name", value=names[-1]).changed_at
    listed = ListHead.objects.get(pk="name").changed_at
    step = json.loads(made.steps.read_text().splitlines()[-1])
    return {
        "judged": judged.timestamp() - began,
        "listed": listed.timestamp() - began,
        "fetched": step["at"] - step["committed"] - began,
        "in_knot": step["at"] - began,
        **answered,
    }


def until(resolvers: "dict[str, Resolver]", names: list[str], rcode: int, began: float) -> Times:
    """Seconds from `began` until each resolver refuses all names, or none, the asking for each among it."""
    found: Times = {}

    def answers(resolver: "Resolver", name: str) -> bool:
        try:
            return (resolver.rcode(name) == NXDOMAIN) is (rcode == NXDOMAIN)
        except OSError:
            return False

    def look(kind: str, resolver: "Resolver") -> None:
        ends = time.time() + PATIENCE
        for name in names:
            while not answers(resolver, name):
                if time.time() > ends:
                    return
                time.sleep(LOOK)
        found[kind] = time.time() - began

    looking = [threading.Thread(target=look, args=pair) for pair in resolvers.items()]
    for one in looking:
        one.start()
    for one in looking:
        one.join()
    if len(found) < len(resolvers):
        raise SystemExit(f"{names[0]} … did not arrive within {PATIENCE:.0f} seconds: {found}")
    return found


def floor(made: "Primary", resolvers: "dict[str, Resolver]") -> list[Times]:
    """The same change by hand: from the update's answer to each resolver's."""
    from tocsin.sift import primary_settings
    from tocsin.sift.knot import Knot
    from tocsin.wire import rpz

    os.environ["TOCSIN_EDGE_HOME"] = made.environment["TOCSIN_EDGE_HOME"]
    knot = Knot(primary_settings.load(made.settings))
    found = []
    for n in range(FLOOR):
        pause()
        knot.mark()
        name = f"floor-{n}.bad-site.top"
        began = time.time()
        knot.change([], [(name, rpz.NXDOMAIN)], f"list-floor.{n}")
        in_knot = time.time()
        answered = until(resolvers, [name], NXDOMAIN, in_knot)
        found.append({"in_knot": in_knot - began, **answered})
    return found


def pause() -> None:
    """So that two changes are never the same second's."""
    time.sleep(1.0 + random.random())


def summary(what: str, names: int, found: list[Times]) -> dict[str, Any]:
    """Median, 95th percentile and longest of each step, in milliseconds since the clock started."""
    row: dict[str, Any] = {"what": what, "names": names, "trials": len(found)}
    for step in found[0]:
        ordered = sorted(one[step] * 1e3 for one in found)
        p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
        row[step] = f"{statistics.median(ordered):.0f}/{p95:.0f}/{ordered[-1]:.0f}"
    row["unit"] = "ms p50/p95/max"
    return row


def ms(found: Times) -> dict[str, int]:
    """In milliseconds."""
    return {f"{kind}_ms": round(seconds * 1e3) for kind, seconds in found.items()}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.dns", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--names", type=int, default=NAMES)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(measure(given.names, given.trials, given.at_once)))
        return
    for row in run(given.names, given.trials, given.at_once, given.engine):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
