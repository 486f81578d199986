"""IDEA events: each becomes attacks from its sources, or on its targets where a flood names no source."""

import json
from pathlib import Path
from typing import Any

from tocsin.sift.engine import sift
from tools.coverage.rows import Failure, Row

SOURCE = "IDEA events"
KINDS = {
    "Attempt.Login": {"intrusion-attempts/brute-force"},
    "Recon.Scanning": {"information-gathering/scanner"},
    "Availability.DoS": {"availability/dos"},
    "Availability.DDoS": {"availability/ddos"},
    "Intrusion.Botnet": {"malicious-code/infected-system", "malicious-code/c2-server"},
}


def judge(samples: Path) -> list[Row]:
    """One row per category."""
    rows: dict[str, Row] = {}
    for file in sorted((samples / "idea").glob("*.json")):
        event = json.loads(file.read_text())
        category = event["Category"][0]
        row = rows.setdefault(category, Row(SOURCE, category))
        attacks = sift([str(file)]).attacks
        sources = _addresses(event, "Source")
        found = {origin for attack in attacks for origin in attack.origins}
        victims = {target for attack in attacks for target in attack.targets}
        passed = (
            bool(attacks)
            and found == sources
            and (bool(sources) or victims == _addresses(event, "Target"))
            and {attack.kind for attack in attacks}
            <= KINDS.get(category, {attack.kind for attack in attacks})
        )
        row.judge(passed, Failure(file.name, f"{category} {sources}", str(found)))
    return list(rows.values())


def _addresses(event: dict[str, Any], side: str) -> set[str]:
    return {
        address for one in event.get(side, []) for name in ("IP4", "IP6") for address in one.get(name, [])
    }
