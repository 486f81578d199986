"""What a report by another tool says: somebody did something to somebody, so often, in that time."""

import datetime as dt
from typing import Any, NamedTuple

from tocsin.wire.complaint_words import Meaning

TRANSPORTS = ("tcp", "udp", "icmp", "icmp6", "ipv6-icmp", "sctp", "ip", "ipv4", "ipv6")
_NETWORKS = ("ip", "ipv4", "ipv6")


class Side(NamedTuple):
    """A source or a target: one address or name, and what else is said of it."""

    host: str
    meaning: Meaning | None = None
    forgeable: bool = False


class Met(NamedTuple):
    """One such report. Instants are UTC; a flood may have no sources. `vector` is how it comes (`udp/dns`).

    `sample` are addresses from which a flood seemed to come, `packets` and `bits` its rates a second.
    """

    meaning: Meaning
    sources: tuple[Side, ...]
    targets: tuple[Side, ...]
    service: str
    vector: str
    first_at: dt.datetime
    last_at: dt.datetime
    times: int
    assumed: dict[str, str]
    sample: tuple[str, ...] = ()
    packets: int = 0
    bits: int = 0


class Passed(NamedTuple):
    """An object that is no evidence, and why, where somebody may wonder."""

    reason: str = ""


class Broken(NamedTuple):
    """An object that cannot be read, and why."""

    reason: str


Told = Met | Passed | Broken
NOT_HOSTILE = Passed("noise: observed data that nothing calls hostile")
INDICATOR = Passed("noise: an indicator says what to look for (tocsin import passes it on)")
MARKED = Passed("noise: TLP:RED and TLP:AMBER+STRICT do not leave their readers' organisation")


class Wrong(Exception):  # noqa: N818 (a finding about one object)
    """An object whose field cannot be read: the reason in words."""


def service_at(protocols: list[str], port: str) -> tuple[str, str]:
    """The service and the vector that protocols and a port name: `ssh` and `tcp/ssh`, or both `tcp/22`.

    Of several protocols of one layer the first counts.
    """
    words = [word.lower() for word in protocols]
    transport = next((word for word in words if word in TRANSPORTS and word not in _NETWORKS), "")
    application = next((word for word in words if word not in TRANSPORTS), "")
    service = application or (f"{transport or 'port'}/{port}" if port else "unknown")
    return service, "/".join(filter(None, (transport or "ip", application or port)))


def listed(value: Any) -> list[Any]:
    """A list, or none for what is no list."""
    return value if isinstance(value, list) else []
