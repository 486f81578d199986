"""Run the benchmarks, each beside its reference in the same session, and print what was measured.

python -m bench [NAME …] [--json FILE]
"""

import argparse
import importlib
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

BENCHES = (
    "sift",
    "mixed",
    "records",
    "tally",
    "impact",
    "feeds",
    "day",
    "intake",
    "taxii",
    "stream",
    "warnings",
    "anonymity",
    "zone",
    "dns",
    "linking",
    "nation",
    "habits",
    "pages",
    "fence",
)


def main() -> None:
    """Run the named benchmarks (all by default) one after the other: two cores allow no more."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the rows as JSON")
    given = parser.parse_args()
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores, Python {platform.python_version()}")
    rows: list[dict[str, Any]] = []
    for name in given.names or BENCHES:
        began = time.perf_counter()
        found = importlib.import_module(f"bench.{name}").run()
        print(f"\n{name} ({time.perf_counter() - began:.0f} s)")
        for row in found:
            print("  " + "  ".join(f"{key}: {value}" for key, value in row.items()))
        rows += [{"bench": name, **row} for row in found]
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
