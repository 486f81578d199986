"""sshd sift beside fail2ban-regex and sshguard's parser, on the same log in the same session.

    .venv/bin/python -m bench.sift

The log is made here: a host of a provider under guessing from a few thousand addresses, mixed with ordinary
sign-ins, in the words of OpenSSH. The peers get a slice of it, because they need minutes for the whole; each
round runs all of them one after another, and medians of lines a second are compared. Starting up counts.
"""

import datetime as dt
import json
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LINES = 1_000_000
SLICE = {"fail2ban": 50_000, "sshguard": 300_000}
ROUNDS = 3
GROWN = 20_000_000
SSHGUARD = Path("/usr/libexec/sshguard/sshg-parser")
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


def run() -> list[dict[str, Any]]:
    """Measure; one row for each program, with its ratio to ours, and one for memory."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "auth.log")
        write_log(log, LINES)
        rates: dict[str, list[float]] = {"tocsin": []}
        found: dict[str, set[str]] = {}
        for _ in range(ROUNDS):
            rates["tocsin"].append(LINES / _sift(log)[0])
            for peer, measure in (("fail2ban", _fail2ban), ("sshguard", _sshguard)):
                part = _slice(log, SLICE[peer])
                if seconds_found := measure(part):
                    rates.setdefault(peer, []).append(SLICE[peer] / seconds_found[0])
                    found[peer] = seconds_found[1]
        rows = [_row(peer, rates) for peer in rates]
        for row in rows[1:]:
            ours = _sift(_slice(log, SLICE[row["program"]]))[1]
            row["same_addresses"] = ours == found[row["program"]]
        return rows


def grow() -> list[dict[str, Any]]:
    """Memory and time on twenty times the lines."""
    rows = []
    for lines in (LINES, GROWN):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "auth.log")
            write_log(log, lines)
            seconds, _, peak = _sift(log)
            rows.append({"lines": lines, "seconds": round(seconds, 2), "peak_mb": peak})
    return rows


def _row(program: str, rates: dict[str, list[float]]) -> dict[str, Any]:
    middle = statistics.median(rates[program])
    pairs = [ours / theirs for ours, theirs in zip(rates["tocsin"], rates[program], strict=True)]
    return {
        "program": program,
        "lines_per_second": round(middle),
        "tocsin_is_faster_by": round(statistics.median(pairs), 1),
    }


def _sift(log: Path) -> tuple[float, set[str], int]:
    """Seconds, addresses found and peak megabytes of our own process."""
    out = log.with_suffix(".jsonl")
    started = time.perf_counter()
    with out.open("wb") as stdout, out.with_suffix(".err").open("wb") as stderr:
        process = subprocess.Popen([sys.executable, "-c", OURS, log], stdout=stdout, stderr=stderr)
        _, status, usage = _wait(process)
    seconds = time.perf_counter() - started
    assert status == 0, out.with_suffix(".err").read_text()
    origins = {origin for line in out.open() for origin in json.loads(line)["origins"]}
    return seconds, origins, usage.ru_maxrss // 1024


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, int, resource.struct_rusage]:
    import os

    pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return pid, process.returncode, usage


def _slice(log: Path, lines: int) -> Path:
    part = log.with_name(f"{lines}.log")
    if not part.exists():
        with log.open() as source, part.open("w") as out:
            out.writelines(line for line, _ in zip(source, range(lines), strict=False))
    return part


def _fail2ban(log: Path) -> tuple[float, set[str]] | None:
    command = shutil.which("fail2ban-regex")
    if not command:
        return None
    started = time.perf_counter()
    done = subprocess.run(
        [command, "-o", "ip", str(log), "sshd[mode=aggressive]"], capture_output=True, text=True, check=False
    )
    return time.perf_counter() - started, set(done.stdout.split())


def _sshguard(log: Path) -> tuple[float, set[str]] | None:
    if not SSHGUARD.exists():
        return None
    started = time.perf_counter()
    with log.open("rb") as stdin:
        done = subprocess.run([SSHGUARD], stdin=stdin, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    return seconds, set(re.findall(r"^\d+ (\S+) \d+ \d+$", done.stdout, re.MULTILINE))


if __name__ == "__main__":
    print(json.dumps(grow() if "grow" in sys.argv else run(), indent=2))
