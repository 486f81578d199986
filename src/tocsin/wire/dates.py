"""Dates as people and programs write them in complaints: RFC 5322, ISO 8601, access logs, and looser ones."""

import datetime as dt
import re
from functools import lru_cache

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
# Hours from UTC. What several countries abbreviate alike (CST, IST, BST) is left out unless mail uses it so.
_ZONES = {
    "utc": 0, "gmt": 0, "z": 0, "ut": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "met": 1, "cest": 2,
    "mest": 2, "eet": 2, "eest": 3, "msk": 3, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7,
    "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip
_NEAR = 400  # characters: a line of a log begins with its date
_ZONE = r"(?:\s*(?P<zone>[+-]\d{2}:?\d{2}|[+-]\d{2}(?!\d)|\(?[A-Za-z]{1,4}\)?))?"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[AaPp][Mm])?"
_FORMS = tuple(
    re.compile(form + _ZONE)
    for form in (
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?:[T_ ,]+(?:at )?" + _CLOCK + ")?",
        r"(?P<day>\d{1,2})[/ -](?P<month>[A-Za-z]{3})[a-z]*[/ -](?P<year>\d{4}|\d{2})(?:[: ,]+"
        + _CLOCK
        + ")?",
        r"(?P<month>[A-Za-z]{3})[a-z]* +(?P<day>\d{1,2}),? +(?P<year>\d{4})(?:[: ,]+" + _CLOCK + ")?",
        r"(?P<month>[A-Za-z]{3})[a-z]* +(?P<day>\d{1,2}) +" + _CLOCK + r" +(?P<year>\d{4})",
        r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})(?:[ ,]+" + _CLOCK + ")?",
    )
)


def read_date(text: str) -> tuple[dt.datetime, bool] | None:
    """The first date in some text, in UTC, and whether it named its zone (else UTC was taken).

    A date without a time of day is its midnight. None where there is no date near the beginning.
    """
    return _read_date(text[:_NEAR])


@lru_cache(maxsize=4096)
def _read_date(text: str) -> tuple[dt.datetime, bool] | None:
    bare = " ".join(text.split())
    if at := _rfc5322(bare):
        return at
    for form in _FORMS:
        for match in form.finditer(bare):
            if found := _instant(match.groupdict()):
                return found
    return None


def _rfc5322(text: str) -> tuple[dt.datetime, bool] | None:
    if not re.match(r"(?:[A-Za-z]{3}, *)?\d{1,2} [A-Za-z]{3} \d{2,4} \d{1,2}:\d{2}(?::\d{2})?(?: |$)", text):
        return None
    if re.match(r"\S.*\d [AaPp][Mm]\b", text):
        return None
    import email.utils  # takes its time to load: only where a date is written so

    try:
        at = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (at.astimezone(dt.UTC), True) if at.tzinfo else (at.replace(tzinfo=dt.UTC), "-0000" in text)


def _instant(parts: dict[str, str | None]) -> tuple[dt.datetime, bool] | None:
    month = parts["month"] or ""
    number = int(month) if month.isdigit() else _MONTHS.get(month.lower(), 0)
    year = int(parts["year"] or 0)
    hour = int(parts["hour"] or 0)
    if half := (parts["half"] or "").lower():
        hour = hour % 12 + (12 if half == "pm" else 0)
    offset = _offset(parts["zone"] or "")
    try:
        at = dt.datetime(
            year if year > 99 else 2000 + year,
            number,
            int(parts["day"] or 0),
            hour,
            int(parts["minute"] or 0),
            int(parts["second"] or 0),
            tzinfo=dt.UTC,
        )
        return (at - (offset or dt.timedelta()), offset is not None)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str) -> dt.timedelta | None:
    name = zone.strip("()").lower()
    if name in _ZONES:
        return dt.timedelta(hours=_ZONES[name])
    digits = name.lstrip("+-").replace(":", "")
    if not digits.isdigit():
        return None
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return dt.timedelta(minutes=-minutes if name.startswith("-") else minutes) if minutes < 1440 else None
