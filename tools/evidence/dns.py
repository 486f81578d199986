"""Unbound with a list of the exchange, and customers who follow a phishing link: what it refuses, it logs."""

import secrets
import socket
import struct
import subprocess
import time
from pathlib import Path

SERVER, PORT = "192.0.2.10", 53
PHISH, HARMLESS = "login.fenland-billing.example", "www.moorview.example"
CUSTOMERS = tuple(f"192.0.2.{host}" for host in range(131, 140))
QUESTIONS = 47

CONFIG = """
server:
  interface: {server}
  port: {port}
  access-control: 192.0.2.0/24 allow
  username: ""
  chroot: ""
  directory: "{stage}"
  pidfile: "{stage}/unbound.pid"
  use-syslog: no
  logfile: "{log}"
  module-config: "respip iterator"
  local-zone: "{harmless}." static
  local-data: "{harmless}. A 192.0.2.10"
rpz:
  name: tocsin.rpz
  zonefile: "{zone}"
  rpz-log: yes
  rpz-log-name: "tocsin"
"""
ZONE = f"$TTL 60\n@ IN SOA ns. h. 1 1 1 1 1\n@ IN NS ns.\n{PHISH} IN CNAME .\n"


def record(stage: Path, out: Path) -> None:
    """Ask for the phishing name and for a harmless one; Unbound's log is written under `out`."""
    zone, log, config = (stage / name for name in ("names.rpz", "unbound.log", "unbound.conf"))
    zone.write_text(ZONE)
    config.write_text(
        CONFIG.format(server=SERVER, port=PORT, stage=stage, log=log, zone=zone, harmless=HARMLESS)
    )
    server = subprocess.Popen(["unbound", "-d", "-c", str(config)])
    try:
        time.sleep(2)
        for number in range(QUESTIONS):
            asker = CUSTOMERS[number % len(CUSTOMERS)]
            _ask(asker, PHISH)
            _ask(asker, HARMLESS)
    finally:
        server.terminate()
        server.wait()
    kept = out / "moorview-blocks" / "unbound.log"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(log.read_bytes())


def _ask(asker: str, name: str) -> None:
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    header = struct.pack("!6H", secrets.randbelow(1 << 16), 0x0100, 1, 0, 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((asker, 0))
        client.settimeout(5)
        client.sendto(header + question + struct.pack("!2H", 1, 1), (SERVER, PORT))
        client.recv(512)
