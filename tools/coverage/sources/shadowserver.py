"""Shadowserver's expected events: address, port, AS number, UTC time and class of each; and no row lost.

IntelMQ's class `blacklist` is no RSIT type: it stands for `other/other` here. A row without an address (a
name that a sandbox asked for) is right when time and class are. The row `balance` counts the files whose rows
all stand in the balance.
"""

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

from tocsin.sift.engine import sift
from tocsin.sift.feeds.shadowserver import FeedEvent, read_rows
from tocsin.sift.origins import normalise
from tools.coverage.rows import Failure, Row

SOURCE = "Shadowserver events"


def judge(samples: Path) -> list[Row]:
    """One row per report type, and one for the balance."""
    balance = Row(SOURCE, "balance (files)")
    rows = [_judge_file(file, balance) for file in sorted((samples / "shadowserver").glob("*.csv"))]
    return [*rows, balance]


def _judge_file(file: Path, balance: Row) -> Row:
    row = Row(SOURCE, file.stem)
    with file.open("rb") as lines:
        found = [event for _, _, event in read_rows(lines, file.name) if isinstance(event, FeedEvent)]
    for expected in json.loads(file.with_suffix(".expected.json").read_text())["events"]:
        wanted = _wanted(expected)
        told = [tuple(getattr(event, name) for name in wanted) for event in found]
        row.judge(tuple(wanted.values()) in told, Failure(file.stem, str(wanted), str(told[:3])))
    read = sift([str(file)]).balance.read
    with file.open(newline="", errors="replace") as text:
        there = sum(1 for values in csv.reader(text) if values) - 1
    balance.judge(read == there, Failure(file.stem, f"{there} rows", f"{read} in the balance"))
    return row


def _wanted(expected: dict[str, Any]) -> dict[str, object]:
    """The fields of an event of ours that the label speaks of."""
    kind = f"{expected['classification.taxonomy']}/{expected['classification.type']}"
    wanted: dict[str, object] = {
        "at": int(dt.datetime.fromisoformat(expected["time.source"]).timestamp()),
        "kind": kind.replace("other/blacklist", "other/other"),
    }
    if address := expected.get("source.ip") or expected.get("source.network"):
        wanted["address"] = normalise(address) or address
        wanted["port"] = expected.get("source.port", 0)
        wanted["asn"] = expected.get("source.asn", 0)
    return wanted
