"""dnstap on a socket of `tocsin watch`: blocks are counted once, and nothing else is written down."""

import os
import random
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.ports import free_port
from tests.sift.dnstap_samples import NXDOMAIN, answer, framed, message, wire_name
from tests.sift.listing import Listing
from tests.sift.test_dnstap import NAMES, UNBOUND, ZONE, upstream
from tests.sift.test_rpz_daemons import ask, running
from tests.stories.test_report_killed import tocsin

from tocsin.kernel.problems import BadInput, Problem
from tocsin.sift import blockstore, calling, spool, tallying
from tocsin.sift.engine import Options
from tocsin.sift.live import tapping
from tocsin.sift.live.checking import check
from tocsin.sift.live.settings import Dnstap, Settings, load
from tocsin.sift.live.starting import counting
from tocsin.sift.live.tapping import Count, TapSource
from tocsin.sift.live.watching import Watch
from tocsin.wire.dnstap import CONTENT
from tocsin.wire.framestream import ACCEPT, FINISH, READY, START, Frames, control_frame

URL = "https://exchange.example"
AT = int(time.time()) - 60
KILLS = 20 if os.environ.get("TOCSIN_SOAK") == "1" else 3


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An edge home of the test's own."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "edge"))
    return tmp_path / "edge"


@pytest.fixture
def where() -> Iterator[Path]:
    """A path for a socket, short enough."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-tap-"))
    folder.chmod(0o755)
    yield folder / "s"
    shutil.rmtree(folder)


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Listing:
    """An exchange that lists these names and notes what it is told."""
    made = Listing(names=tuple(NAMES))
    monkeypatch.setattr(calling, "client", made.client)
    monkeypatch.setattr(calling, "PAUSES", ())
    monkeypatch.setenv("TOCSIN_KEY", "a-key")
    return made


@contextmanager
def opened(
    where: Path, folder: Path, count: Count | None = None, limit: int = 1 << 30, every: float = 0.1
) -> Iterator[TapSource]:
    """The door, until the block ends."""
    told = Dnstap(str(where), every)
    count = count or counting(Settings(to=URL, dnstap=(told,)))
    source = TapSource(told, Options(), folder / "inbox", limit, count)
    try:
        yield source
    finally:
        source.close()


def until(reached: Callable[[], object]) -> None:
    """Wait until something is so."""
    ends = time.monotonic() + 60
    while not reached() and time.monotonic() < ends:
        time.sleep(0.02)
    assert reached()


def block(number: int = 0, name: str = "bad.top") -> bytes:
    """One answer out of a policy; each is of another client."""
    client = bytes([10, 0, number >> 8, number & 255])
    return message(answer(name, 0x8583), at=AT, client=client)


def told(exchange: Listing) -> int:
    """How many blocks the exchange knows of: of each log, value and hour the highest number."""
    highest: dict[tuple[str, str, str], int] = {}
    for batch in exchange.told:
        for one in batch.tallies:
            key = (batch.source_id, one.value, one.hour)
            highest[key] = max(one.hits, highest.get(key, 0))
    assert len({log for log, _, _ in highest}) <= 1
    return sum(highest.values())


def test_both_ways_of_a_stream_are_spoken(where: Path, tmp_path: Path, exchange: Listing) -> None:
    """With READY and without; more come than one file holds, and all are of one log."""
    with opened(where, tmp_path) as source:
        with socket.socket(socket.AF_UNIX) as one_way:
            one_way.connect(str(where))
            one_way.sendall(framed(*map(block, range(5)), ends=False))
            until(lambda: source.blocks == 5)
            with socket.socket(socket.AF_UNIX) as both:
                both.connect(str(where))
                both.sendall(control_frame(READY, b"other", CONTENT))
                assert Frames().feed(both.recv(4096))[0][0].control == ACCEPT
                both.sendall(framed(*map(block, range(5, 8))))
                assert both.recv(4096) == control_frame(FINISH)
        until(lambda: source.blocks == 8)
        assert not source.fault
    assert told(exchange) == 8


def test_only_what_may_be_a_block_is_written_down(where: Path, tmp_path: Path) -> None:
    """Questions and answers of others are forgotten; what cannot be read is kept to be counted as such."""
    counted: list[bytes] = []

    def count(paths: list[Path]) -> tuple[int, str]:
        counted.extend(path.read_bytes() for path in paths)
        return 0, ""

    told = [
        message(answer("private.example", 0x100), kind=5, at=AT),
        message(answer("private.example", 0x8180), at=AT),
        message(answer("private.example", 0x8183), at=AT),
        message(answer("private.example", 0x8583), kind=4, at=AT),
        message(answer("a.top", 0x8183), at=AT, action=NXDOMAIN, rule=wire_name("a.top")),
        block(),
        b"\xff\xff",
    ]
    with opened(where, tmp_path, count) as source, socket.socket(socket.AF_UNIX) as resolver:
        resolver.connect(str(where))
        resolver.sendall(framed(*told))
        until(lambda: any(len(one) > 100 for one in counted))
        assert not list(source.files.folder.glob("counting*"))
    kept = [frame.data for one in counted for frame in Frames().feed(one)[0] if not frame.control]
    assert kept == told[4:]


def test_who_speaks_otherwise_is_sent_away_and_counted(
    where: Path, tmp_path: Path, exchange: Listing
) -> None:
    """Another content, no frames at all, a frame without an end: the others go on."""
    with spool.opened("nobody") as kept, opened(where, tmp_path) as source:
        for words in (
            control_frame(START, b"other"),
            b"GET / HTTP/1.1\r\n\r\n",
            control_frame(START) + b"\xff" * 9,
        ):
            with socket.socket(socket.AF_UNIX) as stranger:
                stranger.connect(str(where))
                stranger.sendall(words)
                assert stranger.recv(10) == b""
        said: list[str] = []
        running_ = Watch(Settings(), kept, [source], say=said.append)
        with socket.socket(socket.AF_UNIX) as resolver:
            resolver.connect(str(where))
            resolver.sendall(framed(block()))
            until(lambda: source.blocks == 1)
        running_.round()
        assert len(said) == 2
        assert sorted(running_.meters.turned_away.values()) == [1, 2]
        assert running_.meters.blocks == 1
        assert not running_.meters.source_faults


def test_while_the_exchange_is_away_blocks_are_counted_and_told_later(
    where: Path, tmp_path: Path, exchange: Listing
) -> None:
    """Without another block; and that is a fault meanwhile."""
    with opened(where, tmp_path) as source, socket.socket(socket.AF_UNIX) as resolver:
        resolver.connect(str(where))
        resolver.sendall(framed(block(1), ends=False))
        until(lambda: told(exchange) == 1)
        exchange.is_away = True
        resolver.sendall(framed(block(2), ends=False)[len(control_frame(START, CONTENT)) :])
        until(lambda: "not told" in source.fault)
        assert source.blocks == 2
        exchange.is_away = False
        until(lambda: not source.fault)
    assert told(exchange) == 2


def test_a_count_that_fails_loses_nothing(where: Path, tmp_path: Path) -> None:
    """Whatever it raises: the file stays, and is counted when it can be."""
    ways: list[BaseException | None] = [Problem("busy"), ValueError("odd"), None]
    counted: list[int] = []

    def count(paths: list[Path]) -> tuple[int, str]:
        (path,) = paths
        if len(path.read_bytes()) < 100:
            return 0, ""
        if ways and (way := ways.pop(0)):
            raise way
        counted.append(len(path.read_bytes()))
        return 1, ""

    faults = set()
    with opened(where, tmp_path, count) as source, socket.socket(socket.AF_UNIX) as resolver:
        resolver.connect(str(where))
        resolver.sendall(framed(block()))

        def is_counted() -> bool:
            faults.add(source.fault)
            return source.blocks == 1

        until(is_counted)
        assert source.fault == ""
    assert len(counted) == 1
    assert {"blocks are not counted: busy", "blocks are not counted: ValueError: odd"} <= faults


def test_a_full_disk_and_a_full_inbox_let_resolvers_wait(
    where: Path, tmp_path: Path, exchange: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they gave is written down when it can be."""
    fails = [True]
    write = tapping.TapFiles.write

    def may_fail(files: tapping.TapFiles, frames: list[bytes]) -> None:
        if fails[0]:
            raise OSError(28, os.strerror(28))
        write(files, frames)

    monkeypatch.setattr(tapping.TapFiles, "write", may_fail)
    with opened(where, tmp_path) as source, socket.socket(socket.AF_UNIX) as resolver:
        resolver.connect(str(where))
        resolver.sendall(framed(block()))
        until(lambda: "no space left" in source.fault)
        fails[0] = False
        until(lambda: source.blocks == 1)
        assert source.fault == ""
    with opened(where, tmp_path, limit=0) as source, socket.socket(socket.AF_UNIX) as resolver:
        resolver.connect(str(where))
        resolver.sendall(framed(block(2)))
        time.sleep(0.5)
        assert source.blocks == 0
        source.files._limit = 1 << 20
        until(lambda: source.blocks == 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('socket = "dnstap"', "whole path"),
        (f'socket = "/{"x" * 107}"', "107 bytes at most"),
        ('socket = "/run/x"\nevery = 0', "more than 0 seconds"),
    ],
)
def test_settings_of_a_socket_are_checked(text: str, says: str, tmp_path: Path) -> None:
    """What cannot work is refused before anything starts."""
    path = tmp_path / "watch.toml"
    path.write_text(f"[[dnstap]]\n{text}\n")
    with pytest.raises(BadInput, match=says):
        load(path)


def test_check_says_whether_the_socket_can_be_made(where: Path) -> None:
    """Its folder must be there."""
    for path, state in ((where, "good"), (where / "none", "wrong")):
        assert next(check(Settings(dnstap=(Dnstap(str(path)),)))).state == state


def test_a_real_unbound_is_heard(where: Path, tmp_path: Path, exchange: Listing) -> None:
    """Debian's, in both ways of the stream."""
    if not (unbound := shutil.which("unbound")):
        missing("this needs Unbound: make system")
    port = free_port()
    (tmp_path / "rpz").write_text(f"$ORIGIN tocsin.rpz.\n{ZONE}")
    with upstream() as behind, opened(where, tmp_path) as source:
        form = UNBOUND.format(port=port, folder=tmp_path, upstream=behind)
        (tmp_path / "conf").write_text(form.replace(f'"{tmp_path}/s"', f'"{where}"'))
        with running([unbound, "-d", "-c", str(tmp_path / "conf")], port, tmp_path / "log"):
            for name in NAMES:
                ask(port, name)
            until(lambda: source.blocks >= 4)
    values = {one.value for batch in exchange.told for one in batch.tallies}
    assert values == {"bad.top", "nodata.top", "garden.top"}


def test_killed_at_any_moment_what_was_written_down_counts_once(
    where: Path, tmp_path: Path, home: Path
) -> None:
    """Each block is of another name: what was counted are the first so many of each connection."""
    dice, settings = random.Random(2), tmp_path / "watch.toml"
    settings.write_text(f'[[dnstap]]\nsocket = "{where}"\nevery = 0.05\n')
    for connection in range(KILLS + 1):
        watch = subprocess.Popen(tocsin("watch", "--settings", str(settings)), stderr=subprocess.DEVNULL)
        try:
            with socket.socket(socket.AF_UNIX) as resolver:
                ends = time.monotonic() + 60
                while resolver.connect_ex(str(where)) and time.monotonic() < ends:
                    time.sleep(0.02)
                resolver.sendall(control_frame(START, CONTENT))
                ends, sent = time.monotonic() + dice.uniform(0.5, 4), 0
                while time.monotonic() < ends:
                    name = f"n{connection}-{sent}.top"
                    one = message(answer(name, 0x8183), at=AT, action=NXDOMAIN, rule=wire_name(name))
                    resolver.sendall(len(one).to_bytes(4) + one)
                    sent += 1
                    time.sleep(0.005)
                if connection == KILLS:
                    until(lambda sent=sent: is_counted(f"n{KILLS}-{sent - 1}.top"))
        finally:
            watch.kill()
            watch.wait()
    subprocess.run(tocsin("watch", "--settings", str(settings), "--once"), check=True, capture_output=True)
    hits = everything()
    assert set(hits.values()) == {1}
    for connection in range(KILLS + 1):
        count = sum(name.startswith(f"n{connection}-") for name in hits)
        assert {f"n{connection}-{n}.top" for n in range(count)} <= hits.keys()
    assert count == sent


def is_counted(name: str) -> bool:
    """Whether a name was counted already."""
    with blockstore.opened("") as store:
        return name in store.pieces.values().values()


def everything() -> dict[str, int]:
    """Every indicator with its hits."""
    file = Path(os.environ["TOCSIN_EDGE_HOME"]) / "hours.csv"
    tallying.tally([], tallying.Plan(hours_file=file, is_here=True), "", lambda _: None)
    rows = [line.split(",") for line in file.read_text().splitlines()[1:]]
    return {name: int(hits) for name, _, hits, _ in rows}


def test_half_a_frame_does_not_spoil_the_next(tmp_path: Path) -> None:
    """A disk that ends in the middle of a frame keeps none of it: what is written later is read whole."""
    files = tapping.TapFiles(tmp_path, 1 << 20)
    frames = [bytes([number]) * 1000 for number in range(8)]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            files.write(frames)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    files.write(frames)
    (path,) = files.ended()
    found, broken = Frames().feed(path.read_bytes())
    assert broken is None
    assert [frame.data for frame in found if not frame.control] == frames
    files.close()
