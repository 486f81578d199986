"""What a report in XARF says, whatever its version, and the hosts in what it names."""

import datetime as dt
import ipaddress
import re
from urllib.parse import urlsplit

import msgspec

from tocsin.wire.report import Lane, Severity


class NotXarf(Exception):  # noqa: N818 (a finding about one document, never an error of the program)
    """The document is no XARF report: the reason in words."""


class XarfReport(msgspec.Struct, frozen=True):
    """What one report says, reduced to what an attack needs.

    `origin` and `target` are as written (an address, a name, a brand; a URL only as its host), `target` empty
    where the type names none. `names` are the hosts that the report is about, where its type is about hosts.
    Instants are UTC. `assumed` says, field by field, what the report left open.
    """

    category: str
    type: str
    kind: str
    severity: Severity
    lane: Lane
    origin: str
    target: str
    service: str
    first_at: dt.datetime
    last_at: dt.datetime
    count: int
    reporter: str
    names: tuple[str, ...] = ()
    assumed: dict[str, str] = {}


_NAME = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z0-9_-]+")  # what may stand in zones and rules of others


def host_of(text: str) -> str:
    """A host as written, or the host of a URL: paths and queries may tell too much and go nowhere."""
    if "://" not in text:
        return text.strip()
    try:
        return urlsplit(text.strip()).hostname or ""
    except ValueError:
        return ""


def name_of(text: str) -> str:
    """A host name, or a URL's, in lower-case ASCII (IDNA 2008, UTS 46); empty for an address or for none."""
    host = host_of(text).lower().removesuffix(".")
    if not host.isascii():
        import idna  # loads its tables: only where a name needs them

        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError:
            return ""
    return "" if is_address(host) or len(host) > 253 or not _NAME.fullmatch(host) else host


def is_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
