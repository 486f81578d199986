"""Blocks in dnstap: what real resolvers write is counted, each frame once, and no client leaves."""

import gzip
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
import zstandard
from tests.conftest import missing
from tests.ports import free_port
from tests.sift.dnstap_samples import (
    DROP,
    LOCAL_DATA,
    NODATA,
    NXDOMAIN,
    PASS,
    TRUNCATE,
    answer,
    framed,
    message,
    record,
    wire_name,
)
from tests.sift.listing import Listing
from tests.sift.mutations import mutate
from tests.sift.test_rpz_daemons import ask, running

from tocsin.sift import calling, tallying
from tocsin.sift.engine import Options, sift
from tocsin.sift.hits import dnstap as taps
from tocsin.sift.hits.dnstap import Tap
from tocsin.sift.hits.names import Listed
from tocsin.sift.lines import IMPOSSIBLE_TIME
from tocsin.sift.live.files import refusal
from tocsin.sift.sources import Source
from tocsin.sift.values import Balance

URL = "https://exchange.example"
AT = 1_795_000_000
NAMES = ["bad.top", "nodata.top", "garden.top", "passed.top", "dropped.top"]
ZONE = """$TTL 60
@ SOA localhost. hostmaster.localhost. 1 60 60 60 60
@ NS localhost.
bad.top CNAME .
nodata.top CNAME *.
garden.top CNAME help.example.
passed.top CNAME rpz-passthru.
dropped.top CNAME rpz-drop.
"""
UNBOUND = """
server:
  interface: 127.0.0.1@{port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/pid"
  use-syslog: no
  module-config: "respip iterator"
  do-not-query-localhost: no
  local-zone: "local.top." static
remote-control:
  control-enable: no
rpz:
  name: tocsin.rpz
  zonefile: "{folder}/rpz"
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{upstream}
dnstap:
  dnstap-enable: yes
  dnstap-socket-path: "{folder}/s"
  dnstap-log-client-query-messages: no
  dnstap-log-client-response-messages: yes
"""
BIND = """
options {{
  directory "{folder}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  pid-file none; session-keyfile none; recursion yes; dnssec-validation no; forward only;
  forwarders port {upstream} {{ 127.0.0.1; }};
  response-policy {{ zone "tocsin.rpz"; }} qname-wait-recurse no;
  dnstap {{ client; }}; dnstap-output file "{folder}/tap";
}};
controls {{}};
zone "tocsin.rpz" {{ type primary; file "{folder}/rpz"; }};
"""
KNOT = """
net.listen('127.0.0.1', {port})
modules = {{
  'policy',
  dnstap = {{ socket_path = '{folder}/s', client = {{ log_queries = false, log_responses = true }} }}
}}
policy.add(policy.rpz(policy.DENY, '{folder}/rpz', false))
policy.add(policy.all(policy.FORWARD('127.0.0.1@{upstream}')))
"""


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A store of the test's own."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "edge"))
    return tmp_path


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Listing:
    """An exchange that lists `bad.top` and notes what it is told."""
    made = Listing(names=("bad.top",))
    monkeypatch.setattr(calling, "client", made.client)
    return made


def run(*paths: Path, **changes: Any) -> tallying.Result:
    """One run of `tocsin tally`."""
    plan = tallying.Plan(**{"is_here": True, "keep_clients": 3650, **changes})
    return tallying.tally(paths, plan, "key", say=lambda _: None)


def tapped(path: Path, listed: Listed) -> tuple[Balance, Counter[tuple[str, str | None]], list[str]]:
    """What a file tells where these names are listed: the balance, hits by name and client, rejections."""
    balance, reasons, hits = Balance(), [], Counter()

    def reject(_: int, reason: str, raw: bytes) -> None:
        assert not raw
        reasons.append(reason)

    def hold(frame: Any) -> None:
        for value, _, client, count in frame.iter_rows():
            hits[value, client] += count

    with Source(str(path)).open() as stream:
        Tap(balance, reject, listed).read(stream, hold)
    return balance, hits, reasons


@contextmanager
def upstream() -> Iterator[int]:
    """A name server that knows `help.example`; of all others it says, with authority, that they are not."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", free_port()))

        def serve() -> None:
            while True:
                data, who = line.recvfrom(4096)
                if not data:
                    return
                asked = dns.message.from_wire(data)
                said = dns.message.make_response(asked)
                said.flags |= dns.flags.AA
                if asked.question[0].name.to_text() == "help.example.":
                    said.answer.append(dns.rrset.from_text("help.example.", 60, "IN", "A", "192.0.2.80"))
                else:
                    said.set_rcode(dns.rcode.NXDOMAIN)
                    said.authority.append(dns.rrset.from_text(".", 60, "IN", "SOA", ". . 1 60 60 60 60"))
                line.sendto(said.to_wire(), who)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield line.getsockname()[1]
        finally:
            line.sendto(b"", line.getsockname())
            thread.join()


@contextmanager
def captured(folder: Path) -> Iterator[None]:
    """fstrm's own program writes what comes through the socket `s` to the file `tap`."""
    capture = shutil.which("fstrm_capture")
    if not capture:
        missing("this needs fstrm_capture: make system")
    command = [capture, "-t", "protobuf:dnstap.Dnstap", "-u", str(folder / "s"), "-w", str(folder / "tap")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        ends = time.monotonic() + 5
        while not (folder / "s").exists() and time.monotonic() < ends:
            time.sleep(0.02)
        (folder / "s").chmod(0o666)
        try:
            yield
        finally:
            time.sleep(0.5)
            process.terminate()


@pytest.mark.parametrize("daemon", ["unbound", "bind", "knot"])
def test_real_resolvers_blocks_are_counted(daemon: str, tmp_path: Path) -> None:
    """None of them writes a policy. What is passed, and not there by another's word, counts for nobody."""
    program = shutil.which({"unbound": "unbound", "bind": "named", "knot": "kresd"}[daemon])
    if not program:
        missing(f"this needs {daemon}: make system")
    port, conf, log = free_port(), tmp_path / "conf", tmp_path / "log"
    rpz = ZONE if daemon == "knot" else f"$ORIGIN tocsin.rpz.\n{ZONE}"
    (tmp_path / "rpz").write_text(rpz)
    command = {
        "unbound": [program, "-d", "-c", str(conf)],
        "bind": [program, "-g", "-c", str(conf)],
        "knot": [program, "-n", "-c", str(conf), str(tmp_path)],
    }[daemon]

    with upstream() as behind, captured(tmp_path) if daemon != "bind" else nullcontext():
        form = {"unbound": UNBOUND, "bind": BIND, "knot": KNOT}[daemon]
        conf.write_text(form.format(port=port, folder=tmp_path, upstream=behind))
        with running(command, port, log):
            for name in (*NAMES, "other.top", "local.top", "below.bad.top", "BAD.top"):
                ask(port, name)
            time.sleep(1.5 if daemon == "unbound" else 0)  # it tells what it holds each second
    balance, hits, reasons = tapped(tmp_path / "tap", Listed(NAMES))
    assert reasons == []
    assert hits.pop(("bad.top", "127.0.0.1")) >= 3  # the daemon is asked until it answers
    gardens = {} if daemon == "knot" else {("garden.top", "127.0.0.1"): 1}  # it knows none
    assert hits == {("nodata.top", "127.0.0.1"): 1, **gardens}
    assert balance.read == said_by_bind(tmp_path / "tap")


def said_by_bind(tap: Path) -> int:
    """How many messages BIND's own reader finds."""
    if not (reader := shutil.which("dnstap-read")):
        missing("this needs dnstap-read: make system")
    return len(subprocess.run([reader, str(tap)], check=True, capture_output=True).stdout.splitlines())


SOA = record(wire_name("tocsin.rpz"), 6, wire_name("localhost") * 2 + bytes(20))
EDE = record(b"\0", 41, struct.pack(">HHH", 15, 2, 15))
REFUSED = answer("bad.top", 0x8183)


@pytest.mark.parametrize(
    ("tap", "counts"),
    [
        # A policy is told: it decides, whatever the answer looks like.
        (message(REFUSED, at=AT, action=NXDOMAIN, rule=wire_name("bad.top.tocsin.rpz")), True),
        (message(REFUSED, at=AT, action=NODATA, type="RPZ"), True),
        (message(REFUSED, at=AT, action=LOCAL_DATA, rule=wire_name("bad.top")), True),
        (message(answer("bad.top", 0x100), kind=5, at=AT, action=DROP, rule=wire_name("bad.top")), True),
        (message(answer("bad.top", 0x8583), at=AT, action=PASS, rule=wire_name("bad.top.tocsin.rpz")), False),
        (message(answer("bad.top", 0x8583), at=AT, action=TRUNCATE), False),
        (message(REFUSED, at=AT, action=NXDOMAIN, rule=wire_name("other.top.tocsin.rpz")), False),
        (message(answer("other.top", 0x8183), at=AT, action=NXDOMAIN), False),
        (message(answer("bad.top", 0x100), kind=5, at=AT, action=NXDOMAIN), False),  # its response counts
        (message(REFUSED, kind=4, at=AT, action=NXDOMAIN), False),  # no client heard it
        # None is told: the answer must be the resolver's own, and the name listed.
        (message(answer("bad.top", 0x8583), at=AT), True),
        (message(answer("bad.top", 0x8183, additional=SOA), at=AT), True),
        (message(answer("bad.top", 0x8183, additional=EDE), at=AT), True),
        (message(REFUSED, at=AT), False),
        (message(answer("other.top", 0x8583), at=AT), False),
        (message(answer("below.bad.top", 0x8583), at=AT), False),
        (message(answer("bad.top", 0x8583), kind=8, at=AT), False),
    ],
)
def test_what_counts_as_a_block(tap: bytes, counts: bool, tmp_path: Path) -> None:
    """By a policy, an extended error, or an answer of the resolver's own about a listed name."""
    (tmp_path / "tap").write_bytes(framed(tap))
    balance, hits, _ = tapped(tmp_path / "tap", Listed(["bad.top"]))
    assert hits == ({("bad.top", "192.0.2.99"): 1} if counts else {})
    assert (balance.observed, balance.noise) == (int(counts), int(not counts))


def test_without_a_list_only_what_is_told_counts(tmp_path: Path) -> None:
    """A policy or an extended error; an answer of its own may be about anything."""
    told = [
        message(answer("a.top", 0x8183), at=AT, action=NXDOMAIN, rule=wire_name("a.top.any.rpz")),
        message(answer("b.top", 0x8183, additional=EDE), at=AT),
        message(answer("c.top", 0x8583), at=AT),
    ]
    (tmp_path / "tap").write_bytes(framed(*told))
    result = run(tmp_path / "tap")
    assert (result.connections, result.noise) == (2, 1)
    assert {top.indicator for top in result.top} == {"a.top", "b.top"}


@pytest.mark.parametrize(
    ("content", "reason", "read"),
    [
        (framed(message(answer("bad.top", 0x8583), at=AT))[:-20], taps.CUT_SHORT, 1),
        (
            framed(message(answer("bad.top", 0x8583), at=AT), ends=False) + b"\xff" * 9,
            "a frame of more than 1 MB",
            2,
        ),
        (framed(b"\xff" * 40), "no dnstap message", 1),
        (framed(message(answer("bad.top", 0x8583))), taps.NO_TIME, 1),
        (framed(message(answer("bad.top", 0x8583), at=2**40)), IMPOSSIBLE_TIME, 1),
        (framed(message(b"short", at=AT)), "a DNS message without a question", 1),
        (framed(b"x", content=b"protobuf:other"), taps.ANOTHER, 1),
    ],
)
def test_what_cannot_be_read_is_counted_and_keeps_no_client(
    content: bytes, reason: str, read: int, tmp_path: Path, exchange: Listing, home: Path
) -> None:
    """With its reason and the number of its frame, for it is still where it was; what came before counts."""
    (tmp_path / "tap").write_bytes(content)
    os.utime(tmp_path / "tap", (AT, AT))
    result = run(tmp_path / "tap", url=URL)
    assert (result.read, result.rejected, result.connections) == (read, 1, read - 1)
    (kept,) = home.rglob("tally-rejected")
    assert kept.read_bytes().endswith(reason.encode() + b"\t\n")


def test_a_file_that_grows_or_is_packed_counts_once(tmp_path: Path, exchange: Listing) -> None:
    """Also while its last frame is not whole; what comes later counts when it is there."""
    one, two = (message(answer("bad.top", 0x8583), at=AT + n, client=bytes([192, 0, 2, n])) for n in (1, 2))
    tap, whole = tmp_path / "dns.tap", framed(one, two, one)
    tap.write_bytes(framed(one, ends=False))
    assert run(tap, url=URL).connections == 1
    tap.write_bytes(whole[: len(framed(one, two, ends=False)) + 9])
    grown = run(tap, url=URL)
    assert (grown.connections, grown.duplicate, grown.rejected) == (1, 1, 0)
    tap.write_bytes(whole)
    (tmp_path / "dns.tap.gz").write_bytes(gzip.compress(whole))
    (tmp_path / "dns.tap.zst").write_bytes(zstandard.compress(whole))
    again = run(tmp_path / "dns.tap", tmp_path / "dns.tap.gz", tmp_path / "dns.tap.zst", url=URL)
    assert (again.connections, again.duplicate, again.rejected) == (1, 2 + 3 + 3, 0)
    assert sum(one.hits for batch in exchange.told[-1:] for one in batch.tallies) == 3


def test_no_client_and_no_other_name_leaves(tmp_path: Path, exchange: Listing) -> None:
    """What is told are listed names, hours and numbers."""
    answers = [answer("bad.top", 0x8583), answer("private.example", 0x8583)]
    told = [message(one, at=AT, client=bytes([192, 0, 2, n])) for n in range(7) for one in answers]
    (tmp_path / "tap").write_bytes(framed(*told))
    result = run(tmp_path / "tap", url=URL)
    assert result.connections == 7
    sent = repr(exchange.told)
    assert "bad.top" in sent
    assert "clients=7" in sent
    for word in ("192.0.2", "private", "tap'", str(tmp_path)):
        assert word not in sent


def test_anything_broken_is_counted(tmp_path: Path) -> None:
    """Mutations of good files: the balance adds up, and nothing is raised."""
    dice = random.Random(11)
    good = framed(
        *(message(answer(name, 0x8583, additional=EDE), at=AT + n, action=1 + n % 6, rule=wire_name(name))
          for n, name in enumerate(NAMES * 3))
    )  # fmt: skip
    seen = 0
    for number in range(400):
        (tmp_path / "tap").write_bytes(
            framed()[:-12] + mutate(good, dice) if number % 2 else mutate(good, dice)
        )
        balance, hits, reasons = tapped_or_nothing(tmp_path / "tap")
        assert balance.observed == sum(hits.values())
        assert min(balance.observed, balance.noise) >= 0
        seen += len(reasons)
    assert seen


def tapped_or_nothing(path: Path) -> tuple[Balance, Counter[tuple[str, str | None]], list[str]]:
    """The same, where a file of another content is nothing."""
    from tocsin.sift.sources import Unreadable

    try:
        return tapped(path, Listed(NAMES))
    except Unreadable:
        return Balance(), Counter(), []


def test_sift_and_watch_say_which_command_reads_it(tmp_path: Path) -> None:
    """A block is no attack."""
    content = framed(message(REFUSED, at=AT))
    (tmp_path / "dns.tap").write_bytes(content)
    sifted = sift([str(tmp_path / "dns.tap")])
    assert list(sifted.balance.reasons) == ["dnstap tells blocks and no attacks: tocsin tally counts them"]
    assert "tocsin tally" in refusal(content, Options())
    assert json.dumps(sifted.balance.rejected) == "1"
