"""Tables of addresses and times in a mail, in its text or attached: what national teams and IntelMQ send.

A table is a header that names a column for an address and one for a time, and rows with as many values,
separated by `|`, `;`, tabs or commas. Its meaning comes from IntelMQ's `classification.type` or from the
words of the row (malware, category …), else from the mail's subject.
"""

import csv
import re
from collections.abc import Iterator

from tocsin.sift.claims import NO_ZONE, Claim
from tocsin.sift.mailfeeds import unpacked
from tocsin.wire.complaint_words import UNDETERMINED, Meaning, meaning_of
from tocsin.wire.dates import read_date
from tocsin.wire.letters import Letter

_ADDRESS = ("source.ip", "src_ip", "source_ip", "ip", "ip address", "ip_address", "ipaddress", "address",
            "src ip", "source ip", "host", "infected ip")  # fmt: skip
_TIME = ("time.source", "timestamp", "timestamp (utc)", "time", "date", "datetime", "date/time", "event time",
         "last seen", "last_seen", "first seen", "time (utc)", "event_time", "detected", "seen",
         "time_detected", "detected_at", "time_observed", "observed_at", "detect time")  # fmt: skip
_WORDS = ("classification.type", "malware.name", "malware", "malware family", "infection", "type", "category",
          "classification.identifier", "classification", "class", "event", "report", "reason", "description",
          "feed.name")  # fmt: skip
_TARGET = ("destination.ip", "dst_ip", "destination ip", "c2 ip", "destination")
_SERVICE = ("protocol.application", "application", "service")
_NAMED = re.compile(r"time|date|seen|detected", re.IGNORECASE)
_SEPARATORS = ("|", ";", "\t", ",")
_MOST = 100_000


def read_claims(letter: Letter) -> list[Claim]:
    """What the tables of a mail claim, row by row; rows without address or time say nothing."""
    texts = [letter.body]
    for part in letter.attachments:
        try:
            texts += [content.decode("utf-8", "replace") for _, content in unpacked(part)]
        except ValueError:
            continue
    subject = meaning_of(letter.subject)
    found: dict[tuple[str, str, str], Claim] = {}
    for text in texts:
        for row in _rows(text):
            claim = _claim(row, subject)
            if claim and claim.first:
                found.setdefault((claim.origin, str(claim.first), claim.meaning.kind), claim)
    return list(found.values())


def _rows(text: str) -> Iterator[dict[str, str]]:
    header: list[str] = []
    separator = ","
    for line in text.split("\n")[:_MOST]:
        for candidate in _SEPARATORS if _NAMED.search(line) else ():
            if candidate in line and (columns := _header(_cells(line, candidate))):
                header, separator = columns, candidate
                break
        else:
            cells = _cells(line, separator) if header else []
            if header and len(cells) >= min(len(header), 2) and any(cells):
                yield dict(zip(header, cells, strict=False))


def _cells(line: str, separator: str) -> list[str]:
    if separator == "|":
        return [cell.strip() for cell in line.strip().strip("|").split("|")]
    try:
        return [cell.strip() for cell in next(csv.reader([line.replace("\0", "")], delimiter=separator), [])]
    except csv.Error:
        return []


def _header(cells: list[str]) -> list[str]:
    columns = [cell.strip("\"'# *").lower() for cell in cells]
    return columns if set(columns) & set(_ADDRESS) and set(columns) & set(_TIME) else []


def _claim(row: dict[str, str], subject: Meaning) -> Claim | None:
    origin = _first(row, _ADDRESS)
    at = read_date(_first(row, _TIME))
    if not re.fullmatch(r"[0-9a-fA-F.:]{3,45}", origin) or at is None:
        return None
    meaning = next(
        (found for name in _WORDS if (found := meaning_of(row.get(name, ""))) != UNDETERMINED), subject
    )
    zoned = at[1] or any("utc" in name for name in row) or "time.source" in row
    assumed = {} if zoned else {"first_seen_at": NO_ZONE}
    return Claim(
        "table", meaning, origin, _first(row, _SERVICE).lower() or "unknown", at[0], at[0],
        target=_first(row, _TARGET), assumed=assumed,
    )  # fmt: skip


def _first(row: dict[str, str], names: tuple[str, ...]) -> str:
    return next((row[name] for name in names if row.get(name)), "")
