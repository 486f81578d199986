"""How each engine finds what a page asks for: its queries with their plans, and what is read whole."""

import re
from dataclasses import dataclass
from typing import Any

from bench.pages.listed import BEARER

# What grows with the exchange: no page may read one of these from end to end.
LARGE = (
    *("intake_report", "intake_reportholding", "cases_case", "cases_link", "cases_clock", "cases_share"),
    *("cases_caseorigin", "cases_term", "journal_entry", "journal_content", "sharing_assertion"),
    *("notices_notice",),
)
LONGEST = 400  # characters of a statement that are shown


@dataclass(frozen=True)
class Planned:
    """A query of a page, the engine's plan line by line, and the large tables that it reads whole."""

    statement: str
    plan: tuple[str, ...]
    whole: tuple[str, ...]


def planned(person: Any, address: str, *, by_key: bool = False) -> list[Planned]:
    """The queries of one page, asked for twice so that what is kept is kept, each with its plan."""
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"Authorization": BEARER} if by_key else {})
    if person is not None:
        client.force_login(person)
    client.get(address)
    cache.clear()
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
    if answer.status_code != 200:
        raise SystemExit(f"{address}: {answer.status_code}")
    found = []
    for statement in dict.fromkeys(query["sql"] for query in asked.captured_queries):
        if statement.startswith("SELECT") and " FROM " in statement and "set_config" not in statement:
            plan = explained(statement)
            found.append(Planned(statement, plan, read_whole(statement, plan)))
    return found


def explained(statement: str) -> tuple[str, ...]:
    """The plan; on PostgreSQL as though reading a whole table cost ten thousand million pages.

    A small store would rightly be read whole: what still is under that price has no index to go by.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = off")
            cursor.execute(f"EXPLAIN (COSTS OFF) {statement.replace('%', '%%')}", ())
            plan = tuple(row[0] for row in cursor.fetchall())
            cursor.execute("RESET enable_seqscan")
            return plan
        cursor.cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        return tuple(row[3] for row in cursor.cursor.fetchall())


# An index of the few open or automatic cases alone may be read to its end.
FEW = r"(?! USING (?:COVERING )?INDEX (?:cases_due_first|cases_case_automatic))"
SCAN = re.compile(rf"Seq Scan on (\w+)|^SCAN (\w+){FEW}")


def read_whole(statement: str, plan: tuple[str, ...]) -> tuple[str, ...]:
    """The large tables that a plan reads from end to end, without an index or all along one."""
    tables = {alias: table for table, alias in re.findall(r'"(\w+)" ([A-Z]\d+)\b', statement)}
    found = []
    for line in plan:
        scan = SCAN.search(line)
        if scan is not None:
            name = scan.group(1) or scan.group(2)
            found.append(tables.get(name, name))
    return tuple(table for table in found if table in LARGE)


def shown(statement: str) -> str:
    """A statement for people: the columns of a model left out, no longer than fits."""
    text = re.sub(r'SELECT ("\w+"\."\w+"(?: AS "\w+")?(?:, )?){4,}', "SELECT … ", statement).replace('"', "")
    text = re.sub(r"\((?:\d+, ){5,}\d+\)", "(…)", text)
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"
