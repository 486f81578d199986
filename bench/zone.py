"""Writing lists, beside a plain text join of the same values.

    python -m bench.zone [--names 1000000]

The join is the least that any list costs: one string, one write. Both sides make the same number of values
and encode them; the product's are a zone, and two nftables sets whose every address carries its end, both by
class of attack; and the same zone as a policy of four actions has it.
"""

import argparse
import datetime as dt
import json
import time
from collections.abc import Callable
from typing import Any

ROUNDS = 5
CLASSES = ("fraud/phishing", "malicious-code/c2-server", "malicious-code/malware-distribution", "other/other")
ACTIONS = {"fraud": "garden", "malicious-code/malware-distribution": "log", "other": "nothing"}
NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


def run(names: int = 1_000_000) -> list[dict[str, Any]]:
    """One row for each list; the sides take turns and the best round of each counts."""
    from tocsin.sift import listed
    from tocsin.sift.policies import Policy
    from tocsin.wire import nft, rpz

    hosts = [f"host{number:07d}.bad-site.top" for number in range(names)]
    addresses = [
        (f"{80 + n % 100}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}", NOON + dt.timedelta(hours=n % 168))
        for n in range(names)
    ]
    each = -(-names // len(CLASSES))
    by_class = [(kind, n * each, n * each + each) for n, kind in enumerate(CLASSES)]
    zone = [(kind, rpz.NXDOMAIN, hosts[begin:end]) for kind, begin, end in by_class]
    sets = [(kind, addresses[begin:end]) for kind, begin, end in by_class]
    text = "".join(rpz.zone(zone, 7))
    policy = Policy(garden="help.provider.example", classes=ACTIONS)

    def join() -> bytes:
        return "".join([f"{host} CNAME .\n" for host in hosts]).encode()

    return [
        race("response policy zone", names, lambda: "".join(rpz.zone(zone, 7)).encode(), join),
        race(
            "nftables sets",
            names,
            lambda: "".join(nft.ruleset(sets, 7, NOON)).encode(),
            lambda: "".join([f"{address} timeout 604800s,\n" for address, _ in addresses]).encode(),
        ),
        race("zone by policy", names, lambda: listed.obeyed("names.rpz", text, policy).encode(), join),
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
