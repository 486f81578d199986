"""What is over leaves the memory, and nothing else changes."""

import random
from pathlib import Path

import pytest
from tests.sift.logs import FAILED

from tocsin.sift.engine import sift
from tocsin.sift.scratch import Scratch

PAM = "pam_unix(sshd:auth): authentication failure; logname= uid=0 tty=ssh ruser="


def write_logs(folder: Path) -> None:
    """Two hosts' logs over three weeks: guessing, echoes of it, sign-ins, and a clock that once went back."""
    dice = random.Random(7)
    for host in ("gate", "web"):
        lines = []
        for day in range(1, 22):
            for turn in range(60):
                origin = f"192.0.2.{dice.randrange(40)}"
                at = f"2026-03-{day:02}T{turn // 3:02}:{turn % 3 * 20:02}:00Z {host} sshd[{turn}]: "
                lines += [at + FAILED.format(origin=origin)] * dice.randrange(4)
                lines.append(f"{at}{PAM} rhost={origin}")
                if not dice.randrange(20):
                    lines.append(f"{at}Accepted password for root from {origin} port 22 ssh2")
        lines.insert(900, f"2026-03-02T05:00:00Z {host} sshd[1]: {FAILED.format(origin='192.0.2.1')}")
        (folder / f"{host}.log").write_text("\n".join(lines) + "\n")


def test_putting_away_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same attacks in the same order with the same severities, whatever is held in memory or on disk."""
    write_logs(tmp_path)
    whole = sift([str(tmp_path)])
    monkeypatch.setattr("tocsin.sift.piles.MOST_OPEN", 0)
    monkeypatch.setattr("tocsin.sift.scratch.IN_MEMORY", 10)
    monkeypatch.setattr("tocsin.sift.blocks.BLOCK", 20_000)
    put_away = sift([str(tmp_path)])
    assert put_away.balance == whole.balance
    assert put_away.campaign_count == whole.campaign_count
    assert len(whole.attacks) > 500
    told = [
        (a.attack_id, a.count, a.severity, a.first_seen_at, a.last_seen_at, a.why) for a in put_away.attacks
    ]
    assert told == [
        (a.attack_id, a.count, a.severity, a.first_seen_at, a.last_seen_at, a.why) for a in whole.attacks
    ]
    same = sum(
        one.evidence == other.evidence for one, other in zip(put_away.attacks, whole.attacks, strict=True)
    )
    assert same >= len(whole.attacks) - 2  # a day that was opened again has its lines in two parts


def test_pieces_are_found_again() -> None:
    """By their place, before and after they moved to disk."""
    scratch, pieces = Scratch(), [bytes([n]) * (n * 1_000) for n in range(200)]
    places = [scratch.add(piece) for piece in pieces]
    assert [scratch.get(place) for place in reversed(places)] == list(reversed(pieces))
