"""From what a report or complaint says to a finding: the same care for all of them.

What leaves a provider later is made from these fields, so nothing of a stranger's free text may stand in
them: targets are addresses, names or short brands, services are single words.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tocsin.sift.findings import Finding
from tocsin.sift.origins import normalise
from tocsin.wire.met import Met
from tocsin.wire.xarf_values import XarfReport

UNKNOWN = "unknown"
SPANS_DAYS = "the report spans several days: counted under the first"
_SERVICE = re.compile(r"[a-z0-9][a-z0-9._+/-]{0,39}")
_BRAND = re.compile(r"[^\W_](?:[\w '&!-]|\.(?=\s|$)){0,79}")
_DIGITS = re.compile(r"\d{4,}")
_FORGEABLE = ("udp", "icmp")
_DAY = 86_400
_MOST_PAIRS = 1_000


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


def of_met(met: Met, why: str, reader: str) -> Iterator[Finding]:
    """What another tool met: every source against every target, or against nobody if they are too many.

    A source that is a command-and-control server is what the other sources talk to.
    """
    servers = [source.host for source in met.sources if source.meaning]
    targets = [target.host for target in met.targets] or servers or [UNKNOWN]
    if len(met.sources) * len(targets) > _MOST_PAIRS:
        targets = [UNKNOWN]
    first, last = int(met.first_at.timestamp()), int(met.last_at.timestamp())
    shared = {"first": first, "last": last, "count": met.times, "why": why, "reader": reader}
    for target in targets:
        for source in met.sources:
            meaning = source.meaning or met.meaning
            host = normalise(source.host)
            if host is None:
                continue
            against = UNKNOWN if source.host in servers and target in servers else target
            yield Finding(
                kind=meaning.kind,
                origin=host,
                target=target_of(against),
                service=service_of(met.service),
                severity=meaning.severity,
                assumed=met.assumed,
                spoofable=source.forgeable or meaning.kind.startswith("availability/"),
                **shared,  # type: ignore[arg-type]
            )
        if not met.sources:
            yield Finding(
                kind=met.meaning.kind,
                origin="",
                target=target_of(target),
                service=service_of(met.service),
                severity=met.meaning.severity,
                assumed=met.assumed,
                spoofable=True,
                vector=service_of(met.vector),
                sample=tuple((address, 1) for text in met.sample if (address := normalise(text))),
                origin_count=len(met.sample),
                measures=_rates(met),
                **shared,  # type: ignore[arg-type]
            )


def _rates(met: Met) -> dict[str, int]:
    rates = {"peak_packets_per_second": met.packets, "peak_bits_per_second": met.bits}
    return {name: rate for name, rate in rates.items() if rate}


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
