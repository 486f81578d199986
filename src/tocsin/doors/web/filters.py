"""What the templates may say: Jinja filters and tests upon `words`."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone_name

from tocsin.cases.views import ClockView
from tocsin.doors.web import alike, words
from tocsin.kernel import time

SEVERITIES = {
    "info": "for information",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "critical": "critical",
}
# What browsers and systems call themselves; each says the names of those below it, too.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
WORD_BREAKS = re.compile(r"([/._@:-])")


def when(at: dt.datetime) -> SafeString:
    """An instant with its distance from now; UTC on hover."""
    return _time(at, words.instant_words(at, time.now(), _zone()))


def at_time(at: dt.datetime) -> SafeString:
    """An instant without the distance."""
    return _time(at, words.clock_time_words(at, time.now(), _zone()))


def to_the_second(at: dt.datetime) -> SafeString:
    """The time of day alone, for what ends within a minute."""
    return _time(at, f"{at.astimezone(_zone()):%H:%M:%S}")


def ago(at: dt.datetime) -> SafeString:
    """Only the distance; the instant on hover."""
    return _time(at, words.distance_words(at, time.now()))


def day(at: dt.datetime | dt.date) -> str:
    """The day alone."""
    local = at.astimezone(_zone()).date() if isinstance(at, dt.datetime) else at
    return words.day_words(local, time.now().astimezone(_zone()).date())


def due(clock: ClockView) -> str:
    """Where a clock stands, in words."""
    return words.due_words(clock, time.now())


def due_class(clock: ClockView) -> str:
    """The modifier class that draws the bar beside the word."""
    if clock.ended_at is not None:
        return ""
    return {"overdue": "t-due--overdue", "due today": "t-due--today"}.get(clock.state, "")


def due_at(at: dt.datetime) -> SafeString:
    """A due time as a line of its own, with the bar where it is past."""
    now = time.now()
    bar = " t-due--overdue" if at < now else ""
    said = words.due_at_words(at, now)
    return format_html(
        '<span class="t-due{}"><strong>{}</strong> <span class="t-quiet">{}</span></span>',
        bar,
        sentence(said),
        at_time(at),
    )


def severity(code: str) -> str:
    """The severity's word."""
    return SEVERITIES.get(code, code)


def sentence(text: str) -> str:
    """The same words with a capital to begin with and a full stop to end."""
    text = capital(text.strip())
    return text if not text or text[-1] in ".!?:" else text + "."


def capital(text: str) -> str:
    """The same words with a capital to begin with."""
    return text[:1].upper() + text[1:]


def mono(text: str) -> SafeString:
    """An address, id or hash in the fixed-width face, with a copy button where scripts run."""
    return format_html('<span class="t-mono" data-copy>{}</span>', text)


def browser(agent: str) -> str:
    """A browser as people call it, from what it says of itself: `Firefox on Windows`."""
    name = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return " on ".join(part for part in (name, system) if part) or agent or "unknown browser"


FILTERS: dict[str, Callable[..., Any]] = {
    "when": when,
    "at_time": at_time,
    "to_the_second": to_the_second,
    "ago": ago,
    "day": day,
    "due": due,
    "due_class": due_class,
    "due_at": due_at,
    "severity": severity,
    "sentence": sentence,
    "capital": capital,
    "mono": mono,
    "browser": browser,
    "clocks_alike": alike.clocks,
    "holdings_alike": alike.holdings,
    "entries_alike": alike.entries,
    "span": words.span_words,
    "utc": words.utc_words,
    "number": words.number_words,
    "count_of": words.count_words,
    "share_of": words.share_words,
}


def _time(at: dt.datetime, text: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', time.rfc3339(at), words.utc_words(at), text
    )


def _zone() -> ZoneInfo:
    return ZoneInfo(get_current_timezone_name())
