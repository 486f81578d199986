"""Every way in which a log line may be written."""

import json
from pathlib import Path

import pytest
from tests.sift.logs import sift_text

MESSAGE = "Failed password for root from 192.0.2.1 port 22 ssh2"
AT = "2025-12-10T06:55:46Z"
SHAPES = [
    (f"Dec 10 06:55:46 gate sshd[1]: {MESSAGE}", AT, "gate"),
    (f"<38>Dec 10 06:55:46 gate sshd[1]: {MESSAGE}", AT, "gate"),
    (f"Dec 10 06:55:46 gate sshd-session[1]: {MESSAGE}", AT, "gate"),
    (f"Dec 10 06:55:46 gate /usr/sbin/sshd[1]: {MESSAGE}", AT, "gate"),
    (f"Dec 10 06:55:46.123456 gate sshd[1]: {MESSAGE}", AT, "gate"),
    (f"Nov  2 06:55:46 gate sshd[1]: {MESSAGE}", "2025-11-02T06:55:46Z", "gate"),
    (f"Nov 2 06:55:46 gate sshd[1]: {MESSAGE}", "2025-11-02T06:55:46Z", "gate"),
    (f"Nov 02 06:55:46 gate sshd[1]: {MESSAGE}", "2025-11-02T06:55:46Z", "gate"),
    (f"Dec 10 06:55:46 sshd[1]: {MESSAGE}", AT, "unknown"),
    (f"Dec 10 06:55:46 gate sshd: {MESSAGE}", AT, "gate"),
    (f"2024 Dec 10 06:55:46 gate sshd[1]: {MESSAGE}", "2024-12-10T06:55:46Z", "gate"),
    (f"Dec 10 2024 06:55:46 gate sshd[1]: {MESSAGE}", "2024-12-10T06:55:46Z", "gate"),
    (f"2025-12-10T06:55:46Z gate sshd[1]: {MESSAGE}", AT, "gate"),
    (f"2025-12-10T07:55:46.738197+01:00 gate sshd[1]: {MESSAGE}", AT, "gate"),
    (f"2025-12-10 01:25:46-0530 gate sshd[1]: {MESSAGE}", AT, "gate"),
    (f"2025-12-10 06:55:46 gate sshd[1]: {MESSAGE}", AT, "gate"),
    (f"2025-12-10T06:55:46,123 gate sshd[1]: {MESSAGE}", AT, "gate"),
    (f"<38>1 2025-12-10T06:55:46.003Z gate sshd 1 - - {MESSAGE}", AT, "gate"),
    (f"1 2025-12-10T06:55:46+00:00 gate sshd 1 ID47 - {MESSAGE}", AT, "gate"),
    (f'<38>1 2025-12-10T06:55:46Z gate sshd 1 - [a@1 b="c: \\"]d"][e@1] \ufeff{MESSAGE}', AT, "gate"),
    (f"Dec 10 06:55:46 gate sshd[1]: {MESSAGE}\r", AT, "gate"),
    (f"\ufeffDec 10 06:55:46 gate sshd[1]: {MESSAGE}", AT, "gate"),
    ("Dec 10 06:55:46 gate sshd(pam_unix)[1]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh "
     "ruser= rhost=192.0.2.1  user=root", AT, "gate"),
    ("Dec 10 06:55:46 gate sshd[1]: message repeated 5 times: [ " + MESSAGE + "]", AT, "gate"),
    (json.dumps({"__REALTIME_TIMESTAMP": "1765349746123456", "_HOSTNAME": "gate", "SYSLOG_IDENTIFIER": "sshd",
                 "MESSAGE": MESSAGE}), AT, "gate"),
    (json.dumps({"__REALTIME_TIMESTAMP": "1765349746123456", "_HOSTNAME": "gate", "_COMM": "sshd",
                 "MESSAGE": list(MESSAGE.encode())}), AT, "gate"),
    ("__CURSOR=s=1\n__REALTIME_TIMESTAMP=1765349746123456\n_HOSTNAME=gate\nSYSLOG_IDENTIFIER=sshd\n"
     f"MESSAGE={MESSAGE}\n", AT, "gate"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "at", "target"), SHAPES, ids=[line[:34] for line, _, _ in SHAPES])
def test_a_line_is_read_in_every_shape(tmp_path: Path, line: str, at: str, target: str) -> None:
    """The same failed password is found whatever wrote the header."""
    sifted = sift_text(tmp_path, line + "\n", year=None if "20" in line[:12] else 2025, tz="UTC")
    (attack,) = sifted.attacks
    assert (attack.origins, attack.targets, attack.first_seen_at) == (("192.0.2.1",), (target,), at)
    assert sifted.balance.observed == 1
    assert sifted.balance.rejected == 0


def test_message_repeated_counts_as_often_as_it_says(tmp_path: Path) -> None:
    """The count is that of the acts, the evidence one line."""
    line = f"Dec 10 06:55:46 gate sshd[1]: message repeated 5 times: [ {MESSAGE}]\n"
    (attack,) = sift_text(tmp_path, line).attacks
    assert attack.count == 5
    assert attack.evidence[0].lines == (1,)


def test_export_with_binary_fields_is_read(tmp_path: Path) -> None:
    """journald writes odd bytes as a length and the bytes; evidence is the line of the message."""
    odd = b"ODD\n" + (5).to_bytes(8, "little") + b"a\nb\0c\n"
    head = b"__REALTIME_TIMESTAMP=1765349746123456\n_HOSTNAME=gate\nSYSLOG_IDENTIFIER=sshd\n"
    text = (
        b"__CURSOR=x\n" + head + odd + b"MESSAGE=" + MESSAGE.encode() + b"\n\n" + head + b"MESSAGE=hello\n\n"
    )
    sifted = sift_text(tmp_path, text)
    assert [attack.origins for attack in sifted.attacks] == [("192.0.2.1",)]
    assert sifted.balance.read == 2
    (line,) = sifted.attacks[0].evidence[0].lines
    assert text.split(b"\n")[line - 1].startswith(b"MESSAGE=")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("something else", "no log header"),
        ("Feb 31 06:55:46 gate sshd[1]: " + MESSAGE, "impossible time"),
        ("Dec 10 25:55:46 gate sshd[1]: " + MESSAGE, "impossible time"),
        ("Dec 10 06:75:46 gate sshd[1]: " + MESSAGE, "impossible time"),
    ],
)
def test_what_is_no_log_line_is_rejected_and_kept(tmp_path: Path, line: str, reason: str) -> None:
    """The path, the number, the reason and the line itself stand in the rejects file."""
    kept = tmp_path / "kept" / "rejects.tsv"
    text = f"Dec 10 06:55:46 gate sshd[1]: {MESSAGE}\n\n{line}\nDec 10 06:55:46 gate cron[1]: hello\n"
    sifted = sift_text(tmp_path, text, rejects=kept)
    assert sifted.balance.reasons == {reason: 1}
    assert (sifted.balance.read, sifted.balance.noise) == (4, 2)
    assert kept.read_text() == f"{tmp_path}/auth.log\t3\t{reason}\t{line}\n"
    assert kept.stat().st_mode & 0o077 == 0


def test_lines_of_other_programs_say_nothing_of_sshd(tmp_path: Path) -> None:
    """What an unknown program quotes is a sign at most, of no known service; nobody is blocked upon it."""
    text = f"Dec 10 06:55:46 gate sshd[1]: hello\nDec 10 06:55:46 gate web[1]: {MESSAGE}\n"
    sifted = sift_text(tmp_path, text)
    assert [(a.service, a.severity, a.spoofable) for a in sifted.attacks] == [("sign-in", "info", True)]
    assert sifted.balance.noise == 1


def test_what_a_visitor_writes_into_an_access_log_accuses_nobody(tmp_path: Path) -> None:
    """The words of a request are its sender's."""
    request = "GET /?q=login+failed+for+x+from+192.0.2.9 HTTP/1.1"
    line = (
        f'198.51.100.7 - - [10/Dec/2025:06:55:46 +0000] "{request}" 200 7 "-" "login failed from 192.0.2.9"'
    )
    sifted = sift_text(tmp_path, f"{line}\n")
    assert "192.0.2.9" not in {origin for attack in sifted.attacks for origin in attack.origins}


def test_an_invalid_byte_changes_neither_the_match_nor_the_digest(tmp_path: Path) -> None:
    """Evidence is digested as the bytes that stand in the file."""
    import hashlib

    line = b"Dec 10 06:55:46 gate sshd[1]: Invalid user \xff\xfe from 192.0.2.1"
    (attack,) = sift_text(tmp_path, line + b"\nDec 10 06:55:46 gate sshd[1]: caf\xc3\xa9\n").attacks
    assert attack.origins == ("192.0.2.1",)
    assert attack.evidence[0].sha256 == hashlib.sha256(line + b"\n").hexdigest()
