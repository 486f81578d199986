"""`tocsin rules`: what is in force, whether it holds, and why a line is evidence or none."""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.cli.test_sift import start

from tocsin.cli.main import tocsin
from tocsin.sift.rulebook import Rule, Rulebook
from tocsin.sift.shapes import BARE, REQUESTS, SYSLOG, UNDATED, WHATEVER

DOCS = Path(__file__).parents[2] / "docs" / "rules.md"
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", DOCS.read_text(), re.DOTALL)
REFUSED = "Jan  7 03:04:05 www1 doorkeeper[812]: refused alice from 192.0.2.7 (wrong password)"
FAILED = "Dec 10 06:55:46 gate sshd[1]: Failed password for root from 192.0.2.1 port 22 ssh2"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's own folder of rules, empty; the zone is UTC."""
    rules = tmp_path / "rules"
    rules.mkdir()
    monkeypatch.setenv("TOCSIN_RULES", str(rules))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield rules
    monkeypatch.undo()
    time.tzset()


def run(*arguments: str, given: str | None = None) -> Result:
    """The command in this process."""
    return CliRunner().invoke(tocsin, ["rules", *arguments], standalone_mode=False, input=given)


def explained(*arguments: str, given: str | None = None) -> dict[str, str]:
    """What `explain` says, by its first column (the last of those with one name)."""
    lines = run("explain", *arguments, given=given).stdout.splitlines()
    return {line[2:11].strip(): line[11:] for line in lines}


def test_list_shows_ours_and_yours(folder: Path) -> None:
    """A user's own rulebook stands beside ours, with what it finds and what it is asked about."""
    (folder / "doorkeeper.toml").write_text(EXAMPLE)
    lines = run("list").stdout.splitlines()
    assert lines[0].split()[:3] == ["service", "rules", "whose"]
    (own,) = [line.split() for line in lines if line.split()[0] == "doorkeeper"]
    assert own == [
        "doorkeeper", "2", "yours", "brute-force,", "unprivileged-account-compromise", "doorkeeper"
    ]  # fmt: skip
    assert any(line.split()[:1] == ["ssh"] and "ours" in line for line in lines)


def test_list_is_for_programs_too(folder: Path) -> None:
    """One rulebook a line."""
    books = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    (ssh,) = [book for book in books if "failed" in book["rules"]]
    assert (ssh["service"], "sshd" in ssh["programs"]) == ("ssh", True)


def test_all_our_samples_hold(folder: Path) -> None:
    """Every sample of every rule is read as its file says, among all other rules."""
    done = run("test")
    assert done.stdout == ""
    assert done.return_value == 0


def test_the_manuals_example_holds_as_written(folder: Path) -> None:
    """It passes its own test, and takes the line that the manual shows."""
    (folder / "doorkeeper.toml").write_text(EXAMPLE)
    assert run("test").return_value == 0
    assert explained(REFUSED)["verdict"] == "sign-in refused, from 192.0.2.7"


def test_the_manual_names_every_field_and_shape() -> None:
    """What a rule file may hold is written down, all of it."""
    names = {*Rule.__struct_fields__, *Rulebook.__struct_fields__, *BARE, SYSLOG, WHATEVER, UNDATED, REQUESTS}
    manual = DOCS.read_text()
    assert {name for name in names if f"`{name}`" not in manual} == set()


def test_a_sample_that_fails_is_named(folder: Path) -> None:
    """What was expected, what was read, and exit code 1."""
    file = folder.parent / "mine.toml"
    file.write_text(EXAMPLE.replace('(wrong password)" = "192.0.2.7"', '(wrong password)" = "192.0.2.8"'))
    done = run("test", str(file))
    assert done.return_value == 1
    assert done.stdout.splitlines() == [
        "✗ doorkeeper/doorkeeper-refused: refused alice from 192.0.2.7 (wrong password)",
        "    expected 192.0.2.8, read 192.0.2.7 by doorkeeper-refused",
    ]


def test_a_near_miss_that_matches_fails(folder: Path) -> None:
    """A sample with no origin must not be read."""
    file = folder.parent / "mine.toml"
    file.write_text(EXAMPLE.replace("(maintenance)", "(no such account)"))
    assert run("test", str(file)).return_value == 1


def test_a_rule_that_another_hides_fails(folder: Path) -> None:
    """The first match wins, also here: a rule that never gets its line is told so."""
    hidden = EXAMPLE[EXAMPLE.index("[[rules]]") :].split("[[rules]]")[1].replace("doorkeeper-refused", "late")
    file = folder.parent / "mine.toml"
    file.write_text(f"{EXAMPLE}\n[[rules]]{hidden}")
    done = run("test", str(file))
    assert done.return_value == 1
    assert "    expected 192.0.2.7, read 192.0.2.7 by doorkeeper-refused" in done.stdout.splitlines()


RECORDS = """
service = "turnstile"
log_type = "portal-login"
marks = ["gate", "visitor"]
[thresholds."intrusion-attempts/brute-force"]
low = 6
medium = 200
[[records]]
id = "turnstile-refused"
where = {{ gate = "shut" }}
origin = "visitor"
time = "at"
kind = "intrusion-attempts/brute-force"
evidence = "verdict"
weight = 2
why = "refused"
[records.samples]
'{{"at":"2026-01-07T03:04:05Z","gate":"shut","visitor":"192.0.2.7"}}' = "{origin}"
'{{"at":"2026-01-07T03:04:05Z","gate":"open","visitor":"192.0.2.7"}}' = ""
"""


def test_samples_of_records_are_tested_too(folder: Path) -> None:
    """Rules for records stand in the same files, and are held to their samples in the same way."""
    file = folder.parent / "mine.toml"
    file.write_text(RECORDS.format(origin="192.0.2.7"))
    assert run("test", str(file)).return_value == 0
    file.write_text(RECORDS.format(origin="192.0.2.8"))
    done = run("test", str(file))
    assert done.return_value == 1
    assert done.stdout.splitlines()[1] == "    expected 192.0.2.8, read 192.0.2.7 by turnstile-refused"


def test_a_matching_line_is_explained(folder: Path) -> None:
    """How it was read, what was assumed, which rule took it and for what."""
    told = explained(FAILED, "--year", "2025")
    assert told["shape"] == "syslog, RFC 3164"
    assert told["asked"] == "router, ssh (program sshd)"  # Junos' audit speaks under that name, too
    assert told["time"] == "2025-12-10T06:55:46Z"
    assert told["assumed"] == "time_zone: UTC, this machine's"
    assert told["rule"] == "failed (ssh): sign-in refused"
    assert told["evidence"] == "verdict, weight 2 × 1"
    assert (told["origin"], told["target"]) == ("192.0.2.1", "gate")
    assert told["kind"] == "intrusion-attempts/brute-force"


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("hello", "rejected: no log header"),
        ("", "nothing: an empty line"),
        ('{"a": 1}', "no log line: json, which sift reads without a line's header"),
        (
            FAILED.replace("sshd", "nobody-knows-it"),
            "noise: no rule is asked about lines of this program or shape",
        ),
        (FAILED.replace("Failed", "Passed"), "noise: no literal of the rules that were asked stands in it"),
        (
            FAILED.replace("192.0.2.1", "UNKNOWN"),
            "noise: the rule matched, but 'UNKNOWN' is no address and no name",
        ),
        (FAILED.replace("06:55", "06:75"), "rejected: impossible time"),
    ],
)
def test_a_line_that_is_no_evidence_is_explained(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: str, verdict: str
) -> None:
    """Why not, in one sentence; ssh's rules alone, so that no other rulebook takes the line."""
    from tocsin.sift import rulebook

    ssh = next(book for book in rulebook.ours() if any(rule.id == "failed" for rule in book.rules))
    monkeypatch.setattr(rulebook, "ruleset", lambda: rulebook.Ruleset([ssh]))
    assert explained(line)["verdict"] == verdict


def test_the_nearest_rule_is_named(folder: Path) -> None:
    """Which rule read furthest, and where it stopped."""
    (folder / "doorkeeper.toml").write_text(EXAMPLE)
    told = explained(REFUSED.replace("wrong password", "too early"))
    assert told["literal"] == "'refused ' of doorkeeper-refused"
    assert told["nearest"] == "doorkeeper-refused, which stopped at 'too early)'"


def test_standard_input_is_explained_line_by_line(folder: Path) -> None:
    """`-` reads lines as they come, with an empty line between the answers."""
    done = run("explain", "-", given=f"{FAILED}\nhello\n")
    first, second = done.stdout.split("\n\n")
    assert "sign-in refused" in first
    assert "no log header" in second


def test_explain_is_quick(folder: Path) -> None:
    """Half a second is the budget of a first answer; CPU time, because a busy machine proves nothing."""
    before = os.times()
    assert start("rules", "explain", FAILED).returncode == 0
    after = os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    assert spent < 0.5


ALERT = {
    "timestamp": "2026-01-07T03:04:05Z", "event_type": "alert", "src_ip": "192.0.2.1",
    "dest_ip": "198.51.100.1", "alert": {"severity": 1},
}  # fmt: skip
CARRIED = {
    "log": FAILED,
    "stream": "stdout",
    "time": "2026-01-07T03:04:05Z",
}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (ALERT, ("suricata-alert", "origin   192.0.2.1", "target   198.51.100.1", "2026-01-07T03:04:05Z")),
        (ALERT | {"event_type": "dns"}, ("nearest  suricata-alert", "event_type = dns", "no rule fits")),
        (CARRIED, ("record of docker-line", "rule     failed", "origin   192.0.2.1")),
    ],
)
def test_a_record_is_explained(record: dict[str, object], told: tuple[str, ...]) -> None:
    """The rule that takes a record, or the condition that fails; a carried line is explained as a line."""
    output = run("explain", json.dumps(record)).stdout
    assert all(words in output for words in told), output
