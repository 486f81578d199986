"""What is held about an attack, measured from the log itself and confirmed once by a person."""

import ctypes
import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path

from tocsin.kernel.time import rfc3339
from tocsin.sift.spool import Confirmation
from tocsin.sift.values import Source
from tocsin.wire.report import Holding

STA_UNSYNC, TIME_ERROR = 0x0040, 5
DAYS = {"daily": 1, "weekly": 7, "monthly": 31, "yearly": 366}


def holding(source: Source, said: Confirmation | None) -> Holding:
    """The entry of the log inventory for one source; `delete_at` counts from its newest line."""
    kept_days = said.kept_days if said else None
    clock_error = said.clock_error_ms if said and said.clock_error_ms is not None else source.clock_error_ms
    delete_at = source.period_to + dt.timedelta(days=kept_days) if kept_days is not None else None
    return Holding(
        source_id=source.source_id,
        log_type=source.log_type,
        period_from=rfc3339(source.period_from),
        period_to=rfc3339(source.period_to),
        delete_at=rfc3339(delete_at) if delete_at else None,
        clock_error_ms=clock_error,
        clock_source="ntp" if clock_error is not None else "unknown",
        time_zone=source.time_zone,
        fields_present=source.fields_present,
        confirmed=said is not None,
    )


def measured_clock_error_ms() -> int | None:
    """The kernel's own bound on this machine's clock error, in ms; None where it is not synchronised.

    It speaks for a log only where this machine wrote it. Linux `adjtimex(2)`, field `maxerror`.
    """
    try:
        buffer = (ctypes.c_long * 32)()
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(buffer))
    except (OSError, AttributeError):
        return None
    maximum_us, status = buffer[3], buffer[5] & 0xFFFFFFFF
    if state in (-1, TIME_ERROR) or status & STA_UNSYNC:
        return None
    return -(-maximum_us // 1000)


def rotation_days(path: Path, configs: Iterable[Path] | None = None) -> int | None:
    """How many days logrotate keeps this log, as configured on this machine; None where nothing says so."""
    files = sorted(Path("/etc/logrotate.d").glob("*")) if configs is None else configs
    for config in files:
        try:
            text = config.read_text(errors="replace")
        except OSError:
            continue
        for names, body in re.findall(r"^([^{}#]+)\{([^}]*)\}", text, re.M):
            if str(path) in names.split():
                every = next((days for word, days in DAYS.items() if re.search(rf"\b{word}\b", body)), None)
                count = re.search(r"\brotate\s+(\d+)", body)
                if every and count:
                    return every * (int(count[1]) + 1)
    return None
