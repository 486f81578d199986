"""From lines to attacks: what counts, how much it weighs, and what is recorded."""

import hashlib
from pathlib import Path

import pytest
from tests.sift.logs import FAILED, sift_text, syslog

from tocsin.kernel.problems import BadInput
from tocsin.sift.engine import Options, sift
from tocsin.sift.values import Observation

BAD, GOOD = "192.0.2.1", "198.51.100.7"
FAIL = FAILED.format(origin=BAD)
PAM = f"pam_unix(sshd:auth): authentication failure; logname= uid=0 tty=ssh ruser= rhost={BAD}  user=root"
ACCEPTED = f"Accepted password for root from {BAD} port 22 ssh2"


@pytest.mark.parametrize(
    ("messages", "severities"),
    [
        ([FAIL], {"intrusion-attempts/brute-force": "info"}),  # one refused password is anybody's
        ([FAIL] * 3, {"intrusion-attempts/brute-force": "low"}),
        ([FAIL] * 100, {"intrusion-attempts/brute-force": "medium"}),
        ([f"Invalid user x from {BAD}", FAIL], {"intrusion-attempts/brute-force": "info"}),
        ([f"message repeated 3 times: [ {FAIL}]"], {"intrusion-attempts/brute-force": "low"}),
        ([f"Connection closed by {BAD} port 22 [preauth]"] * 4, {"information-gathering/scanner": "info"}),
        ([f"Connection closed by {BAD} port 22 [preauth]"] * 5, {"information-gathering/scanner": "low"}),
        (
            [FAIL] * 5 + [ACCEPTED],
            {"intrusion-attempts/brute-force": "high", "intrusions/privileged-account-compromise": "high"},
        ),
        (
            [FAIL] * 5 + [ACCEPTED.replace("root", "alice")],
            {"intrusion-attempts/brute-force": "high", "intrusions/unprivileged-account-compromise": "high"},
        ),
        ([ACCEPTED] + [FAIL] * 5, {"intrusion-attempts/brute-force": "low"}),  # signed in before the guessing
        ([FAIL] * 2 + [ACCEPTED], {"intrusion-attempts/brute-force": "info"}),  # a mistyped password
        ([FAIL] * 5 + [ACCEPTED.replace(BAD, GOOD)], {"intrusion-attempts/brute-force": "low"}),
        ([ACCEPTED], {}),
        ([f"Failed publickey for alice from {BAD} port 22 ssh2: RSA SHA256:x", ACCEPTED], {}),
        ([f"Close session: user ansible from {GOOD} port 34928 id 0"], {}),
        ([PAM] * 3, {"intrusion-attempts/brute-force": "low"}),  # PAM alone is evidence
    ],
)
def test_severity_is_judged_over_the_whole_run(
    tmp_path: Path, messages: list[str], severities: dict[str, str]
) -> None:
    """Thresholds by kind; a sign-in after serious guessing makes both high; ordinary use is no attack."""
    sifted = sift_text(tmp_path, syslog(messages))
    assert {attack.kind: attack.severity for attack in sifted.attacks} == severities


def test_an_echo_of_a_verdict_is_noise(tmp_path: Path) -> None:
    """PAM and sshd tell of one act: it counts once, whichever comes first and wherever the file is cut."""
    for messages in ([PAM, FAIL], [FAIL, PAM]):
        sifted = sift_text(tmp_path, syslog(messages))
        assert [(attack.count, attack.evidence[0].line_count) for attack in sifted.attacks] == [(1, 1)]
        assert (sifted.balance.observed, sifted.balance.noise) == (1, 1)


def test_pam_by_name_is_an_echo_where_the_daemon_gave_the_address(tmp_path: Path) -> None:
    """PAM may name the host whose address sshd logs; alone, the name is what is known."""
    named = PAM.replace(BAD, "Scanner.Example.NET")
    assert [a.origins for a in sift_text(tmp_path, syslog([named, FAIL])).attacks] == [(BAD,)]
    assert [a.origins for a in sift_text(tmp_path, syslog([named])).attacks] == [("scanner.example.net",)]


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("::ffff:192.0.2.1", BAD),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("A.Example", "a.example"),
    ],
)
def test_an_origin_has_one_spelling(tmp_path: Path, written: str, origin: str) -> None:
    """Mapped addresses, zone ids, upper case: the same origin is the same attack."""
    sifted = sift_text(tmp_path, syslog([FAILED.format(origin=written), FAILED.format(origin=origin)]))
    assert [(attack.origins, attack.count) for attack in sifted.attacks] == [((origin,), 2)]


def test_nobody_is_no_origin(tmp_path: Path) -> None:
    """sshd writes UNKNOWN where it cannot tell."""
    assert sift_text(tmp_path, syslog([FAILED.format(origin="UNKNOWN")])).attacks == []


def test_an_injected_user_name_blames_nobody_else(tmp_path: Path) -> None:
    """A user name that looks like the end of a line does not move the blame."""
    evil = f"Failed password for invalid user a from {GOOD} port 22 ssh2 from {BAD} port 22 ssh2"
    assert [attack.origins for attack in sift_text(tmp_path, syslog([evil])).attacks] == [(BAD,)]


def test_a_day_is_a_utc_day(tmp_path: Path) -> None:
    """Midnight in London in summer is eleven, UTC; two days are two attacks of one campaign."""
    text = syslog([FAIL], at="Jul 10 00:30:00") + syslog([FAIL], at="Jul 10 01:30:00")
    sifted = sift_text(tmp_path, text, year=2025, tz="Europe/London")
    assert sorted(attack.first_seen_at for attack in sifted.attacks) == [
        "2025-07-09T23:30:00Z",
        "2025-07-10T00:30:00Z",
    ]
    assert len({attack.campaign for attack in sifted.attacks}) == sifted.campaign_count == 1


def test_the_year_is_the_latest_that_is_not_in_the_future(tmp_path: Path) -> None:
    """In a file last changed in January, December is of the year before; what was assumed is recorded."""
    import os

    path = tmp_path / "auth.log"
    path.write_text(syslog([FAIL]) + syslog([FAILED.format(origin=GOOD)], at="Jan  2 03:04:05"))
    os.utime(path, (1_736_000_000, 1_736_000_000))  # 4 January 2025
    attacks = {attack.origins[0]: attack for attack in sift([str(path)], Options(tz="UTC")).attacks}
    assert attacks[BAD].first_seen_at == "2024-12-10T06:55:00Z"
    assert attacks[GOOD].first_seen_at == "2025-01-02T03:04:05Z"
    assert attacks[BAD].assumed == {
        "year": "the latest that is not after the last change of the source",
        "time_zone": "UTC, as told",
    }


def test_a_time_that_says_all_assumes_nothing(tmp_path: Path) -> None:
    """An ISO time with its offset leaves nothing open."""
    (attack,) = sift_text(tmp_path, f"2025-12-10T06:55:46Z gate sshd[1]: {FAIL}\n").attacks
    assert attack.assumed == {}


def test_own_networks_are_recorded(tmp_path: Path) -> None:
    """An attack from an own customer stays an attack, and says so."""
    text = syslog([FAIL]) + syslog([FAILED.format(origin="2001:db8::1")])
    attacks = sift_text(tmp_path, text, networks=("192.0.2.0/24",)).attacks
    assert {attack.origins[0]: attack.own for attack in attacks} == {BAD: ("origin",), "2001:db8::1": ()}


def test_evidence_names_lines_and_digests_them(tmp_path: Path) -> None:
    """The digest is over the matching lines' bytes, each ended by one newline, CRLF or not."""
    text = syslog([FAIL, "hello", FAIL])
    lines = text.splitlines()
    digest = hashlib.sha256(f"{lines[0]}\n{lines[2]}\n".encode()).hexdigest()
    for form in (text, text.replace("\n", "\r\n")):
        (attack,) = sift_text(tmp_path, form).attacks
        (evidence,) = attack.evidence
        assert (evidence.lines, evidence.line_count, evidence.sha256) == ((1, 3), 2, digest)


def test_line_numbers_are_capped_and_the_count_is_true(tmp_path: Path) -> None:
    """A flood names its first 10,000 lines."""
    (attack,) = sift_text(tmp_path, syslog([FAIL] * 10_050, at="Dec 10 06:55:46")).attacks
    assert len(attack.evidence[0].lines) == 10_000
    assert attack.evidence[0].line_count == attack.count == 10_050


def test_observations_are_the_lines_that_count(tmp_path: Path) -> None:
    """One observation for each line of evidence, none for an echo."""
    seen: list[Observation] = []
    sifted = sift_text(tmp_path, syslog([PAM, FAIL, "hello", FAIL]), observations=seen.extend)
    assert [(o.line, o.kind, o.origin, o.target, o.rule) for o in seen] == [
        (2, "intrusion-attempts/brute-force", BAD, "gate", "failed"),
        (4, "intrusion-attempts/brute-force", BAD, "gate", "failed"),
    ]
    assert len(seen) == sifted.balance.observed


def test_what_is_held_is_measured(tmp_path: Path) -> None:
    """A log that was read is described for the inventory, by a name that survives rotation."""
    (source,) = sift_text(tmp_path, syslog([FAIL] * 2), year=2025, tz="UTC").sources
    (rotated,) = sift_text(tmp_path, syslog([FAIL]), name="auth.log.1", year=2025).sources
    assert source.period_from.isoformat() == "2025-12-10T06:55:00+00:00"
    assert source.period_to.isoformat() == "2025-12-10T06:55:01+00:00"
    assert source.source_id == rotated.source_id
    assert str(tmp_path) not in source.source_id


@pytest.mark.parametrize(
    "options", [Options(networks=("nonsense",)), Options(tz="Nowhere/Else"), Options(year=12)], ids=str
)
def test_options_that_make_no_sense_are_refused(options: Options) -> None:
    """Before anything is read."""
    with pytest.raises(BadInput):
        sift([], options)
