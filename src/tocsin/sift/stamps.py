"""Times of log lines: what the text says, and what it leaves open (year, zone) and how that was settled."""

import datetime as dt
import os
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tocsin.kernel.problems import BadInput

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}

_BSD = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (?:(\d{4}) )?(\d\d)")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T \t]|\"?[ ,]time=\"?)(\d\d)")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
_SLASHED = re.compile(r"(\d{4})[/.:](\d\d)[/.:](\d\d)(?: - |[ T-])(\d\d)")
_DMY = re.compile(r"(\d\d?)[ /-]([A-Za-z]{3})[a-z]?\.?[ /-](\d{4})[ :T](\d\d)")
_US = re.compile(r"(\d\d)/(\d\d)/(\d{4}|\d\d)(?: - |[ -])(\d\d)")
_NUMERIC_DMY = re.compile(r"(\d\d)[.-](\d\d)[.-](\d{4}),? (\d\d)")
_WORDY_US = re.compile(r"([A-Z][a-z]{2})-(\d\d)-(\d\d) (\d\d)")
_PADDED = re.compile(r"(?:(\d{4})-(\d\d)-(\d\d)  ?|(\d\d)(\d\d)(\d\d)  ?)(\d{1,2})")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)-(\d\d)")
_MONTH_DAY = re.compile(r"(\d\d)[-/](\d\d)[ -](\d\d)")
_TWELVE = re.compile(
    r"(?:(\d{1,2})/(\d{1,2})/(\d{2,4})|([A-Za-z]{3})[a-z]? (\d{1,2}), ?(\d{4})),? (\d{1,2})"
    r"(?:[ \u202f]([AP])M)?"
)
_TAI64 = re.compile(r"[0-9a-f]{16}")
_TAI_EPOCH = (1 << 62) + 10  # TAI64 label of 1970; leap seconds are left aside, as daemontools does
_EARLIEST_YEAR = 1970
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)  # before it no block was counted
LATEST = 253_402_300_799  # 9999-12-31T23:59:59Z, the last second that a calendar here knows


class Clock:
    """Settles the times of one source: `not_after` bounds the guessed year, `zone` is where none is written.

    Raises BadInput when `tz` is not an IANA zone. `year` overrides the guess.
    """

    def __init__(self, not_after: dt.datetime, *, year: int | None = None, tz: str | None = None) -> None:
        self.zone = zone(tz)
        self.zone_name = tz or machine_zone_name()
        self._not_after = not_after.astimezone(self.zone).replace(tzinfo=None)
        self._year = year
        self._asked_zone = tz is not None
        self.hour: Callable[[str], int | None] = lru_cache(maxsize=100_000)(self._possible)
        self.assumed: Callable[[bool, bool, bool], dict[str, str]] = lru_cache(self._assumed)

    def _assumed(self, year: bool, tz: bool, day: bool = False) -> dict[str, str]:
        """What was settled here, as field to reason, where the year, the zone or the day was left open."""
        told: dict[str, str] = {}
        if year:
            told["year"] = (
                f"{self._year}, as told"
                if self._year
                else "the latest that is not after the last change of the source"
            )
        if day:
            told["date"] = "the latest that is not after the last change of the source"
        if tz:
            told["time_zone"] = (
                f"{self.zone_name}, as told" if self._asked_zone else f"{self.zone_name}, this machine's"
            )
        return told

    def _possible(self, text: str) -> int | None:
        """Seconds since 1970 of the hour that a stamp names (`Dec 10 06`, `2025-12-10T06+0100`).

        None when there is no such hour, or it lies before 1970 or after 9999: no clock that was set says so.
        """
        hour = self._hour(text)
        return hour if hour is not None and 0 <= hour <= LATEST - 7200 else None

    def _hour(self, text: str) -> int | None:
        try:
            if iso := _ISO.match(text):
                year, month, day, hour = map(int, iso.groups())
                return _epoch(dt.datetime(year, month, day, hour), _offset(text[iso.end() :]) or self.zone)  # noqa: DTZ001
            if not text:
                return _epoch(self._not_after, self.zone)
            if _TAI64.fullmatch(text):
                return int(text, 16) - _TAI_EPOCH
            if text.isdigit():
                return int(text) if len(text) > 2 else self._today(int(text))
            if other := _written_out(text):
                year, month, day, hour, rest = other
                return _epoch(dt.datetime(year, month, day, hour), _offset(rest) or self.zone)  # noqa: DTZ001
            if month_day := _MONTH_DAY.fullmatch(text):
                month, day, hour = map(int, month_day.groups())
                return self._bsd(month, day, hour, 0, self.zone)
            bsd = _BSD.match(text)
            if not bsd or bsd[1] not in MONTHS:
                return None
            rest = text[bsd.end() :]
            year = int(bsd[3] or (rest if rest.strip().isdigit() else 0))
            return self._bsd(MONTHS[bsd[1]], int(bsd[2]), int(bsd[4]), year, _offset(rest) or self.zone)
        except (ValueError, OverflowError):
            return None

    def _today(self, hour: int) -> int:
        """That hour on the last day on which it is not after the last change of the source."""
        local = self._not_after.replace(hour=hour, minute=0, second=0, microsecond=0)
        return _epoch(local if local <= self._not_after else local - dt.timedelta(days=1), self.zone)

    def _bsd(self, month: int, day: int, hour: int, written_year: int, where: dt.tzinfo) -> int | None:
        if fixed := written_year or self._year:
            return _epoch(dt.datetime(fixed, month, day, hour), where)  # noqa: DTZ001 (the zone is applied there)
        for year in range(self._not_after.year, _EARLIEST_YEAR - 1, -1):
            try:
                local = dt.datetime(year, month, day, hour)  # noqa: DTZ001
            except ValueError:  # 29 February of an ordinary year, or no day at all
                if (month, day) != (2, 29):
                    return None
                continue
            if local <= self._not_after:
                return _epoch(local, where)
        return None


def zone(name: str | None) -> dt.tzinfo:
    """The zone of that IANA name, or this machine's."""
    try:
        return ZoneInfo(name or machine_zone_name())
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        if name:
            raise BadInput(
                f"no such time zone: {name}", hint="give an IANA name such as Europe/London"
            ) from error
        return dt.datetime.now().astimezone().tzinfo or dt.UTC


def machine_zone_name() -> str:
    """The IANA name of this machine's zone, `UTC` when it is not set up."""
    if name := os.environ.get("TZ", "").lstrip(":"):
        return name
    _, found, name = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")
    return name if found else "UTC"


def _written_out(text: str) -> tuple[int, int, int, int, str] | None:
    """Year, month, day, hour and what follows, of the spellings that are neither ISO 8601 nor syslog's."""
    if slashed := _SLASHED.match(text):
        year, month, day, hour = map(int, slashed.groups())
        return year, month, day, hour, text[slashed.end() :]
    if dmy := _DMY.match(text):
        month = MONTHS.get(dmy[2].capitalize(), 0)
        return int(dmy[3]), month, int(dmy[1]), int(dmy[4]), text[dmy.end() :]
    if us := _US.match(text):
        year = int(us[3]) + (2000 if len(us[3]) == 2 else 0)
        return year, int(us[1]), int(us[2]), int(us[4]), text[us.end() :]
    if numeric := _NUMERIC_DMY.match(text):
        day, month, year, hour = map(int, numeric.groups())
        return year, month, day, hour, text[numeric.end() :]
    if wordy := _WORDY_US.match(text):
        return 2000 + int(wordy[3]), MONTHS.get(wordy[1], 0), int(wordy[2]), int(wordy[4]), ""
    if padded := _PADDED.match(text):
        year, month, day = map(int, padded.groups()[:3] if padded[1] else padded.groups()[3:6])
        return year + (0 if padded[1] else 2000), month, day, int(padded[7]), ""
    if compact := _COMPACT.match(text):
        year, month, day, hour = map(int, compact.groups())
        return year, month, day, hour, ""
    if twelve := _TWELVE.match(text):
        return _twelve_hours(twelve)
    return None


def _twelve_hours(found: re.Match[str]) -> tuple[int, int, int, int, str]:
    """A time in the American order of month and day, of twelve hours or of twenty-four."""
    month = int(found[1]) if found[1] else MONTHS.get(found[4].capitalize(), 0)
    year = int(found[3] or found[6])
    hour = int(found[7]) % 12 + (12 if found[8] == "P" else 0) if found[8] else int(found[7])
    return year + (2000 if year < 100 else 0), month, int(found[2] or found[5]), hour, ""


def _offset(text: str) -> dt.tzinfo | None:
    if text.strip().upper() in ("Z", "UTC", "GMT"):
        return dt.UTC
    if match := _OFFSET.search(text):
        shift = dt.timedelta(hours=int(match[2]), minutes=int(match[3]))
        return dt.timezone(-shift if match[1] == "-" else shift)
    return None


def _epoch(local: dt.datetime, where: dt.tzinfo) -> int:
    return int(local.replace(tzinfo=where).timestamp())


def not_after() -> int:
    """The latest second that can be meant: a day from now, for clocks that are ahead."""
    return int((dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).timestamp())
