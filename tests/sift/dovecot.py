"""A real Dovecot on loopback, without privileges, in a folder of its own."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import missing
from tests.ports import free_port

CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
mail_location = maildir:{folder}/mail
first_valid_uid = 1
disable_plaintext_auth = no
auth_failure_delay = 0
ssl = {ssl}
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
passdb {{
  driver = static
  args = password=a-password
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
service stats {{
  chroot =
}}
"""


@dataclass
class Dovecot:
    """One mailbox, `abuse` with the password `a-password`, and the server that gives it when it runs."""

    folder: Path
    port: int
    tls: bool
    uid: int
    gid: int
    _process: subprocess.Popen[bytes] | None = None
    _count: int = field(default=0)

    def deliver(self, mail: bytes) -> None:
        """Put a mail into the mailbox, as a delivery agent does."""
        self._count += 1
        for name in ("tmp", "new", "cur"):
            self._own(self.folder / "mail" / name)
        path = self.folder / "mail" / "tmp" / f"{time.time_ns()}.{self._count}.example"
        path.write_bytes(mail)
        os.chown(path, self.uid, self.gid)
        path.rename(self.folder / "mail" / "new" / path.name)

    def names(self) -> list[str]:
        """The mails with their folder and flags: what a reader that changes nothing leaves as it was."""
        return sorted(
            str(path.relative_to(self.folder)) for path in (self.folder / "mail").glob("*/*.example*")
        )

    def count_anew(self) -> None:
        """Forget all numbers, so that UIDVALIDITY is another one."""
        time.sleep(1.1)  # it is a time in seconds
        for path in (self.folder / "mail").glob("dovecot*"):
            path.unlink()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = ["/usr/sbin/dovecot", "-F", "-c", str(self.folder / "dovecot.conf")]
        how: dict[str, Any] = {"stderr": subprocess.DEVNULL, "start_new_session": True}
        if os.geteuid() == 0:
            how |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        self._process = subprocess.Popen(command, **how)
        ends = time.monotonic() + 15
        while time.monotonic() < ends:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        log = self.folder / "log"
        pytest.fail(f"Dovecot does not answer: {log.read_text() if log.exists() else 'no log'}")

    def stop(self) -> None:
        """Stop the server, and those of its processes that still serve somebody."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(timeout=15)
            self._process = None

    def _own(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for path in (folder, folder.parent):
            os.chown(path, self.uid, self.gid)


@contextmanager
def dovecot(*, tls: bool = False) -> Iterator[Dovecot]:
    """A server that is not started yet, until the block ends; with `tls`, its certificate is `server.pem`."""
    if not Path("/usr/sbin/dovecot").exists():
        missing("this needs Dovecot: make system")
    known = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder = Path(tempfile.mkdtemp(prefix="tocsin-dovecot-"))
    try:
        _certificate(folder)
        ports = free_port(), free_port()
        (folder / "dovecot.conf").write_text(
            CONFIG.format(
                folder=folder, user=known.pw_name, uid=known.pw_uid, gid=known.pw_gid, plain=ports[0],
                tls=ports[1], ssl="yes" if tls else "no", group=_group(known.pw_gid),
            )
        )  # fmt: skip
        for path in (folder, *folder.iterdir()):
            os.chown(path, known.pw_uid, known.pw_gid)
        server = Dovecot(folder, ports[tls], tls, known.pw_uid, known.pw_gid)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _group(gid: int) -> str:
    import grp

    return grp.getgrgid(gid).gr_name


def _certificate(folder: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(folder / "server.key"), "-out", str(folder / "server.pem"), "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
