"""Files of every followed format give, read as they grow and after restarts, what one sift of them gives."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sift.logs import FAILED
from tests.sift.record_samples import MAPPING, alert, cowrie, flow, lines, zeek
from tests.sift.test_shadowserver import EVENT
from tests.sift.test_watching import kept_attacks

from tocsin.sift import rulebook, spool
from tocsin.sift.engine import Options, sift
from tocsin.sift.live import files
from tocsin.sift.live.files import Log, Patterns, paths
from tocsin.sift.live.settings import Files, Settings
from tocsin.sift.live.state import LiveState
from tocsin.sift.live.watching import Watch
from tocsin.sift.spool import Spool


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An edge home of the test's own."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def many(text: bytes) -> Iterator[bytes]:
    """The lines of a text."""
    yield from text.splitlines(keepends=True)


def eve() -> bytes:
    """Alerts and flows."""
    return lines([alert(f"192.0.2.{n % 5}", second=n % 60) if n % 3 else flow() for n in range(60)])


def honeypot() -> bytes:
    """A session on a cowrie."""
    tries = [cowrie("login.failed", username="a", password="b", message="x") for _ in range(9)]
    return lines([cowrie("session.connect"), *tries])


def notices() -> bytes:
    """What Zeek's policies notice."""
    fields = ["ts", "id.orig_h", "id.resp_h", "note", "msg", "src", "dst"]
    rows = [
        [f"17677550{n:02}.5", "-", "-", "Scan::Port_Scan", "m", f"192.0.2.{n % 3}", "198.51.100.1"]
        for n in range(40)
    ]
    return zeek(fields, rows, "notice")


def shadowserver() -> bytes:
    """Infected machines."""
    row = "2026-01-01 11:00:{:02},tcp,192.0.2.{},4711,64500,GB,198.51.100.1,80,mirai,mirai,1\n"
    return (EVENT + "".join(row.format(n, n % 4) for n in range(40))).encode()


def mapped() -> bytes:
    """A table of a provider's own."""
    row = "2026-01-07T03:04:{:02}Z,192.0.2.{},198.51.100.1,reject,3,\n"
    return ("when,who,nas,result,tries,note\n" + "".join(row.format(n, n % 4) for n in range(40))).encode()


def plain_json() -> bytes:
    """Records that no rule knows: noise, from the first line on."""
    return lines([{"a": n} for n in range(20)])


def watching(log: Path, kept: Spool, mapping: Path | None) -> Watch:
    """A watch over one file, as a process that just started has it."""
    told = Settings(files=(Files((str(log),), map=str(mapping or "")),))
    books = {str(mapping): rulebook.mapping(mapping)} if mapping else {}
    patterns = Patterns(told.files, Options(), LiveState(kept).places(), books)
    return Watch(told, kept, fresh=patterns.fresh, rules=rulebook.ruleset(*books.values()))


@pytest.mark.parametrize(
    "name",
    ["eve.json", "cowrie.json", "notice.log", "event4_sinkhole.csv", "mapped.csv", "plain.json"],
)
def test_a_followed_file_shows_what_it_shows_as_a_whole(name: str, tmp_path: Path) -> None:
    """Line by line, with a restart after every few: the header that stands at its beginning is remembered."""
    made = {
        "eve.json": eve, "cowrie.json": honeypot, "notice.log": notices, "mapped.csv": mapped,
        "event4_sinkhole.csv": shadowserver, "plain.json": plain_json,
    }  # fmt: skip
    mapping = None
    if name == "mapped.csv":
        mapping = tmp_path / "map.toml"
        mapping.write_bytes(MAPPING)
    text, log = list(many(made[name]())), tmp_path / name
    log.write_bytes(b"")
    with spool.opened("nobody") as kept:
        for start in range(0, len(text), 7):
            running = watching(log, kept, mapping)
            for line in text[start : start + 7]:
                with log.open("ab") as out:
                    out.write(line)
                running.round()
            running.commit()
            running.close()
        found, tally = kept_attacks(kept), LiveState(kept).counts()
    whole = sift([str(log)], Options(mapping=rulebook.mapping(mapping) if mapping else None))
    assert found == {
        a.attack_id: (a.count, a.severity, sum(e.line_count for e in a.evidence)) for a in whole.attacks
    }
    assert found or name == "plain.json"
    assert (tally["read"], tally["observed"], tally["rejected"]) == (
        whole.balance.observed + whole.balance.noise, whole.balance.observed, whole.balance.rejected,
    )  # fmt: skip


def test_what_is_no_log_is_refused_once_and_stays_unread(tmp_path: Path) -> None:
    """Flow records only make sense as a whole: the fault says what to do instead."""
    log = tmp_path / "flows.csv"
    head, row = (
        "ts,te,td,sa,da,sp,dp,pr,flg,ipkt,ibyt",
        "2026-01-07 03:04:05,,1,192.0.2.1,192.0.2.2,1,2,UDP,,1,9",
    )
    log.write_text(f"{head}\n{row}\n")
    with spool.opened("nobody") as kept:
        for _ in range(2):
            running = watching(log, kept, None)
            running.drain()
            running.close()
            assert "tocsin report" in running.meters.source_faults[f"file {log}"]
            assert running.meters.lines == 0


def test_every_line_without_a_header_is_kept(tmp_path: Path) -> None:
    """Also where a whole window of them looks like nothing: each is rejected by itself, with its bytes."""
    log = tmp_path / "odd.log"
    log.write_bytes(b"hello\nyou there\n")
    with spool.opened("nobody") as kept:
        running = watching(log, kept, None)
        running.drain()
        running.close()
        assert [(row[2], row[4]) for row in kept.rejected()] == [(1, b"hello"), (2, b"you there")]


def test_a_fault_in_a_reader_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window is kept to be read again, the others are read; it is no endless loop."""
    one, two, said = tmp_path / "eve.json", tmp_path / "auth.log", []
    one.write_bytes(eve())
    two.write_text(f"2026-03-05T10:00:00Z gate sshd[1]: {FAILED.format(origin='192.0.2.77')}\n")
    monkeypatch.setattr("tocsin.sift.readers.ndjson.read", lambda *_: 1 / 0)
    with spool.opened("nobody") as kept:
        told = Settings(files=(Files((str(one), str(two))),))
        patterns = Patterns(told.files, Options(), {})
        running = Watch(told, kept, fresh=patterns.fresh, say=said.append)
        running.drain()
        running.close()
        assert len(kept_attacks(kept)) == 1
        rejected = kept.rejected()
    assert {row[1:4:2] for row in rejected} == {(str(one), "fault in the reader: ZeroDivisionError")}
    assert [row[2] for row in rejected] == list(range(1, len(rejected) + 1))
    assert b"\n".join(row[4] for row in rejected) + b"\n" == eve()
    assert "ZeroDivisionError" in said[0]


def test_a_pattern_leaves_rotated_files_to_their_logs(tmp_path: Path) -> None:
    """Whatever rotates them names them; logs that have a date from the start are logs."""
    old = ["a.log.1", "a.log.2.gz", "a-20261125.log", "a.log-20261124.gz", "a.log.old", "a.log.3.bz2"]
    old += ["a-2026-11-25.log", "a.log.2026-11-25_10"]
    for name in (*old, "a.log", "b-2026-11-25.log", "b-2026-11-26.log", "node1", "c.1"):
        (tmp_path / name).touch()
    found = [Path(path).name for path in sorted(paths(str(tmp_path / "*")))]
    assert found == ["a.log", "b-2026-11-25.log", "b-2026-11-26.log", "c.1", "node1"]


def test_a_file_that_was_renamed_into_a_pattern_counts_once(tmp_path: Path) -> None:
    """A log that a pattern names under its new name too is still the one that was followed."""
    log = tmp_path / "app.log"
    log.write_text("2026-03-05 10:00:00 one\n")
    patterns = Patterns((Files((str(tmp_path / "*"),)),), Options(), {})
    (followed,) = patterns.fresh()
    log.rename(tmp_path / "old-app")
    patterns._looked_at = float("-inf")
    assert patterns.fresh() == []
    followed.close()


def test_a_new_file_that_got_the_inode_of_an_old_one_is_read(tmp_path: Path) -> None:
    """Daily logs come and go; file systems use their numbers again at once."""
    old, new = tmp_path / "b-1.log", tmp_path / "b-2.log"
    old.write_text("2026-03-05 10:00:00 one\n")
    patterns = Patterns((Files((str(tmp_path / "b-*.log"),)),), Options(), {})
    (followed,) = patterns.fresh()
    assert followed.read(1 << 20) is not None
    followed.close()
    old.rename(new)  # the same inode, as if it had been given away
    new.write_text("2026-03-06 10:00:00 another\n")
    patterns._looked_at = float("-inf")
    (fresh,) = patterns.fresh()
    assert fresh.path == str(new)
    fresh.close()


def test_a_file_that_was_removed_is_let_go_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daily log of last year costs nothing; should it come back, reading goes on where it stood."""
    monkeypatch.setattr(files, "GONE_AFTER", 0.0)
    monkeypatch.setattr(files, "LOOK_AGAIN", 0.0)
    log = tmp_path / "b-2026-11-25.log"
    log.write_text("2026-03-05 10:00:00 one\n")
    with spool.opened("nobody") as kept:
        told = Settings(files=(Files((str(tmp_path / "b-*.log"),)),))
        running = Watch(told, kept, fresh=Patterns(told.files, Options(), {}).fresh)
        running.drain()
        assert running.meters.source_count == 1
        log.rename(tmp_path / "elsewhere")
        running.commit()
        running.drain()
        assert running.meters.source_count == 0
        (tmp_path / "elsewhere").rename(log)
        running.drain()
        running.close()
        assert running.meters.lines == 1


def test_a_file_without_permission_is_a_fault_until_it_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said in words, and the log is read from its start when somebody mended it."""
    log = tmp_path / "auth.log"
    log.write_text("2026-03-05 10:00:00 one\n")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as closed:
        closed.setattr("tocsin.sift.live.following.os.open", refuse)
        source = Log(str(log), Options(), None)
        assert source.read(1 << 20) is None
        assert source.fault == "no permission to read"
    assert source.read(1 << 20) is not None
    assert source.fault == ""
    source.close()


def test_a_watch_that_reports_to_nobody_keeps_no_reports(tmp_path: Path) -> None:
    """Nothing waits that nobody will ever take."""
    log = tmp_path / "auth.log"
    log.write_text(f"2026-03-05T10:00:00Z gate sshd[1]: {FAILED.format(origin='192.0.2.77')}\n" * 50)
    with spool.opened("nobody") as kept:
        running = watching(log, kept, None)
        running.drain()
        running.close()
        assert (len(kept_attacks(kept)), kept.waiting()) == (1, 0)
