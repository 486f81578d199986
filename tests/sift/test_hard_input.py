"""Input that is made to hurt: each gets a clear answer, within bounded time and memory.

In a short form here; `make soak` runs them at full size.
"""

import gzip
import io
import lzma
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest
import zstandard
from tests.sift.logs import FAILED, by_origin, sift_text, syslog
from tests.sift.record_samples import alert, lines

import tocsin
from tocsin.kernel.problems import BadInput
from tocsin.sift import sources
from tocsin.sift.engine import Options, sift
from tocsin.sift.regions import Hasher, region_of
from tocsin.sift.values import Sifted

SOAK = os.environ.get("TOCSIN_SOAK") == "1"
MB = 1 << 20
BOMB = (2048 if SOAK else 24) * MB
LONG = (1024 if SOAK else 64) * MB
FAIL = FAILED.format(origin="192.0.2.1")
LINE = syslog([FAIL]).encode()
GOOD = LINE * 4
NOBODY = 65534


def _adds_up(sifted: Sifted) -> bool:
    balance = sifted.balance
    return min(
        balance.observed, balance.noise, balance.duplicate, balance.rejected
    ) >= 0 and balance.read == sum(part.read for part in sifted.inputs)


def _stretched(pack: Callable[[Path], object], path: Path) -> Path:
    """A file that `pack` opens, filled with one log line until it unpacks to `BOMB` bytes."""
    block = LINE * (MB // len(LINE))
    with pack(path) as out:  # type: ignore[attr-defined]
        for _ in range(BOMB // len(block)):
            out.write(block)
    return path


def _zstandard(path: Path) -> object:
    return zstandard.open(path, "wb", zstandard.ZstdCompressor(level=3))


PACKERS: dict[str, Callable[[Path], object]] = {
    "xz": lambda path: lzma.open(path, "wb", preset=1),  # noqa: SIM115 (whoever asks closes it)
    "zst": _zstandard,
}


@pytest.mark.soak
@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_of_log_lines_is_given_up_with_a_reason(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came before stays evidence; the other files are read."""
    if not SOAK:
        monkeypatch.setattr(sources, "BOMB_BYTES", 4 * MB)
    _stretched(PACKERS[name], tmp_path / "a.log")
    (tmp_path / "b.log").write_bytes(GOOD.replace(b"192.0.2.1", b"192.0.2.2"))
    sifted = sift([str(tmp_path)], Options())
    assert sifted.balance.reasons[sources.BOMB] == 1
    assert sifted.balance.rejected <= 2  # the line where it was stopped may be half a line
    assert sifted.balance.observed * len(LINE) < BOMB * 3 / 4
    assert by_origin(sifted.attacks)["192.0.2.2"] == 4 and _adds_up(sifted)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstandard.compress], ids=["gz", "xz", "zst"])
def test_a_bomb_of_zeros_is_binary(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """It is given up after the first bytes."""
    started = time.perf_counter()
    sifted = sift_text(tmp_path, pack(bytes(64 * MB)), "zeros")
    assert list(sifted.balance.reasons) == ["binary: no log, mail or report"]
    assert time.perf_counter() - started < 20


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def test_a_bomb_in_an_archive_is_stopped_whichever_way_it_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the sum of its files, before one is unpacked; and inside it by what the archive holds of a file."""
    monkeypatch.setattr(sources, "BOMB_BYTES", 4 * MB)
    monkeypatch.setattr(sources, "BOMB_RATIO", 50)
    many = _zip(tmp_path / "many.zip", {f"{n}.log": LINE * 20_000 for n in range(9)})
    assert sift([str(many)], Options()).balance.reasons == {sources.BOMB: 1}
    packed = zstandard.compress(LINE * 200_000)
    nested = _zip(tmp_path / "nested.zip", {"a.zst": packed})
    sifted = sift([str(nested)], Options())
    assert sifted.balance.reasons[sources.BOMB] == 1 and _adds_up(sifted)
    inner = _zip(tmp_path / "inner.zip", {"a.zip": nested.read_bytes()})
    reason = "a zip archive inside another source: name the archive itself"
    assert sift([str(inner)], Options()).balance.reasons == {reason: 1}


def test_an_archive_is_opened_once_for_all_its_files(tmp_path: Path) -> None:
    """Thousands of files in one cost no more than thousands of files."""
    path = _zip(tmp_path / "many.zip", {f"{n}.log": b"nothing of a log\n" for n in range(2_000)})
    opened: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        real = zipfile.ZipFile._RealGetContents  # type: ignore[attr-defined]
        patch.setattr(
            zipfile.ZipFile, "_RealGetContents", lambda self: (opened.append(1), real(self))[1], raising=True
        )
        sifted = sift([str(path)], Options())
    assert sifted.balance.rejected == 2_000 and len(opened) == 1


class Endless(io.RawIOBase):
    """The letter x, so many times, without memory for them."""

    def __init__(self, size: int, head: bytes, tail: bytes) -> None:
        self._head, self._left, self._tail = head, size, tail

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head
        if self._left:
            part = b"x" * min(size, self._left)
            self._left -= len(part)
            return part
        tail, self._tail = self._tail, b""
        return tail


HEADS = {
    "log": (GOOD, b"\n" + GOOD, "a line of more than 16 MB"),
    "ndjson": (lines([alert()] * 4) + b'{"a":"', b'"}\n' + lines([alert()] * 4), "a line of more than 16 MB"),
    "journal-json": (
        b'{"__REALTIME_TIMESTAMP":"1765349746123456","_HOSTNAME":"g","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"'
        + FAIL.encode() + b'"}\n{"__REALTIME_TIMESTAMP":"', b'"}\n', "not a journal record"),
    "journal-export": (
        b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1765349746123456\n_HOSTNAME=g\nSYSLOG_IDENTIFIER=sshd\nMESSAGE="
        + FAIL.encode() + b"\nODD=", b"\n\n", ""),
    "csv": (b"ts,uid,id.orig_h\n", b"\n", "no log, mail or report of a kind that is known"),
    "zeek": (b"#separator \\x09\n#fields\tts\tid.orig_h\n", b"\n", "a line of more than 16 MB"),
    "mail": (b"From: a@example.net\nSubject: x\n\n", b"\n", "a document of more than 64 MB"),
}  # fmt: skip


@pytest.mark.soak
@pytest.mark.parametrize("name", HEADS)
def test_a_line_without_an_end_is_never_held(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line of 64 MB (1 GB) is one rejection, in bounded memory; what stands around it is read."""
    head, tail, reason = HEADS[name]
    raw = Endless(LONG + 1, head, tail)
    monkeypatch.setattr(sources.Source, "_raw", lambda self: (raw, None))
    monkeypatch.setattr(sources.Source, "is_file", property(lambda self: False))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sifted = sift([str(tmp_path / "long")], Options(year=2025))
    assert list(sifted.balance.reasons) == ([reason] if reason else [])
    assert _adds_up(sifted)
    if name in ("log", "ndjson"):
        assert sifted.balance.observed == 8
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 500 * 1024


def test_an_export_value_of_a_million_lines_is_read_in_one_go(tmp_path: Path) -> None:
    """journald's binary values may hold nothing but line ends."""
    value = b"\n" * 2_000_000
    head = (
        b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1765349746123456\n_HOSTNAME=g\nSYSLOG_IDENTIFIER=sshd\nMESSAGE="
    )
    content = head + FAIL.encode() + b"\nODD\n" + len(value).to_bytes(8, "little") + value + b"\n\n"
    started = time.perf_counter()
    sifted = sift_text(tmp_path, content, "journal.export")
    assert sifted.balance.observed == 1
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize("sizes", [(5, 3), (4096, 1), (1, 4095, 1), (9000,), (0, 1)])
def test_a_line_that_is_not_ended_is_hashed_as_if_it_had_been_held(sizes: tuple[int, ...]) -> None:
    """The regions are those of the whole lines and of the rest, whatever the pieces."""
    for whole in (b"", b"a\n", b"a" * 5000 + b"\nb\n"):
        hasher, rest = Hasher(), b""
        hasher.update(whole)
        for size in sizes:
            hasher.update(b"x" * size)
            rest += b"x" * size
        assert hasher.regions() == [region_of(part) for part in (whole, rest) if part]
        hasher.update(b"y\nz")
        assert hasher.regions() == [region_of(whole + rest + b"y\n"), region_of(b"z")]


@pytest.mark.parametrize(
    "odd",
    [b"\xff\xfe\xfd", b"\0\0\0", b"\xed\xa0\x80", b"\xc0\xaf", b"\x1b[2J", b"\xe2\x80\xae", b"\r", b"\x85"],
    ids=["no UTF-8", "NUL", "surrogate", "overlong", "escape", "right to left", "CR", "NEL"],
)
def test_odd_bytes_in_a_line_are_part_of_it(odd: bytes, tmp_path: Path) -> None:
    """The lines around are read with their numbers, and the line itself counts as one."""
    content = LINE + b"Dec 10 06:55:46 gate sshd[1]: Invalid user " + odd + b" from 192.0.2.7\n" + LINE
    sifted = sift_text(tmp_path, content)
    (attack,) = [attack for attack in sifted.attacks if attack.origins == ("192.0.2.1",)]
    assert attack.evidence[0].lines == (1, 3)
    assert sifted.balance.read == 3


def test_links_that_go_round_are_followed_nowhere(tmp_path: Path) -> None:
    """A link to itself, one to the folder above, and one to a file that is there."""
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a.log").write_bytes(GOOD)
    sifted = sift([str(tmp_path), str(tmp_path / "round")], Options())
    assert sifted.balance.observed == 4
    assert sifted.balance.reasons == {"too many levels of symbolic links": 2}


@pytest.mark.parametrize(
    "path", ["x" * 5000, "a\0b", "\udcff.log", "/dev/zero", "/dev/urandom", "/proc/self/mem"]
)
def test_paths_that_are_no_files_are_named(path: str, tmp_path: Path) -> None:
    """Too long, impossible, not text, or without an end: each is one rejection, at once."""
    good = tmp_path / "a.log"
    good.write_bytes(GOOD)
    sifted = sift([path, str(good)], Options(rejects=tmp_path / "kept"))
    assert (sifted.balance.observed, sifted.balance.rejected) == (4, 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not look")
def test_what_nobody_may_read_is_named(tmp_path: Path) -> None:
    """A folder without permission, a file in one, a file without: each has its reason, the rest is read."""
    tmp_path.chmod(0o755)
    for parent in takewhile(lambda folder: not folder.samefile(tempfile.gettempdir()), tmp_path.parents):
        parent.chmod(parent.stat().st_mode | 0o011)
    closed = tmp_path / "closed"
    closed.mkdir()
    for file in (closed / "in.log", tmp_path / "a.log", tmp_path / "b.log"):
        file.write_bytes(GOOD)
    (tmp_path / "b.log").chmod(0)
    closed.chmod(0)
    code = (
        "import os, sys; from tocsin.sift import logs\nfrom tocsin.sift.engine import Options, sift\n"
        f"sift(sys.argv[1:], Options()); os.setuid({NOBODY}); sifted = sift(sys.argv[1:], Options())\n"
        "print(sifted.balance.observed, dict(sifted.balance.reasons))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path, closed / "in.log"], capture_output=True, text=True, check=False
    )
    assert done.stdout == "4 {'no permission to read': 3}\n", done.stderr


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    """Where somebody names one; in a folder it is left alone."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(GOOD))
    writer.start()
    assert sift([str(pipe)], Options()).balance.observed == 4
    writer.join()
    assert sift([str(tmp_path)], Options()).balance.reasons == {"not a regular file": 1}


def test_a_file_that_grows_while_it_is_read_is_read_on_from_there(tmp_path: Path) -> None:
    """Nothing is lost and nothing doubled, wherever the first reading ended."""
    path = tmp_path / "auth.log"
    path.write_bytes(GOOD * 20_000)
    written, stop = [80_000], threading.Event()

    def write() -> None:
        with path.open("ab") as file:
            while not stop.is_set() and written[0] < 400_000:
                for piece in (LINE[:30], LINE[30:]):
                    file.write(piece)
                    file.flush()
                written[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    first = sift([str(path)], Options())
    stop.set()
    writer.join()
    second = sift([str(path)], Options(known=first.regions))
    cut = 1 if first.balance.observed + second.balance.observed > written[0] else 0  # a line met half written
    assert first.balance.observed + second.balance.observed == written[0] + cut
    assert second.balance.read == written[0] and _adds_up(second)


def test_a_file_that_is_cut_while_it_is_read_gives_what_was_read(tmp_path: Path) -> None:
    """As `copytruncate` does it: the balance is of what was there."""
    path = tmp_path / "auth.log"
    path.write_bytes(GOOD * 200_000)
    cutter = threading.Timer(0.1, lambda: os.truncate(path, 0))
    cutter.start()
    sifted = sift([str(path)], Options())
    cutter.join()
    assert 0 <= sifted.balance.observed <= 800_000 and _adds_up(sifted)
    assert sifted.balance.noise <= 1


def test_a_disk_without_room_for_rejects_is_a_problem(tmp_path: Path) -> None:
    """Nothing is dropped silently: the run ends and says what to do."""
    (tmp_path / "bad").write_bytes(GOOD + b"no header\n" * 3)
    with pytest.raises(BadInput, match="no space left"):
        sift([str(tmp_path / "bad")], Options(rejects=Path("/dev/full")))


@pytest.mark.parametrize(
    ("command", "attacks"),
    [("sift", 20_000), ("report", 20_000), ("report", 2_000), ("report", 100)],
    ids=["rejects", "sums put aside", "spool", "new spool"],
)
def test_a_full_disk_is_told_in_one_sentence(command: str, attacks: int, tmp_path: Path) -> None:
    """By the tool as by the engine: no traceback, an exit code, nothing half done that looks whole."""
    origins = [FAILED.format(origin=f"192.0.{n // 250}.{n % 250}") for n in range(attacks)]
    (tmp_path / "auth.log").write_text(syslog(origins) + "no header of a log\n" * 20_000)
    room = 200_000 if attacks > 100 else 20_000
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))"
    more = ["--least", "info", "--to", "http://127.0.0.1:9"] if command == "report" else []
    code = f"{limit}; from tocsin.cli.main import main; main({[command, *more, 'auth.log']})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path / "edge"), "TMPDIR": str(tmp_path),
             "TOCSIN_KEY": "x", "PYTHONPATH": str(Path(tocsin.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode not in (0, 70), done.stderr
    assert "error: " in done.stderr and "Traceback" not in done.stderr
    assert "internal" not in done.stderr


@pytest.mark.parametrize(
    "stamp",
    [
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "1901-01-01T00:00:00+00:00",
    ],
)
def test_times_that_no_clock_shows_are_rejected(stamp: str, tmp_path: Path) -> None:
    """Before 1970 and after 9999: a rejected line, never a date that cannot be told."""
    line = f"{stamp} gate sshd[1]: {FAIL}\n"
    sifted = sift_text(tmp_path, line.encode() + GOOD)
    assert sifted.balance.reasons == {"impossible time": 1} and sifted.balance.observed == 4
    record = lines([alert(timestamp=stamp), alert()])
    sifted = sift_text(tmp_path, record, "eve.json")
    assert (sifted.balance.observed, sifted.balance.read) == (1, 2)


@pytest.mark.parametrize("changed", [-(1 << 31), 0, 253_402_300_799 + 10**6])
def test_a_file_whose_clock_was_never_set_is_read_by_ours(changed: int, tmp_path: Path) -> None:
    """A day without a year is then the latest before now."""
    path = tmp_path / "auth.log"
    path.write_bytes(GOOD)
    os.utime(path, (changed, changed))
    sifted = sift([str(path)], Options())
    assert sifted.balance.observed == 4 and sifted.attacks[0].first_seen_at >= "2024"


def test_a_host_name_of_ten_thousand_letters_is_nobody(tmp_path: Path) -> None:
    """Neither an origin nor a target; the line is noise, or its target unknown."""
    long = "a" * 10_000
    names = [long, f"{long}.example.net", ".".join(["a"] * 5_000), "1" * 10_000, ":" * 10_000]
    content = "".join(
        f"Dec 10 06:55:46 {host} sshd[1]: {FAILED.format(origin=origin)}\n"
        for name in names
        for host, origin in ((name, "192.0.2.1"), ("gate", name))
    )
    sifted = sift_text(tmp_path, content)
    assert sifted.balance.read == 10
    assert {attack.origins for attack in sifted.attacks} == {("192.0.2.1",)}
    assert all(len(attack.targets[0]) < 256 for attack in sifted.attacks)


@pytest.mark.soak
def test_many_small_files_take_milliseconds_each(tmp_path: Path) -> None:
    """2,000 files of three lines (100,000): none is forgotten, and none takes 20 ms."""
    count = 100_000 if SOAK else 2_000
    for number in range(count):
        folder = tmp_path / str(number // 1000)
        folder.mkdir(exist_ok=True)
        origin = f"192.0.{number // 250 % 250}.{number % 250}"
        (folder / f"{number}.log").write_text(syslog([FAILED.format(origin=origin)] * 3, host=f"h{number}"))
    started = time.process_time()
    sifted = sift([str(tmp_path)], Options())
    assert sifted.balance.observed == 3 * count and _adds_up(sifted)
    assert (time.process_time() - started) / count < 0.02
