"""`tocsin demo --once --json` keeps the promise once, whole."""

import json
import os
import subprocess
import sys

import pytest


@pytest.mark.soak
def test_the_demo_tells_everybody_and_proves_it() -> None:
    """Every report has a person's answer and a genuine receipt; told again, nothing is new."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    tocsin = f"{os.path.dirname(sys.executable)}/tocsin"  # noqa: PTH120 (not to be resolved: it is in the venv)
    done = subprocess.run(
        [tocsin, "demo", "--once", "--json", "--port", "0"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["reports"] == told["told"] == told["receipts_verified"] == 10
    assert told["lines"] == 150 + 114 + 40
    assert told["silent"] == told["sent_again"] == 0
    assert told["accepted"] >= 1
    assert told["answered_by_link"] >= 1
    assert told["questions"] >= 1
    assert told["ratings"] == told["reviewed"] == 1
    assert told["grown"] == told["reopened"] == 1
    assert told["stopped"] == 47
    assert told["effect"] == "stopped more than 40 connections at fewer than 5 networks"
    assert told["nation_reports"] > 100
    assert told["nation_stopped"] > 1_000
    assert told["figures"] > 0
    assert told["seconds"] < 180
