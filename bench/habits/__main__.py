"""The command line of `bench.habits`."""

import argparse
import json
import pickle
from pathlib import Path

from bench.habits import world


def main() -> None:
    """All worlds, or the one that this process is for."""
    parser = argparse.ArgumentParser(prog="python -m bench.habits", description=world.run.__doc__)
    for name, default in zip(("seed", "providers", "forces", "days"), world.SIZE, strict=True):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--world", choices=world.WORLDS, help=argparse.SUPPRESS)
    parser.add_argument("--nation", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.world:
        print(json.dumps(world.WORLDS[given.world](pickle.loads(given.nation.read_bytes()))))
        return
    for row in world.lives(given.seed, given.providers, given.forces, given.days):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
