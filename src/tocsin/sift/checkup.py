"""The edge half of `tocsin doctor`."""

import datetime as dt
import os
import platform
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from tocsin import __version__
from tocsin.kernel.checkup import Finding
from tocsin.kernel.problems import BadInput
from tocsin.sift.holdings import measured_clock_error_ms
from tocsin.sift.home import edge_home
from tocsin.sift.sqlite import is_held

SILENT = 120  # seconds after which a watch that runs should have given a sign of life


def edge() -> Iterator[Finding]:
    """How the edge tool stands on this machine."""
    yield Finding("tocsin", "good", f"version {__version__} on Python {platform.python_version()}")
    yield _clock()
    yield _zone()
    yield _home()
    yield _key()
    yield from _spools()
    yield from _watch_settings()
    yield from _watches()


def _clock() -> Finding:
    error = measured_clock_error_ms()
    if error is None:
        advice = "run an NTP client; wrong times have led police to the wrong door"
        return Finding(
            "clock", "missing", "the kernel does not know how wrong this machine's clock is", advice
        )
    return Finding("clock", "good", f"synchronised, at most {error} ms off")


def _zone() -> Finding:
    zone = dt.datetime.now().astimezone().tzname()
    return Finding(
        "time zone", "good", f"{zone}; log lines without a zone are read as this unless --tz says so"
    )


def _home() -> Finding:
    home = edge_home()
    probe = home if home.exists() else home.parent
    while not probe.exists():
        probe = probe.parent
    if not os.access(probe, os.W_OK):
        return Finding(
            "folder", "wrong", f"{home} cannot be written", "set TOCSIN_EDGE_HOME to a folder of yours"
        )
    return Finding("folder", "good", str(home))


def _key() -> Finding:
    if os.environ.get("TOCSIN_KEY"):
        return Finding("API key", "good", "TOCSIN_KEY is set")
    return Finding(
        "API key", "missing", "TOCSIN_KEY is not set", "ask the exchange's operator; sifting needs none"
    )


def _watch_settings() -> Iterator[Finding]:
    named = os.environ.get("TOCSIN_WATCH")
    if not named:
        return
    from tocsin.sift.live import settings

    try:
        settings.load(Path(named))
    except BadInput as problem:
        yield Finding("watch settings", "wrong", problem.detail, problem.hint)
    else:
        yield Finding("watch settings", "good", f"{named} is in order")


def _watches() -> Iterator[Finding]:
    """How each watch stood when it last gave a sign of life."""
    from tocsin.sift.live.meters import FILE, sign_in

    for file in sorted((edge_home() / "spool").glob(f"*/{FILE}")):
        sign = sign_in(file.parent)
        if sign is None:
            continue
        ago = max(int(time.time()) - sign.at, 0)
        waits = f"{sign.backlog:,} bytes behind, {sign.pending:,} reports wait"
        written = (
            f"last written down {_ago(sign.committed_at)}" if sign.committed_at else "nothing written yet"
        )
        told = f"to {sign.to or 'nobody'}: {sign.lines:,} lines, {waits}, {written}"
        if not is_held(file.parent / "lock"):
            yield Finding("watch", "missing", f"{told}; not running, seen {_ago(sign.at)}", "tocsin watch")
        elif ago > SILENT:
            advice = "look at its log; restart it: nothing is lost"
            yield Finding("watch", "wrong", f"{told}; no sign of life since {_ago(sign.at)}", advice)
        elif sign.faults:
            yield Finding("watch", "wrong", f"{told}; {'; '.join(sign.faults)}", "tocsin watch --check")
        else:
            yield Finding("watch", "good", told)


def _ago(at: int) -> str:
    seconds = max(int(time.time()) - at, 0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _spools() -> Iterator[Finding]:
    files = sorted((edge_home() / "spool").glob("*/spool.sqlite3"))
    if not files:
        yield Finding("spool", "missing", "nothing was reported yet", "tocsin report PATH --to URL --dry-run")
    for file in files:
        try:
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as db:
                counts = dict(db.execute("SELECT state, count(*) FROM outbox GROUP BY state").fetchall())
            db.close()
        except sqlite3.Error as error:
            yield Finding("spool", "wrong", f"{file}: {error}", "move the file away; reporting again is safe")
            continue
        waiting = counts.get("pending", 0)
        told = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "empty"
        advice = "tocsin report --to URL sends what waits" if waiting else ""
        yield Finding("spool", "wrong" if waiting else "good", f"{file.parent.name}: {told}", advice)
