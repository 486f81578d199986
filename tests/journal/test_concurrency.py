"""Several processes write at once: no gap, no skip, and a reader misses nothing."""

import random
import subprocess
import sys

import pytest
from tests.own_exchange import own_exchange

pytestmark = pytest.mark.database

WRITERS, ACTS = 3, 60


def entries_of(seed: int) -> int:
    """How many entries a writer will have committed: its dice, thrown again."""
    dice, total = random.Random(seed), 0
    for number in range(ACTS):
        count = dice.randint(1, 5)
        dice.random()
        total += count if number % 5 != 4 else 0
    return total


def test_concurrent_writers_leave_no_gap_and_a_reader_misses_none() -> None:
    """Positions and instants become visible in order, whatever commits first or rolls back."""
    total = sum(entries_of(seed) for seed in range(WRITERS))
    script = (sys.executable, "-m", "tests.journal.writer")
    with own_exchange() as exchange:
        reader = exchange.start(*script, "follow", str(total), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert reader.stdout.readline() == b"ready\n"
        writers = [exchange.start(*script, "write", str(seed), str(ACTS)) for seed in range(WRITERS)]
        assert [writer.wait(60) for writer in writers] == [0] * WRITERS
        seen, errors = reader.communicate(timeout=60)
        assert reader.returncode == 0, errors.decode()
        assert int(seen) == total
