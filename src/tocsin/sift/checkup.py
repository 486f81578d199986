"""The edge half of `tocsin doctor`."""

import datetime as dt
import os
import platform
import sqlite3
from collections.abc import Iterator

from tocsin import __version__
from tocsin.kernel.checkup import Finding
from tocsin.sift.holdings import measured_clock_error_ms
from tocsin.sift.home import edge_home


def edge() -> Iterator[Finding]:
    """How the edge tool stands on this machine."""
    yield Finding("tocsin", "good", f"version {__version__} on Python {platform.python_version()}")
    yield _clock()
    yield _zone()
    yield _home()
    yield _key()
    yield from _spools()


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
