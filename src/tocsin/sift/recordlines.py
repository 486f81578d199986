"""Records that carry a line of a log, or the parts of one, as lines for the rules of logs."""

import datetime as dt
import re
from collections.abc import Callable

from tocsin.sift.recordframe import EPOCH, ISO, NOBODY, TAIL
from tocsin.sift.recordplan import Plan, Row
from tocsin.sift.records import Wrapped, as_text, bare_address, names
from tocsin.sift.shapes import BARE_HEADER, HEADER

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HEADED = re.compile(f"{HEADER}|{BARE_HEADER}")


def composer(plan: Plan, wrapped: Wrapped) -> Callable[[Row], str | None]:
    """How a record of that kind becomes a line of a log."""

    def read(row: Row, paths: str | tuple[str, ...]) -> str:
        for place in plan.places(paths):
            if row[place] not in NOBODY:
                return as_text(row[place])  # type: ignore[arg-type]
        return ""

    strip = re.compile(wrapped.strip) if wrapped.strip else None

    def text(row: Row) -> str | None:
        line = read(row, wrapped.text).strip().replace("\n", " ").replace("\r", " ")
        if strip and (begun := strip.match(line)):
            line = line[begun.end() :]
        if not line or _HEADED.search(line):
            return line or None
        program = read(row, wrapped.program).replace(" ", "_")
        host = read(row, wrapped.host).replace(" ", "_")
        sender = f"{host or 'unknown'} {program}: " if program else ""
        return f"{_iso(read(row, wrapped.time))} {sender}{line}"

    def request(row: Row) -> str | None:
        client = bare_address(read(row, wrapped.client))
        stamp = _clf(read(row, wrapped.time))
        asked = read(row, wrapped.request)
        if not asked:
            method, protocol = read(row, wrapped.method) or "-", read(row, wrapped.protocol) or "HTTP/1.1"
            protocol = protocol if "/" in protocol else f"HTTP/{protocol}"
            asked = f"{method} {read(row, wrapped.uri) or '/'} {protocol}"
        agent, referer = read(row, wrapped.agent) or "-", read(row, wrapped.referer) or "-"
        status, size = read(row, wrapped.status) or "-", read(row, wrapped.size) or "-"
        quoted = [_quoted(text) for text in (asked, referer, agent)]
        line = f'{client} - - [{stamp}] "{quoted[0]}" {status} {size} "{quoted[1]}" "{quoted[2]}"'
        return line.replace("\n", " ").replace("\r", " ") if client else None

    return text if names(wrapped.text) else request


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _iso(text: str) -> str:
    """A time as ISO 8601; what cannot be read stays, and is rejected where it is read."""
    if re.match(EPOCH, text):
        return f"{dt.datetime.fromtimestamp(int(text[:10]), dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    return text.replace(" ", "T", 1) if re.match(ISO, text) else text


def _clf(text: str) -> str:
    """A time as web servers write it: `29/Aug/2025:19:13:03 +0000`."""
    text = _iso(text)
    if not re.match(ISO, text):
        return text
    month = int(text[5:7])
    tail = re.search(TAIL, text[19:])
    zone = tail[1].replace(":", "") if tail else ""
    zone = "+0000" if zone in ("Z", "UTC", "GMT") else zone
    name = _MONTHS[month - 1] if 1 <= month <= 12 else "-"
    return f"{text[8:10]}/{name}/{text[:4]}:{text[11:19]} {zone}".rstrip()
