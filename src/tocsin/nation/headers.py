"""How syslog writes a line: RFC 3164 in the machine's zone, ISO times as rsyslog writes them, RFC 5424."""

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from zoneinfo import ZoneInfo

from tocsin.nation.places import Form

Writer = Callable[[float, str, int, str], str]  # seconds since 1970, program, process, message: a line

_MINUTES = [f":{second // 60:02}:{second % 60:02}" for second in range(3600)]


def writer(form: Form, host: str, zone: str) -> Writer:
    """The function that writes one line of that host's log."""
    where = ZoneInfo(zone)

    @lru_cache(maxsize=64)
    def hour(number: int) -> tuple[str, str]:
        """How lines of an hour (counted from 1970) begin, and their offset."""
        local = dt.datetime.fromtimestamp(number * 3600, where)
        if form == "rfc3164":
            return f"{local:%b} {local.day:2} {local:%H}", ""
        offset = f"{local:%z}"
        begin = f"{local:%Y-%m-%dT%H}"
        return (f"<86>1 {begin}" if form == "rfc5424" else begin), f"{offset[:3]}:{offset[3:]}"

    def rfc3164(at: float, program: str, process: int, message: str) -> str:
        second = int(at)
        begin, _ = hour(second // 3600)
        return f"{begin}{_MINUTES[second % 3600]} {host} {program}[{process}]: {message}\n"

    def iso(at: float, program: str, process: int, message: str) -> str:
        second = int(at)
        begin, offset = hour(second // 3600)
        fraction = int((at - second) * 1e6)
        return (
            f"{begin}{_MINUTES[second % 3600]}.{fraction:06}{offset} {host} {program}[{process}]: {message}\n"
        )

    def rfc5424(at: float, program: str, process: int, message: str) -> str:
        second = int(at)
        begin, offset = hour(second // 3600)
        fraction = int((at - second) * 1e6)
        stamp = f"{begin}{_MINUTES[second % 3600]}.{fraction:06}{offset}"
        return f"{stamp} {host} {program} {process} - - {message}\n"

    return {"rfc3164": rfc3164, "iso": iso, "rfc5424": rfc5424}[form]
