"""`tocsin sift` as people and programs meet it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.sift.logs import FAILED, syslog
from tests.wire.test_arf import mail

from tocsin.cli import table
from tocsin.cli.main import tocsin
from tocsin.cli.sift import progress_words
from tocsin.cli.terminal import printable
from tocsin.sift.engine import Progress

TOCSIN = Path(sys.executable).with_name("tocsin")
LOG = syslog([FAILED.format(origin="192.0.2.1")] * 3 + [FAILED.format(origin="192.0.2.2")] + ["hello"])


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A log of one attack and one slip, the state folder out of the way."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    path = tmp_path / "auth.log"
    path.write_text(LOG)
    yield path
    monkeypatch.undo()
    time.tzset()


def run(*arguments: str) -> Result:
    """The command in this process."""
    return CliRunner().invoke(tocsin, arguments, standalone_mode=False)


def start(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own."""
    return subprocess.run([TOCSIN, *arguments], capture_output=True, text=True, timeout=60, **more)  # type: ignore[call-overload,no-any-return]


def test_the_table_is_for_people(log: Path) -> None:
    """Worst first, in local time, with what was read and what to do next beside it."""
    result = run("sift", "--year", "2025", str(log))
    assert result.stdout.splitlines() == [
        "  severity  what         origin     on    seen  from (UTC)   for",
        "  low       brute force  192.0.2.1  gate     3  10 Dec 2025  2 s",  # not of this year
        "  info      brute force  192.0.2.2  gate     1  10 Dec 2025  -",
    ]
    said = result.stderr.splitlines()
    assert said[0] == "  5 lines: 4 observed, 1 noise, 0 duplicate, 0 rejected"
    assert said[1].startswith("  → 2 attacks from 2 origins (")
    assert said[2] == f"  next: tocsin report {log} --dry-run"
    assert result.return_value == 0


def test_no_row_is_wider_than_80(log: Path) -> None:
    """Long addresses and names are shortened in the middle."""
    log.write_text(
        syslog([FAILED.format(origin="2001:db8:1111:2222:3333:4444:5555:6666")] * 12_345, host="h" * 60)
    )
    lines = run("sift", str(log)).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "2001:db…55:6666" in lines[1]
    assert "medium" in lines[1]


def test_json_is_the_contract(log: Path) -> None:
    """The names that other programs rely on, one attack a line."""
    attacks = [
        json.loads(line) for line in run("sift", "--json", "--year", "2025", str(log)).stdout.splitlines()
    ]
    assert [attack["origins"] for attack in attacks] == [["192.0.2.1"], ["192.0.2.2"]]
    first = attacks[0]
    assert first.keys() >= {
        "attack_id", "kind", "origins", "targets", "service", "first_seen_at", "last_seen_at", "count",
        "severity", "evidence",
    }  # fmt: skip
    assert (first["kind"], first["targets"], first["service"]) == (
        "intrusion-attempts/brute-force",
        ["gate"],
        "ssh",
    )
    assert (first["first_seen_at"], first["last_seen_at"]) == ("2025-12-10T06:55:00Z", "2025-12-10T06:55:02Z")
    assert first["evidence"][0].keys() >= {"path", "lines", "sha256"}
    assert first["evidence"][0]["lines"] == [1, 2, 3]


def test_observations_are_one_line_each(log: Path) -> None:
    """With the path and the line number of the evidence."""
    result = run("sift", "--observations", "--json", "--year", "2025", str(log))
    seen = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(o["path"], o["line"], o["origin"]) for o in seen[:1]] == [(str(log), 1, "192.0.2.1")]
    assert [o["seen_at"] for o in seen] == [f"2025-12-10T06:55:0{n}Z" for n in range(4)]
    assert seen[0].keys() >= {"path", "line", "kind", "origin", "target", "seen_at"}


def test_mails_are_observations_too(log: Path) -> None:
    """A document is one observation."""
    log.write_bytes(mail())
    (seen,) = run("sift", "--observations", "--json", str(log)).stdout.splitlines()
    assert json.loads(seen)["kind"] == "abusive-content/spam"


def test_what_is_rejected_is_told_and_kept(log: Path) -> None:
    """The reason, how often, and the file in which the lines are."""
    log.write_text(LOG + "rubbish\nmore rubbish\n")
    said = run("sift", str(log)).stderr.splitlines()
    assert said[1] == "  2 × no log header"
    kept = Path(said[2].removeprefix("  rejected lines are kept in "))
    assert kept.is_relative_to(log.parent / "home")
    assert [line.split("\t")[1:] for line in kept.read_text().splitlines()] == [
        ["6", "no log header", "rubbish"],
        ["7", "no log header", "more rubbish"],
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["sift"], 2, "tocsin: error: missing argument 'PATH…'"),
        (["sift", "--observations", "x"], 2, "tocsin: error: --observations needs --json"),
        (["sift", "--network", "x", "y"], 2, "tocsin: error: not a network: x"),
        (["sift", "--tz", "Mars", "y"], 2, "tocsin: error: no such time zone: Mars"),
        (["nonsense"], 2, "tocsin: error: no such command 'nonsense'"),
        (["sift", "/nowhere"], 3, "  1 × no such file"),
    ],
)
def test_errors_are_told_plainly(log: Path, arguments: list[str], code: int, error: str) -> None:
    """Lower case, no full stop, a hint where there is one, the documented exit code."""
    done = start(*arguments)
    assert done.returncode == code
    assert error in done.stderr.splitlines()
    assert "Traceback" not in done.stderr


def test_attacks_found_are_no_error(log: Path) -> None:
    """Exit code 0 says that the sifting was done."""
    assert start("sift", str(log)).returncode == 0


def test_standard_input_is_read(log: Path) -> None:
    """And no next step is named that could not be taken."""
    done = start("sift", "-", input=LOG)
    assert "192.0.2.1" in done.stdout
    assert "next:" not in done.stderr


def test_a_reader_that_goes_away_is_quiet(log: Path) -> None:
    """As in `tocsin sift --json log | head -1`."""
    log.write_text(syslog(FAILED.format(origin=f"10.{n % 200}.{n % 199}.{n % 197}") for n in range(5000)))
    command = f"{TOCSIN} sift --json {log} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert "error" not in done.stderr.lower()
    assert done.stdout.count("\n") == 1


def test_an_unforeseen_error_is_no_traceback(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named as a fault of ours, with what to do."""
    from tocsin.cli import main, sift

    def burst(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(sift, "run", burst)
    with pytest.raises(SystemExit) as stop:
        main.main(["sift", str(log)])
    assert stop.value.code == 70
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "tocsin: error: internal: RuntimeError: boom"
    assert said[1].startswith("tocsin: hint: ")
    monkeypatch.setenv("TOCSIN_TRACEBACK", "1")
    with pytest.raises(RuntimeError):
        main.main(["sift", str(log)])


def test_help_and_version_load_nothing_heavy() -> None:
    """Polars, DuckDB, rich, httpx and mail wait until they are needed, and so does the sifting itself."""
    code = (
        "import sys\nfrom tocsin.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = {'polars', 'duckdb', 'rich', 'httpx', 'cryptography', 'django', 'msgspec', 'tocsin.sift'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    for argument in ("--help", "--version"):
        done = subprocess.run(
            [sys.executable, "-c", code, argument], capture_output=True, text=True, timeout=60
        )
        assert done.stdout.splitlines()[-1] == "[]", argument


def test_mails_do_not_load_polars(log: Path) -> None:
    """A folder of complaints is sifted without the engine for logs."""
    log.write_bytes(mail())
    code = f"import sys, tocsin.sift.engine as e\ne.sift([{str(log)!r}])\nprint('polars' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "-"), (41, "41 s"), (60, "1 min"), (7080, "1 h 58 min"), (180_000, "2 d 2 h")],
)
def test_durations_are_words(seconds: int, text: str) -> None:
    """As one would say them."""
    assert table.duration(seconds) == text


def test_evidence_cannot_steer_the_terminal() -> None:
    """Control characters from a log are shown as what they are not."""
    assert printable("a\x1b[31mb\nc") == "a\ufffd[31mb\ufffdc"


def test_colour_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """And for those who do not refuse it."""
    from tocsin.cli.terminal import colour

    master, slave = os.openpty()
    with os.fdopen(slave, "w") as terminal, os.fdopen(master):
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        assert colour("x", "red", terminal) == "\x1b[31mx\x1b[0m"
        monkeypatch.setenv("NO_COLOR", "1")
        assert colour("x", "red", terminal) == "x"


@pytest.mark.parametrize(
    ("far", "on_disk", "seconds", "words"),
    [
        (Progress(412_000_000, 412_000_000), 2_060_000_000, 4.0, "412 MB read, 103 MB/s, 16 s left"),
        (Progress(900_000_000, 90_000_000), 180_000_000, 9.0, "900 MB read, 100 MB/s, 9 s left"),  # packed
        (Progress(50_000_000, 50_000_000), 0, 2.0, "50 MB read, 25 MB/s"),  # standard input
    ],
)
def test_progress_says_how_long_yet(far: Progress, on_disk: int, seconds: float, words: str) -> None:
    """By what is read of the bytes on disk."""
    assert progress_words(far, on_disk, seconds) == words


def test_the_balance_of_every_input_is_told_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, as JSON, and in the edge tool's folder; each adds up, and all add up to the whole."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "home"))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_text(syslog([FAILED.format(origin="192.0.2.1")]))
    (logs / "b.log").write_text("Dec 10 06:55:46 gate cron[1]: nothing\nno header\n")
    told = json.loads(start("sift", "--json", str(logs)).stderr)
    assert [(one["read"], one["observed"], one["noise"], one["rejected"]) for one in told["inputs"]] == [
        (1, 1, 0, 0),
        (2, 0, 1, 1),
    ]
    assert told["read"] == 3
    kept = json.loads((tmp_path / "home" / "balances.ndjson").read_text())
    assert kept["inputs"] == told["inputs"]
