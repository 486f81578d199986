"""XARF v4: strict by type, and each type means something."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.wire.xarf_samples import report

from tocsin.wire.xarf import NotXarf, decode, host_of, read_xarf
from tocsin.wire.xarf_types import TYPES

KINDS = {
    "messaging/spam": ("abusive-content/spam", "low"),
    "messaging/bulk_messaging": ("abusive-content/spam", "low"),
    "connection/login_attack": ("intrusion-attempts/brute-force", "low"),
    "connection/port_scan": ("information-gathering/scanner", "low"),
    "connection/ddos": ("availability/ddos", "high"),
    "connection/infected_host": ("malicious-code/infected-system", "medium"),
    "connection/reconnaissance": ("information-gathering/scanner", "low"),
    "connection/scraping": ("fraud/unauthorised-use-of-resources", "low"),
    "connection/sql_injection": ("intrusion-attempts/exploit", "medium"),
    "connection/vulnerability_scan": ("information-gathering/scanner", "low"),
    "content/phishing": ("fraud/phishing", "medium"),
    "content/malware": ("malicious-code/malware-distribution", "high"),
    "content/csam": ("abusive-content/violence", "critical"),
    "content/csem": ("abusive-content/violence", "critical"),
    "content/exposed_data": ("information-content-security/data-leak", "high"),
    "content/brand_infringement": ("fraud/masquerade", "medium"),
    "content/fraud": ("fraud/masquerade", "medium"),
    "content/remote_compromise": ("intrusions/system-compromise", "high"),
    "content/suspicious_registration": ("fraud/masquerade", "low"),
    "copyright/copyright": ("fraud/copyright", "info"),
    "copyright/p2p": ("fraud/copyright", "info"),
    "copyright/cyberlocker": ("fraud/copyright", "info"),
    "copyright/ugc_platform": ("fraud/copyright", "info"),
    "copyright/link_site": ("fraud/copyright", "info"),
    "copyright/usenet": ("fraud/copyright", "info"),
    "vulnerability/cve": ("vulnerable/vulnerable-system", "info"),
    "vulnerability/open_service": ("vulnerable/potentially-unwanted-accessible", "info"),
    "vulnerability/misconfiguration": ("vulnerable/vulnerable-system", "info"),
    "infrastructure/botnet": ("malicious-code/infected-system", "medium"),
    "infrastructure/compromised_server": ("intrusions/system-compromise", "high"),
    "reputation/blocklist": ("other/other", "info"),
    "reputation/threat_intelligence": ("other/other", "info"),
}


@pytest.mark.parametrize(("name", "meaning"), KINDS.items())
def test_each_type_has_a_meaning(name: str, meaning: tuple[str, str]) -> None:
    """What we take a report of that type for."""
    category, _, kind = name.partition("/")
    read = read_xarf(report(category, kind))
    assert (read.kind, read.severity) == meaning
    assert read.origin == "192.0.2.1"


def test_all_types_of_the_standard_are_known() -> None:
    """No more and no fewer than its 32."""
    assert {f"{category}/{name}" for category, name in TYPES} == KINDS.keys()
    assert len(KINDS) == 32


def test_the_required_fields_are_those_of_the_schemas(samples: Path) -> None:
    """The specification's own schemas are the judge of our table."""
    for path in (samples / "xarf" / "schemas" / "v4" / "types").glob("*.json"):
        parts = json.loads(path.read_text())["allOf"]
        consts = {
            k: v["const"] for part in parts for k, v in part.get("properties", {}).items() if "const" in v
        }
        if "type" not in consts:
            continue
        from_base = {"url"} if "content-base" in parts[0]["$ref"] else set()
        required = from_base | {field for part in parts for field in part.get("required", [])}
        for part in parts:
            required |= {field for choice in part.get("anyOf", []) for field in choice["required"]}
        known = TYPES[consts.get("category", "content"), consts["type"]]
        assert set(known.required) == required, path.name


@pytest.mark.parametrize("spelling", ["login-attack", "Login_Attack", "login attack"])
def test_types_are_read_in_any_spelling(spelling: str) -> None:
    """The specification's files and its texts differ in the hyphen."""
    assert read_xarf(report("connection", "login_attack", type=spelling)).type == "login_attack"


@pytest.mark.parametrize(("category", "name"), TYPES)
def test_a_missing_required_field_is_named(category: str, name: str) -> None:
    """Strict for version 4: each type's own required fields."""
    for field in TYPES[category, name].required:
        with pytest.raises(NotXarf, match=field):
            read_xarf(report(category, name, **{field: None}))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"xarf_version": "3.0.0"}, "another version"),
        ({"xarf_version": 4}, "another version"),
        ({"xarf_version": None, "Version": "3"}, "no XARF report"),
        ({"xarf_version": None}, "no XARF report"),
        ({"report_id": "1"}, "report_id"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "2026-03-01T12:00:00"}, "timestamp"),
        ({"reporter": {"org": "x"}}, "reporter"),
        ({"sender": None}, "sender"),
        ({"source_identifier": ""}, "source_identifier"),
        ({"source_identifier": 3}, "source_identifier"),
        ({"source_port": 0}, "source_port"),
        ({"source_port": None}, "source_port"),
        ({"type": "unheard_of"}, "not in the standard"),
        ({"category": "unheard"}, "not in the standard"),
        ({"first_seen": "x"}, "first_seen"),
    ],
)
def test_what_breaks_the_standard_is_refused(changes: dict[str, Any], complaint: str) -> None:
    """With the field at fault."""
    with pytest.raises(NotXarf, match=complaint):
        read_xarf(report("connection", "ddos", **changes))


@pytest.mark.parametrize(
    ("category", "name", "changes", "origin", "target"),
    [
        ("content", "phishing", {"target_brand": "Bank"}, "192.0.2.1", "Bank"),
        ("content", "brand_infringement", {}, "192.0.2.1", "www.brand.example"),
        ("content", "phishing", {"source_identifier": "https://bad.example.com/x?y"}, "bad.example.com", ""),
        ("connection", "ddos", {"destination_ip": "198.51.100.1"}, "192.0.2.1", "198.51.100.1"),
    ],
)
def test_sides_are_read_by_type(
    category: str, name: str, changes: dict[str, Any], origin: str, target: str
) -> None:
    """Phishing: the origin is the host, the target the brand; a URL is only its host."""
    read = read_xarf(report(category, name, **changes))
    assert (read.origin, read.target) == (origin, target)


@pytest.mark.parametrize("name", ["csam", "csem"])
def test_child_abuse_material_is_restricted_metadata(name: str) -> None:
    """The restricted lane; nothing of the URL but its host can be in what is read, and no payload."""
    document = report(
        "content", name, source_identifier="https://bad.example.com/secret/path",
        evidence=[{"content_type": "image/png", "payload": "c2VjcmV0"}],
    )  # fmt: skip
    read = read_xarf(document)
    assert read.lane == "restricted"
    assert read.origin == "bad.example.com"
    assert "secret" not in repr(read)
    assert "c2VjcmV0" not in repr(read)


def test_only_child_abuse_types_are_restricted() -> None:
    """The lane is no way to hide other reports."""
    assert {name for (_, name), known in TYPES.items() if known.lane == "restricted"} == {"csam", "csem"}


def test_one_list_or_lines() -> None:
    """A document may hold one report, a list, or one a line; a broken line is its own."""
    assert decode(b'{"a":1}') == [(0, {"a": 1})]
    assert decode(b'[{"a":1},{"b":2}]') == [(0, {"a": 1}), (0, {"b": 2})]
    assert decode(b'{"a":1}\n{"b":\n{"c":3}') == [(0, {"a": 1}), (1, None), (2, {"c": 3})]
    with pytest.raises(NotXarf):
        decode(b'{"a":')


def test_the_official_samples_are_accepted(samples: Path) -> None:
    """All 13 of the specification's version 4 samples."""
    files = sorted((samples / "xarf" / "spec-v4").glob("*.json"))
    assert len(files) == 13
    for path in files:
        assert [read_xarf(document).origin for _, document in decode(path.read_bytes())]


@pytest.mark.parametrize(
    ("text", "host"),
    [("a.example", "a.example"), ("http://[::1]:8/x", "::1"), ("http://[", ""), (" 1.2.3.4 ", "1.2.3.4")],
)
def test_a_url_gives_its_host(text: str, host: str) -> None:
    """And a broken one gives none."""
    assert host_of(text) == host
