"""From what a report or complaint says to a finding: the same care for all of them.

What leaves a provider later is made from these fields, so nothing of a stranger's free text may stand in
them: targets are addresses, names or short brands, services are single words.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from tocsin.sift.findings import Finding
from tocsin.sift.origins import normalise
from tocsin.wire.xarf_values import XarfReport

UNKNOWN = "unknown"
SPANS_DAYS = "the report spans several days: counted under the first"
_SERVICE = re.compile(r"[a-z0-9][a-z0-9._+/-]{0,39}")
_BRAND = re.compile(r"[^\W_](?:[\w '&!-]|\.(?=\s|$)){0,79}")
_DIGITS = re.compile(r"\d{4,}")
_FORGEABLE = ("udp", "icmp")
_DAY = 86_400


class Unusable(Exception):  # noqa: N818 (a finding about one document)
    """A document that cannot become an attack: the reason in words."""


def of_xarf(report: XarfReport, reader: str = "xarf") -> Finding:
    """What an XARF report of any version says. Raises Unusable."""
    origin = normalise(report.origin)
    if origin is None:
        raise Unusable("an XARF report whose source_identifier is no address or name")
    assumed = dict(report.assumed)
    if report.first_at.date() != report.last_at.date():
        assumed["first_seen_at"] = SPANS_DAYS
    if not report.target:
        assumed["target"] = "the report names none"
    return Finding(
        kind=report.kind,
        severity=report.severity,
        origin=origin,
        target=target_of(report.target),
        service=service_of(report.service),
        first=int(report.first_at.timestamp()),
        last=int(report.last_at.timestamp()),
        count=report.count,
        why=f"reported as {report.category}/{report.type}",
        reader=reader,
        assumed=assumed,
        lane=report.lane,
        names=tuple(filter(None, map(normalise, report.names))),
        spoofable=report.kind.startswith("availability/") and report.service.startswith(_FORGEABLE),
    )


def target_of(text: str) -> str:
    """The attacked side as an address, a name or a brand; `unknown` for anything that might be a person."""
    if known := normalise(text):
        return known
    plain = " ".join(text.split())
    return plain if _BRAND.fullmatch(plain) and not _DIGITS.search(plain) else UNKNOWN


def service_of(text: str) -> str:
    """A service as one word."""
    word = text.strip().lower()
    return word if _SERVICE.fullmatch(word) else UNKNOWN


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """The findings of one document, those of one attack made one."""
    by_attack: dict[tuple[str, ...], Finding] = {}
    for finding in findings:
        day = str(finding.first // _DAY)
        key = (finding.kind, finding.origin, finding.target, finding.vector or finding.service, day)
        other = by_attack.get(key)
        by_attack[key] = finding if other is None else _joined(other, finding)
    return list(by_attack.values())


def _joined(one: Finding, other: Finding) -> Finding:
    return replace(
        one,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        count=one.count + other.count,
        names=tuple(dict.fromkeys(one.names + other.names)),
        assumed=other.assumed | one.assumed,
    )
