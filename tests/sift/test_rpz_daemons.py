"""What real resolvers write when a list stops a question is counted: Knot Resolver and PowerDNS Recursor."""

import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from tests.ports import free_port

from tocsin.sift.hits.names import Listed
from tocsin.sift.lines import Block
from tocsin.sift.rpzlogs import Hits
from tocsin.sift.stamps import Clock
from tocsin.sift.values import Balance

LISTED = Listed(["bad.top", "dropped.top"])
KNOT = """
net.listen('127.0.0.1', {port})
modules = {{'policy'}}
policy.add(policy.rpz(policy.DENY, '{zone}', false))
log_groups({{'policy'}})
log_level('debug')
"""
ZONE = """$TTL 60
@ SOA localhost. hostmaster.localhost. 1 60 60 60 60
@ NS localhost.
bad.top{origin} CNAME .
dropped.top{origin} CNAME rpz-drop.
"""


def ask(port: int, name: str) -> bytes:
    """One question for an address; the answer's bytes, none where none came."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    question = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(0.5)
        line.sendto(question, ("127.0.0.1", port))
        try:
            return line.recv(512)
        except OSError:
            return b""


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[None]:
    """The daemon, once it answers."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        ends = time.monotonic() + 8
        while not ask(port, "bad.top"):
            assert time.monotonic() < ends, log.read_text()
            assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()  # BIND writes the rest of its dnstap then
        process.wait(timeout=20)


def counted(lines: list[str]) -> Hits:
    hits = Hits(Balance(), lambda number, reason, raw: None)
    import datetime as dt

    now = dt.datetime.now(dt.UTC)
    hits.read(Block(pl.Series("line", lines, dtype=pl.String), 1), Clock(now, tz="UTC"), LISTED)
    return hits


def test_knot_resolver_5_tells_its_blocks(tmp_path: Path) -> None:
    """Denied and dropped, in what syslog makes of its words."""
    if not (kresd := shutil.which("kresd")):
        pytest.skip("kresd is not installed")
    if " 5." not in subprocess.check_output([kresd, "--version"], text=True):
        pytest.skip("another version of kresd")
    port, log = free_port(), tmp_path / "log"
    (tmp_path / "tocsin.rpz").write_text(ZONE.format(origin=""))
    (tmp_path / "conf").write_text(KNOT.format(port=port, zone=tmp_path / "tocsin.rpz"))
    with running([kresd, "-n", "-c", str(tmp_path / "conf"), str(tmp_path)], port, log):
        ask(port, "dropped.top")
        ask(port, "bad.top")
    lines = [f"Nov 20 01:02:03 ns1 kresd1[9]: {line}" for line in log.read_text().splitlines() if line]
    values = [value for value, _ in counted(lines).counts]
    assert sorted(values) == ["bad.top", "dropped.top"]


@pytest.mark.parametrize("structured", ["yes", "no"])
def test_powerdns_recursor_tells_its_blocks(structured: str, tmp_path: Path) -> None:
    """With keys and in words; with keys it names the client."""
    if not (recursor := shutil.which("pdns_recursor")):
        pytest.skip("pdns_recursor is not installed")
    port, log = free_port(), tmp_path / "log"
    (tmp_path / "tocsin.rpz").write_text("$ORIGIN tocsin.rpz.\n" + ZONE.format(origin=""))
    (tmp_path / "lists.lua").write_text(f'rpzFile("{tmp_path}/tocsin.rpz", {{policyName="tocsin"}})\n')
    settings = {
        "config-dir": tmp_path, "socket-dir": tmp_path, "local-address": "127.0.0.1", "local-port": port,
        "lua-config-file": tmp_path / "lists.lua", "quiet": "no", "loglevel": 9, "threads": 1, "daemon": "no",
        "disable-syslog": "yes", "structured-logging": structured, "hint-file": "no",
    }  # fmt: skip
    with running([recursor, *(f"--{name}={value}" for name, value in settings.items())], port, log):
        ask(port, "dropped.top")
        ask(port, "bad.top")
    hits = counted(log.read_text().splitlines())
    assert {value for value, _ in hits.counts} == {"bad.top", "dropped.top"}
    clients = {client for frame in hits.frames for client in frame["client"]}
    assert clients == {"127.0.0.1"} if structured == "yes" else "127.0.0.1" in clients
