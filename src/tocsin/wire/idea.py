"""IDEA (Intrusion Detection Extensible Alert, IDEA0; idea.cesnet.cz): events of Warden as values.

An event's `Category` says what it is, `Source` who did it (or whose machine is at fault), `Target` to whom.
Descriptions, notes, attachments and accounts (`SIPTo`, `UserAgent`) are never kept.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from tocsin.wire.complaint_words import Meaning
from tocsin.wire.dates import read_date
from tocsin.wire.met import Met, Side, service_at
from tocsin.wire.report import Severity
from tocsin.wire.xarf_values import host_of, is_address

# IDEA's categories as RSIT kinds; the part before the dot stands for what is not listed.
CATEGORIES: dict[str, tuple[str, Severity]] = {
    "Abusive": ("abusive-content/harmful-speech", "low"),
    "Abusive.Spam": ("abusive-content/spam", "low"),
    "Abusive.Child": ("abusive-content/violence", "critical"),
    "Malware": ("malicious-code/infected-system", "medium"),
    "Recon": ("information-gathering/scanner", "low"),
    "Recon.Sniffing": ("information-gathering/sniffing", "medium"),
    "Recon.SocialEngineering": ("information-gathering/social-engineering", "medium"),
    "Attempt": ("intrusion-attempts/ids-alert", "low"),
    "Attempt.Login": ("intrusion-attempts/brute-force", "low"),
    "Attempt.Exploit": ("intrusion-attempts/exploit", "low"),
    "Intrusion": ("intrusions/system-compromise", "high"),
    "Intrusion.AdminCompromise": ("intrusions/privileged-account-compromise", "high"),
    "Intrusion.UserCompromise": ("intrusions/unprivileged-account-compromise", "high"),
    "Intrusion.AppCompromise": ("intrusions/application-compromise", "high"),
    "Intrusion.Botnet": ("malicious-code/infected-system", "medium"),
    "Availability": ("availability/dos", "medium"),
    "Availability.DDoS": ("availability/ddos", "high"),
    "Availability.Sabotage": ("availability/sabotage", "high"),
    "Availability.Outage": ("availability/outage", "info"),
    "Information": ("information-content-security/unauthorised-information-access", "high"),
    "Information.UnauthorizedModification": (
        "information-content-security/unauthorised-information-modification",
        "high",
    ),
    "Fraud": ("fraud/masquerade", "medium"),
    "Fraud.UnauthorizedUsage": ("fraud/unauthorised-use-of-resources", "medium"),
    "Fraud.Copyright": ("fraud/copyright", "info"),
    "Fraud.Phishing": ("fraud/phishing", "medium"),
    "Vulnerable": ("vulnerable/vulnerable-system", "info"),
    "Vulnerable.Open": ("vulnerable/potentially-unwanted-accessible", "info"),
    "Anomaly": ("other/other", "info"),
    "Other": ("other/other", "info"),
    "Test": ("test/test", "info"),
}
_UNKNOWN: tuple[str, Severity] = ("other/undetermined", "info")
_C2 = Meaning("malicious-code/c2-server", "high")
_WEIGHTS = ("info", "low", "medium", "high", "critical")
_MOST_SIDES = 1_000


class NotIdea(Exception):  # noqa: N818 (a finding about one document)
    """The document is no IDEA event that names a source: the reason in words."""


def read_idea(document: Any) -> Met:
    """What an event says. Raises NotIdea naming the first thing that is wrong with it."""
    if not isinstance(document, dict):
        raise NotIdea("broken JSON" if document is None else "JSON that is no event")
    if document.get("Format") != "IDEA0":
        raise NotIdea("JSON that is no IDEA0 event")
    categories = document.get("Category")
    if not isinstance(categories, list) or not categories or not all(isinstance(c, str) for c in categories):
        raise NotIdea("IDEA field Category is missing or no list of words")
    first, last, assumed = _times(document)
    meaning = _meaning(categories)
    sources = tuple(_sides(document, "Source"))[:_MOST_SIDES]
    targets = tuple(_sides(document, "Target"))[:_MOST_SIDES]
    if not sources and not (meaning.kind.startswith("availability/") and targets):
        raise NotIdea("an IDEA event whose source is no address or name")
    service, vector = service_at(*_protocol(document))
    return Met(
        meaning=meaning,
        sources=sources,
        targets=targets,
        service=service,
        vector=vector,
        first_at=first,
        last_at=last,
        times=_count(document),
        assumed=assumed,
    )


def _meaning(categories: list[str]) -> Meaning:
    """The gravest of the categories; a test is a test, whatever it pretends to be."""
    if "Test" in categories:
        return Meaning(*CATEGORIES["Test"])
    found = [
        CATEGORIES.get(name) or CATEGORIES.get(name.partition(".")[0]) or _UNKNOWN for name in categories
    ]
    return Meaning(*max(found, key=lambda meaning: _WEIGHTS.index(meaning[1])))


def _times(document: dict[str, Any]) -> tuple[dt.datetime, dt.datetime, dict[str, str]]:
    names = ("EventTime", "WinStartTime", "CeaseTime", "WinEndTime", "DetectTime")
    at = {name: _instant(document, name) for name in names}
    detected = at["DetectTime"]
    if detected is None:
        raise NotIdea("IDEA field DetectTime is missing")
    first = at["EventTime"] or at["WinStartTime"]
    last = at["CeaseTime"] or at["WinEndTime"] or first or detected
    assumed = {} if first else {"first_seen_at": "derived from DetectTime"}
    first = first or detected
    return min(first, last), max(first, last), assumed


def _instant(document: dict[str, Any], name: str) -> dt.datetime | None:
    value = document.get(name)
    if value is None:
        return None
    read = read_date(value) if isinstance(value, str) else None
    if read is None:
        raise NotIdea(f"IDEA field {name} is no date-time")
    return read[0]


def _sides(document: dict[str, Any], name: str) -> Iterator[Side]:
    for side in _list(document.get(name)):
        if not isinstance(side, dict):
            continue
        types = [item for item in _list(side.get("Type")) if isinstance(item, str)]
        meaning = _C2 if "CC" in types else None
        forgeable = side.get("Spoofed") is True or bool({"Backscatter", "OriginSpoofed"} & set(types))
        hosts = [text.removesuffix("/32").removesuffix("/128") for text in _texts(side, "IP4", "IP6")]
        singles = [host for host in hosts if is_address(host)] or _texts(side, "Hostname")
        singles = singles or [host for url in _texts(side, "URL") if (host := host_of(url))]
        for host in dict.fromkeys(singles):
            yield Side(host, meaning, forgeable)


def _protocol(document: dict[str, Any]) -> tuple[list[str], str]:
    """Protocols and a port, as the target names them, else the source."""
    targets = [side for side in _list(document.get("Target")) if isinstance(side, dict)]
    sides = targets + [side for side in _list(document.get("Source")) if isinstance(side, dict)]
    words = [word for side in sides for word in _texts(side, "Proto")]
    ports = [port for side in targets for port in _list(side.get("Port")) if isinstance(port, int)]
    return words, str(ports[0]) if ports else ""


def _texts(side: dict[str, Any], *names: str) -> list[str]:
    return [item for name in names for item in _list(side.get(name)) if isinstance(item, str)]


def _list(value: Any) -> list[Any]:
    """A list, or what some senders write in its place."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _count(document: dict[str, Any]) -> int:
    for name in ("ConnCount", "FlowCount"):
        value = document.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 53:
            return value
    return 1
