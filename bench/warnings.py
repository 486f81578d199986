"""The warning lists: built from the package, read from their file, and asked.

    python -m bench.warnings [--asked 200000]

Half of what is asked stands on a list and half does not. The best of five rounds counts; it is
built once.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from typing import Any

ROUNDS = 5


def run(asked: int = 200_000) -> list[dict[str, Any]]:
    """A row for the lists as a whole and one for each kind of value."""
    import msgspec

    from tocsin.sharing import warning_lists

    began, cpu = time.perf_counter(), time.process_time()
    built = warning_lists.build(warning_lists._shipped())
    build_s, build_cpu_s = time.perf_counter() - began, time.process_time() - cpu
    data = msgspec.msgpack.encode(built)
    read_s = best(lambda: msgspec.msgpack.decode(data, type=warning_lists.WarningLists))
    whole = {
        "what": "warning lists",
        "lists": len(built.titles),
        "names": built.exact.count + built.suffixes.count,
        "ranges": len(built.networks.labels),
        "build_s": round(build_s, 2),
        "build_cpu_s": round(build_cpu_s, 2),
        "file_mb": round(len(data) / 1e6, 1),
        "read_ms": round(read_s * 1e3, 1),
    }
    dice = random.Random(4)
    shipped = (one for one in warning_lists._shipped() if one.type == "hostname")
    listed = [entry.decode() for one in shipped for entry in warning_lists.entries_of(one.entries)]
    names = [f"login-{n}.shop{n % 977}.top" for n in range(asked // 2)] + dice.choices(listed, k=asked // 2)
    ranges = [one for one in built.networks.firsts if one.startswith(bytes(10) + b"\xff\xff")]
    held = [".".join(map(str, first[12:])) for first in dice.choices(ranges, k=asked // 2)]
    addresses = [".".join(str(dice.randrange(1, 224)) for _ in range(4)) for _ in range(asked // 2)] + held
    dice.shuffle(names)
    dice.shuffle(addresses)
    return [
        whole,
        asking("names asked", built.of_name, names),
        asking("addresses asked", built.of_address, addresses),
    ]


def asking(what: str, find: Callable[[str], str | None], values: list[str]) -> dict[str, Any]:
    """How many values a second."""
    seconds = best(lambda: [find(value) for value in values])
    found = sum(find(value) is not None for value in values)
    return {"what": what, "asked": len(values), "listed": found, "a_second": round(len(values) / seconds)}


def best(function: Callable[[], object]) -> float:
    """Seconds of the best round."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        function()
        took.append(time.perf_counter() - began)
    return min(took)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.warnings")
    parser.add_argument("--asked", type=int, default=200_000)
    for row in run(parser.parse_args().asked):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
