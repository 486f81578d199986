"""One valid XARF v4 report of each type, of our own making."""

from typing import Any

from tocsin.wire.xarf_types import TYPES

_VALUES: dict[str, Any] = {
    "protocol": "tcp",
    "recipient_count": 100,
    "first_seen": "2026-03-01T10:00:00Z",
    "bot_type": "mirai",
    "probed_resources": ["/admin"],
    "total_requests": 12,
    "scan_type": "web",
    "url": "https://bad.example.com/a/b?c=d",
    "classification": "A1",
    "detection_method": "user_report",
    "exploitation_type": "grooming",
    "data_types": ["email"],
    "exposure_method": "open_bucket",
    "infringement_type": "counterfeit",
    "legitimate_site": "https://www.brand.example/",
    "fraud_type": "shop",
    "compromise_type": "webshell",
    "registration_date": "2026-03-01T00:00:00Z",
    "suspicious_indicators": ["typo"],
    "infringing_url": "https://bad.example.com/film",
    "p2p_protocol": "bittorrent",
    "swarm_info": {"info_hash": "a" * 40},
    "hosting_service": "locker",
    "platform_name": "tube",
    "site_name": "links",
    "newsgroup": "alt.test",
    "message_info": {"message_id": "<1@example.net>"},
    "service": "ssh",
    "service_port": 22,
    "cve_id": "CVE-2026-1",
    "compromise_evidence": "beacon",
    "compromise_method": "password",
    "threat_type": "scanner",
}


def report(category: str, name: str, /, **changes: Any) -> dict[str, Any]:
    """A valid report of that type from 192.0.2.1; None as a change takes a field away."""
    contact = {"org": "Example", "contact": "abuse@example.org", "domain": "example.org"}
    document = {
        "xarf_version": "4.2.0",
        "report_id": "9ac39cd1-85f3-4c31-ae87-a0a95f3ebc83",
        "timestamp": "2026-03-01T12:00:00Z",
        "reporter": contact,
        "sender": contact,
        "source_identifier": "192.0.2.1",
        "source_port": 4711,
        "category": category,
        "type": name,
        **{field: _VALUES[field] for field in TYPES[category, name].required},
        **changes,
    }
    return {field: value for field, value in document.items() if value is not None}
