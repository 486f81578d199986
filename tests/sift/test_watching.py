"""Watching finds what one whole sift finds, however often it is interrupted, and keeps what waits."""

import random
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.conftest import missing
from tests.sift.logs import FAILED

from tocsin.kernel.problems import BadInput
from tocsin.sift import replaying, reporting, spool
from tocsin.sift.engine import Options, sift
from tocsin.sift.live import following, settings, state
from tocsin.sift.live.files import Patterns
from tocsin.sift.live.journal import JournalSource, journal_name
from tocsin.sift.live.meters import Meters
from tocsin.sift.live.metrics import serve
from tocsin.sift.live.receiving import SyslogSource, frames
from tocsin.sift.live.settings import Files, Journal, Settings, Syslog
from tocsin.sift.live.state import LiveState
from tocsin.sift.live.watching import Watch
from tocsin.sift.spool import Spool
from tocsin.sift.values import Attack

PAM = "pam_unix(sshd:auth): authentication failure; logname= uid=0 tty=ssh ruser= rhost={origin}"
WON = "Accepted password for root from {origin} port 22 ssh2"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An edge home of the test's own; a renamed file is left at once."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(following, "GRACE", 0.0)
    return tmp_path / "home"


def lines(dice: random.Random, number: int) -> Iterator[str]:
    """Guessing, its echoes, sign-ins and noise at one host over some days."""
    for n in range(number):
        origin = f"192.0.2.{dice.randrange(12)}"
        message = dice.choice([FAILED, FAILED, FAILED, PAM, WON, "Connection closed by {origin} port 2"])
        at = f"2026-03-{1 + n // 200:02}T{n % 200 // 10:02}:{n % 10:02}:00Z"
        yield f"{at} gate sshd[{n}]: {message.format(origin=origin)}\n"


def watching(log: Path, kept: Spool) -> Watch:
    """A watch over one log, as a process that just started has it."""
    told = Settings(files=(Files((str(log),)),))
    patterns = Patterns(told.files, Options(), LiveState(kept).places())
    return Watch(told, kept, fresh=patterns.fresh)


def kept_attacks(kept: Spool) -> dict[str, tuple[int, str, int]]:
    """What the spool knows: count, severity and evidence lines by attack."""
    rows = kept.db.execute("SELECT body FROM attack").fetchall()
    attacks = [msgspec.json.decode(body, type=Attack) for (body,) in rows]
    return {a.attack_id: (a.count, a.severity, sum(e.line_count for e in a.evidence)) for a in attacks}


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_any_point_it_finds_what_one_sift_finds(seed: int, tmp_path: Path) -> None:
    """Written, rotated, cut off anywhere: the same attacks and counts; nothing lost or doubled."""
    dice, log, whole = random.Random(seed), tmp_path / "auth.log", tmp_path / "whole"
    text = "".join(lines(dice, 1000))
    whole.write_text(text)
    with spool.opened("nobody") as kept:
        running, place = watching(log, kept), 0
        log.touch()
        while place < len(text) or dice.random() < 0.5:
            more = text[place : place + dice.randrange(4000)]
            place += len(more)
            with log.open("a") as out:
                out.write(more)
            act = dice.random()
            for _ in range(dice.randrange(4)):
                running.round()
            if act < 0.5:
                running.commit()
            if act > 0.8 and text[place - 1] == "\n":
                log.rename(tmp_path / f"auth.log.{int(time.time() * 1e6)}")
                log.touch()
            if act < 0.3:  # killed: what was not written down is gone, and read again
                running.close()
                running = watching(log, kept)
        running.drain()
        running.close()
        found = kept_attacks(kept)
        counts = LiveState(kept).counts()
    expected = sift([str(whole)])
    assert found == {
        a.attack_id: (a.count, a.severity, sum(e.line_count for e in a.evidence)) for a in expected.attacks
    }
    assert counts["read"] == expected.balance.read
    assert counts["observed"] == expected.balance.observed


def test_sums_that_left_the_memory_grow_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few are held, the result is the same."""
    monkeypatch.setattr("tocsin.sift.live.watching.MOST_OPEN", 3)
    log, dice = tmp_path / "auth.log", random.Random(5)
    text = list(lines(dice, 600))
    with spool.opened("nobody") as kept:
        running = watching(log, kept)
        for start in range(0, len(text), 50):
            with log.open("a") as out:
                out.write("".join(text[start : start + 50]))
            running.round()
            running.commit()
        running.close()
        guesses = kept_attacks(kept)
    expected = {a.attack_id: a.count for a in sift([str(log)]).attacks if a.kind.endswith("brute-force")}
    assert {a: guesses[a][0] for a in expected} == expected


def test_what_cannot_be_read_is_kept_and_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that was mended later finds it; what it understood is no longer rejected, the rest still is."""
    log = tmp_path / "own.log"
    log.write_text("2026-03-05 10:00:00 fine\nno header: GUESS by 192.0.2.9 at 1767755045\nnor this\n")
    with spool.opened(spool.NOWHERE) as kept:
        running = watching(log, kept)
        running.drain()
        running.close()
        assert [row[1:4] for row in kept.rejected()] == [
            (str(log), 2, "no log header"),
            (str(log), 3, "no log header"),
        ]
        kept.db.execute("UPDATE rejected SET raw = ? WHERE line = 2", (OWN_LINE,))
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "own.toml").write_text(OWN)
    monkeypatch.setenv("TOCSIN_RULES", str(rules))
    result = replaying.replay_spool(reporting.Plan(url=spool.NOWHERE))
    assert (result.lines, result.observed, result.still) == (2, 1, 1)
    with spool.opened(spool.NOWHERE) as kept:
        assert [row[4] for row in kept.rejected()] == [b"nor this"]
        assert len(kept_attacks(kept)) == 1


OWN_LINE = b"2026-03-05 10:00:01 GUESS by 192.0.2.9"
OWN = """
service = "own"
log_type = "portal-login"
shapes = ["iso"]
[thresholds."intrusion-attempts/brute-force"]
low = 1
medium = 2
[[rules]]
id = "own-guess"
literal = "GUESS by "
pattern = 'GUESS by (?P<origin>\\S+)'
kind = "intrusion-attempts/brute-force"
evidence = "verdict"
weight = 1
why = "guessed"
samples = {}
"""


def test_rejected_files_can_be_replayed(tmp_path: Path) -> None:
    """What `tocsin sift` kept is read again from its file, with the numbers of the source."""
    log = tmp_path / "auth.log"
    log.write_text("broken\nDec 99 06:55:46 gate sshd[1]: " + FAILED.format(origin="192.0.2.1") + "\n")
    kept = tmp_path / "rejected"
    assert sift([str(log)], Options(rejects=kept)).balance.rejected == 2
    kept.write_bytes(kept.read_bytes().replace(b"Dec 99", b"Dec 09"))
    result, attacks = replaying.replay(replaying.read_file(kept), Options(), replaying.Kept())
    assert (result.lines, result.observed, result.still) == (2, 1, 1)
    assert attacks[0].evidence[0].lines == (2,)
    kept.write_text("not such a file\n")
    with pytest.raises(BadInput, match="not a file of rejected lines"):
        replaying.read_file(kept)


def test_syslog_is_on_disk_before_it_is_read(tmp_path: Path) -> None:
    """UDP and TCP, both framings; after a kill the messages are still there, and each counts once."""
    heard = Syslog(udp="127.0.0.1:0", tcp="127.0.0.1:0")
    message = "<38>Mar  5 10:00:0{} gate sshd[1]: " + FAILED
    source = SyslogSource(heard, Options(), tmp_path / "inbox", 1 << 30, None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for n in range(3):
            text = message.format(n, origin="192.0.2.1").encode()
            udp.sendto(text, ("127.0.0.1", source.receiver.ports["udp"]))
    with socket.create_connection(("127.0.0.1", source.receiver.ports["tcp"])) as tcp:
        counted = message.format(4, origin="192.0.2.2").encode()
        tcp.sendall(
            b"%d %s" % (len(counted), counted) + message.format(5, origin="192.0.2.2").encode() + b"\n"
        )
    deadline = time.monotonic() + 5
    while source.receiver.received < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    source.close()
    again = SyslogSource(heard, Options(), tmp_path / "inbox", 1 << 30, None)
    with spool.opened("nobody") as kept:
        running = Watch(Settings(syslog=(heard,)), kept, [again])
        running.drain()
        assert {count for count, _, _ in kept_attacks(kept).values()} == {3, 2}
        assert again.backlog() == 0
        place = again.place()
        running.close()
        third = SyslogSource(heard, Options(), tmp_path / "inbox", 1 << 30, place)
        assert third.read(1 << 20) is None
        third.close()


def test_a_full_inbox_drops_datagrams_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is bounded; what was dropped is counted."""
    monkeypatch.setattr("tocsin.sift.live.inbox.SEGMENT", 100)
    source = SyslogSource(Syslog(udp="127.0.0.1:0"), Options(), tmp_path / "inbox", 10, None)
    port = source.receiver.ports["udp"]
    deadline = time.monotonic() + 5
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        while not source.receiver.dropped and time.monotonic() < deadline:
            udp.sendto(b"x" * 50, ("127.0.0.1", port))
            time.sleep(0.01)
    source.close()
    assert source.receiver.dropped
    assert source.receiver.received


def test_what_the_disk_does_not_take_is_not_lost(tmp_path: Path) -> None:
    """A TCP sender's message waits until there is room, a datagram is dropped; both are said."""
    source = SyslogSource(Syslog(tcp="127.0.0.1:0"), Options(), tmp_path / "inbox", 1 << 30, None)
    inbox = source.inbox
    kept, inbox._file = inbox._file, Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115
    deadline = time.monotonic() + 5
    with socket.create_connection(("127.0.0.1", source.receiver.ports["tcp"])) as tcp:
        tcp.sendall(b"<38>Mar  5 10:00:00 gate sshd[1]: hello\n")
        while not source.fault and time.monotonic() < deadline:
            time.sleep(0.01)
        assert "no space left" in source.fault
        assert source.read(1 << 20) is None
        with inbox._lock:
            inbox._file.close()
            inbox._file = kept
        while not inbox.size() and time.monotonic() < deadline:
            time.sleep(0.01)
    window = source.read(1 << 20)
    assert window and window.content.endswith(b"hello\n")
    assert source.fault == ""
    source.close()


def test_a_step_that_the_disk_does_not_take_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read meanwhile, nothing is lost or doubled, and it is said once."""
    log, said = tmp_path / "auth.log", []
    log.write_text("".join(lines(random.Random(1), 300)))
    monkeypatch.setattr("tocsin.sift.live.watching.AGAIN", 0.0)
    with spool.opened("nobody") as kept:
        told = Settings(files=(Files((str(log),)),))
        running = Watch(told, kept, fresh=Patterns(told.files, Options(), {}).fresh, say=said.append)
        running.round()
        kept.db.execute("PRAGMA max_page_count = 1")  # SQLite's own way to be full
        assert not running.commit()
        with log.open("a") as out:
            out.writelines(lines(random.Random(2), 50))
        assert not running.round()
        assert "the disk" in running.meters.faults[0]
        kept.db.execute("PRAGMA max_page_count = 1000000")
        running.round()
        assert not running.meters.faults
        running.drain()
        running.close()
        found = kept_attacks(kept)
    assert found == {
        a.attack_id: (a.count, a.severity, sum(e.line_count for e in a.evidence))
        for a in sift([str(log)]).attacks
    }
    assert len(said) == 1


def test_a_file_that_turns_up_while_nothing_can_be_written_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it stands cannot be written down, so that no line of any file is read before it is."""
    log, late = tmp_path / "a.log", tmp_path / "b.log"
    log.write_text("".join(lines(random.Random(1), 300)))
    monkeypatch.setattr("tocsin.sift.live.files.LOOK_AGAIN", 0.0)
    monkeypatch.setattr("tocsin.sift.live.watching.AGAIN", 0.0)
    with spool.opened("nobody") as kept:
        told = Settings(files=(Files((str(tmp_path / "*.log"),)),))
        running = Watch(told, kept, fresh=Patterns(told.files, Options(), {}).fresh)
        running.drain()
        with log.open("a") as out:
            out.writelines(lines(random.Random(2), 50))
        late.write_text("".join(lines(random.Random(3), 50)))
        kept.db.execute("PRAGMA query_only = 1")  # takes nothing, however little
        assert not running.round()
        kept.db.execute("PRAGMA query_only = 0")
        running.round()
        running.drain()
        running.close()
        found = kept_attacks(kept)
    assert found == {
        a.attack_id: (a.count, a.severity, sum(e.line_count for e in a.evidence))
        for a in sift([str(log), str(late)]).attacks
    }


def test_a_clock_that_jumps_closes_no_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A year ahead and back again: what was counted goes on to be counted."""
    log, at, now = tmp_path / "auth.log", "2026-03-05T10:00:00Z", time.time()
    for origin, jump in ((1, 0), (2, 400 * 86_400), (1, 0)):
        monkeypatch.setattr("tocsin.sift.live.watching.time.time", lambda jump=jump: now + jump)
        with log.open("a") as out:
            out.write(f"{at} gate sshd[1]: {FAILED.format(origin=f'192.0.2.{origin}')}\n")
        with spool.opened("nobody") as kept:
            running = watching(log, kept)
            running.drain()
            running.close()
    with spool.opened("nobody") as kept:
        assert sorted(count for count, _, _ in kept_attacks(kept).values()) == [1, 2]
    counts = {"at": 0}
    assert [state.aged(counts, now) for now in (10, 5, 8, 10**9)] == [10, 10, 13, 13 + 86_400]


def test_answers_of_nonsense_do_not_end_a_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an exchange must not say is its fault, and what waits is kept."""
    log = tmp_path / "auth.log"
    log.write_text("".join(lines(random.Random(1), 300)))
    monkeypatch.setattr("tocsin.sift.sending.send", lambda *_, **__: zip([1], [], strict=True).__next__())
    with spool.opened("https://exchange.invalid") as kept:
        told = Settings(to="https://exchange.invalid", files=(Files((str(log),)),))
        running = Watch(told, kept, fresh=Patterns(told.files, Options(), {}).fresh)
        running.drain()
        running.close()
        assert running.meters.fault
        assert running.meters.pending > 0


@pytest.mark.parametrize(
    ("data", "messages", "rest"),
    [
        (b"5 hello3 abc", [b"hello", b"abc"], b""),
        (b"<1>one\n<2>two\n<3>thr", [b"<1>one", b"<2>two"], b"<3>thr"),
        (b"12 hel", [], b"12 hel"),
        (b"5 hello\n<1>x\n", [b"hello", b"<1>x"], b""),
        (b"\n\n", [], b""),
        (b"1", [], b"1"),
    ],
)
def test_frames_of_a_stream(data: bytes, messages: list[bytes], rest: bytes) -> None:
    """By counts or by newlines, mixed as some senders do; the unfinished waits."""
    assert frames(data) == (messages, rest)


def test_meters_are_told_to_prometheus() -> None:
    """In its text format, on an address of one's choice."""
    meters = Meters(lines=7, rejected=2, backlog=4096)
    with serve("127.0.0.1:0", meters) as port:
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    assert "tocsin_watch_lines_total 7.0" in text
    assert "tocsin_watch_lines_rejected_total 2.0" in text
    assert "tocsin_watch_backlog_bytes 4096.0" in text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "nothing to watch"),
        ("files = 5", "Expected `array`"),
        ("[[files]]\npaths = ['x']\ntz = 'Mars'", "no such time zone"),
        ("networks = ['x']\n[[files]]\npaths = ['x']", "networks"),
        ("[[syslog]]\nudp = 'here'", "not an address with a port"),
        ("[[files]]\npath = ['x']", "path"),
        ("[[files", "Expected"),
    ],
)
def test_wrong_settings_are_named(text: str, complaint: str, tmp_path: Path) -> None:
    """Before anything starts, with what is wrong."""
    path = tmp_path / "watch.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=complaint):
        settings.load(path)


def test_the_example_is_in_order(tmp_path: Path) -> None:
    """What `--example` prints can be used."""
    path = tmp_path / "watch.toml"
    path.write_text(settings.EXAMPLE)
    assert settings.load(path).files[0].paths[0] == "/var/log/auth.log"


def journal_of(folder: Path, number: int, entries: int) -> None:
    """A file of a real journal, written by systemd's own tool."""
    tool = Path("/lib/systemd/systemd-journal-remote")
    if not tool.exists() or not shutil.which("journalctl"):
        missing("this needs journalctl and systemd-journal-remote: make system")
    folder.mkdir(exist_ok=True)
    records = []
    for n in range(entries):
        at = 1767755045_000000 + (number * 1000 + n) * 1_000_000
        records.append(
            f"__REALTIME_TIMESTAMP={at}\n__MONOTONIC_TIMESTAMP={number * 1000 + n + 1}\n"
            f"_BOOT_ID={number:032x}\n_HOSTNAME=gate\n_MACHINE_ID={1:032x}\nSYSLOG_IDENTIFIER=sshd\n"
            f"_SYSTEMD_UNIT=ssh.service\n_TRANSPORT=syslog\nMESSAGE={FAILED.format(origin='192.0.2.1')}\n\n"
        )
    text = folder.parent / f"journal-{number}.txt"
    text.write_text("".join(records))
    target = folder / f"remote-{number}.journal"
    subprocess.run([tool, "-o", target, text], check=True, capture_output=True)


def test_a_journal_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    """With journalctl's own words; it is asked again later, not without a pause."""
    if not shutil.which("journalctl"):
        missing("this needs journalctl: make system")
    source = JournalSource(Journal(directory=str(tmp_path / "none")), Options(), None)
    deadline = time.monotonic() + 10
    while not source.fault and time.monotonic() < deadline:
        assert source.read(1 << 20) is None
        time.sleep(0.02)
    source.close()
    assert source.fault.startswith("journalctl ended: ")
    assert "No such file" in source.fault


def test_a_journal_is_read_once_to_its_end(tmp_path: Path) -> None:
    """Without following: everything that is there, and then no more."""
    journal_of(tmp_path / "journal", 1, 30)
    told = Journal(directory=str(tmp_path / "journal"))
    with spool.opened("nobody") as kept:
        running = Watch(Settings(journal=(told,)), kept, [JournalSource(told, Options(), None, follow=False)])
        running.drain()
        running.close()
        assert [count for count, _, _ in kept_attacks(kept).values()] == [30]
        assert not running.meters.faults


def test_the_journal_is_followed_by_its_cursor(tmp_path: Path) -> None:
    """Entries of a real journal, each once, also after a restart."""
    folder = tmp_path / "journal"
    told = Journal(directory=str(folder), units=("ssh.service",))
    counts = []
    with spool.opened("nobody") as kept:
        for number, entries in enumerate((24, 23), start=1):
            journal_of(folder, number, entries)
            source = JournalSource(told, Options(), LiveState(kept).places().get(journal_name(told)))
            running = Watch(Settings(journal=(told,)), kept, [source])
            deadline = time.monotonic() + 10
            while running.meters.lines < sum((24, 23)[:number]) and time.monotonic() < deadline:
                running.round()
                running.commit()
                time.sleep(0.05)
            running.close()
            counts.append([count for count, _, _ in kept_attacks(kept).values()])
    assert counts == [[24], [47]]
