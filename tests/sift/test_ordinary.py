"""What daemons write on an ordinary day is noise."""

from pathlib import Path

import pytest
from tests.sift.logs import sift_text

FOLDER = Path(__file__).parent / "ordinary"
SYSLOG = (FOLDER / "syslog.txt").read_text().splitlines()
BARE = (FOLDER / "bare.txt").read_text().splitlines()


@pytest.mark.parametrize("line", SYSLOG, ids=lambda line: line[:60])
def test_ordinary_lines_of_syslog_are_noise(tmp_path: Path, line: str) -> None:
    """Whoever signs in, sends mail or asks a question is no attacker."""
    sifted = sift_text(tmp_path, f"Jan  7 03:04:05 gate {line}\n")
    assert [(attack.kind, attack.why) for attack in sifted.attacks] == []
    assert sifted.balance.noise == 1


@pytest.mark.parametrize("line", BARE, ids=lambda line: line[:60])
def test_ordinary_lines_of_programs_own_logs_are_noise(tmp_path: Path, line: str) -> None:
    """The same where a program writes a log of its own."""
    sifted = sift_text(tmp_path, f"{line}\n")
    assert [(attack.kind, attack.why) for attack in sifted.attacks] == []
    assert sifted.balance.noise == 1
