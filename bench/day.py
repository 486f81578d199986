"""A large provider's day of 4,000 attacks: made, sifted as its desk would, and judged by the hidden truth.

    python -m bench day

A model, not evidence. Seeds are those that nobody tuned on; the time is that of the whole process.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from tocsin.nation import making, score, scoring, truth
from tocsin.nation.shape import Shape

SEEDS = (101, 102, 103)
INTENSITY = 120
SIFT = "import sys; from tocsin.cli.main import main; main(['sift', '--json', *sys.argv[1:]])"


def run() -> list[dict[str, Any]]:
    """A row for each seed, and the medians."""
    rows = [measure(seed) for seed in SEEDS]
    middle = {name: statistics.median(row[name] for row in rows) for name in rows[0] if name != "seed"}
    return [*rows, {"seed": "median", **middle}]


def measure(seed: int) -> dict[str, Any]:
    """The larger of two providers on one day."""
    with tempfile.TemporaryDirectory(prefix="tocsin-day-") as home:
        folder = Path(home) / "nation"
        making.simulate(Shape(seed, providers=2, forces=1, days=1, intensity=INTENSITY), folder)
        (member, *_) = json.loads((folder / "members.json").read_bytes())
        evidence = folder / "evidence" / member["key"]
        networks = [word for network in member["networks"] for word in ("--network", network)]
        command = [sys.executable, "-c", SIFT, "--tz", member["time_zone"], *networks, str(evidence)]
        began = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True)
        seconds = time.perf_counter() - began
        attacks = [json.loads(line) for line in done.stdout.splitlines()]
        balance = json.loads(done.stderr.splitlines()[-1])
        happened = truth.read(folder)
        mine = [attack for attack in happened.attacks if attack.provider == member["key"]]
        happened = msgspec.structs.replace(happened, attacks=mine)
        found = scoring.found(member["key"], done.stdout.splitlines())
        whole = next(one for one in score(happened, found) if one.kind == "all")
    told = [attack for attack in attacks if attack["severity"] != "info"]
    return {
        "seed": seed,
        "true_attacks": len(mine),
        "lines": balance["read"],
        "seconds": round(seconds, 2),
        "attacks": len(attacks),
        "reports": len(told),
        "campaigns": len({attack["campaign"] for attack in told if attack["campaign"]}),
        "origins": len({origin for attack in told for origin in attack["origins"]}),
        "recall_of_evidence": round(whole.evidence_recall, 4),
        "precision_of_told": round(whole.precision, 4),
    }
