"""A text log of many services sifted by many rules, beside the same rules run by hand in Polars.

    .venv/bin/python -m bench.mixed

The log mixes what the rules' own samples say, from some thousands of addresses, with as many lines that no
rule is about. Both sides check headers, number lines, ask the rules in order and group what they found; ours
also settles times, spells origins (a name that is none is nobody), weighs signs against verdicts, digests the
evidence and knows the file again: so it names fewer lines than it matched. Both start from nothing. There are
not 300 rules for programs that write to syslog: the second row takes all there are.
"""

import datetime as dt
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LINES = 1_000_000
RULES = (50, 300)
ROUNDS = 3
_NOISE = (
    ("CRON[{pid}]", "(root) CMD (run-parts /etc/cron.hourly)"),
    ("systemd[1]", "Started Session {pid} of user deploy."),
    ("dhclient[{pid}]", "DHCPACK of 198.51.100.7 from 198.51.100.1"),
    ("sshd[{pid}]", "pam_unix(sshd:session): session closed for user deploy"),
    ("postfix/qmgr[{pid}]", "4F3A2: removed"),
)


def chosen(most: int) -> list[Any]:
    """Rulebooks for programs that write to syslog, until they hold so many rules; all of them where fewer.

    What they know of logs that programs write themselves is left out: the log has none.
    """
    import msgspec

    from tocsin.sift.rulebook import ours

    books: list[Any] = []
    for book in sorted(ours(), key=lambda book: (book.service != "ssh", -len(book.rules))):
        if book.programs and sum(len(one.rules) for one in books) < most:
            books.append(msgspec.structs.replace(book, shapes=()))
    return books


def write_log(path: Path, books: list[Any], lines: int, seed: int = 1) -> None:
    """So many lines, half of them noise; the same for the same seed and rules."""
    chance = random.Random(seed)
    said = [
        (book.programs[0], message, origin, number)
        for number, book in enumerate(books)
        for rule in book.rules
        for message, origin in rule.samples.items()
        if "\n" not in message and not any(program.startswith("(") for program in book.programs)
    ]
    addresses = [
        f"{chance.randrange(1, 224)}.{chance.randrange(256)}.{n >> 8}.{n & 255}" for n in range(4000)
    ]
    each = len(addresses) // len(books)
    at = dt.datetime(2025, 11, 3)  # noqa: DTZ001
    with path.open("w") as out:
        for _ in range(lines):
            at += dt.timedelta(seconds=chance.expovariate(4))
            head = f"{at:%b} {at.day:2} {at:%H:%M:%S} gate"
            pid = chance.randrange(300, 60_000)
            if chance.random() < 0.5:
                program, message = chance.choice(_NOISE)
                out.write(f"{head} {program.format(pid=pid)}: {message.format(pid=pid)}\n")
                continue
            name, message, origin, number = chance.choice(said)
            if origin:  # who guesses at one service rarely guesses at all of them
                message = message.replace(origin, addresses[number * each + int(each * chance.random() ** 2)])
            out.write(f"{head} {name}[{pid}]: {message}\n")


def run() -> list[dict[str, Any]]:
    """Measure; a row for each number of rules."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for most in RULES:
            log = Path(folder, f"{most}.log")
            books = chosen(most)
            write_log(log, books, LINES)
            sides: dict[str, list[tuple[float, float]]] = {"tocsin": [], "by_hand": []}
            found: dict[str, Any] = {}
            for _ in range(ROUNDS):
                for side, taken in sides.items():
                    seconds, processor, found[side] = _measure(side, most, log)
                    taken.append((seconds, processor))
            rows.append(_row(sum(len(book.rules) for book in books), sides, found))
    return rows


def _row(rules: int, sides: dict[str, list[tuple[float, float]]], found: dict[str, Any]) -> dict[str, Any]:
    pairs = list(zip(sides["tocsin"], sides["by_hand"], strict=True))
    return {
        "rules": rules,
        "lines_per_second": {
            side: round(LINES / statistics.median(wall for wall, _ in taken)) for side, taken in sides.items()
        },
        "lines_per_cpu_second": {
            side: round(LINES / statistics.median(cpu for _, cpu in taken)) for side, taken in sides.items()
        },
        "of_by_hand": round(statistics.median(theirs[0] / ours[0] for ours, theirs in pairs), 2),
        "of_by_hand_cpu": round(statistics.median(theirs[1] / ours[1] for ours, theirs in pairs), 2),
        "found": found,
        "load": os.getloadavg()[0],
    }


def _measure(side: str, most: int, log: Path) -> tuple[float, float, dict[str, int]]:
    """Seconds, processor seconds and what was found, of a process of its own."""
    command = [sys.executable, "-m", "bench.mixed_sides", side, str(most), str(log)]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        told = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, json.loads(told)


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
