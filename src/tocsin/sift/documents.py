"""Mails and reports (ARF, XARF) as findings: one document is one piece of evidence.

A document is known by its bytes with unified line ends, so that the LF, CRLF and CR forms of one mail are
one. Rejected documents are kept by path and reason alone: they are still where they were, and may hold
what must not be copied.
"""

import datetime as dt
import re
from collections.abc import Iterator
from email.message import Message

from tocsin.kernel.time import rfc3339
from tocsin.sift.findings import Finding
from tocsin.sift.origins import normalise
from tocsin.sift.regions import Known
from tocsin.sift.rejects import Rejects
from tocsin.sift.sources import Kind
from tocsin.sift.tally import Tally
from tocsin.sift.values import Balance, Observation
from tocsin.wire import arf, xarf
from tocsin.wire.report import Severity

UNKNOWN = "unknown"

# Feedback types of RFC 5965 and RFC 6591 (and their forerunners) as RSIT kinds. None: nobody was attacked.
FEEDBACK: dict[str, tuple[str, Severity] | None] = {
    "abuse": ("abusive-content/spam", "low"),
    "fraud": ("fraud/phishing", "medium"),
    "virus": ("malicious-code/malware-distribution", "medium"),
    "auth-failure": ("other/other", "info"),
    "other": ("other/other", "info"),
    "not-spam": None,
    "miscategorized": None,
    "opt-out": None,
    "opt-out-list": None,
    "unsubscribe": None,
}

_MEMBER = re.compile(rb"(?:\A|(?<=\n\n))From [^\n]*\n(?=[!-9;-~]+:)")
_JSON_TYPES = ("application/json", "application/xarf+json", "text/json")


class Unusable(Exception):  # noqa: N818 (a finding about one document)
    """A document that cannot become an attack: the reason in words."""


class Documents:
    """Reads documents into a tally."""

    def __init__(self, tally: Tally, known: Known, rejects: Rejects, balance: Balance) -> None:
        self._tally = tally
        self._known = known
        self._rejects = rejects
        self._balance = balance
        self.observations: list[Observation] = []

    def read(self, path: str, kind: Kind, content: bytes) -> int:
        """Read a file of documents; gives how many were read, duplicates and rejected ones not counted."""
        content = arf.unix_lines(content)
        if kind != "mbox":
            return self._read_one(path, 1, kind, content)
        return sum(self._read_one(path, line, "mail", mail) for line, mail in members(content))

    def _read_one(self, path: str, line: int, kind: Kind, content: bytes) -> int:
        if self._known.has_bytes(content):
            self._balance.duplicate += 1
            self._balance.reasons["seen before"] += 1
            return 0
        try:
            if kind == "json":
                return sum(self._report(path, line + at, content, one) for at, one in xarf.decode(content))
            found = _mail(arf.parse_mail(content))
        except (Unusable, arf.NotArf, xarf.NotXarf) as why:
            self._rejects.add(path, line, str(why))
            return 0
        for finding in found:
            self._add(path, line, content, finding)
        return 1

    def _report(self, path: str, line: int, content: bytes, document: object) -> int:
        try:
            self._add(path, line, content, _xarf(document))
        except (Unusable, xarf.NotXarf) as why:
            self._rejects.add(path, line, str(why))
            return 0
        return 1

    def _add(self, path: str, line: int, content: bytes, finding: Finding) -> None:
        self._tally.add(finding, path, [line], content)
        self.observations.append(
            Observation(
                path=path,
                line=line,
                kind=finding.kind,
                origin=finding.origin,
                target=finding.target,
                service=finding.service,
                seen_at=rfc3339(dt.datetime.fromtimestamp(finding.first, dt.UTC)),
                count=finding.count,
                rule=finding.why,
            )
        )


def members(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The mails of an mbox (RFC 4155), each with the number of its first line."""
    starts = [match.span() for match in _MEMBER.finditer(content)]
    line = 1
    for (start, body), following in zip(starts, [*starts[1:], (len(content), 0)], strict=True):
        yield line, content[body : following[0]]
        line += content.count(b"\n", start, following[0])


def _mail(mail: Message) -> list[Finding]:
    """What a mail says: an XARF attachment, or else its feedback report."""
    trouble: xarf.NotXarf | None = None
    for part in mail.walk():
        if part.get_content_type() not in _JSON_TYPES and not (part.get_filename() or "").endswith(".json"):
            continue
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes):
            continue
        try:
            return [_xarf(document) for _, document in xarf.decode(payload)]
        except xarf.NotXarf as why:
            trouble = why
    try:
        report = arf.read_arf(mail)
    except arf.NotArf:
        if trouble:
            raise trouble from None
        raise
    if report.feedback_type == "xarf":
        raise trouble or Unusable("a mail that announces XARF and holds none")
    return _feedback(report)


def _feedback(report: arf.FeedbackReport) -> list[Finding]:
    meaning = FEEDBACK.get(report.feedback_type, ("other/other", "info"))
    if meaning is None:
        return []
    if not report.source_ip:
        raise Unusable("a feedback report without Source-IP: addresses in its text are not guessed")
    origin = normalise(report.source_ip)
    if origin is None:
        raise Unusable("a feedback report whose Source-IP is no address")
    if report.event_at is None:
        raise Unusable("a feedback report without a date that can be read")
    kind, severity = meaning
    target = normalise(report.reporter) or UNKNOWN
    assumed = (
        {} if report.event_from == "Arrival-Date" else {"first_seen_at": f"{report.event_from} of the report"}
    )
    assumed["target"] = "the reporting side: a feedback report does not name the recipient"
    why = f"complaint by mail: {report.feedback_type}"[:120]
    at = int(report.event_at.timestamp())
    return [
        Finding(
            kind=kind,
            origin=origin,
            target=target,
            service="smtp",
            first=at,
            last=at,
            count=report.incidents,
            severity=severity,
            why=why,
            reader="arf",
            assumed=assumed,
        )
    ]


def _xarf(document: object) -> Finding:
    report = xarf.read_xarf(document)
    origin = normalise(report.origin)
    if origin is None:
        raise Unusable("an XARF report whose source_identifier is no address or name")
    assumed = {}
    if report.first_at.date() != report.last_at.date():
        assumed["first_seen_at"] = "the report spans several days: counted under the first"
    if not report.target:
        assumed["target"] = "the report names none"
    return Finding(
        kind=report.kind,
        severity=report.severity,
        origin=origin,
        target=normalise(report.target) or report.target or UNKNOWN,
        service=report.service,
        first=int(report.first_at.timestamp()),
        last=int(report.last_at.timestamp()),
        count=report.count,
        why=f"reported as {report.category}/{report.type}",
        reader="xarf",
        assumed=assumed,
        lane=report.lane,
        names=tuple(filter(None, map(normalise, report.names))),
    )
