"""How often a member that reads every door guesses whose words stand behind what is shared.

    python -m bench.anonymity [--times 10] [--observer 3] [--seed 1]

Twelve providers of the simulated nation report for four weeks, each at its own hours; one of them looks and
guesses (tests/sharing/anonymity.py). Played three times: nobody is a small source; whoever reports at telling
hours is one; and these leave together on the hour instead of by lot. A model, not evidence.
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
WAYS = ("at once", "by lot", "together")
TOGETHER = "[batch]\nspread_hours = 0\n"


def run(times: int = 10, observer: int = 3, seed: int = 1) -> list[dict[str, Any]]:
    """A row for each way and each question, each way in a process and a database of its own."""
    return [row for way in WAYS for row in played(way, times, observer, seed)]


def played(way: str, times: int, observer: int, seed: int) -> list[dict[str, Any]]:
    """The rows of one way."""
    inside = [sys.executable, "-m", "bench.anonymity", "--inside", way, "--times", str(times)]
    inside += ["--observer", str(observer), "--seed", str(seed)]
    with tempfile.TemporaryDirectory(prefix="tocsin-anonymity-") as home:
        environment = {**os.environ, "TOCSIN_HOME": home, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        environment.pop("DATABASE_URL", None)
        if way == "together":
            figures = Path(home) / "hiding.toml"
            figures.write_text(TOGETHER)
            environment["TOCSIN_HIDING"] = str(figures)
        done = subprocess.run(
            inside, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        )
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def measure(way: str, times: int, observer: int, seed: int) -> list[dict[str, Any]]:
    """In the measured process: play, then guess."""
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import setup_test_environment

    setup_test_environment()
    connection.creation.create_test_db(verbosity=0)  # an exchange of its own, which ends with the process
    from tests.sharing import anonymity, guessing

    from tocsin.nation.shape import Shape

    shape = Shape(seed, providers=12, days=28, intensity=times)
    world = anonymity.play(shape, observer, anonymity.NOBODY if way == "at once" else anonymity.TELLING)
    found = [guessing.attack(world.items, observer, what) for what in guessing.QUESTIONS]
    found.append(guessing.attack_linked(world.items, observer))
    return [
        {
            "what": one.question,
            "leave": way,
            "guessed": one.items,
            "members": one.members,
            "base_percent": round(100 * one.base, 1),
            "right_percent": round(100 * one.success, 1),
            "points_above": round(one.gain, 1),
            "by": one.by,
        }
        for one in found
    ]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.anonymity")
    parser.add_argument("--times", type=int, default=10, help="as many campaigns as twelve providers meet")
    parser.add_argument("--observer", type=int, default=3, help="which of the twelve looks, 0 is the largest")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inside", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(measure(given.inside, given.times, given.observer, given.seed)))
        return
    for row in run(given.times, given.observer, given.seed):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
