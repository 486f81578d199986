"""Complaints by mail: one desk's labels exactly, facts of feedback reports, and every notifier known.

`vpsfree`: as many attacks as incidents, from that address, last seen at that time. Feedback reports: the
address that independent facts name, nothing where they name none; failures of authentication weigh nothing.
Notifiers (`abuseio`) have no labels: a mail is right when it gives attacks that are not undetermined, and
copyright and vulnerabilities weigh nothing.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tocsin.kernel.time import parse_rfc3339
from tocsin.sift.engine import sift
from tocsin.sift.values import Attack
from tools.coverage.rows import Failure, Row, Table

SOURCE = "Complaints by mail"


def judge(samples: Path) -> list[Row]:
    """One row per collection and notifier."""
    folder = samples / "mail"
    table = Table()
    for name, expected in json.loads((folder / "vpsfree" / "expected.json").read_text()).items():
        attacks = sift([str(folder / "vpsfree" / name)]).attacks
        passed = len(attacks) == expected["incidents"] and all(_is_that(a, expected) for a in attacks)
        table.row(SOURCE, "one desk's mails").judge(passed, Failure(name, str(expected), _told(attacks)))
    for name, fact in json.loads((folder / "arf_facts.json").read_text()).items():
        if fact.get("feedback", {}).get("feedback-type") not in (None, ["xarf"]):
            _judge_feedback(table.row(SOURCE, "feedback reports"), samples / name, fact["feedback"])
    for file in sorted((folder / "abuseio").rglob("*.eml")):
        attacks = sift([str(file)]).attacks
        row = table.row(SOURCE, file.parent.name)
        row.judge(_is_sensible(attacks), Failure(file.name, "attacks of a known kind", _told(attacks)))
    for file in sorted((folder / "dmarc-failure").glob("*.eml")):
        attacks = sift([str(file)]).attacks
        passed = all(attack.severity == "info" for attack in attacks)
        row = table.row(SOURCE, "DMARC failures")
        row.false_positives += not passed
        row.judge(passed, Failure(file.name, "no abuse", _told(attacks)))
    return list(table.values())


def _judge_feedback(row: Row, file: Path, fields: dict[str, Any]) -> None:
    attacks = sift([str(file)]).attacks
    sources, kinds = set(fields.get("source-ip", [])), fields.get("feedback-type", [])
    found = {origin for attack in attacks for origin in attack.origins}
    weightless = all(attack.severity == "info" for attack in attacks) or "auth-failure" not in kinds
    passed = {source.lower() for source in map(_plain, sources)} == found and weightless
    row.false_positives += bool(found - set(map(_plain, sources)))
    row.judge(passed, Failure(file.name, f"{kinds} from {sources}", _told(attacks)))


def _plain(address: str) -> str:
    from tocsin.sift.origins import normalise

    return normalise(address) or address


def _is_that(attack: Attack, expected: dict[str, Any]) -> bool:
    at = parse_rfc3339(attack.last_seen_at)
    return attack.origins == (expected["source_ip"],) and at == parse_rfc3339(expected["detected_at"])


def _is_sensible(attacks: Iterable[Attack]) -> bool:
    kinds = {attack.kind for attack in attacks}
    grave = {attack.kind for attack in attacks if attack.severity != "info"}
    weightless = all(not kind.startswith(("vulnerable/", "fraud/copyright")) for kind in grave)
    return bool(kinds - {"other/undetermined"}) and weightless


def _told(attacks: Iterable[Attack]) -> str:
    return "; ".join(f"{a.kind} {a.severity} {a.origins} {a.last_seen_at}" for a in attacks) or "nothing"
