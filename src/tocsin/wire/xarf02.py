"""X-ARF 0.2: a complaint by mail with a part of `Name: value` lines, before XARF became JSON.

The format is YAML on paper; what is sent are flat lines, with or without the `---` that begins a document,
with quotes or a Python tag around values. So it is read line by line: no YAML, no surprise. All schemas
(login-attack, malware-attack, fraud, info, private, auth and senders' own) share the fields used here.
"""

import re

from tocsin.wire.complaint_words import UNDETERMINED, Meaning, meaning_of, service_of_words
from tocsin.wire.dates import read_date
from tocsin.wire.xarf_values import NotXarf, XarfReport, host_of, is_address, name_of

_LINE = re.compile(r"^([A-Za-z][A-Za-z_-]{1,40}):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_TOKEN = re.compile(r"[a-z][a-z0-9._/-]{0,39}")
_ABOUT_NAMES = ("fraud/phishing", "fraud/masquerade", "malicious-code/")
_CATEGORIES = {"fraud": "fraud", "auth": "login", "abuse": "", "info": "", "private": ""}


def is_xarf02(text: str) -> bool:
    """Whether the text is the machine-readable part of an X-ARF mail."""
    fields = _fields(text[:4096])
    return (
        "source" in fields and bool({"report-type", "category"} & fields.keys()) and "reported-from" in fields
    )


def read_xarf02(text: str) -> XarfReport:
    """What the part says. Raises NotXarf naming what is wrong with it."""
    fields = _fields(text)
    source, kind = fields.get("source", ""), fields.get("source-type", "").lower()
    if "mail" in kind or "@" in source.partition("://")[0]:
        raise NotXarf("X-ARF about a mailbox: it names no machine")
    origin = host_of(source).strip("[]")
    if not origin:
        raise NotXarf("X-ARF field Source is missing")
    at = read_date(fields.get("date", ""))
    if at is None:
        raise NotXarf("X-ARF field Date is missing or no date")
    meaning = _meaning(fields)
    url = source if "://" in source else fields.get("download-link", "") or fields.get("domain", "")
    named = name_of(url) if url and meaning.kind.startswith(_ABOUT_NAMES) else ""
    target = fields.get("destination", "") or fields.get("destination-ip", "")
    assumed = {} if at[1] else {"first_seen_at": "reported without a zone: taken as UTC"}
    if meaning == UNDETERMINED:
        assumed["kind"] = "an X-ARF report type that is not known"
    return XarfReport(
        category=fields.get("category", "abuse").lower()[:40],
        type=fields.get("report-type", "").lower()[:40],
        kind=meaning.kind,
        severity=meaning.severity,
        lane="restricted" if meaning.kind == "abusive-content/violence" else "ordinary",
        origin=origin,
        target=target if is_address(target) else "",
        service=_service(fields),
        first_at=at[0],
        last_at=at[0],
        count=_count(fields),
        reporter=fields.get("reported-from", "").rpartition("@")[2].lower(),
        names=(named,) if named and meaning.kind != "abusive-content/violence" else (),
        assumed=assumed,
    )


def _fields(text: str) -> dict[str, str]:
    """The fields by lower-case name, the first of each; quotes and tags taken off."""
    fields: dict[str, str] = {}
    for name, value in _LINE.findall(text):
        bare = re.sub(r"^!!?\S+\s+", "", value)
        if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\"":
            bare = bare[1:-1]
        if bare and bare not in ("none", "None", "null", "~"):
            fields.setdefault(name.lower(), bare)
    return fields


def _meaning(fields: dict[str, str]) -> Meaning:
    category = fields.get("category", "").lower()
    said = (fields.get("report-type", ""), fields.get("service", ""), _CATEGORIES.get(category, category))
    return next((meaning for words in said if (meaning := meaning_of(words)) != UNDETERMINED), UNDETERMINED)


def _service(fields: dict[str, str]) -> str:
    named = fields.get("service", "").lower()
    if known := service_of_words(named) or ("http" if fields.get("download-link") else ""):
        return known
    if _TOKEN.fullmatch(named):
        return named
    port = fields.get("port", "")
    return f"port/{port}" if port.isdigit() and int(port) < 1 << 16 else "unknown"


def _count(fields: dict[str, str]) -> int:
    for name in ("occurrences", "count", "incidents", "attempts"):
        if re.fullmatch(r"[1-9]\d{0,8}", fields.get(name, "")):
            return int(fields[name])
    return 1
