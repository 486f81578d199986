"""OpenSSH under password guessing, its words kept by rsyslog in three usual shapes."""

import concurrent.futures
import gzip
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

GUESSER, SECOND, LUCKY, MISTYPES = "203.0.113.7", "198.51.100.23", "198.51.100.61", "192.0.2.77"
GUESSER_V6, HOST, HOST_V6 = "2001:db8:66::5", "192.0.2.10", "2001:db8:10::10"
USER, PASSWORD = "tocsin-evidence", "correct-horse-61"


@dataclass(frozen=True)
class Try:
    """`rounds` connections of up to three guesses each, from one address, as one user."""

    origin: str
    user: str
    rounds: int
    password: str = "letmein"


@dataclass(frozen=True)
class Place:
    """One provider's host: where its log goes, in which of rsyslog's templates, and who attacks it."""

    file: str
    host: str
    template: str
    tries: tuple[Try, ...]


PLACES = (
    Place(
        "harbour/auth.log",
        "shell1",
        "RSYSLOG_TraditionalFileFormat",
        (Try(GUESSER, "root", 9), Try(GUESSER, "oracle", 4), Try(SECOND, "admin", 5), Try(MISTYPES, USER, 1)),
    ),
    # The same host's log, grown: rsyslog appends, and the edge tool must skip what it has seen.
    Place("harbour-later/auth.log", "shell1", "RSYSLOG_TraditionalFileFormat", (Try(SECOND, "admin", 4),)),
    Place(
        "fenland/auth.log.gz",
        "gate",
        "RSYSLOG_FileFormat",
        (
            Try(GUESSER, "root", 7),
            Try(GUESSER_V6, "ubuntu", 4),
            Try(LUCKY, USER, 3),
            Try(LUCKY, USER, 1, PASSWORD),
        ),
    ),
    Place(
        "moorview/sshd.log",
        "box7",
        "RSYSLOG_SyslogProtocol23Format",
        (Try(GUESSER, "postgres", 6),),
    ),
)


def record(stage: Path, out: Path) -> None:
    """Attack every place in turn; its log is written under `out`."""
    subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", USER], check=True)
    try:
        subprocess.run(["chpasswd"], input=f"{USER}:{PASSWORD}\n".encode(), check=True)
        for place in PLACES:
            log = stage / place.host
            with Syslog(stage, place, log), Sshd(stage):
                _attack(stage, place.tries)
            _keep(log, out / place.file)
    finally:
        subprocess.run(["userdel", "--remove", USER], check=False, stderr=subprocess.DEVNULL)


def _attack(stage: Path, tries: tuple[Try, ...]) -> None:
    # A later try waits for the earlier ones: the password that fits must come after those that did not.
    for attempt in tries:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _, a=attempt: _guess(stage, a), range(attempt.rounds)))


def _guess(stage: Path, attempt: Try) -> None:
    asker = stage / f"ask-{attempt.password}"
    asker.write_text(f"#!/bin/sh\necho {attempt.password}\n")
    asker.chmod(0o755)
    target = HOST_V6 if ":" in attempt.origin else HOST
    options = {
        "BindAddress": attempt.origin,
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
        "PreferredAuthentications": "password",
        "NumberOfPasswordPrompts": "1" if attempt.origin == MISTYPES else "3",
        "LogLevel": "QUIET",
    }
    flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    environment = {**os.environ, "SSH_ASKPASS": str(asker), "SSH_ASKPASS_REQUIRE": "force"}
    subprocess.run(
        ["ssh", "-p", "22", *flags, f"{attempt.user}@{target}", "true"],
        env=environment,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


def _keep(log: Path, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    if kept.suffix == ".gz":
        with log.open("rb") as source, gzip.GzipFile(kept, "wb", mtime=0) as target:
            shutil.copyfileobj(source, target)
    else:
        shutil.copyfile(log, kept)


class Sshd:
    """sshd in the foreground on port 22 of the namespace, with a host key of its own."""

    def __init__(self, stage: Path) -> None:
        key = stage / "host_key"
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        Path("/run/sshd").mkdir(exist_ok=True)
        self.command = ["/usr/sbin/sshd", "-D", "-f", "/dev/null", "-h", str(key)]
        for option in (
            "UsePAM yes",
            "MaxStartups 100",
            "PasswordAuthentication yes",
            "UseDNS no",
            "PidFile none",
        ):
            self.command += ["-o", option]

    def __enter__(self) -> None:
        self.process = subprocess.Popen(self.command)
        time.sleep(1)

    def __exit__(self, *_: object) -> None:
        time.sleep(3)
        self.process.terminate()
        self.process.wait()


class Syslog:
    """rsyslogd on /dev/log, writing the authentication facility in the place's shape and host name."""

    def __init__(self, stage: Path, place: Place, log: Path) -> None:
        self.config = stage / f"rsyslog-{place.host}.conf"
        self.config.write_text(
            f'global(localHostname="{place.host}" workDirectory="{stage}")\n'
            'module(load="imuxsock")\n'
            f'auth,authpriv.* action(type="omfile" file="{log}" template="{place.template}")\n'
        )

    def __enter__(self) -> None:
        if Path("/dev/log").exists():
            raise SystemExit("error: another syslog daemon owns /dev/log; run this in a container")
        self.process = subprocess.Popen(["rsyslogd", "-n", "-f", str(self.config), "-i", "NONE"])
        time.sleep(1)

    def __exit__(self, *_: object) -> None:
        time.sleep(1)
        self.process.terminate()
        self.process.wait()
        Path("/dev/log").unlink(missing_ok=True)
