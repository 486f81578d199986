"""XARF before version 4, as it is still sent: lenient about what is missing, strict about what is said.

Three dialects share the frame `Version`, `ReporterInfo`, `Report`: Abusix' versions 1 to 3 (flat fields:
`SourceIp`, `DestinationIp`) and xarf.org's version 3 (`Source` and `AdditionalInfo`). A field that is absent
is no fault unless the type means nothing without it; a field that is there and is not what its name says
(an address that is none, a number where text belongs) spoils the report, because then nothing in it can be
trusted. Samples are never decoded and never kept.
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from tocsin.wire.dates import read_date
from tocsin.wire.xarf_older_types import OLDER_TYPES, UNKNOWN, OlderType
from tocsin.wire.xarf_values import NotXarf, XarfReport, host_of, is_address, name_of

_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_HOST = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}\.?", re.IGNORECASE
)
_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_\s]+")
_HASHES = {
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha3256",
    "sha3512",
    "ssdeep",
    "tlsh",
    "imphash",
}
_CVSS = re.compile(r"(?:CVSS:(?P<version>[\d.]+)/)?[A-Za-z]+:[A-Za-z]+(?:/[A-Za-z]+:[A-Za-z]+)*")
_CVSS_VERSIONS = {"2", "2.0", "3", "3.0", "3.1", "4.0"}
_LEVELS = {
    "info",
    "informational",
    "none",
    "low",
    "medium",
    "moderate",
    "high",
    "critical",
    "severe",
    "unknown",
}


def is_older(document: dict[str, Any]) -> bool:
    """Whether the document has the frame of a report before version 4."""
    return (
        "xarf_version" not in document
        and "Report" in document
        and bool({"Version", "ReporterInfo"} & document.keys())
    )


def read_older(document: dict[str, Any]) -> XarfReport:
    """What such a report says. Raises NotXarf naming the first thing that is wrong with it."""
    if not re.fullmatch(r"v?[0-3](\.\d+){0,2}", str(document.get("Version", "3"))):
        raise NotXarf("XARF of an unknown version")
    reporter = _check_reporter(document)
    _check_frame(document)
    report = document["Report"]
    if not isinstance(report, dict):
        raise NotXarf("XARF field Report is no object")
    known, name = _type(report)
    _check_fields(report, known)
    return _values(report, known, name, reporter)


def _type(report: dict[str, Any]) -> tuple[OlderType, str]:
    for field in ("ReportClass", "ReportType"):
        if not isinstance(report.get(field), str) or not report[field].strip():
            raise NotXarf(f"XARF field {field} is missing or no text")
    subtype = report.get("ReportSubType", "")
    if not isinstance(subtype, str):
        raise NotXarf("XARF field ReportSubType is no text")
    name = _SEPARATORS.sub("", report["ReportType"]).lower()
    special = f"{name}/{_SEPARATORS.sub('', subtype).lower()}"
    return OLDER_TYPES.get(special) or OLDER_TYPES.get(name) or UNKNOWN, name


def _check_reporter(document: dict[str, Any]) -> str:
    """The domain that reports; a reporter is known by a name and a way to write to him."""
    reporter = document.get("ReporterInfo")
    if not isinstance(reporter, dict):
        raise NotXarf("XARF field ReporterInfo is no object")
    _check_all_text(reporter, "ReporterInfo")
    mails = [reporter[name] for name in ("ReporterOrgEmail", "ReporterContactEmail") if reporter.get(name)]
    if not mails or not all(map(_MAIL.fullmatch, mails)):
        raise NotXarf("XARF field ReporterInfo has no mail address to answer to")
    if not (reporter.get("ReporterOrg") or reporter.get("ReporterContactName")):
        raise NotXarf("XARF field ReporterInfo names nobody")
    domain: str = reporter.get("ReporterOrgDomain") or mails[0].rpartition("@")[2]
    if not _HOST.fullmatch(domain):
        raise NotXarf("XARF field ReporterOrgDomain is no host name")
    return domain


def _check_frame(document: dict[str, Any]) -> None:
    if not isinstance(document.get("Disclosure", True), bool):
        raise NotXarf("XARF field Disclosure is neither true nor false")
    behalf = document.get("OnBehalfOf")
    if behalf is not None:
        if not isinstance(behalf, dict):
            raise NotXarf("XARF field OnBehalfOf is no object")
        _check_all_text(behalf, "OnBehalfOf")
        for name in ("ComplainantOrgEmail", "ComplainantContactEmail"):
            if name in behalf and not _MAIL.fullmatch(behalf[name]):
                raise NotXarf(f"XARF field {name} is no mail address")
    internal = document.get("InternalProcessing")
    if internal is not None:
        tags = internal.get("EventTags", []) if isinstance(internal, dict) else None
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise NotXarf("XARF field InternalProcessing is not what it should be")


def _check_all_text(fields: dict[str, Any], where: str) -> None:
    for name, value in fields.items():
        if value is not None and not isinstance(value, str):
            raise NotXarf(f"XARF field {where}.{name} is no text"[:120])


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and is_address(value)


def _is_whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_as(value: Any) -> bool:
    digits = value.upper().removeprefix("AS") if isinstance(value, str) else str(value)
    return not isinstance(value, bool | float) and digits.isdigit() and int(digits) < 1 << 32


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and bool(host_of(value))


def _is_account(value: Any) -> bool:
    """Who was compromised; an identifier that is a mail address belongs into AccountEmail."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(part, str) for part in value.values())
        and "@" not in value.get("AccountIdentifier", "")
    )


def _is_hash(value: Any) -> bool:
    if isinstance(value, str):
        return True
    algorithm = value.get("HashAlgorithm") if isinstance(value, dict) else None
    return isinstance(algorithm, str) and re.sub(r"[^a-z0-9]", "", algorithm.lower()) in _HASHES


def _is_cvss(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("Vector"), str):
        return False
    version, vector = str(value.get("Version", "3.1")), _CVSS.fullmatch(value["Vector"])
    return (
        version in _CVSS_VERSIONS
        and vector is not None
        and (vector["version"] or version).startswith(version)
    )


_PORT = _is_whole(0, 65_535)
_COUNT = _is_whole(0, 1 << 63)
_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("SourceIp", "DestinationIp"), (_is_address, "address")),
    **dict.fromkeys(("SourcePort", "DestinationPort"), (_PORT, "port")),
    **dict.fromkeys(("ByteCount", "PacketCount", "AttackCount", "FileSize"), (_COUNT, "number")),
    **dict.fromkeys(
        ("InfringedMaterial", "MaterialType", "MalwareName", "BotnetName", "ServiceName", "ServiceVersion",
         "ReporterCaseID", "ReporterNotes", "TransportProtocol", "Protocol", "FileName",
         "TrademarkedMaterial",
         "RegistrationOffice", "RegistrationNumber", "SmtpMessageSubject"),
        (_is_text, "text"),
    ),
    **dict.fromkeys(("SourceUrl", "Url", "URL"), (_is_url, "URL")),
    **dict.fromkeys(
        ("SmtpMailFromAddress", "SmtpRcptToAddress"),
        (lambda value: isinstance(value, str) and (not value or "@" in value), "mail address"),
    ),
    "ASN": (_is_as, "AS number"),
    "RpzDomain": (lambda value: isinstance(value, str) and bool(_HOST.fullmatch(value)), "host name"),
    "CVE": (lambda value: isinstance(value, str) and bool(_CVE.fullmatch(value)), "CVE number"),
    "CVSS": (_is_cvss, "CVSS vector of its version"),
    "FileHash": (_is_hash, "hash of a known kind"),
    "Account": (_is_account, "account"),
    "ReporterSeverity": (lambda value: isinstance(value, str) and value.lower() in _LEVELS, "severity"),
    "Ongoing": (lambda value: isinstance(value, bool), "yes or no"),
}  # fmt: skip


def _check_fields(report: dict[str, Any], known: OlderType) -> None:
    for name in known.required:
        if report.get(name) is None:
            raise NotXarf(f"XARF field {name} is missing")
    for name, value in report.items():
        is_right, what = _FIELDS.get(name, (None, ""))
        if is_right and value is not None and not is_right(value):
            raise NotXarf(f"XARF field {name} is no {what}")
    if "Account" in known.required and "SourceUrl" in report:
        raise NotXarf("XARF field SourceUrl does not say where an account was compromised")


def _values(report: dict[str, Any], known: OlderType, name: str, reporter: str) -> XarfReport:
    source = report.get("Source")
    source = source if isinstance(source, dict) else {"IP": source}
    more = report.get("AdditionalInfo")
    more = more if isinstance(more, dict) else {}
    url = _text(report, "SourceUrl", "Url", "URL") or _text(source, "URL", "Url")
    origin = _text(report, "SourceIp") or _text(source, "IP", "Ip") or host_of(url) or _text(report, "Domain")
    assumed = {}
    if not origin and "Account" in known.required:
        origin, assumed["origin"] = report["DestinationIp"], "the host of the account"
    if not host_of(origin):
        raise NotXarf("XARF report that names no source")
    if known is UNKNOWN:
        assumed["kind"] = "an XARF type that is not known"
    first, last = _times(report, more)
    target = _text(report, "DestinationIp") or _text(more, "DestinationIP", "DestinationIp")
    named = "" if known.lane == "restricted" else name_of(url) if url else name_of(_text(report, "RpzDomain"))
    return XarfReport(
        category=_SEPARATORS.sub("_", report["ReportClass"].lower())[:40],
        type=name[:40],
        kind=known.kind,
        severity=known.severity,
        lane=known.lane,
        origin=host_of(origin),
        target="" if target == origin else target or _text(more, "TargetBrand") or _text(report, "RpzDomain"),
        service=_service(report, more, known),
        first_at=first,
        last_at=last,
        count=_count(report),
        reporter=reporter,
        names=(named,) if named and known.kind.startswith(("fraud/ph", "fraud/ma", "malicious-code")) else (),
        assumed=assumed,
    )  # fmt: skip


def _text(fields: dict[str, Any], *names: str) -> str:
    """The first of these fields that is text and says something."""
    return next(
        (value.strip() for name in names if isinstance(value := fields.get(name), str) and value.strip()), ""
    )


def _times(report: dict[str, Any], more: dict[str, Any]) -> tuple[dt.datetime, dt.datetime]:
    reported = _instant(report, "Date")
    if reported is None:
        raise NotXarf("XARF field Date is missing")
    first = _instant(report, "FirstSeen") or _instant(more, "FirstSeen") or reported
    last = _instant(report, "LastSeen") or _instant(more, "LastSeen") or max(first, reported)
    return min(first, last), max(first, last)


def _instant(fields: dict[str, Any], name: str) -> dt.datetime | None:
    value = fields.get(name)
    if value is None:
        return None
    read = read_date(value) if isinstance(value, str) else None
    if read is None:
        raise NotXarf(f"XARF field {name} is no date")
    return read[0]


def _service(report: dict[str, Any], more: dict[str, Any], known: OlderType) -> str:
    named = _text(report, "ServiceName", "Service")
    protocol = _text(report, "Protocol", "TransportProtocol") or _text(more, "Protocol")
    port = report.get("DestinationPort") or more.get("DestinationPort")
    if named or known.service:
        return named.lower()[:40] or known.service
    if protocol and isinstance(port, int):
        return f"{protocol.lower()[:20]}/{port}"
    return protocol.lower()[:40] or (f"port/{port}" if isinstance(port, int) else "unknown")


def _count(report: dict[str, Any]) -> int:
    custom = report.get("Custom")
    for value in (
        report.get("AttackCount"),
        custom.get("NumberOfIncidents") if isinstance(custom, dict) else None,
    ):
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 53:
            return value
    return 1
