"""Write the queries of every page, with the plans of both engines, into docs/query-plans.md.

    python -m tools.plans [--write]

A store of some thousand reports is built on each engine. On PostgreSQL the plans are those of a planner that
shuns reading tables whole, as it would in a large store (`bench.pages.plans`).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "query-plans.md"
SIZE = 3_000, 300
HEAD = """# How the pages find what they show

Every page's queries, and how each engine answers them, over a store of {reports:,} reports in {cases:,}
cases, so that the plans can be made again in minutes (`python -m tools.plans --write`). So small a store
would rightly be read whole; PostgreSQL is therefore asked with `enable_seqscan = off`, which leaves a
sequential scan only where no index will do, and without row-level security, whose functions hide from a
plan. SQLite's `SEARCH` goes by an index, `SCAN` reads all. A test asks the same of both engines
(`tests/test_plans.py`): no page reads reports, cases, links, clocks or journal entries whole, nor asks more
than fifty questions.

Four pages say sums over the whole exchange: the start page, the figures, and the coordinator's two. Where
those are large they are counted at most once a minute, and the coordinator's pages say when.

Columns of a model are left out (`…`); what is looked up once a request (session, person, roles) too. Under
each query stands SQLite's plan, and behind `--` that of PostgreSQL.
"""
EVERYWHERE = (
    "django_session",
    "access_person",
    "access_role",
    "access_unit",
    "access_member",
    "access_alert",
)


def main() -> None:
    """Build, explain, and write or say."""
    parser = argparse.ArgumentParser(prog="python -m tools.plans")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(explained()))
        return
    text = page({engine: of_engine(engine) for engine in ("sqlite", "postgresql")})
    if given.write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)


def of_engine(engine: str) -> list[dict[str, Any]]:
    """The pages with their plans, from a process with a home and a database of its own."""
    command = [sys.executable, "-m", "tools.plans", "--inside"]
    if engine == "postgresql":
        command = [sys.executable, "tools/with_postgres.py", *command]
    with tempfile.TemporaryDirectory(prefix="tocsin-plans-") as home:
        environment = {**os.environ, "TOCSIN_HOME": home, "DJANGO_SETTINGS_MODULE": "tocsin.site.settings"}
        environment |= {"TOCSIN_HOSTS": "testserver", "TOCSIN_SECOND_FACTOR": "none"}
        if engine == "sqlite":
            environment.pop("DATABASE_URL", None)
        done = subprocess.run(
            command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        )
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def explained() -> list[dict[str, Any]]:
    """In the process: build the store and ask for every page."""
    from tocsin.doors.admin.setup import prepare

    prepare()
    from bench.pages.listed import pages
    from bench.pages.plans import planned, shown
    from bench.pages.store import Store

    store = Store(*SIZE)
    store.build()
    return [
        {
            "what": words,
            "queries": [
                {"statement": shown(one.statement), "plan": one.plan}
                for one in planned(store.people.get(person), address, by_key=person == "key")
                if not first_table(one.statement).startswith(EVERYWHERE)
            ],
        }
        for person, words, address in pages(store)
    ]


def first_table(statement: str) -> str:
    """What a statement reads from."""
    return statement.split(" FROM ", 1)[1].lstrip('("').split('"', 1)[0]


def page(engines: dict[str, list[dict[str, Any]]]) -> str:
    """The page as Markdown: what was asked on SQLite, its plan there, and the plan on PostgreSQL."""
    lines = [HEAD.format(reports=SIZE[0], cases=SIZE[1])]
    other = {row["what"]: [one["plan"] for one in row["queries"]] for row in engines["postgresql"]}
    told: set[str] = set()
    for row in engines["sqlite"]:
        lines.append(f"## {row['what'][:1].upper()}{row['what'][1:]}\n")
        for number, one in enumerate(row["queries"]):
            if one["statement"] in told:
                continue
            told.add(one["statement"])
            plans = other[row["what"]]
            theirs = plans[number] if len(plans) == len(row["queries"]) else ["(asked otherwise there)"]
            lines += ["```sql", one["statement"], "```", "```", *one["plan"], "--", *theirs, "```", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
