"""Complaints by mail, sender by sender; and what becomes of a mail that nobody knows."""

import base64
import io
import json
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.sift.logs import sift_text
from tests.wire.test_xarf02 import PART
from tests.wire.test_xarf_older import older

from tocsin.reference.loader import pack
from tocsin.sift import mailforms
from tocsin.sift.engine import sift
from tocsin.sift.feeds import shadowserver
from tocsin.sift.values import Attack, Sifted
from tocsin.wire import complaint_words, idea, labels
from tocsin.wire.xarf_older_types import OLDER_TYPES

DATE = "Fri, 02 Jan 2026 10:00:00 +0000"
MAIL_DATE = ("2026-01-02T10:00:00Z", "derived from the mail's date")


def letter(sender: str, subject: str, body: str, *parts: str) -> str:
    """A mail of our own making; parts are header and body of what is attached."""
    head = f"From: Desk <reports@{sender}>\nTo: abuse@isp.example\nSubject: {subject}\nDate: {DATE}\n"
    head += "MIME-Version: 1.0\n"
    if not parts:
        return f"{head}Content-Type: text/plain\n\n{body}"
    whole = "".join(f"--b\n{part}\n" for part in (f"Content-Type: text/plain\n\n{body}", *parts))
    return f"{head}Content-Type: multipart/mixed; boundary=b\n\n{whole}--b--\n"


def the_attack(folder: Path, mail: str) -> Attack:
    """The one attack that a mail tells of."""
    sifted = sift_text(folder, mail, name="a.eml")
    (attack,) = sifted.attacks
    assert (sifted.balance.read, sifted.balance.observed) == (1, 1)
    return attack


# sender, subject, body -> kind, origin, first seen, names
FORMS = {
    "spamcop": (
        (
            "reports.spamcop.net",
            "[SpamCop (192.0.2.1) id:7] buy",
            "Email from 192.0.2.1 / Thu, 01 Jan 2026 12:00:00 +0100\n",
        ),
        ("abusive-content/spam", "192.0.2.1", "2026-01-01T11:00:00Z", ()),
    ),
    "spamcop, by its subject": (
        ("reports.spamcop.net", "[SpamCop (192.0.2.1) id:7] summary", "see above\n"),
        ("abusive-content/spam", "192.0.2.1", MAIL_DATE[0], ()),
    ),
    "bitninja": (
        (
            "bitninja.io",
            "Your server 192.0.2.1 has been registered as an attack source",
            "Timestamp (UTC): 2026-01-01 11:00:00\nAttack type: port scan\n",
        ),
        ("information-gathering/scanner", "192.0.2.1", "2026-01-01T11:00:00Z", ()),
    ),
    "leakix": (
        (
            "leakix.net",
            "[LeakIX] Critical security issue",
            "| Discovered | 01 Jan 26 11:00 UTC |\n| Host | 192.0.2.1 |\n",
        ),
        ("vulnerable/information-disclosure", "192.0.2.1", "2026-01-01T11:00:00Z", ()),
    ),
    "spamhaus": (
        (
            "host.example",
            "SBL Notify",
            "SBL123456 - SBL Alert\n\nIP/cidr: 192.0.2.1/32\n\nProblem: Botnet controller\n",
        ),
        ("malicious-code/c2-server", "192.0.2.1", MAIL_DATE[0], ()),
    ),
    "uceprotect": (
        ("host.example", "UCEPROTECT Monitoring Report: IP 192.0.2.1", "Please see to it.\n"),
        ("abusive-content/spam", "192.0.2.1", MAIL_DATE[0], ()),
    ),
    "blocklist.de": (
        (
            "blocklist.de",
            "abuse report about 192.0.2.1 - Thu, 01 Jan 2026 12:00:00 +0100 -- service: ssh (First "
            "x 4) RID: 1",
            "your server with the IP: *192.0.2.1* has attacked\n"
            "method/service: *ssh*  on: *Thu, 01 Jan 2026 12:00:00 +0100*.\n",
        ),
        ("intrusion-attempts/brute-force", "192.0.2.1", "2026-01-01T11:00:00Z", ()),
    ),
    "netcraft": (
        (
            "netcraft.com",
            "Issue 1: phishing attack at http://bad.example.com/",
            "We found a phishing site:\n\nhttp://bad.example.com/bank/ [192.0.2.1]\n",
        ),
        ("fraud/phishing", "192.0.2.1", MAIL_DATE[0], ("bad.example.com",)),
    ),
    "nfoservers": (
        (
            "nfoe.net",
            "Open recursive resolver used for an attack: 192.0.2.1",
            "It answered a victim of ours.\n",
        ),
        ("vulnerable/ddos-amplifier", "192.0.2.1", MAIL_DATE[0], ()),
    ),
    "nfoservers, a host": (
        ("nfoe.net", "Compromised host used for an attack: 192.0.2.1", "It floods a customer of ours.\n"),
        ("malicious-code/infected-system", "192.0.2.1", MAIL_DATE[0], ()),
    ),
    "playstation network": (
        (
            "game.example",
            "Addresses of yours were blacklisted from the PlayStation Network",
            "2026-01-01 11:00 ~ 2026-01-01 11:30 (UTC), 192.0.2.1, Account Takeover Attempts\n",
        ),
        ("intrusion-attempts/brute-force", "192.0.2.1", "2026-01-01T11:00:00Z", ()),
    ),
    "cleanmx": (
        (
            "clean-mx.de",
            "",
            "|date |id |virusname |ip |domain |Url|\n"
            "|2026-01-01 12:00:00 CET |7 |JS/Trojan |192.0.2.1 |bad.example.com "
            "|http://bad.example.com/x.js\n",
        ),
        ("malicious-code/malware-distribution", "192.0.2.1", "2026-01-01T11:00:00Z", ("bad.example.com",)),
    ),
    "google safe browsing": (
        (
            "google.com",
            "Safe Browsing Report",
            '<notification_message asn="64500" date="2026-01-01">\n<list type="1">\n'
            '<url_info url="http://bad.example.com/?user=amy" ip="192.0.2.1" />\n'
            "</list></notification_message>\n",
        ),
        ("fraud/phishing", "192.0.2.1", "2026-01-01T00:00:00Z", ("bad.example.com",)),
    ),
    "google search console": (
        (
            "google.com",
            "Hacked content detected on http://shop.example.com/",
            "Hacked content was detected on your site\n",
        ),
        ("intrusions/system-compromise", "shop.example.com", MAIL_DATE[0], ()),
    ),
    "microsoft jmrp": (
        ("hotmail.com", "complaint about message from 192.0.2.1", "see the message\n"),
        ("abusive-content/spam", "192.0.2.1", MAIL_DATE[0], ()),
    ),
    "abusehub": (
        (
            "reports.abusehub.nl",
            "[Abusehub] [192.0.2.1] [Botnet Drone] Incident Report",
            "we received an abuse report from\n"
            "Botnet Drone about abuse from 192.0.2.1 (event time 2026-01-01 12:00:00 +01:00).\n",
        ),
        ("malicious-code/infected-system", "192.0.2.1", "2026-01-01T11:00:00Z", ()),
    ),
    "cyscon": (
        (
            "cyscon.de",
            "Malicious content hosted on 192.0.2.1",
            "IP:    192.0.2.1\nURL:   http://bad.example.com/\n"
            "Tested on: 2026-01-01 12:00:00 +0100\nResult: CYSC.MALWARE.URL\n",
        ),
        ("malicious-code/malware-distribution", "192.0.2.1", "2026-01-01T11:00:00Z", ("bad.example.com",)),
    ),
    "copyright in XML": (
        (
            "rights.example",
            "Notice",
            "<Infringement><Source><TimeStamp>2026-01-01T11:00:00Z</TimeStamp>"
            "<IP_Address>192.0.2.1</IP_Address></Source></Infringement>\n",
        ),
        ("fraud/copyright", "192.0.2.1", "2026-01-01T11:00:00Z", ()),
    ),
    "copyright in prose": (
        (
            "rights.example",
            "Notice of claimed infringement",
            "Infringer's IP Address: 192.0.2.1\nInitial Infringement Timestamp: 2026-01-01T11:00:00Z\n",
        ),
        ("fraud/copyright", "192.0.2.1", "2026-01-01T11:00:00Z", ()),
    ),
    "webiron": (
        (
            "abuse-reporting.webiron.com",
            "Batched Abuse Report",
            "Offending/Source IP:  192.0.2.1\n"
            "  - Issue: botware\n  - Block Type: New Ban\n  - Time: 2026-01-01 12:00:00+01:00\n",
        ),
        ("intrusion-attempts/exploit", "192.0.2.1", "2026-01-01T11:00:00Z", ()),
    ),
    "a log of a web server": (
        (
            "victim.example",
            "Abuse from 192.0.2.1",
            "Lines containing failures of 192.0.2.1 (max 1000)\n"
            '192.0.2.1 - - [01/Jan/2026:10:00:00 +0100] "POST /xmlrpc.php HTTP/1.1" 200 1 "-" "-"\n'
            '192.0.2.1 - - [01/Jan/2026:12:00:00 +0100] "POST /xmlrpc.php HTTP/1.1" 200 1 "-" "-"\n',
        ),
        ("intrusion-attempts/brute-force", "192.0.2.1", "2026-01-01T11:00:00Z", ()),
    ),
    "a log without years": (
        (
            "victim.example",
            "Abuse from 192.0.2.1",
            "We have detected abuse from the IP address 192.0.2.1\n"
            "Note: Local timezone is +0100 (CET)\n"
            "Dec 31 12:00:00 gate sshd[1]: Failed password for root from 192.0.2.1 port 1 ssh2\n",
        ),
        ("intrusion-attempts/brute-force", "192.0.2.1", "2025-12-31T11:00:00Z", ()),
    ),
    "a log whose zone the mail names": (
        (
            "victim.example",
            "Abuse from 192.0.2.1",
            "We have detected abuse from the IP address 192.0.2.1\n"
            "Note: Local timezone is -0200\n"
            "2026-01-01 09:00:00,123 sshd[1]: Failed password for root from 192.0.2.1 port 1 ssh2\n",
        ),
        ("intrusion-attempts/brute-force", "192.0.2.1", "2026-01-01T11:00:00Z", ()),
    ),
    "a phishing notice": (
        (
            "bank.example",
            "Phishing site",
            "The phishing page hxxps://bad[.]example[.]com/login?u=amy runs on IP: 192.0.2.1\n",
        ),
        ("fraud/phishing", "192.0.2.1", MAIL_DATE[0], ("bad.example.com",)),
    ),
    "a table of a national team": (
        (
            "cert.example",
            "Infected systems in your network",
            "asn | ip | timestamp (utc) | malware\n64500 | 192.0.2.1 | 2026-01-01 11:00:00 | mirai\n",
        ),
        ("malicious-code/infected-system", "192.0.2.1", "2026-01-01T11:00:00Z", ()),
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_read(tmp_path: Path, name: str) -> None:
    """Kind, origin, time and names; where the time came from is recorded."""
    mail, (kind, origin, at, names) = FORMS[name]
    attack = the_attack(tmp_path, letter(*mail))
    assert (attack.kind, attack.origins, attack.first_seen_at) == (kind, (origin,), at)
    assert attack.names == names
    assert (at == MAIL_DATE[0]) == (attack.assumed.get("first_seen_at") == MAIL_DATE[1])
    if kind.startswith("vulnerable/") or kind == "fraud/copyright":
        assert attack.severity == "info"


def test_every_form_has_a_mail_of_its_own_or_accuses_nobody() -> None:
    """A row is known by its id; ids are unique."""
    ids = [form.id for form in mailforms.forms()]
    assert len(ids) == len(set(ids)) > 20


def test_only_kinds_that_exist_are_spoken_of() -> None:
    """What any table of complaints or feeds claims is a kind of the country pack."""
    known = pack("gb").kinds.keys()
    told = {form.kind for form in mailforms.forms() if form.kind}
    told |= {meaning.kind for _, meaning in complaint_words._COMPILED}
    told |= {kind for kind, _ in idea.CATEGORIES.values()}
    told |= {older_type.kind for older_type in OLDER_TYPES.values()}
    told |= {f"{classed}/{typed}" for classed, types in labels.RSIT.items() for typed in types}
    told |= {report.kind for report in shadowserver.reports().values()}
    assert told <= known


def test_the_newest_line_of_a_log_decides(tmp_path: Path) -> None:
    """And the number of its lines is the count."""
    attack = the_attack(tmp_path, letter(*FORMS["a log of a web server"][0]))
    assert (attack.first_seen_at, attack.last_seen_at, attack.count) == (
        "2026-01-01T11:00:00Z",
        "2026-01-01T11:00:00Z",
        2,
    )


def test_sections_mean_different_things(tmp_path: Path) -> None:
    """Project Honey Pot lists addresses under what they did; each is an attack, and a record of its own."""
    body = (
        "IPs Engaged In Harvesting On Your Network:\n\n192.0.2.1 (H)\n  - Thu, 01 Jan 2026 11:00AM PST\n\n"
        "IPs Engaged In Email Spamming On Your Network:\n\nnone\n\n"
        "IPs Engaged In Comment Spamming On Your Network:\n\n192.0.2.2\n192.0.2.3\n"
    )
    sifted = sift_text(tmp_path, letter("projecthoneypot.org", "Monitor Report", body), name="a.eml")
    assert {attack.origins[0]: attack.kind for attack in sifted.attacks} == {
        "192.0.2.1": "information-gathering/scanner",
        "192.0.2.2": "abusive-content/spam",
        "192.0.2.3": "abusive-content/spam",
    }
    assert (sifted.balance.read, sifted.balance.observed) == (3, 3)


def test_x_arf_is_read_from_its_part(tmp_path: Path) -> None:
    """Named or not, of whatever type; an address in the text replaces a host's name."""
    for header in (
        "Content-Type: text/plain; name=report.txt",
        "Content-Type: application/octet-stream; name=a.txt",
        "Content-Type: text/plain",
    ):
        attack = the_attack(tmp_path, letter("reporter.example", "hello", "hi", f"{header}\n\n{PART}"))
        assert (attack.origins, attack.service) == (("192.0.2.1",), "ssh")
    phishing = PART.replace("192.0.2.1", "http://bad.example.com/x").replace("login-attack", "phishing")
    mail = letter(
        "reporter.example", "hello", "http://bad.example.com/x [192.0.2.7]\n"
        "", f"Content-Type: text/plain; name=r.txt\n\n{phishing}"
    )  # fmt: skip
    attack = the_attack(tmp_path, mail)
    assert (attack.origins, attack.names) == (("192.0.2.7",), ("bad.example.com",))


def test_two_reports_of_one_attack_in_a_mail_are_one(tmp_path: Path) -> None:
    """They count twice, and are one record."""
    part = f"Content-Type: text/plain; name=r.txt\n\n{PART}"
    later = part.replace("12:00:00", "13:00:00")
    attack = the_attack(tmp_path, letter("reporter.example", "hello", "hi", part, later))
    assert (attack.count, attack.first_seen_at, attack.last_seen_at) == (
        2,
        "2026-01-01T11:00:00Z",
        "2026-01-01T12:00:00Z",
    )


def test_older_xarf_in_a_mail_is_read(tmp_path: Path) -> None:
    """Encoded, as its senders attach it; one that is broken is rejected with the field at fault."""

    def mail(document: dict[str, Any]) -> str:
        coded = base64.b64encode(json.dumps(document).encode()).decode()
        return letter(
            "reporter.example", "x", "see attachment",
            f"Content-Type: application/json; name=xarf.json\nContent-Transfer-Encoding: base64\n\n{coded}",
        )  # fmt: skip

    assert the_attack(tmp_path, mail(older())).kind == "intrusion-attempts/brute-force"
    broken = sift_text(tmp_path, mail(older(SourceIp="x")), name="b.eml")
    assert broken.balance.reasons == {"XARF field SourceIp is no address": 1}


CSV = (
    '"timestamp","ip","protocol","port","tag","asn","geo"\n'
    '"2026-01-01 11:00:00","192.0.2.1","udp",53,"openresolver",64500,"GB"\n'
)


@pytest.mark.parametrize("packed", [False, True])
def test_shadowserver_mails_are_read(tmp_path: Path, packed: bool) -> None:
    """CSV attached as it is or zipped; the report type is in the file's name."""
    content, name = CSV.encode(), "2026-01-01-scan_dns-isp-asn.csv"
    if packed:
        box = io.BytesIO()
        with zipfile.ZipFile(box, "w") as archive:
            archive.writestr(name, content)
        content, name = box.getvalue(), name + ".zip"
    part = (
        f"Content-Type: application/octet-stream; name={name}\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(content).decode()
    )
    attack = the_attack(tmp_path, letter("shadowserver.org", "report", "attached", part))
    assert (attack.kind, attack.service, attack.severity) == ("vulnerable/vulnerable-system", "dns", "info")


def test_a_zip_that_is_damaged_or_swells_is_rejected(tmp_path: Path) -> None:
    """With a reason; it is never read further than is sensible."""
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("scan_dns.csv", b"0" * (65 << 20))
    for content, reason in ((box.getvalue(), "64 MB"), (b"PK\x03\x04 damaged", "damaged")):
        part = (
            "Content-Type: application/zip; name=x.zip\nContent-Transfer-Encoding: base64\n\n"
            + base64.encodebytes(content).decode()
        )
        sifted = sift_text(tmp_path, letter("shadowserver.org", "report", "x", part), name="z.eml")
        assert reason in next(iter(sifted.balance.reasons))


def test_a_report_behind_a_link_says_so(tmp_path: Path) -> None:
    """Nothing is fetched."""
    mail = letter("shadowserver.org", "report", "get it from http://dl.shadowserver.org/abc\n")
    assert "download it" in next(iter(sift_text(tmp_path, mail, name="a.eml").balance.reasons))


@pytest.mark.parametrize(
    ("subject", "more"),
    [
        ("Report Domain: isp.example Submitter: big.example Report-ID: 1", ""),
        ("Out of office: back on Monday", ""),
        ("Undeliverable", "Content-Type: message/delivery-status\n\nAction: failed\n"),
    ],
)
def test_mails_that_accuse_nobody_are_noise(tmp_path: Path, subject: str, more: str) -> None:
    """Aggregates, automatic answers and bounces are known and no complaint, whatever addresses they hold."""
    mail = letter("big.example", subject, "IP: 192.0.2.1\n", *filter(None, [more]))
    sifted = sift_text(tmp_path, mail, name="a.eml")
    assert (sifted.attacks, sifted.balance.noise, sifted.balance.read) == ([], 1, 1)


def unknown(folder: Path, subject: str, body: str) -> Sifted:
    """A mail of no known form, with a desk to keep it at."""
    return sift_text(
        folder, letter("somebody.example", subject, body), name="u.eml", unrecognised=folder / "unrecognised"
    )


@pytest.mark.parametrize(
    ("subject", "body", "rule"),
    [
        (
            "trouble with 192.0.2.1",
            "198.51.100.1 and 198.51.100.2 are ours",
            "the one address in the subject",
        ),
        ("trouble", "IP: 192.0.2.1\nseen at 198.51.100.1", "the one address that the text labels"),
        ("trouble", "please look at 192.0.2.1, it is bad.", "the one address in the text"),
    ],
)
def test_a_mail_nobody_knows_is_an_observation_of_low_confidence(
    tmp_path: Path, subject: str, body: str, rule: str
) -> None:
    """Where it names one address; how that was read is recorded, and its text stays at the desk."""
    sifted = unknown(tmp_path, subject, body)
    (attack,) = sifted.attacks
    assert (attack.kind, attack.severity, attack.origins) == ("other/undetermined", "info", ("192.0.2.1",))
    assert attack.assumed["origin"] == rule
    assert attack.assumed["first_seen_at"] == MAIL_DATE[1]
    (kept,) = (tmp_path / "unrecognised").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert body.encode() in kept.read_bytes()


@pytest.mark.parametrize(
    "body", ["no address at all", "either 192.0.2.1 or 192.0.2.2", "version 1.2.3 at 12:30:45"]
)
def test_a_mail_that_names_no_one_address_is_kept_and_rejected(tmp_path: Path, body: str) -> None:
    """Nothing is guessed, nothing is lost: it is counted with its reason, and kept."""
    sifted = unknown(tmp_path, "trouble", body)
    assert (sifted.attacks, sifted.balance.rejected, sifted.balance.read) == ([], 1, 1)
    assert "names no address, or more than one" in next(iter(sifted.balance.reasons))
    assert len(list((tmp_path / "unrecognised").iterdir())) == 1


def test_a_complaint_that_was_forwarded_whole_is_read(tmp_path: Path) -> None:
    """A colleague's mail with the complaint attached says what the complaint says."""
    inner = letter(*FORMS["bitninja"][0])
    mail = letter("isp.example", "FW: complaint", "see below", f"Content-Type: message/rfc822\n\n{inner}")
    assert the_attack(tmp_path, mail).origins == ("192.0.2.1",)


def test_a_mail_is_known_when_it_comes_again(tmp_path: Path) -> None:
    """Even one that nobody knows."""
    for name in ("1.eml", "2.eml"):
        (tmp_path / name).write_text(letter("somebody.example", "x", "no address"))
    balance = sift([str(tmp_path)]).balance
    assert (balance.rejected, balance.duplicate) == (1, 1)


def test_the_mails_of_a_desk(samples: Path) -> None:
    """Real mails of one desk: one attack each, from the address and at the time that its own labels name."""
    from tocsin.kernel.time import parse_rfc3339

    folder = samples / "mail" / "vpsfree"
    for name, expected in json.loads((folder / "expected.json").read_text()).items():
        attacks = sift([str(folder / name)]).attacks
        assert len(attacks) == expected["incidents"], name
        assert attacks[0].origins == (expected["source_ip"],)
        assert parse_rfc3339(attacks[0].last_seen_at) == parse_rfc3339(expected["detected_at"]), name


def test_every_sender_of_the_samples_is_known(samples: Path) -> None:
    """No mail of a notifier is rejected or left undetermined but what calls itself merely suspicious."""
    for path in sorted((samples / "mail" / "abuseio").rglob("*.eml")):
        sifted = sift([str(path)])
        assert sifted.balance.rejected == 0, path.name
        assert sifted.attacks, path.name
        undetermined = [attack for attack in sifted.attacks if attack.kind == "other/undetermined"]
        assert not undetermined or path.name.startswith("Projecthoneypot"), path.name


def test_the_mail_package_is_loaded_when_a_mail_is_read() -> None:
    """It takes its time: a log's first answer does not wait for it."""
    code = "import sys, tocsin.sift.engine; sys.exit('email.message' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_mail_nested_too_deeply_is_rejected_and_kept(tmp_path: Path) -> None:
    """Whoever wraps a thousand parts in one another gets an answer too."""
    depth = 3_000
    parts = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    sifted = sift_text(tmp_path, f"Subject: x\n{parts}", name="n.eml")
    assert (sifted.attacks, sifted.balance.read) == ([], 1)


@pytest.mark.parametrize(
    "piece", ["192.0.2.1 ", "http://a.example [", "2001:db8::", "phishing ", "IP: ", ": "]
)
def test_prose_of_ill_will_takes_no_time(tmp_path: Path, piece: str) -> None:
    """A megabyte of what patterns begin with."""
    began = time.process_time()
    sift_text(tmp_path, letter("somebody.example", "x", piece * (1_000_000 // len(piece))), name="l.eml")
    assert time.process_time() - began < 10
