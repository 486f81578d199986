"""sshd sift beside fail2ban-regex and sshguard's parser, on the same log in the same session.

    .venv/bin/python -m bench.sift [grow]

The log is made here: a host of a provider under guessing from a few thousand addresses, mixed with ordinary
sign-ins, in the words of OpenSSH. The peers get a slice of it, because they need minutes for the whole; each
round runs all of them one after another, and medians of lines a second are compared, by the clock and by
processor time. Starting up counts, and is measured by itself: `--help`, and the first answer on a small file.
"""

import datetime as dt
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

LINES = 1_000_000
SLICE = {"fail2ban": 50_000, "sshguard": 300_000}
ROUNDS = 3
GROWN = 20_000_000
SSHGUARD = Path("/usr/libexec/sshguard/sshg-parser")
STARTS = 9
START = "import sys; from tocsin.cli.main import main; main(sys.argv[1:])"
OURS = "import sys; from tocsin.cli.main import main; main(['sift', '--json', '--year', '2025', sys.argv[1]])"


def log_lines(seed: int) -> Iterator[str]:
    """Lines of an sshd log without end: connections, each with the several lines that sshd writes for it."""
    chance = random.Random(seed)
    attackers = [
        ".".join(map(str, (chance.randrange(1, 224), chance.randrange(256), chance.randrange(256), host)))
        for host in (chance.randrange(1, 255) for _ in range(3000))
    ]
    users = ("admin", "test", "oracle", "ubuntu", "git", "postgres", "support", "pi")
    at, pid = dt.datetime(2025, 11, 3), 1000  # noqa: DTZ001
    while True:
        at, pid = at + dt.timedelta(seconds=chance.expovariate(2)), pid % 60_000 + 1
        head = f"{at:%b} {at.day:2} {at:%H:%M:%S} gate sshd[{pid}]: "
        origin = attackers[int(len(attackers) * chance.random() ** 3)]
        for message in _connection(chance, origin, chance.choice(users)):
            yield head + message


def _connection(chance: random.Random, origin: str, user: str) -> list[str]:
    port, kind = chance.randrange(1024, 65_536), chance.random()
    pam = f"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={origin} "
    if kind < 0.35:
        return [
            f"Invalid user {user} from {origin}",
            f"input_userauth_request: invalid user {user} [preauth]",
            "pam_unix(sshd:auth): check pass; user unknown",
            pam,
            f"Failed password for invalid user {user} from {origin} port {port} ssh2",
            f"Received disconnect from {origin}: 11: Bye Bye [preauth]",
        ]
    if kind < 0.8:
        return [
            f"reverse mapping checking getaddrinfo for a.example.net [{origin}] failed - POSSIBLE BREAK-IN"
            " ATTEMPT!",
            f"{pam} user=root",
            f"Failed password for root from {origin} port {port} ssh2",
            f"Received disconnect from {origin}: 11: Bye Bye [preauth]",
        ]
    if kind < 0.85:
        return [f"Connection closed by {origin} [preauth]"]
    if kind < 0.9:
        return [f"Did not receive identification string from {origin}"]
    return [
        f"Accepted publickey for deploy from 10.0.0.5 port {port} ssh2: RSA SHA256:abcdefgh",
        "pam_unix(sshd:session): session opened for user deploy by (uid=0)",
        "Received disconnect from 10.0.0.5: 11: disconnected by user",
        "pam_unix(sshd:session): session closed for user deploy",
    ]


def write_log(path: Path, lines: int, seed: int = 1) -> None:
    """So many lines; the same for the same seed."""
    source = log_lines(seed)
    with path.open("w") as out:
        for _ in range(lines):
            out.write(next(source) + "\n")


@dataclass(frozen=True)
class Run:
    """What a process took, and the addresses that it found."""

    seconds: float
    processor: float
    peak_mb: int
    found: frozenset[str] = frozenset()


def run() -> list[dict[str, Any]]:
    """Measure; one row for each program, with its ratio to ours, and two for starting up."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "auth.log")
        write_log(log, LINES)
        runs: dict[str, list[tuple[Run, int]]] = {"tocsin": []}
        for _ in range(ROUNDS):
            runs["tocsin"].append((_sift(log), LINES))
            for peer, measure in (("fail2ban", _fail2ban), ("sshguard", _sshguard)):
                if taken := measure(_slice(log, SLICE[peer])):
                    runs.setdefault(peer, []).append((taken, SLICE[peer]))
        rows = [_row(peer, runs) for peer in runs]
        from tocsin.sift.relays import relay_of  # who carries others' traffic is never told to be an attacker

        for row in rows[1:]:
            ours = _sift(_slice(log, SLICE[row["program"]])).found
            theirs = runs[row["program"]][-1][0].found
            row["same_addresses"] = ours == {one for one in theirs if not relay_of(one, spoofable=False)}
        return rows + _starting(_slice(log, 1000))


def grow() -> list[dict[str, Any]]:
    """Memory and time on twenty times the lines."""
    rows = []
    for lines in (LINES, GROWN):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "auth.log")
            write_log(log, lines)
            taken = _sift(log)
            rows.append(
                {
                    "lines": lines,
                    "seconds": round(taken.seconds, 2),
                    "cpu_seconds": round(taken.processor, 2),
                    "peak_mb": taken.peak_mb,
                    "load": round(os.getloadavg()[0], 1),
                }
            )
    return rows


def _row(program: str, runs: dict[str, list[tuple[Run, int]]]) -> dict[str, Any]:
    def rates(name: str, spent: Callable[[Run], float]) -> list[float]:
        return [lines / spent(taken) for taken, lines in runs[name]]

    def ratio(spent: Callable[[Run], float]) -> float:
        pairs = zip(rates("tocsin", spent), rates(program, spent), strict=True)
        return round(statistics.median(ours / theirs for ours, theirs in pairs), 1)

    by_clock, by_processor = attrgetter("seconds"), attrgetter("processor")
    return {
        "program": program,
        "lines_per_second": round(statistics.median(rates(program, by_clock))),
        "lines_per_cpu_second": round(statistics.median(rates(program, by_processor))),
        "tocsin_is_faster_by": ratio(by_clock),
        "by_cpu": ratio(by_processor),
        "load": round(os.getloadavg()[0], 1),
    }


def _starting(log: Path) -> list[dict[str, Any]]:
    """The median time to an answer, of whole processes."""
    rows = []
    for name, arguments in (("--help", ["--help"]), ("first answer", ["sift", "--year", "2025", str(log)])):
        command = [sys.executable, "-c", START, *arguments]
        taken = [_process(command) for _ in range(STARTS)]
        rows.append(
            {
                "start": name,
                "milliseconds": round(1000 * statistics.median(run.seconds for run in taken)),
                "cpu_milliseconds": round(1000 * statistics.median(run.processor for run in taken)),
                "load": round(os.getloadavg()[0], 1),
            }
        )
    return rows


def _sift(log: Path) -> Run:
    """Our own process, and the addresses that it found."""
    out = log.with_suffix(".jsonl")
    taken = _process([sys.executable, "-c", OURS, str(log)], out)
    found = frozenset(origin for line in out.open() for origin in json.loads(line)["origins"])
    return replace(taken, found=found)


def _process(command: list[str], out: Path = Path(os.devnull)) -> Run:
    """Run a program to its end; its output goes to a file."""
    started = time.perf_counter()
    with out.open("wb") as stdout, tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        stderr.seek(0)
        assert process.returncode == 0, stderr.read().decode()
    spent = usage.ru_utime + usage.ru_stime
    return Run(time.perf_counter() - started, spent, usage.ru_maxrss // 1024)


def _slice(log: Path, lines: int) -> Path:
    part = log.with_name(f"{lines}.log")
    if not part.exists():
        with log.open() as source, part.open("w") as out:
            out.writelines(line for line, _ in zip(source, range(lines), strict=False))
    return part


def _fail2ban(log: Path) -> Run | None:
    command = shutil.which("fail2ban-regex")
    if not command:
        return None
    out = log.with_suffix(".fail2ban")
    taken = _process([command, "-o", "ip", str(log), "sshd[mode=aggressive]"], out)
    return replace(taken, found=frozenset(out.read_text().split()))


def _sshguard(log: Path) -> Run | None:
    if not SSHGUARD.exists():
        return None
    out = log.with_suffix(".sshguard")
    taken = _process(["/bin/sh", "-c", f'exec "{SSHGUARD}" < "{log}"'], out)
    found = re.findall(r"^\d+ (\S+) \d+ \d+$", out.read_text(), re.MULTILINE)
    return replace(taken, found=frozenset(found))


if __name__ == "__main__":
    print(json.dumps(grow() if "grow" in sys.argv else run(), indent=2))
