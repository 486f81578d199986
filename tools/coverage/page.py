"""docs/coverage.md, made from the rows."""

from collections.abc import Iterable
from itertools import groupby

from tools.coverage.rows import Row

HEAD = """# Coverage

How many labelled samples of other projects are answered right. Nobody here wrote them; they are not part of
this repository. `python -m tools.coverage --peers --write` made this page from the public samples at
`TOCSIN_SAMPLES`; `-v` shows every sample that is answered wrong.

How to read it. *Right* counts samples (a scenario, an event, a line); *false* counts samples that must give
nothing and gave something. A CrowdSec scenario is right when every address that it lists is an attack's
origin, none stands outside the log, every key has one attack, and nothing is above `info` where none is
expected. A fail2ban line is right when it is observed with the host that its label names, or not at all where
it must not fire. An OSSEC line is right by its level when levels from 5 are attacks and up to level 3 all is
noise, and by the order of severities when levels from 5 are attacks and nothing up to 3 is above `info`.
A peer's column shows how many of the same samples it answers; it is empty where it does not read the format.
"""


def render(rows: Iterable[Row]) -> str:
    """The page."""
    parts = [HEAD]
    for source, group in groupby(rows, key=lambda row: row.source):
        parts.append(_table(source, list(group)))
    return "\n".join(parts)


def total_of(rows: list[Row]) -> Row:
    """A source's rows as one."""
    total = Row(rows[0].source, "all")
    for row in rows:
        total.right += row.right
        total.total += row.total
        total.false_positives += row.false_positives
    return total


def share(row: Row) -> str:
    """A row's part that is right, in per cent; rounded down, so that 100 means all."""
    return f"{row.right * 1000 // row.total / 10:g} %" if row.total else "-"


def _table(source: str, rows: list[Row]) -> str:
    peers = sorted({peer for row in rows for peer in row.peers})
    head = ["service", "right", "of", "share", "false", *peers, "note"]
    lines = [f"## {source}\n", _line(head), _line(["---"] * len(head))]
    for row in [*rows, total_of(rows)]:
        cells = [row.service, str(row.right), str(row.total), share(row), str(row.false_positives)]
        lines.append(_line([*cells, *(row.peers.get(peer, "") for peer in peers), row.note]))
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
