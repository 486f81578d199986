"""IDEA events as values."""

from typing import Any

import pytest

from tocsin.wire.idea import CATEGORIES, NotIdea, read_idea


def event(**changes: Any) -> dict[str, Any]:
    """An event of our own; None takes a field away."""
    fields = {
        "Format": "IDEA0",
        "ID": "1",
        "DetectTime": "2026-03-01T12:00:00Z",
        "Category": ["Attempt.Login"],
        "Source": [{"IP4": ["192.0.2.1"], "Proto": ["tcp", "ssh"]}],
        "Target": [{"IP4": ["198.51.100.1"], "Port": [22], "Proto": ["tcp", "ssh"]}],
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def test_an_event_is_read() -> None:
    """Sides, service and count; a time that is only that of detection is an assumption."""
    read = read_idea(event(ConnCount=9))
    assert ([side.host for side in read.sources], [side.host for side in read.targets]) == (
        ["192.0.2.1"],
        ["198.51.100.1"],
    )
    assert (read.meaning.kind, read.service, read.times) == ("intrusion-attempts/brute-force", "ssh", 9)
    assert read.assumed == {"first_seen_at": "derived from DetectTime"}
    lasted = read_idea(event(EventTime="2026-03-01T11:00:00Z", CeaseTime="2026-03-01T11:30:00+00:00"))
    assert (lasted.first_at.hour, lasted.last_at.minute, lasted.assumed) == (11, 30, {})


@pytest.mark.parametrize(
    ("categories", "kind"),
    [
        (["Recon.Scanning"], "information-gathering/scanner"),
        (["Recon.Brandnew"], "information-gathering/scanner"),
        (["Recon.Scanning", "Intrusion.AdminCompromise"], "intrusions/privileged-account-compromise"),
        (["Availability.DDoS"], "availability/ddos"),
        (["Vulnerable.Open"], "vulnerable/potentially-unwanted-accessible"),
        (["Attempt.Exploit", "Test"], "test/test"),
        (["Brandnew"], "other/undetermined"),
    ],
)
def test_categories_mean_something(categories: list[str], kind: str) -> None:
    """The gravest counts; what is not listed is its class's; a test is a test."""
    assert read_idea(event(Category=categories)).meaning.kind == kind


def test_only_vulnerabilities_and_information_weigh_nothing() -> None:
    """As everywhere: `vulnerable/*` and copyright open no case."""
    for kind, severity in CATEGORIES.values():
        if kind.startswith(("vulnerable/", "fraud/copyright")):
            assert severity == "info"


def test_a_flood_needs_no_source() -> None:
    """Its victim and its way are enough."""
    victim = [{"IP4": ["192.0.2.9"], "Proto": ["udp", "dns"]}]
    read = read_idea(event(Category=["Availability.DoS"], Source=None, Target=victim))
    assert (read.sources, read.vector) == ((), "udp/dns")


def test_networks_and_ranges_are_no_origin() -> None:
    """Only single addresses, names or the hosts of URLs are."""
    with pytest.raises(NotIdea, match="source"):
        read_idea(event(Source=[{"IP4": ["192.0.2.0/24", "192.0.2.1-192.0.2.9"]}]))
    assert read_idea(event(Source=[{"IP4": ["192.0.2.1/32"]}])).sources[0].host == "192.0.2.1"
    assert (
        read_idea(event(Source=[{"URL": ["http://bad.example.com/x?y"]}])).sources[0].host
        == "bad.example.com"
    )
    assert read_idea(event(Source=[{"IP4": "192.0.2.1", "Type": ["Backscatter"]}])).sources[0].forgeable


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"Format": "IDEA9"}, "no IDEA0"),
        ({"Category": []}, "Category"),
        ({"Category": "Test"}, "Category"),
        ({"DetectTime": None}, "DetectTime is missing"),
        ({"EventTime": "soon"}, "EventTime is no date-time"),
        ({"Source": None}, "source"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], complaint: str) -> None:
    """The first thing."""
    with pytest.raises(NotIdea, match=complaint):
        read_idea(event(**changes))
