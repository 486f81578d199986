"""Writing lists, beside a plain text join of the same values.

    python -m bench.zone [--names 1000000]

The join is the least that any list costs: one string, one write. Both sides make the same number of lines and
encode them; the product's are a zone, and two nftables sets whose every address carries its end.
"""

import argparse
import datetime as dt
import json
import time
from collections.abc import Callable
from typing import Any

ROUNDS = 5
NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


def run(names: int = 1_000_000) -> list[dict[str, Any]]:
    """One row for each list; the sides take turns and the best round of each counts."""
    from tocsin.wire import nft, rpz

    hosts = [f"host{number:07d}.bad-site.top" for number in range(names)]
    addresses = [
        (f"{80 + n % 100}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}", NOON + dt.timedelta(hours=n % 168))
        for n in range(names)
    ]
    return [
        race(
            "response policy zone",
            names,
            lambda: "".join(rpz.zone(hosts, 7)).encode(),
            lambda: "".join([f"{host} CNAME .\n" for host in hosts]).encode(),
        ),
        race(
            "nftables sets",
            names,
            lambda: "".join(nft.ruleset(addresses, 7, NOON)).encode(),
            lambda: "".join([f"{address} timeout 604800s,\n" for address, _ in addresses]).encode(),
        ),
    ]


def race(what: str, names: int, ours: Callable[[], bytes], join: Callable[[], bytes]) -> dict[str, Any]:
    """CPU seconds of each side's best round."""
    best = {"ours": float("inf"), "join": float("inf")}
    size = 0
    for _ in range(ROUNDS):
        for name, side in (("ours", ours), ("join", join)):
            began = time.process_time()
            size = len(side())
            best[name] = min(best[name], time.process_time() - began)
    return {
        "what": what,
        "values": names,
        "megabytes": round(size / 1e6, 1),
        "cpu_seconds": round(best["ours"], 3),
        "join_cpu_seconds": round(best["join"], 3),
        "ratio": round(best["ours"] / best["join"], 2),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--names", type=int, default=1_000_000)
    for row in run(parser.parse_args().names):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
