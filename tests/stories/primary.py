"""Knot as hidden primary, `tocsin dns` beside it, and resolvers that follow it by the printed set-up text."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.ports import free_port
from tests.stories.daemons import KNOWN, Resolver, running, served_zone

EDGE = "from tocsin.cli.main import main; main()"
SETTINGS = """
exchange = "{url}"
folder = "{folder}/knot"
listen = ["127.0.0.1:{port}"]
{more}
"""
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
remote-control:
  control-enable: no
{served}
{printed}
"""
BIND = """
options {{
  directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile none;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  dnssec-validation no; empty-zones-enable no;
  {options}
}};
controls {{ }};
logging {{
  channel blocks {{ file "{log}"; print-time iso8601; print-category yes; }};
  category rpz {{ blocks; }};
  category rpz-passthru {{ blocks; }};
}};
{printed}
{served}
"""
KNOT = """
server:
    listen: 127.0.0.1@{port}
    rundir: "{folder}"
database:
    storage: "{folder}"
template:
  - id: default
    storage: "{folder}"
log:
  - target: "{log}"
    any: info
{printed}
"""
KRESD = """
modules = {{ 'hints > iterate' }}
net.listen('127.0.0.1', {port})
trust_anchors.remove('.')
cache.size = 4 * MB
{served}
{printed}
"""


@dataclass
class Primary:
    """One folder with settings, and the two processes that work in it; each can be killed and started."""

    url: str
    key: str
    folder: Path
    port: int = field(default_factory=free_port)
    ports: dict[str, int] = field(default_factory=dict)
    policy: str = ""
    knot: "subprocess.Popen[bytes] | None" = None
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.folder / "dns.toml"

    @property
    def said(self) -> Path:
        """What `tocsin dns` has said."""
        return self.folder / "dns.log"

    @property
    def steps(self) -> Path:
        """What reached Knot, an object a line."""
        return self.folder / "steps.ndjson"

    def write(self, policy: str = "") -> None:
        """Write the settings, with the secondaries that are known by now."""
        more = policy + "\n"
        for kind, port in self.ports.items():
            tsig = "false" if kind == "unbound" else "true"
            more += f'[[secondary]]\naddress = "127.0.0.1:{port}"\ntsig = {tsig}\n'
        self.settings.write_text(SETTINGS.format(url=self.url, folder=self.folder, port=self.port, more=more))

    def tocsin(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`tocsin dns WORDS`, to its end."""
        argv = [sys.executable, "-c", EDGE, "dns", "--settings", str(self.settings), *words]
        return subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=60)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the one who protects its network."""
        return {**os.environ, "TOCSIN_KEY": self.key, "TOCSIN_EDGE_HOME": str(self.folder / "edge")}

    def start(self) -> None:
        """Start `tocsin dns`; its first words are awaited, so that Knot's configuration is there."""
        argv = [sys.executable, "-c", EDGE, "dns", "--settings", str(self.settings), "--json"]
        with self.said.open("ab") as log, self.steps.open("ab") as steps:
            self.process = subprocess.Popen(argv, env=self.environment, stdout=steps, stderr=log)

    def start_knot(self) -> None:
        """Start Knot from the folder, as the operator does."""
        conf = self.folder / "knot" / "knot.conf"
        assert comes(conf.exists), self.said.read_text()
        with (self.folder / "knot.log").open("ab") as log:
            self.knot = subprocess.Popen(["knotd", "-c", str(conf)], stdout=log, stderr=log)

    def kill(self, which: str, number: int = signal.SIGKILL) -> None:
        """Kill `tocsin dns` ("process") or Knot ("knot") at once."""
        process = getattr(self, which)
        if process is not None:
            process.send_signal(number)
            process.wait(30)
            setattr(self, which, None)

    def printed(self, kind: str) -> str:
        """The set-up text for a resolver of that kind."""
        done = self.tocsin("setup", kind)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def primary(url: str, key: str, folder: Path, kinds: Sequence[str], policy: str = "") -> Iterator[Primary]:
    """A hidden primary that runs, with room for secondaries of these kinds."""
    folder.mkdir(exist_ok=True)
    made = Primary(url, key, folder, ports={kind: free_port() for kind in kinds})
    made.write(policy)
    try:
        made.start()
        made.start_knot()
        yield made
    finally:
        for which in ("process", "knot"):
            made.kill(which, signal.SIGTERM)


@contextmanager
def secondary(kind: str, of: Primary, names: Sequence[str]) -> Iterator[Resolver]:
    """A resolver of that kind, set up by the printed text, which knows these names by itself."""
    folder = of.folder / f"{kind}-secondary"
    folder.mkdir(exist_ok=True)
    made = {
        "unbound": _unbound,
        "bind": _bind,
        "powerdns": _powerdns,
        "knot": _knot,
        "knot-resolver": _kresd,
    }[kind]
    port, log = of.ports.get(kind) or free_port(), folder / "daemon.log"
    with running(*made(folder, of.printed(kind), port, log, names)):
        yield Resolver(port, log, "")


def _unbound(folder: Path, printed: str, port: int, log: Path, names: Sequence[str]) -> list[str]:
    served = "\n".join(KNOWN.format(name=name, data=served_zone(folder)) for name in names)
    printed = printed.replace("/var/lib/unbound", str(folder))
    conf = folder / "unbound.conf"
    conf.write_text(UNBOUND.format(port=port, folder=folder, log=log, served=served, printed=printed))
    return ["unbound", "-d", "-c", str(conf)]


def _bind(folder: Path, printed: str, port: int, log: Path, names: Sequence[str]) -> list[str]:
    data = served_zone(folder)
    served = "\n".join(f'zone "{name}" {{ type primary; file "{data}"; }};' for name in names)
    line = re.search(r"^options \{ (.*) \};\n", printed, re.MULTILINE)
    assert line, printed
    printed, conf = printed.replace(line[0], ""), folder / "named.conf"
    fields = {"port": port, "folder": folder, "log": log, "options": line[1]}
    conf.write_text(BIND.format(printed=printed, served=served, **fields))
    return ["named", "-f", "-n", "1", "-c", str(conf)]


def _powerdns(folder: Path, printed: str, port: int, log: Path, names: Sequence[str]) -> list[str]:
    lua = folder / "rpz.lua"
    lua.write_text(printed)
    served = ",".join(f"{name}={served_zone(folder)}" for name in names)
    lines = re.findall(r"^--   (\S+=\S+)$", printed, re.MULTILINE)
    argv = [
        "pdns_recursor", f"--config-dir={folder}", f"--socket-dir={folder}", f"--lua-config-file={lua}",
        "--local-address=127.0.0.1", f"--local-port={port}", f"--auth-zones={served}", "--daemon=no",
        "--threads=1", "--dnssec=off", "--setuid=", "--setgid=", "--write-pid=no",
    ]  # fmt: skip
    return [*argv, *(f"--{line}" for line in lines)]


def _knot(folder: Path, printed: str, port: int, log: Path, names: Sequence[str]) -> list[str]:
    conf = folder / "knot.conf"
    conf.write_text(KNOT.format(port=port, folder=folder, log=log, printed=printed))
    return ["knotd", "-c", str(conf)]


def _kresd(folder: Path, printed: str, port: int, log: Path, names: Sequence[str]) -> list[str]:
    served = "\n".join(f"hints['{name}'] = '192.0.2.80'" for name in names)
    conf = folder / "kresd.conf"
    printed = printed.replace("/var/lib/knot-resolver", str(folder))
    conf.write_text(KRESD.format(port=port, served=served, printed=printed))
    return ["kresd", "-n", "-q", "-c", str(conf), str(folder)]


def comes(is_so: object, seconds: float = 20.0) -> bool:
    """Whether it comes to be so in that time; looked at ten times a second."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if is_so():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False
