"""A real Postfix on loopback, an instance of its own in a folder: it delivers to an LMTP door."""

import os
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.ports import free_port

MAILBOXES = "abuse", "csirt", "boss"
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mail.isp.example
mydestination = isp.example
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
transport_maps = texthash:{folder}/transport
local_recipient_maps =
alias_maps =
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass
class Postfix:
    """The server: what is sent to it goes to the door, again and again until the door takes it."""

    folder: Path
    port: int

    def send(self, mail: bytes, *recipients: str) -> None:
        """Have it take a mail."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as smtp:
            smtp.sendmail("", recipients, mail)

    def waiting(self) -> int:
        """How many mails it has not delivered yet."""
        queues = ("incoming", "active", "deferred", "maildrop", "hold")
        return sum(path.is_file() for queue in queues for path in (self.folder / "queue" / queue).rglob("*"))

    def log(self) -> str:
        """What it did, in its own words."""
        return (self.folder / "log").read_text()


@contextmanager
def postfix(door: str) -> Iterator[Postfix]:
    """A server that delivers to `door` (`inet:127.0.0.1:2424`, `unix:/path`), until the block ends."""
    if not Path("/usr/lib/postfix/sbin/lmtp").exists():
        missing("this needs Postfix: make system")
    if os.geteuid() != 0:
        missing("this needs root: Postfix gives its rights up by itself")
    folder = Path(tempfile.mkdtemp(prefix="tocsin-postfix-"))
    folder.chmod(0o755)
    port = free_port()
    (folder / "main.cf").write_text(MAIN.format(folder=folder))
    (folder / "master.cf").write_text(MASTER.format(port=port))
    (folder / "transport").write_text("".join(f"{who}@isp.example lmtp:{door}\n" for who in MAILBOXES))
    (folder / "queue").mkdir()
    (folder / "data").mkdir()
    shutil.chown(folder / "data", "postfix")
    try:
        for task in ("check", "start"):
            done = subprocess.run(
                ["/usr/sbin/postfix", "-c", str(folder), task], capture_output=True, text=True, check=False
            )
            assert not done.returncode, done.stderr
        try:
            yield _answering(Postfix(folder, port))
        finally:
            _stop(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answering(server: Postfix) -> Postfix:
    ends = time.monotonic() + 15
    while time.monotonic() < ends:
        try:
            with smtplib.SMTP("127.0.0.1", server.port, timeout=5):
                return server
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"Postfix does not answer: {server.log()}")


def _stop(folder: Path) -> None:
    """End it and wait: a master that goes on would outlive the test."""
    pid = int((folder / "queue/pid/master.pid").read_text())
    subprocess.run(["/usr/sbin/postfix", "-c", str(folder), "stop"], capture_output=True, check=False)
    ends = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > ends:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
