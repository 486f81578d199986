"""Records of our own making, for tests."""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ORIGIN = "192.0.2.1"


def lines(records: Iterable[dict[str, Any]]) -> bytes:
    """One JSON object a line."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def alert(origin: str = ORIGIN, *, second: int = 5, **more: Any) -> dict[str, Any]:
    """An alert of Suricata's EVE."""
    return {
        "timestamp": f"2026-01-07T03:04:{second:02}.123456+0000",
        "event_type": "alert",
        "src_ip": origin,
        "dest_ip": "198.51.100.1",
        "proto": "TCP",
        "alert": {"severity": 2, "signature": "a probe"},
    } | more


def flow(origin: str = ORIGIN) -> dict[str, Any]:
    """A flow of Suricata's EVE: no evidence."""
    return alert(origin) | {"event_type": "flow", "alert": None}


def cowrie(event: str, origin: str = ORIGIN, **more: Any) -> dict[str, Any]:
    """An event of a cowrie honeypot."""
    return {
        "eventid": f"cowrie.{event}",
        "session": "a",
        "src_ip": origin,
        "sensor": "pot",
        "timestamp": "2026-01-07T03:04:05.123456Z",
    } | more


def zeek(fields: list[str], rows: Iterable[list[str]], path: str = "conn") -> bytes:
    """A log as Zeek's ASCII writer writes it."""
    head = [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        f"#path\t{path}",
    ]
    body = ["\t".join(["#fields", *fields]), *("\t".join(row) for row in rows), "#close\t2026-01-08-00-00-00"]
    return "\n".join([*head, *body, ""]).encode()


def bans(path: Path, rows: Iterable[tuple[str, str, Any, str | None]]) -> Path:
    """A database as fail2ban keeps it: jail, address, time and data of each ban."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE jails (name TEXT, enabled INTEGER)")
        database.execute(
            "CREATE TABLE bans (jail TEXT, ip TEXT, timeofban, bantime INT, bancount INT, data JSON)"
        )
        database.executemany("INSERT INTO bans VALUES (?, ?, ?, 600, 1, ?)", list(rows))
    database.close()
    return path


def crowdsec(scenario: str = "crowdsecurity/ssh-bf", origin: str = ORIGIN, **more: Any) -> dict[str, Any]:
    """An alert as `cscli alerts list -o json` prints it."""
    return {
        "scenario": scenario,
        "source": {"scope": "Ip", "value": origin, "ip": origin},
        "start_at": "2026-01-07T03:04:05.123456789Z",
        "stop_at": "2026-01-07T03:05:05Z",
        "events_count": 6,
        "events": [],
        "decisions": [{"origin": "crowdsec", "type": "ban"}],
    } | more


MAPPING = b"""
service = "radius"
log_type = "radius-accounting"
marks = ["when", "who"]
[thresholds."intrusion-attempts/brute-force"]
low = 6
medium = 200
[[records]]
id = "mine"
where = { result = "reject" }
origin = "who"
target = "nas"
time = "when"
count = "tries"
kind = "intrusion-attempts/brute-force"
evidence = "verdict"
weight = 2
why = "refused"
"""
