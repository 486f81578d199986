"""Mails and reports become attacks."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.sift.logs import sift_text
from tests.wire.test_arf import BASIC, mail
from tests.wire.xarf_samples import report

from tocsin.sift.engine import sift
from tocsin.sift.values import Sifted


def _xarf(folder: Path, *documents: Any, lines: bool = False) -> Sifted:
    text = "\n".join(map(json.dumps, documents)) if lines else json.dumps(documents[0])
    return sift_text(folder, text, name="report.json")


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("abuse", ("abusive-content/spam", "low")),
        ("fraud", ("fraud/phishing", "medium")),
        ("virus", ("malicious-code/malware-distribution", "medium")),
        ("auth-failure", ("other/other", "info")),
        ("other", ("other/other", "info")),
        ("x-unheard-of", ("other/other", "info")),
        ("not-spam", None),
        ("opt-out", None),
    ],
)
def test_a_feedback_type_has_a_meaning(tmp_path: Path, kind: str, meaning: tuple[str, str] | None) -> None:
    """A failed authentication accuses nobody; a message that was no spam is no attack."""
    sifted = sift_text(tmp_path, mail(BASIC.replace("abuse", kind)), name="a.eml")
    assert [(attack.kind, attack.severity) for attack in sifted.attacks] == ([meaning] if meaning else [])
    assert (sifted.balance.observed, sifted.balance.noise) == ((1, 0) if meaning else (0, 1))


def test_a_complaint_says_who_complained_and_what_was_assumed(tmp_path: Path) -> None:
    """The target is the complaining side, the time where it was read, the count what the report counts."""
    (attack,) = sift_text(tmp_path, mail(BASIC + "\nIncidents: 7"), name="a.eml").attacks
    assert (attack.origins, attack.targets, attack.service) == (("192.0.2.1",), ("feedback.example",), "smtp")
    assert attack.count == 7
    assert attack.first_seen_at == "2026-01-01T11:00:00Z"
    assert attack.assumed["first_seen_at"] == "derived from the mail's date"


def test_the_forms_of_one_mail_are_one_attack(samples: Path, tmp_path: Path) -> None:
    """LF, CRLF and CR alone give the same id; together two of them are duplicates."""
    files = [str(samples / "mail" / "arf-sisimai" / f"{form}-arf-01.eml") for form in ("bsd", "dos", "mac")]
    assert len({sift([file]).attacks[0].attack_id for file in files}) == 1
    together = sift(files)
    assert (len(together.attacks), together.balance.observed, together.balance.duplicate) == (1, 1, 2)


def test_the_facts_of_the_arf_samples(samples: Path) -> None:
    """Seven give their source address, failures of authentication as info; two give none and say why.

    One is no feedback report, but a complaint of a programme whose subject names the address.
    """
    facts = json.loads((samples / "mail" / "arf_facts.json").read_text())
    given, kept, others = 0, 0, 0
    for name in facts:
        if not name.startswith("mail/arf-") or "dos-" in name or "mac-" in name:
            continue
        source = (facts[name].get("feedback", {}).get("source-ip") or [None])[0]
        sifted = sift([str(samples / name)])
        if source:
            given += 1
            failure = facts[name]["feedback"]["feedback-type"] == ["auth-failure"]
            assert [(a.origins, a.severity) for a in sifted.attacks] == [
                ((source,), "info" if failure else "low")
            ]
        elif "feedback" not in facts[name]:
            others += 1
            assert [(a.origins, a.severity) for a in sifted.attacks] == [(("192.0.2.222",), "low")]
        else:
            kept += 1
            assert (sifted.attacks, sifted.balance.rejected) == ([], 1)
            assert "not guessed" in next(iter(sifted.balance.reasons))
    assert (given, kept, others) == (7, 2, 1)  # and the two other forms of one mail, tested above


def test_dmarc_failures_are_no_abuse(samples: Path) -> None:
    """They tell a domain's owner who failed to pass for him; that is information."""
    sifted = sift([str(samples / "mail" / "dmarc-failure")])
    assert {attack.severity for attack in sifted.attacks} == {"info"}


def test_the_official_xarf_samples_are_attacks(samples: Path) -> None:
    """All 13, each its own attack; copyright and vulnerability are information only."""
    sifted = sift([str(samples / "xarf" / "spec-v4")])
    assert len(sifted.attacks) == sifted.balance.observed == 13
    information = {attack.kind.partition("/")[0] for attack in sifted.attacks if attack.severity == "info"}
    assert "vulnerable" in information
    assert not [a for a in sifted.attacks if a.kind in ("fraud/copyright",) and a.severity != "info"]


@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream", "text/plain"])
def test_xarf_in_a_mail_is_read(tmp_path: Path, content_type: str) -> None:
    """As an attachment of its type, or by its file name."""
    document = json.dumps(report("connection", "login_attack", service="ssh", attempt_count=9))
    text = (
        "From: a@b.example\nX-XARF: YES\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        f"--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: {content_type}\n"
        f'Content-Disposition: attachment; filename="xarf.json"\n\n{document}\n--b--\n'
    )
    (attack,) = sift_text(tmp_path, text, name="m.eml").attacks
    assert (attack.origins, attack.service, attack.count) == (("192.0.2.1",), "ssh", 9)


def test_an_mbox_is_its_mails(tmp_path: Path) -> None:
    """Each counts alone, by the line on which it begins; a quoted From line does not cut a mail."""
    first = mail().replace(b"hello\n", b"hello\n\nFrom here on it is text\n")
    second = mail(BASIC.replace("192.0.2.1", "192.0.2.2"))
    separator = b"From MAILER-DAEMON Thu Jan  1 12:00:00 2026\n"
    box = separator + first + b"\n" + separator + second + b"\n" + separator + b"Subject: x\n\nnothing\n"
    sifted = sift_text(tmp_path, box, name="mbox")
    assert {attack.origins[0]: attack.evidence[0].lines for attack in sifted.attacks} == {
        "192.0.2.1": (1,),
        "192.0.2.2": (box[: box.index(separator, 10)].count(b"\n") + 1,),
    }
    assert (sifted.balance.read, sifted.balance.rejected) == (3, 1)


def test_a_maildir_is_a_folder(tmp_path: Path) -> None:
    """Whatever its files are called."""
    for name in ("new/1.M2P3.host", "cur/2.M2P3.host:2,S"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(mail(BASIC + f"\nX: {name}"))
    assert [attack.count for attack in sift([str(tmp_path)]).attacks] == [2]


def test_reports_one_a_line_are_each_their_own(tmp_path: Path) -> None:
    """A broken line is a rejection of its own."""
    good = report("connection", "port_scan")
    sifted = _xarf(
        tmp_path, good, report("content", "csam", url=None), report("messaging", "spam"), lines=True
    )
    assert {attack.evidence[0].lines for attack in sifted.attacks} == {(1,), (3,)}
    assert sifted.balance.reasons == {"XARF field url is missing": 1}


@pytest.mark.parametrize("name", ["csam", "csem"])
def test_child_abuse_reports_are_restricted_and_leave_nothing_behind(tmp_path: Path, name: str) -> None:
    """Metadata in the restricted lane; neither path nor payload in an attack or the rejects."""
    secret = {
        "source_identifier": "https://bad.example.com/secret",
        "url": "https://bad.example.com/secret",
        "evidence": [{"content_type": "image/png", "payload": "c2VjcmV0"}],
    }
    sifted = _xarf(tmp_path, report("content", name, **secret))
    (attack,) = sifted.attacks
    assert (attack.lane, attack.severity, attack.origins) == ("restricted", "critical", ("bad.example.com",))
    kept = tmp_path / "rejects.tsv"
    broken = sift_text(
        tmp_path, json.dumps(report("content", name, timestamp="x", **secret)), name="b", rejects=kept
    )
    assert broken.balance.rejected == 1
    for text in (repr(sifted), kept.read_text()):
        assert "secret" not in text
        assert "c2VjcmV0" not in text


def test_a_report_over_days_counts_under_the_first(tmp_path: Path) -> None:
    """A later version of the report is the same attack."""
    early = report("infrastructure", "botnet", first_seen="2026-02-01T00:00:00Z")
    later = early | {"timestamp": "2026-03-05T00:00:00Z"}
    (one,), (two,) = _xarf(tmp_path, early).attacks, _xarf(tmp_path, later).attacks
    assert one.attack_id == two.attack_id
    assert one.assumed["first_seen_at"].startswith("the report spans several days")
