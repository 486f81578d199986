"""Our findings beside those of fail2ban and sshguard on a real log."""

import random
from pathlib import Path

import pytest
from tests.sift.logs import by_origin

from tocsin.sift.engine import Options, sift


def _peer(path: Path) -> dict[str, int]:
    return {line.split("\t")[0]: int(line.split("\t")[1]) for line in path.read_text().splitlines()}


def test_the_attackers_are_those_the_peers_agree_on(samples: Path) -> None:
    """All 26 addresses and no other, each with evidence lines within the span of the two peers."""
    sifted = sift([str(samples / "loghub" / "OpenSSH_2k.part1.log")])
    ours = by_origin(sifted.attacks)
    guard = _peer(samples / "loghub" / "PEER_sshguard_parser.tsv")
    ban = _peer(samples / "loghub" / "PEER_fail2ban_sshd_aggr.tsv")
    assert ours.keys() == guard.keys() & ban.keys()
    outside = {
        ip: (guard[ip], lines, ban[ip])
        for ip, lines in ours.items()
        if not min(guard[ip], ban[ip]) <= lines <= max(guard[ip], ban[ip])
    }
    assert outside == {}
    assert sifted.balance.read == 1000
    assert sifted.balance.rejected == 0


@pytest.mark.parametrize("seed", range(5))
def test_ids_do_not_change_when_the_log_is_cut_in_three(samples: Path, tmp_path: Path, seed: int) -> None:
    """Sifted together the pieces give the very attacks of the whole; separately the same ids."""
    content = (samples / "loghub" / "OpenSSH_2k.part1.log").read_bytes()
    lines = content.splitlines(keepends=True)
    first, second = sorted(random.Random(seed).sample(range(1, len(lines)), 2))
    pieces = [lines[:first], lines[first:second], lines[second:]]
    for number, piece in enumerate(pieces):
        (tmp_path / f"{number}.log").write_bytes(b"".join(piece))
    options = Options(year=2025, tz="UTC")
    whole = sift([str(samples / "loghub" / "OpenSSH_2k.part1.log")], options)
    together = sift([str(tmp_path)], options)
    told = [(a.attack_id, a.count, a.severity, a.first_seen_at, a.last_seen_at) for a in whole.attacks]
    assert [
        (a.attack_id, a.count, a.severity, a.first_seen_at, a.last_seen_at) for a in together.attacks
    ] == told
    assert together.balance.observed == whole.balance.observed
    apart = {a.attack_id for n in range(3) for a in sift([str(tmp_path / f"{n}.log")], options).attacks}
    assert apart == {a.attack_id for a in whole.attacks}


SSH_CASES = ["ssh-bf", "ssh-time-based-bf"]


@pytest.mark.parametrize("case", SSH_CASES)
def test_crowdsecs_attackers_are_found(samples: Path, case: str) -> None:
    """Every address that crowdsec's scenario must raise is found, and none that is not in the log."""
    import re

    folder = samples / "crowdsec" / case
    wanted = set(re.findall(r'Sources\["([0-9a-f.:]+)"\]', (folder / "scenario.assert").read_text()))
    assert wanted
    assert set(by_origin(sift([str(folder / f"{case}.log")]).attacks)) >= wanted
