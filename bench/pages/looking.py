"""What each page costs, asked for alone in this very process: CPU, queries, and the slowest of them.

    python -m bench.pages.looking [--reports 100000] [--cases 10000] [--home FOLDER]

A home that holds a store already is looked at as it is, so that a change can be tried again at once.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

from bench.pages.listed import BEARER, pages
from bench.pages.store import Store


def main() -> None:
    """Build the store where there is none, then look at every page twice and tell of the second time."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages.looking")
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--home", type=Path, default=Path("/tmp/tocsin-pages"))
    parser.add_argument("--only", default="", help="pages whose words have this in them")
    given = parser.parse_args()
    os.environ |= {"TOCSIN_HOME": str(given.home), "DJANGO_SETTINGS_MODULE": "tocsin.site.settings"}
    os.environ.setdefault("TOCSIN_HOSTS", "testserver")
    os.environ.setdefault("TOCSIN_SECOND_FACTOR", "none")
    from tocsin.doors.admin.setup import prepare

    prepare()
    store = Store(given.reports, given.cases)
    store.stand(given.home)
    for person, words, address in pages(store):
        if given.only in words:
            print(look(store.people.get(person), words, address, by_key=person == "key"), flush=True)


def look(person: Any, words: str, address: str, *, by_key: bool = False) -> str:
    """One page, in a line; a second line has its slowest query where that took more than 10 ms."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"Authorization": BEARER} if by_key else {})
    if person is not None:
        client.force_login(person)
    client.get(address)
    began, cpu = time.perf_counter(), time.process_time()
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
    spent = (time.perf_counter() - began) * 1e3, (time.process_time() - cpu) * 1e3
    queries = sorted(asked.captured_queries, key=lambda query: -float(query["time"]))
    line = (
        f"{words:40} {answer.status_code} {spent[1]:8.1f} ms CPU {spent[0]:8.1f} ms, {len(queries):3} queries"
    )
    if queries and float(queries[0]["time"]) > 0.01:
        line += f"\n    {float(queries[0]['time']) * 1e3:.0f} ms: {queries[0]['sql'][:1500]}"
    return line


if __name__ == "__main__":
    main()
