"""Mutated and truncated input of every format: counted, kept, never a traceback, never a hang.

Mutations begin with good input of our own and with the public samples. Each reader is tried for some seconds,
or with so many inputs, whichever comes first; `make soak` gives each ten minutes (`TOCSIN_SOAK_SECONDS`).
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from tests.conftest import samples_folder
from tests.sift.fuzz_seeds import READERS, Reader
from tests.sift.mutations import mutate

from tocsin.sift import rulebook
from tocsin.sift.engine import Options, sift
from tocsin.sift.values import Sifted

SOAK = os.environ.get("TOCSIN_SOAK") == "1"
SECONDS = float(os.environ.get("TOCSIN_SOAK_SECONDS") or (600 if SOAK else 8))
INPUTS = 10**9 if SOAK else 1_000
SEED = os.environ.get("TOCSIN_FUZZ_SEED", "1")
BATCH, TOGETHER = 25, 10
LARGEST_SEED = 20_000
HANGS = 60  # seconds that no batch of small files may take


@pytest.fixture(autouse=True)
def _faults_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_TRACEBACK", "1")


def seeds(reader: Reader, folder: Path) -> list[bytes]:
    """What mutations of a reader begin with; the public samples' beginnings too, where they are given."""
    found = list(reader.seeds.values())
    for pattern in reader.samples:
        paths = sorted(path for path in folder.glob(pattern) if path.is_file())
        found += [path.read_bytes()[:LARGEST_SEED] for path in paths]
    return found


@pytest.mark.soak
@pytest.mark.parametrize("name", READERS)
def test_broken_input_is_counted_and_kept(tmp_path: Path, name: str) -> None:
    """Mutations of each format: a result or a rejection each, and the balance adds up."""
    chance, reader = random.Random(f"{name} {SEED}"), READERS[name]
    mapping = rulebook.load(reader.mapping) if reader.mapping else None
    given, until = seeds(reader, samples_folder()), time.monotonic() + SECONDS
    for batch in range(INPUTS // BATCH):
        folder = tmp_path / str(batch % 3)  # the last ones stay, for whoever mends a fault
        folder.mkdir(exist_ok=True)
        together = TOGETHER if reader.lines and batch % 4 else 1
        for number in range(max(BATCH // together, 1)):
            mutants = [mutate(chance.choice(given), chance) for _ in range(together)]
            (folder / f"{number:03}").write_bytes(b"\n".join(mutants))
        rejects = folder.with_suffix(".tsv")
        rejects.unlink(missing_ok=True)
        with hanging_is_a_failure():
            sifted = sift([str(folder)], Options(rejects=rejects, year=2025, mapping=mapping))
        check(sifted, rejects)
        assert sifted.balance.read >= len(list(folder.iterdir()))
        for path in folder.iterdir():
            path.unlink()
        if time.monotonic() > until:
            break


def check(sifted: Sifted, rejects: Path) -> None:
    """What must be so whatever was read."""
    balance = sifted.balance
    kept = rejects.read_bytes().count(b"\n") if sifted.rejected_file else 0
    assert kept == balance.rejected
    for part in (balance, *sifted.inputs):
        assert min(part.observed, part.noise, part.duplicate, part.rejected) >= 0, part
    assert balance.read == sum(part.read for part in sifted.inputs)
    assert balance.observed == sum(part.line_count for attack in sifted.attacks for part in attack.evidence)
    assert all(attack.vector or attack.origins[0] for attack in sifted.attacks)


@contextmanager
def hanging_is_a_failure() -> Iterator[None]:
    """Fails what takes longer than it ever should."""

    def fail(_: int, __: FrameType | None) -> None:
        pytest.fail(f"no answer within {HANGS} seconds")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(HANGS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", READERS)
def test_the_unbroken_formats_give_attacks(name: str, tmp_path: Path) -> None:
    """The seeds of the mutations are good: otherwise the test above would test little."""
    mapping = rulebook.load(READERS[name].mapping) if READERS[name].mapping else None
    for seed, content in READERS[name].seeds.items():
        (tmp_path / seed).write_bytes(content)
        sifted = sift([str(tmp_path / seed)], Options(year=2025, mapping=mapping))
        assert sifted.attacks, seed
        assert sifted.balance.rejected == 0, (seed, sifted.balance)
