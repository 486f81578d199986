"""What a mail tells: the first reader that knows it decides.

In this order: a feedback report (RFC 5965), whose XARF attachment goes before it; XARF as JSON (any version);
X-ARF 0.2; Shadowserver's reports (CSV, zipped or not); the table of forms for prose; tables of addresses and
times; a mail that was forwarded whole; at last the one address that a mail of no known form names.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from tocsin.sift import claims, mailfeeds, mailtables
from tocsin.sift.findings import Finding
from tocsin.sift.origins import normalise
from tocsin.sift.reported import SPANS_DAYS, UNKNOWN, Unusable, merged, of_xarf, service_of, target_of
from tocsin.wire import arf, xarf, xarf02
from tocsin.wire.complaint_words import UNDETERMINED
from tocsin.wire.letters import Letter, open_letter
from tocsin.wire.report import Severity
from tocsin.wire.xarf_values import NotXarf

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
NO_ADDRESS = "a mail of no known form that names no address, or more than one"
NO_DATE = "a complaint without a date that can be read"
_JSON_TYPES = ("application/json", "application/xarf+json", "text/json")
_TEXTS = (
    "text/plain",
    "text/x-yaml",
    "application/octet-stream",
    "message/xarf",
    "application/x-yaml",
    "text/yaml",
)


@dataclass
class Told:
    """What one mail tells: findings (one for each attack), reasons of what in it cannot be read."""

    findings: list[Finding] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    is_unrecognised: bool = False


def read_told(content: bytes) -> Told:
    """What a mail tells, nothing at all where it is known and accuses nobody."""
    told = _told(open_letter(content), depth=0)
    told.findings = merged(told.findings)
    return told


def _told(letter: Letter, depth: int) -> Told:
    for reader in (_feedback_report, _xarf_json, _xarf_02, _attached_feed, _prose, _table):
        if (told := reader(letter)) is not None:
            return told
    if letter.is_bounce:
        return Told()
    if depth < 2:
        for mail in letter.enclosed:
            inner = _told(open_letter(mail), depth + 1)
            if not inner.is_unrecognised:
                return inner
    return _unrecognised(letter)


def _unrecognised(letter: Letter) -> Told:
    claim = claims.guess(letter)
    if claim is None:
        return Told(rejected=[NO_ADDRESS], is_unrecognised=True)
    told = _of_claims([claim], letter)
    told.is_unrecognised = True
    return told


def _gather(readings: Iterable[Callable[[], Finding]]) -> Told | None:
    """What several readings give; each may fail alone. None where there was nothing to read."""
    told, tried = Told(), False
    for reading in readings:
        tried = True
        try:
            told.findings.append(reading())
        except (Unusable, NotXarf) as why:
            told.rejected.append(str(why))
    return told if tried else None


def _feedback_report(letter: Letter) -> Told | None:
    try:
        report = arf.read_arf(letter.mail)
    except arf.NotArf as why:
        return Told(rejected=[str(why)]) if "Feedback-Type" in str(why) else None
    inside = _xarf_json(letter)
    if inside and inside.findings:
        return inside
    if report.feedback_type == "xarf":
        return inside or Told(rejected=["a mail that announces XARF and holds none"])
    meaning = FEEDBACK.get(report.feedback_type, ("other/other", "info"))
    if meaning is None:
        return Told()
    try:
        return Told([_of_feedback(report, *meaning)])
    except Unusable as why:
        return Told(rejected=[str(why)], is_unrecognised=True)


def _of_feedback(report: arf.FeedbackReport, kind: str, severity: Severity) -> Finding:
    if not report.source_ip:
        raise Unusable("a feedback report without Source-IP: addresses in its text are not guessed")
    origin = normalise(report.source_ip)
    if origin is None:
        raise Unusable("a feedback report whose Source-IP is no address")
    if report.event_at is None:
        raise Unusable("a feedback report without a date that can be read")
    at = int(report.event_at.timestamp())
    by_mail = report.event_from == "Date"
    return Finding(
        kind=kind,
        origin=origin,
        target=target_of(report.reporter),
        service="smtp",
        first=at,
        last=at,
        count=report.incidents,
        severity=severity,
        why=f"complaint by mail: {report.feedback_type}"[:120],
        reader="arf",
        assumed={
            "first_seen_at": claims.MAIL_DATE if by_mail else f"reported as {report.event_from}",
            "target": "the reporting side: a feedback report does not name the recipient",
        },
    )


def _xarf_json(letter: Letter) -> Told | None:
    def readings() -> Iterator[Callable[[], Finding]]:
        for part in letter.attachments:
            if part.content_type in _JSON_TYPES or part.name.lower().endswith(".json"):
                yield from _documents(part.content)
        if letter.body.lstrip().startswith("{") and (
            '"xarf_version"' in letter.body or '"ReporterInfo"' in letter.body
        ):
            yield from _documents(letter.body.encode())

    return _gather(readings())


def _documents(content: bytes) -> Iterator[Callable[[], Finding]]:
    try:
        for _, document in xarf.decode(content):
            yield partial(_of_document, document)
    except NotXarf as why:
        yield partial(_fail, str(why))


def _of_document(document: object) -> Finding:
    return of_xarf(xarf.read_xarf(document))


def _fail(reason: str) -> Finding:
    raise Unusable(reason)


def _xarf_02(letter: Letter) -> Told | None:
    for texts in ([part.text for part in letter.attachments if part.content_type in _TEXTS], letter.texts):
        if found := [text for text in dict.fromkeys(texts) if xarf02.is_xarf02(text)]:
            located = claims.located(letter)
            return _gather(partial(_of_xarf_02, text, located) for text in found)
    return None


def _of_xarf_02(text: str, located: dict[str, str]) -> Finding:
    """A report about a name takes the address that the mail's own text gives for it."""
    finding = of_xarf(xarf02.read_xarf02(text), "x-arf")
    address = located.get(finding.origin)
    if address is None:
        return finding
    return replace(finding, origin=address, names=tuple(dict.fromkeys((*finding.names, finding.origin))))


def _attached_feed(letter: Letter) -> Told | None:
    if letter.is_from("abusehub.nl"):
        return None  # it says in its own words, with a zone, what it attaches
    found = mailfeeds.read_reports(letter)
    return None if found is None else Told(*found)


def _prose(letter: Letter) -> Told | None:
    try:
        found = claims.read_claims(letter)
    except claims.Refused as why:
        return Told(rejected=[str(why)])
    return None if found is None else _of_claims(found, letter)


def _table(letter: Letter) -> Told | None:
    found = mailtables.read_claims(letter)
    return _of_claims(found, letter) if found else None


def _of_claims(found: list[claims.Claim], letter: Letter) -> Told:
    told = Told()
    for claim in found:
        try:
            told.findings.append(_of_claim(claim, letter))
        except Unusable as why:
            told.rejected.append(str(why))
    return told


def _of_claim(claim: claims.Claim, letter: Letter) -> Finding:
    origin = normalise(claim.origin)
    if origin is None:
        raise Unusable("a complaint whose source is no address or name")
    if claim.first is None or claim.last is None:
        raise Unusable(NO_DATE)
    assumed = dict(claim.assumed)
    if claim.first.date() != claim.last.date():
        assumed["first_seen_at"] = SPANS_DAYS
    if claim.meaning == UNDETERMINED:
        assumed.setdefault("kind", "the complaint's words are not known")
    target = target_of(claim.target)
    if target == UNKNOWN:
        assumed["target"] = "the complaint names none"
    return Finding(
        kind=claim.meaning.kind,
        origin=origin,
        target=target,
        service=service_of(claim.service),
        first=int(claim.first.timestamp()),
        last=int(claim.last.timestamp()),
        count=claim.count,
        severity=claim.meaning.severity,
        why=f"complaint by mail: {claim.form}",
        reader=f"mail/{claim.form}",
        assumed=assumed,
        names=tuple(filter(None, map(normalise, claim.names))),
        spoofable=claim.meaning.kind.startswith("availability/"),
    )
