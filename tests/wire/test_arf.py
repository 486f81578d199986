"""ARF: what a feedback report says, and nothing that it does not say."""

import datetime as dt
import json
from pathlib import Path

import pytest

from tocsin.wire.arf import NotArf, parse_date, parse_mail, read_arf

MAIL = """\
From: Feedback Loop <fbl@feedback.example>
Date: Thu, 1 Jan 2026 12:00:00 +0100
Subject: Abuse report about 203.0.113.99
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

Spam from 203.0.113.99
--b
Content-Type: message/feedback-report

{fields}
--b
Content-Type: message/rfc822

Received: from [203.0.113.98]
Subject: buy

hello
--b--
"""
BASIC = "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\nSource-IP: 192.0.2.1"


def mail(fields: str = BASIC) -> bytes:
    """A feedback report of our own making."""
    return MAIL.format(fields=fields).encode()


def test_a_report_is_read() -> None:
    """The fields of RFC 5965, the complaining side from the mail."""
    fields = (
        BASIC + "\nArrival-Date: Wed, 31 Dec 2025 23:30:00 -0100\nIncidents: 12\nReported-Domain: A.example\n"
    )
    read = read_arf(parse_mail(mail(fields)))
    assert (read.feedback_type, read.source_ip, read.incidents) == ("abuse", "192.0.2.1", 12)
    assert read.event_at == dt.datetime(2026, 1, 1, 0, 30, tzinfo=dt.UTC)
    assert (read.event_from, read.reporter) == ("Arrival-Date", "feedback.example")
    assert read.reported_domains == ("a.example",)


def test_the_time_is_the_events_before_the_mails() -> None:
    """Arrival-Date, else Received-Date, else the date of the mail, and which one it was."""
    received = read_arf(parse_mail(mail(BASIC + "\nReceived-Date: Tue, 30 Dec 2025 10:00:00 GMT")))
    assert (received.event_from, received.event_at) == (
        "Received-Date",
        dt.datetime(2025, 12, 30, 10, tzinfo=dt.UTC),
    )
    assert read_arf(parse_mail(mail())).event_from == "Date"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_matter(end: str) -> None:
    """LF, CRLF and CR forms of one mail say the same."""
    assert read_arf(parse_mail(mail().replace(b"\n", end.encode()))) == read_arf(parse_mail(mail()))


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("[192.0.2.1]", "192.0.2.1"),
        ("192.0.2.1 (host.example)", "192.0.2.1"),
        ("IPv6:2001:db8::1", "2001:db8::1"),
        ("", ""),
    ],
)
def test_an_address_is_read_as_mail_systems_write_it(written: str, address: str) -> None:
    """In brackets, with a comment, with the tag of RFC 5321."""
    assert read_arf(parse_mail(mail(f"Feedback-Type: abuse\nSource-IP: {written}"))).source_ip == address


def test_an_address_in_free_text_is_never_taken() -> None:
    """Subject, text and the complained-of mail hold addresses; without Source-IP there is none."""
    assert read_arf(parse_mail(mail("Feedback-Type: abuse\nVersion: 1"))).source_ip == ""


def test_an_encoded_report_is_read() -> None:
    """Some systems encode the part although RFC 5965 forbids it."""
    import base64

    coded = base64.b64encode(BASIC.encode()).decode()
    text = mail("").replace(
        b"feedback-report\n\n\n", b"feedback-report\nContent-Transfer-Encoding: base64\n\n"
    )
    text = text.replace(b"base64\n\n", b"base64\n\n" + coded.encode() + b"\n")
    assert read_arf(parse_mail(text)).source_ip == "192.0.2.1"


@pytest.mark.parametrize("content", [b"", b"Subject: x\n\nhello 192.0.2.1", mail("Version: 1")])
def test_other_mails_are_no_feedback_reports(content: bytes) -> None:
    """And say why."""
    with pytest.raises(NotArf):
        read_arf(parse_mail(content))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Thu, 29 Apr 2009 00:00:00 -0000 (EST)", "2009-04-29T00:00:00+00:00"),
        ("Mon, 18 Jan 2016 23:57:24 UTC", "2016-01-18T23:57:24+00:00"),
        ("yesterday", None),
        ("Mon, 99 Jan 2016 23:57:24 UTC", None),
        ("", None),
    ],
)
def test_dates_are_read_as_they_come(text: str, at: str | None) -> None:
    """None for what is no date."""
    read = parse_date(text)
    assert (read and read.isoformat()) == at


def test_the_facts_of_real_mails(samples: Path) -> None:
    """Every real feedback report gives the address that independent facts name."""
    facts = json.loads((samples / "mail" / "arf_facts.json").read_text())
    checked = 0
    for name, fact in facts.items():
        feedback = fact.get("feedback", {})
        if "feedback-type" not in feedback:
            continue
        read = read_arf(parse_mail((samples / name).read_bytes()))
        assert read.feedback_type == feedback["feedback-type"][0]
        assert read.source_ip == (feedback.get("source-ip") or [""])[0], name
        checked += 1
    assert checked > 25
