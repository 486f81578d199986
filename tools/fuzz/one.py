"""One target under atheris: `python -m tools.fuzz.one TARGET CORPUS [libFuzzer's options]`."""

import sys
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tocsin", "email"]):
    from tools.fuzz.targets import TARGETS, seeds


def main() -> None:
    """Fuzz until told to stop, or until something is found."""
    name, corpus = sys.argv[1], Path(sys.argv[2])
    target, refusals = TARGETS[name]
    for number, seed in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)

    def once(content: bytes) -> None:
        with suppress(*refusals):
            target(content)

    atheris.Setup([sys.argv[0], *sys.argv[2:]], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
