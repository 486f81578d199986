"""Acts, sweeps and linking under `kill -9`: no report is without owner, status or clock, nothing is twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from tests.own_exchange import own_exchange

pytestmark = [pytest.mark.database, pytest.mark.soak]

KILLS = 200 if os.environ.get("TOCSIN_SOAK") == "1" else 30


def test_killed_at_any_point_nobody_falls_silent() -> None:
    """Killed in the middle of whatever it was doing, again and again, with a clock that jumps."""
    dice = random.Random(11)
    with own_exchange() as exchange:
        town = exchange.start(
            sys.executable, "-m", "tests.cases.killed_town", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert town.stdin is not None and town.stdout is not None
            assert town.stdout.readline() == b"ready\n"
            for seed in range(KILLS):
                town.stdin.write(b"act %d\n" % seed)
                town.stdin.flush()
                lines = {town.stdout.readline(), town.stdout.readline()}  # whichever process is quicker
                assert b"acting\n" in lines
                pid = int((lines - {b"acting\n"}).pop())
                time.sleep(dice.uniform(0.05, 1.2))
                os.kill(pid, signal.SIGKILL)
                assert town.stdout.readline() == b"dead\n"
            town.stdin.write(b"judge\n")
            town.stdin.flush()
            judged = json.loads(town.stdout.readline())
        finally:
            town.kill()
            town.communicate()
        assert judged["findings"] == []
        assert judged["twice"] == []
        assert judged["untold"] == []
        assert judged["reports"] >= KILLS / 3 and judged["breaches"] and judged["questions"], judged
        assert "everything fits" in exchange.run("check")
