"""The 32 report types of XARF v4: what each requires, and what it means in RSIT's terms.

The required fields are those of the specification's schemas (xarf.org, v4.2). The meaning is ours: `kind` is
the RSIT class and type, `severity` how much such a report weighs at first, `target`, `service` and `times`
the fields in which the attacked side, its service and the number of acts may be named, the preferred first;
`names` those with the host names that a warning would be about.
"""

from dataclasses import dataclass

from tocsin.wire.report import Lane, Severity

Category = str
Type = str


@dataclass(frozen=True)
class XarfType:
    """One (category, type). `one_of` are objects of which one key each must be present."""

    kind: str
    severity: Severity
    required: tuple[str, ...] = ()
    one_of: tuple[tuple[str, tuple[str, ...]], ...] = ()
    port_for_address: bool = False
    target: tuple[str, ...] = ("destination_ip", "target_brand")
    service: tuple[str, ...] = ("service",)
    times: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    lane: Lane = "ordinary"


TYPES: dict[tuple[Category, Type], XarfType] = {
    ("messaging", "spam"): XarfType("abusive-content/spam", "low", ("protocol",)),
    ("messaging", "bulk_messaging"): XarfType("abusive-content/spam", "low", ("protocol", "recipient_count")),
    ("connection", "login_attack"): XarfType(
        "intrusion-attempts/brute-force",
        "low",
        ("protocol", "first_seen"),
        port_for_address=True,
        times=("attempt_count", "attempts_count"),
    ),
    ("connection", "port_scan"): XarfType("information-gathering/scanner", "low", ("protocol", "first_seen")),
    ("connection", "ddos"): XarfType(
        "availability/ddos", "high", ("protocol", "first_seen"), port_for_address=True
    ),
    ("connection", "infected_host"): XarfType(
        "malicious-code/infected-system",
        "medium",
        ("protocol", "bot_type", "first_seen"),
        times=("total_requests",),
    ),
    ("connection", "reconnaissance"): XarfType(
        "information-gathering/scanner",
        "low",
        ("protocol", "probed_resources", "first_seen"),
        times=("total_probes",),
    ),
    ("connection", "scraping"): XarfType(
        "fraud/unauthorised-use-of-resources",
        "low",
        ("protocol", "first_seen", "total_requests"),
        times=("total_requests",),
    ),
    ("connection", "sql_injection"): XarfType(
        "intrusion-attempts/exploit", "medium", ("protocol", "first_seen"), times=("attempts_count",)
    ),
    ("connection", "vulnerability_scan"): XarfType(
        "information-gathering/scanner",
        "low",
        ("scan_type", "protocol", "first_seen"),
        times=("total_requests",),
    ),
    ("content", "phishing"): XarfType("fraud/phishing", "medium", ("url",), names=("url", "domain")),
    ("content", "malware"): XarfType(
        "malicious-code/malware-distribution", "high", ("url",), names=("url", "domain")
    ),
    ("content", "csam"): XarfType(
        "abusive-content/violence",
        "critical",
        ("url", "classification", "detection_method"),
        lane="restricted",
    ),
    ("content", "csem"): XarfType(
        "abusive-content/violence",
        "critical",
        ("url", "exploitation_type", "detection_method"),
        lane="restricted",
    ),
    ("content", "exposed_data"): XarfType(
        "information-content-security/data-leak", "high", ("url", "data_types", "exposure_method")
    ),
    ("content", "brand_infringement"): XarfType(
        "fraud/masquerade",
        "medium",
        ("url", "infringement_type", "legitimate_site"),
        target=("target_brand", "legitimate_site"),
    ),
    ("content", "fraud"): XarfType("fraud/masquerade", "medium", ("url", "fraud_type")),
    ("content", "remote_compromise"): XarfType(
        "intrusions/system-compromise", "high", ("url", "compromise_type"), target=("domain",)
    ),
    ("content", "suspicious_registration"): XarfType(
        "fraud/masquerade",
        "low",
        ("url", "registration_date", "suspicious_indicators"),
        target=("target_brand", "targeted_brands"),
    ),
    ("copyright", "copyright"): XarfType("fraud/copyright", "info", ("infringing_url",)),
    ("copyright", "p2p"): XarfType(
        "fraud/copyright",
        "info",
        ("p2p_protocol", "swarm_info"),
        (("swarm_info", ("info_hash", "magnet_uri")),),
    ),
    ("copyright", "cyberlocker"): XarfType("fraud/copyright", "info", ("infringing_url", "hosting_service")),
    ("copyright", "ugc_platform"): XarfType("fraud/copyright", "info", ("infringing_url", "platform_name")),
    ("copyright", "link_site"): XarfType("fraud/copyright", "info", ("infringing_url", "site_name")),
    ("copyright", "usenet"): XarfType(
        "fraud/copyright", "info", ("newsgroup", "message_info"), (("message_info", ("message_id",)),)
    ),
    ("vulnerability", "cve"): XarfType(
        "vulnerable/vulnerable-system", "info", ("service", "service_port", "cve_id")
    ),
    ("vulnerability", "open_service"): XarfType(
        "vulnerable/potentially-unwanted-accessible", "info", ("service",)
    ),
    ("vulnerability", "misconfiguration"): XarfType("vulnerable/vulnerable-system", "info", ("service",)),
    ("infrastructure", "botnet"): XarfType(
        "malicious-code/infected-system", "medium", ("compromise_evidence",)
    ),
    ("infrastructure", "compromised_server"): XarfType(
        "intrusions/system-compromise", "high", ("compromise_method",)
    ),
    ("reputation", "blocklist"): XarfType("other/other", "info", ("threat_type",)),
    ("reputation", "threat_intelligence"): XarfType("other/other", "info", ("threat_type",)),
}
