"""Judge ourselves by the public samples.

    python -m tools.coverage [--peers] [--write] [-v] [-s SERVICE] [SOURCE…]

SOURCE names a module of tools/coverage/sources; all of them by default. `TOCSIN_SAMPLES` says where the
samples are. `--peers` adds what fail2ban and sshguard answer, `--write` writes docs/coverage.md, `-v` prints
every sample that is answered wrong; `-s SERVICE` narrows that to services whose name contains it.
"""

import argparse
import importlib
import os
import pkgutil
import sys
import time
from itertools import groupby
from pathlib import Path

from tools.coverage import page, sources
from tools.coverage.peers import add_peers
from tools.coverage.rows import Row

PAGE = Path(__file__).parent.parent.parent / "docs" / "coverage.md"


def main() -> int:
    """Judge, print, and write where asked."""
    known = [module.name for module in pkgutil.iter_modules(sources.__path__)]
    parser = argparse.ArgumentParser(prog="tools.coverage", description=__doc__)
    parser.add_argument("source", nargs="*", metavar="SOURCE", help=f"of {', '.join(known)}")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("-v", action="store_true")
    parser.add_argument("-s", default="")
    asked = parser.parse_args()
    if unknown := set(asked.source) - set(known):
        parser.error(f"no such source: {', '.join(sorted(unknown))}")
    samples = Path(os.environ.get("TOCSIN_SAMPLES", "../shared/data"))
    if not samples.is_dir():
        print("coverage: set TOCSIN_SAMPLES to the folder of the public samples", file=sys.stderr)
        return 2
    began = time.monotonic()
    rows: list[Row] = []
    for name in asked.source or known:
        rows += importlib.import_module(f"tools.coverage.sources.{name}").judge(samples)
    if asked.peers:
        add_peers(rows, samples)
    _print(rows, verbose=asked.v, service=asked.s)
    print(f"{time.monotonic() - began:.1f} s", file=sys.stderr)
    if asked.write:
        PAGE.write_text(page.render(rows))
    return 0


def _print(rows: list[Row], *, verbose: bool, service: str) -> None:
    for source, group in groupby(rows, key=lambda row: row.source):
        told = list(group)
        print(f"\n{source}")
        for row in [*(row for row in told if service in row.service), page.total_of(told)]:
            peers = "  ".join(f"{peer} {answer}" for peer, answer in row.peers.items())
            mark = f"  FALSE {row.false_positives}" if row.false_positives else ""
            score = f"{row.right:4} of {row.total:4} {page.share(row):>7}"
            print(f"  {row.service:28} {score}{mark}  {row.note}  {peers}")
            for failure in row.failures if verbose else ():
                print(f"    {failure.case}: expected {failure.expected[:300]}; found {failure.found[:300]}")
                print("".join(f"      | {line[:260]}\n" for line in failure.lines), end="")


if __name__ == "__main__":
    sys.exit(main())
