"""Real resolvers and a real firewall on loopback, each with a folder or a namespace of its own."""

import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import missing
from tests.ports import free_port

NOERROR, NXDOMAIN = 0, 3
A, AAAA = 1, 28
ADDRESS = "192.0.2.80"

UNBOUND = """
server:
  interface: 127.0.0.1
  port: {port}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: "{log}"
  module-config: "respip iterator"
rpz:
  name: tocsin.rpz
  zonefile: "{zone}"
  rpz-log: yes
  rpz-log-name: "tocsin"
remote-control:
  control-enable: yes
  control-interface: {folder}/control
  control-use-cert: no
{served}
"""
BIND = """
options {{
  directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile none;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  dnssec-validation no; empty-zones-enable no; max-cache-size 16m;
  response-policy {{ zone "tocsin.rpz"; }} min-update-interval 1 qname-wait-recurse no;
}};
logging {{
  channel blocks {{ file "{log}"; print-time iso8601; print-category yes; }};
  category rpz {{ blocks; }};
}};
key "own" {{ algorithm hmac-sha256; secret "{secret}"; }};
controls {{ inet 127.0.0.1 port {control} allow {{ 127.0.0.1; }} keys {{ "own"; }}; }};
zone "tocsin.rpz" {{ type primary; file "{zone}"; }};
{served}
"""
RNDC = """
key "own" {{ algorithm hmac-sha256; secret "{secret}"; }};
options {{ default-server 127.0.0.1; default-port {control}; default-key "own"; }};
"""
# Not as local-data, which Unbound answers before it looks at any policy.
KNOWN = 'auth-zone:\n  name: {name}\n  zonefile: "{data}"\n  for-downstream: no\n  for-upstream: yes\n'
SERVED = f"$TTL 60\n@ IN SOA ns. h. 1 3600 600 604800 60\n@ IN NS ns.\n@ IN A {ADDRESS}\n* IN A {ADDRESS}\n"


@dataclass(frozen=True)
class Resolver:
    """One that answers on loopback, where it logs, and how it is told that its list changed."""

    port: int
    log: Path
    reload: str

    def rcode(self, name: str, kind: int = A) -> int:
        """What it answers (RFC 1035 section 4.1.1)."""
        question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
        query = struct.pack("!6H", 4711, 0x0100, 1, 0, 0, 0) + question + struct.pack("!2H", kind, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.sendto(query, ("127.0.0.1", self.port))
            return asking.recv(512)[3] & 15

    def settles_on(self, name: str, rcode: int) -> bool:
        """Whether it comes to answer so within 30 seconds; a daemon loads a zone when it gets to it."""
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            try:
                if self.rcode(name) == rcode:
                    return True
            except OSError:
                pass
            time.sleep(0.05)
        return False


def needs(*programs: str, root: bool = False) -> None:
    """Skip where a program is missing, or the right to make network namespaces."""
    for program in programs:
        if shutil.which(program) is None:
            missing(f"this needs {program}: make system")
    if root and os.geteuid() != 0:
        missing("this needs root, for a network namespace of its own")


def served_zone(folder: Path) -> Path:
    """A zone file that any name can be served from."""
    data = folder / "served.zone"
    data.write_text(SERVED)
    return data


@contextmanager
def unbound(folder: Path, zone: Path, names: Sequence[str]) -> Iterator[Resolver]:
    """Unbound with the zone as its policy, which knows these names."""
    port, log, conf = free_port(), folder / "unbound.log", folder / "unbound.conf"
    served = "\n".join(KNOWN.format(name=name, data=served_zone(folder)) for name in names)
    conf.write_text(UNBOUND.format(port=port, folder=folder, log=log, zone=zone, served=served))
    reload = f"unbound-control -c {conf} auth_zone_reload tocsin.rpz"
    with running("unbound", "-d", "-c", str(conf)):
        yield Resolver(port, log, reload)


@contextmanager
def bind(folder: Path, zone: Path, names: Sequence[str]) -> Iterator[Resolver]:
    """BIND with the zone as its policy, which is authoritative for these names."""
    port, control, secret = free_port(), free_port(), secrets.token_hex(16)
    log, conf, rndc = (folder / name for name in ("rpz.log", "named.conf", "rndc.conf"))
    data = served_zone(folder)
    served = "\n".join(f'zone "{name}" {{ type primary; file "{data}"; }};' for name in names)
    fields = {"port": port, "control": control, "secret": secret, "folder": folder, "log": log, "zone": zone}
    conf.write_text(BIND.format(served=served, **fields))
    rndc.write_text(RNDC.format(**fields))
    with running("named", "-f", "-n", "1", "-c", str(conf)):
        yield Resolver(port, log, f"rndc -c {rndc} reload tocsin.rpz")


@contextmanager
def running(*command: str) -> Iterator[None]:
    """A daemon, ended by its own process and nobody else's."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(15)


@dataclass(frozen=True)
class Firewall:
    """A network namespace with nftables in it, and another from which somebody sends to it."""

    inside: str
    outside: str

    def nft(self, *words: str) -> str:
        """What nft prints inside."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.inside, "nft", *words], check=True, capture_output=True, text=True
        )
        return done.stdout

    def heard(self, senders: Sequence[str]) -> list[str]:
        """Who of these addresses is heard inside, when each sends one datagram; the last must be."""
        listening = subprocess.Popen(
            ["ip", "netns", "exec", self.inside, sys.executable, "-c", LISTEN, senders[-1]],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert listening.stdout is not None
        assert listening.stdout.readline() == "ready\n"
        sending = ["ip", "netns", "exec", self.outside, sys.executable, "-c", SEND, *senders]
        subprocess.run(sending, check=True)
        said, _ = listening.communicate(timeout=15)
        return said.split()


LISTEN = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.1", 5300))
s.settimeout(10)
print("ready", flush=True)
while (who := s.recvfrom(9)[1][0]):
    print(who)
    if who == sys.argv[1]:
        break
"""
SEND = """
import socket, sys
for who in sys.argv[1:]:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((who, 0))
    s.sendto(b"knock", ("10.9.0.1", 5300))
"""


@contextmanager
def firewall(senders: Sequence[str]) -> Iterator[Firewall]:
    """Two namespaces and a cable between them; `senders` are the other side's addresses."""
    mark = secrets.token_hex(3)
    inside, outside = f"tocsin-in-{mark}", f"tocsin-out-{mark}"

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    ip("netns", "add", inside)
    try:
        ip("netns", "add", outside)
        ip("link", "add", "cable", "netns", inside, "type", "veth", "peer", "name", "cable", "netns", outside)
        ip("-n", inside, "addr", "add", "10.9.0.1/24", "dev", "cable")
        ip("-n", outside, "addr", "add", "10.9.0.2/24", "dev", "cable")
        for sender in senders:
            ip("-n", outside, "addr", "add", f"{sender}/32", "dev", "cable")
        for side in (inside, outside):
            ip("-n", side, "link", "set", "cable", "up")
        ip("-n", inside, "route", "add", "default", "dev", "cable")
        yield Firewall(inside, outside)
    finally:
        for side in (inside, outside):
            subprocess.run(["ip", "netns", "del", side], check=False, capture_output=True)
