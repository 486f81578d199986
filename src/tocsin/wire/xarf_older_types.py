"""The report types of XARF before version 4 (Abusix' schemas 1 to 3, xarf.org's version 3): what each means.

Keys are `ReportType` (and `ReportSubType` behind a slash) in lower case without separators, because senders
spell them `DDoS`, `ddos`, `Login-Attack` and `LoginAttack`.
"""

from dataclasses import dataclass

from tocsin.wire.report import Lane, Severity


@dataclass(frozen=True)
class OlderType:
    """One report type: its kind, how much it weighs, the service, the fields that it cannot do without."""

    kind: str
    severity: Severity
    service: str = ""
    required: tuple[str, ...] = ()
    lane: Lane = "ordinary"


UNKNOWN = OlderType("other/undetermined", "info")
_LOGIN = OlderType("intrusion-attempts/brute-force", "low")
_SCAN = OlderType("information-gathering/scanner", "low")
_COPYRIGHT = OlderType("fraud/copyright", "info", "http")
_INFECTED = OlderType("malicious-code/infected-system", "medium")

OLDER_TYPES: dict[str, OlderType] = {
    "spam": OlderType("abusive-content/spam", "low", "smtp"),
    "bulkmail": OlderType("abusive-content/spam", "low", "smtp"),
    "loginattack": _LOGIN,
    "bruteforce": _LOGIN,
    "authfailure": _LOGIN,
    "portscan": _SCAN,
    "scan": _SCAN,
    "webcrawler": OlderType("information-gathering/scanner", "low", "http"),
    "dos": OlderType("availability/dos", "medium"),
    "ddos": OlderType("availability/ddos", "high"),
    "exploit": OlderType("intrusion-attempts/exploit", "medium"),
    "hacking": OlderType("intrusion-attempts/exploit", "medium"),
    "webhack": OlderType("intrusion-attempts/exploit", "medium", "http"),
    "sqlinjection": OlderType("intrusion-attempts/exploit", "medium", "http"),
    "botnet": _INFECTED,
    "infectedhost": _INFECTED,
    "bot": _INFECTED,
    "commandandcontrol": OlderType("malicious-code/c2-server", "high"),
    "c2": OlderType("malicious-code/c2-server", "high"),
    "malware": OlderType("malicious-code/malware-distribution", "high", "http"),
    "malware/rpzrewrite": OlderType("malicious-code/infected-system", "medium", "dns", ("RpzDomain",)),
    "phishing": OlderType("fraud/phishing", "medium", "http"),
    "fraud": OlderType("fraud/masquerade", "medium", "http"),
    "scam": OlderType("fraud/masquerade", "medium", "http"),
    "defacement": OlderType("intrusions/system-compromise", "high", "http"),
    "compromisedwebsite": OlderType("intrusions/system-compromise", "high", "http"),
    "compromisedserver": OlderType("intrusions/system-compromise", "high"),
    "potentiallycompromisedaccount": OlderType(
        "intrusions/unprivileged-account-compromise", "medium", required=("Account", "DestinationIp")
    ),
    "copyright": _COPYRIGHT,
    "trademark": _COPYRIGHT,
    "openservice": OlderType(
        "vulnerable/potentially-unwanted-accessible", "info", required=("ServiceName",)
    ),
    "vulnerability": OlderType("vulnerable/vulnerable-system", "info"),
    "cve": OlderType("vulnerable/vulnerable-system", "info"),
    "misconfiguration": OlderType("vulnerable/vulnerable-system", "info"),
    "ipspoof": OlderType("fraud/masquerade", "low"),
    "blocklist": OlderType("other/other", "info"),
    "childabuse": OlderType("abusive-content/violence", "critical", "http", lane="restricted"),
    "csam": OlderType("abusive-content/violence", "critical", "http", lane="restricted"),
}  # fmt: skip
