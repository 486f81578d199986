"""X-ARF 0.2: flat lines that call themselves YAML."""

import pytest

from tocsin.wire.xarf02 import is_xarf02, read_xarf02
from tocsin.wire.xarf_values import NotXarf

PART = """\
---
Reported-From: abuse@reporter.example
Category: abuse
Report-Type: login-attack
Service: ssh
Version: 0.2
Date: Thu, 01 Jan 2026 12:00:00 +0100
Source-Type: ip-address
Source: 192.0.2.1
Port: 22
"""


def test_a_report_is_read() -> None:
    """Source, time, service; who reports is a domain and no mailbox."""
    assert is_xarf02(PART)
    read = read_xarf02(PART)
    assert (read.kind, read.severity) == ("intrusion-attempts/brute-force", "low")
    assert (read.origin, read.service, read.reporter) == ("192.0.2.1", "ssh", "reporter.example")
    assert read.first_at.isoformat() == "2026-01-01T11:00:00+00:00"


@pytest.mark.parametrize(
    ("category", "report_type", "service", "kind"),
    [
        ("abuse", "login-attack", "ssh", "intrusion-attempts/brute-force"),
        ("abuse", "info", "imap", "intrusion-attempts/brute-force"),
        ("abuse", "regbot", "regbot", "abusive-content/spam"),
        ("info", "harvesting", "postfix", "information-gathering/scanner"),
        ("abuse", "portscan", "portscan", "information-gathering/scanner"),
        ("abuse", "malware-attack", "http", "malicious-code/malware-distribution"),
        ("abuse", "web-attack", "http", "intrusion-attempts/exploit"),
        ("abuse", "apacheddos", "http", "availability/ddos"),
        ("fraud", "phishing", "http", "fraud/phishing"),
        ("fraud", "info", "", "fraud/masquerade"),
        ("abuse", "spam", "smtp", "abusive-content/spam"),
        ("abuse", "copyright", "", "fraud/copyright"),
        ("abuse", "novelty", "", "other/undetermined"),
    ],
)
def test_report_types_mean_something(category: str, report_type: str, service: str, kind: str) -> None:
    """The report type before the service, the service before the category."""
    text = PART.replace("login-attack", report_type).replace("ssh", service or "none")
    read = read_xarf02(text.replace("Category: abuse", f"Category: {category}"))
    assert read.kind == kind


@pytest.mark.parametrize(
    "written", ["'192.0.2.1'", '"192.0.2.1"', "!!python/unicode '192.0.2.1'", "192.0.2.1  "]
)
def test_values_are_read_as_yaml_writers_quote_them(written: str) -> None:
    """Quotes and tags are not part of the value; the `---` may be missing."""
    text = PART.removeprefix("---\n").replace("192.0.2.1", written)
    assert is_xarf02(text)
    assert read_xarf02(text).origin == "192.0.2.1"


def test_a_report_about_a_url_is_about_its_host() -> None:
    """Path and query stay where they are; the host is named."""
    text = PART.replace("login-attack", "phishing").replace(
        "192.0.2.1", "http://bad.example.com/a/b?user=amy"
    )
    read = read_xarf02(text)
    assert (read.origin, read.names) == ("bad.example.com", ("bad.example.com",))
    assert "amy" not in repr(read)


@pytest.mark.parametrize(
    ("written", "instead", "complaint"),
    [
        ("Source: 192.0.2.1", "Source: none", "Source is missing"),
        ("Source: 192.0.2.1", "Source: amy@example.org", "mailbox"),
        ("Date: Thu, 01 Jan 2026 12:00:00 +0100", "Date: soon", "Date"),
    ],
)
def test_what_cannot_be_used_says_why(written: str, instead: str, complaint: str) -> None:
    """No source, a mailbox as source, no date."""
    with pytest.raises(NotXarf, match=complaint):
        read_xarf02(PART.replace(written, instead))


@pytest.mark.parametrize(
    "text", ["", "Source: 192.0.2.1", "Category: a\nReport-Type: b\nReported-From: c@d.example"]
)
def test_other_texts_are_none(text: str) -> None:
    """All three: who, what, where."""
    assert not is_xarf02(text)
