"""One target under atheris: `python -m tools.fuzz.one TARGET CORPUS [libFuzzer's options]`.

Half of the new inputs are libFuzzer's own mutations, half are those of `tests.sift.mutations`, which know
what breaks calendars, addresses and encodings.
"""

import os
import random
import sys
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tocsin", "email"]):
    from tests.sift.mutations import mutate

    from tools.fuzz.targets import TARGETS, seeds

os.environ["TOCSIN_TRACEBACK"] = "1"  # a fault in a reader is raised, not kept with its file


def altered(content: bytes, longest: int, seed: int) -> bytes:
    """The next input from one that reached something new."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        return bytes(atheris.Mutate(content, longest))
    return mutate(content, chance)[:longest]


def main() -> None:
    """Fuzz until told to stop, or until something is found."""
    name, corpus = sys.argv[1], Path(sys.argv[2])
    target, refusals = TARGETS[name]
    for number, seed in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)

    def once(content: bytes) -> None:
        with suppress(*refusals):
            target(content)

    atheris.Setup([sys.argv[0], *sys.argv[2:]], once, custom_mutator=altered)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
