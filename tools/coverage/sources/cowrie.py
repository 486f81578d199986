"""A honeypot's log with what its attackers did, per address: connections, guesses, sign-ins.

Right is an address whose connections and refused guesses are counted exactly, and for which a use of the
honeypot is told exactly when a sign-in was let through.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tocsin.sift.engine import Options, sift
from tocsin.sift.values import Observation
from tools.coverage.rows import Failure, Row

SOURCE = "Cowrie"


def judge(samples: Path) -> list[Row]:
    """One row: the addresses."""
    row = Row(SOURCE, "honeypot", note="addresses")
    found: list[Observation] = []
    attacks = sift([str(samples / "cowrie" / "cowrie.json")], Options(observations=found.extend)).attacks
    seen = Counter((observation.origin, observation.rule) for observation in found)
    counts = Counter({(attack.origins[0], attack.kind): attack.count for attack in attacks})
    truth = json.loads((samples / "cowrie" / "truth.json").read_text())["attackers"]
    for told in truth:
        origin = told["src_ip"]
        expected = _facts(told)
        answer = {
            "sessions": counts[origin, "information-gathering/scanner"],
            "login_failed": counts[origin, "intrusion-attempts/brute-force"],
            "login_success": seen[origin, "cowrie-signed-in"],
            "used": counts[origin, "intrusion-attempts/exploit"] > 0,
        }
        row.judge(answer == expected, Failure(origin, str(expected), str(answer)))
    strangers = {attack.origins[0] for attack in attacks} - {told["src_ip"] for told in truth}
    row.false_positives = len(strangers)
    return [row]


def _facts(told: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: told[name] for name in ("sessions", "login_failed", "login_success")}
    return numbers | {"used": told["login_success"] > 0}
