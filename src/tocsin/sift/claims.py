"""What a mail in prose claims, read by the table of forms; and what can be said of a mail that none knows."""

import datetime as dt
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tocsin.sift import mailforms
from tocsin.sift.mailforms import IP, Form
from tocsin.wire.complaint_words import UNDETERMINED, Meaning, meaning_of, service_of_words
from tocsin.wire.dates import read_date
from tocsin.wire.letters import Letter
from tocsin.wire.xarf_values import host_of, name_of

MAIL_DATE = "derived from the mail's date"
NEWEST = "reported by the newest line of a log"
NO_ZONE = "reported without a zone: taken as UTC"
_ABOUT_NAMES = ("fraud/phishing", "fraud/masquerade", "malicious-code/malware")
_ADDRESS = re.compile(rf"(?<![\w.:/-]){IP}(?![\w:-]|\.\d|/\d)")
_LABELLED = re.compile(
    rf"\b(?:ip|ipv[46]|address|source|src|host|server|attacker|offender|origin)\b[^\w\n]{{0,12}}(?:address\W{{0,4}})?({IP})",
    re.IGNORECASE,
)
_STAMP = re.compile(r"\b([A-Z][a-z]{2} [ \d]\d) (\d\d:\d\d:\d\d)\b(?! \d{4})")
_TOOL_ZONE = re.compile(r"local time ?zone is ([+-]\d{4})", re.IGNORECASE)
_DEFANGED = (("hxxp", "http"), ("[.]", "."), ("(.)", "."), ("[:]", ":"), ("[://]", "://"), ("[dot]", "."))
_LOCATED = re.compile(rf"https?://([\w.-]+)[^\s\[]*\s+(?:\[\d+/\d+\]\s+)?\[({IP})\]", re.IGNORECASE)
_SEARCHED = 1 << 18
_MOST = 10_000


class Refused(Exception):  # noqa: N818 (a finding about one mail)
    """A mail that is known and cannot be read: the reason in words."""


@dataclass(slots=True)
class Claim:
    """That some origin did something, as written. Instants are UTC; None where none was found."""

    form: str
    meaning: Meaning
    origin: str = ""
    service: str = ""
    first: dt.datetime | None = None
    last: dt.datetime | None = None
    count: int = 1
    target: str = ""
    names: tuple[str, ...] = ()
    assumed: dict[str, str] = field(default_factory=dict)


def read_claims(letter: Letter) -> list[Claim] | None:
    """What the first form that knows the mail finds in it: nothing if it accuses nobody; None if none does.

    Raises Refused for a mail that is known and cannot be read.
    """
    text = f"{letter.subject}\n{letter.body}\n" + "\n".join(
        part.text for part in letter.attachments if part.content_type.endswith("/xml")
    )
    for form in mailforms.forms():
        if not form.knows(letter, text):
            continue
        if form.refused:
            raise Refused(form.refused)
        if form.accuses_nobody:
            return []
        if found := [claim for claim in _claims(form, letter, text) if claim.origin][:_MOST]:
            return found
    return None


def guess(letter: Letter) -> Claim | None:
    """The one address that a mail of no known form is about; None where there is none, or more than one.

    The rule: the only address of the subject; else the only one that stands behind a word like `IP` or
    `source`; else the only one of the whole text. Two candidates are no candidate.
    """
    for where, candidates in (
        ("the one address in the subject", _ADDRESS.findall(letter.subject)),
        ("the one address that the text labels", _LABELLED.findall(letter.body)),
        ("the one address in the text", _ADDRESS.findall(letter.body)),
    ):
        found = {address for text in candidates if (address := _public(text))}
        if len(found) == 1:
            assumed = {"origin": where, "kind": "a mail of no known form", "first_seen_at": MAIL_DATE}
            return Claim(
                "unrecognised",
                UNDETERMINED,
                found.pop(),
                first=letter.date,
                last=letter.date,
                assumed=assumed,
            )
        if found:
            return None
    return None


def located(letter: Letter) -> dict[str, str]:
    """The addresses that a mail's text gives for hosts, as `http://host/path [192.0.2.1]`."""
    found = _LOCATED.findall(letter.body[:_SEARCHED])
    return {host.lower(): address for host, text in found if (address := _public(text))}


def _public(text: str) -> str:
    """The address, in its one spelling, unless it is nobody's (loopback, multicast, unspecified)."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    return "" if address.is_loopback or address.is_multicast or address.is_unspecified else str(address)


def _claims(form: Form, letter: Letter, text: str) -> Iterator[Claim]:
    shared = {name: _first(patterns, name, text) for name, patterns in form.facts.items()}
    for said, part in _sections(form, text):
        for match in form.each.finditer(part) if form.each else (None,):
            facts = shared | said
            if match:
                facts |= {name: value for name, value in match.groupdict().items() if value}
            yield _claim(form, letter, text, facts)


def _sections(form: Form, text: str) -> Iterator[tuple[dict[str, str], str]]:
    if form.sections is None:
        yield {}, text
        return
    cuts = list(form.sections.finditer(text))
    ends = [cut.start() for cut in cuts[1:]] + [len(text)] * bool(cuts)
    for cut, following in zip(cuts, ends, strict=True):
        what = next(filter(None, cut.groups()), "")
        yield {"what": what}, text[cut.end() : following]


def _first(patterns: tuple[re.Pattern[str], ...], name: str, text: str) -> str:
    for pattern in patterns:
        if match := pattern.search(text):
            return match[name] or ""
    return ""


def _claim(form: Form, letter: Letter, text: str, facts: dict[str, str]) -> Claim:
    what = facts.get("what", "").strip().lower()
    words = form.words.get(what, what)
    meaning = _meaning(form.kind, form.severity, words)
    url = _refanged(facts.get("url", "").strip())
    origin = _public(facts.get("origin", "").strip()) or host_of(
        url if "://" in url else f"http://{url}" if url else ""
    )
    named = name_of(url) if meaning.kind.startswith(_ABOUT_NAMES) else ""
    claim = Claim(
        form.id,
        meaning,
        origin,
        form.service or service_of_words(f"{what} {words}") or "unknown",
        names=(named,) if named else (),
    )
    count = facts.get("count", "")
    claim.count = int(count) if re.fullmatch(r"[1-9]\d{0,8}", count) else 1
    _settle(claim, letter, facts.get("at", ""), form.zone)
    if form.log_lines and origin:
        _read_log(claim, letter, text)
    return claim


def _meaning(kind: str, severity: str, words: str) -> Meaning:
    return Meaning(kind, severity) if kind else meaning_of(words)  # type: ignore[arg-type]


def _settle(claim: Claim, letter: Letter, written: str, zone: str) -> None:
    """The oldest and the newest date in what was written; the mail's own where there is none."""
    lines = (f"{line.strip()} {zone}" for line in written.split("\n"))
    dates = [found for line in lines if (found := read_date(line.strip()))]
    if not dates:
        claim.first = claim.last = letter.date
        claim.assumed["first_seen_at"] = MAIL_DATE
        return
    claim.first, claim.last = min(at for at, _ in dates), max(at for at, _ in dates)
    claim.count = max(claim.count, len(dates))
    claim.assumed["first_seen_at"] = "reported" if all(zoned for _, zoned in dates) else NO_ZONE


def _read_log(claim: Claim, letter: Letter, text: str) -> None:
    """The lines of a log that name the origin tell how often it was, and the newest of them when."""
    zone = _TOOL_ZONE.search(text)
    lines = [line for line in text.split("\n") if claim.origin in line]
    found = [at for line in lines if (at := _date_of(line, letter, zone[1] if zone else ""))]
    if found:
        claim.first = claim.last = max(at for at, _ in found)
        claim.count = len(found)
        zoned = all(zoned for _, zoned in found)
        claim.assumed["first_seen_at"] = NEWEST if zoned else f"{NEWEST}, {NO_ZONE}"


def _date_of(line: str, letter: Letter, zone: str) -> tuple[dt.datetime, bool] | None:
    stamp = _STAMP.search(line)
    if stamp is None or letter.date is None:
        found = read_date(line)
        if found and not found[1] and zone:
            hours = dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
            return (found[0] - hours if zone[0] == "+" else found[0] + hours), True
        return found if found and (found[0].hour or found[0].minute or found[1]) else None
    for year in (letter.date.year, letter.date.year - 1):
        found = read_date(f"{stamp[1]} {year} {stamp[2]} {zone}".strip())
        if found and found[0] <= letter.date + dt.timedelta(days=1):
            return found
    return None


def _refanged(url: str) -> str:
    for written, meant in _DEFANGED:
        url = url.replace(written, meant)
    return url
