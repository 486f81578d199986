"""Addresses and names as evidence writes them, in the one spelling that attacks use."""

import ipaddress
import re
from functools import lru_cache

_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*\.?")


@lru_cache(maxsize=200_000)
def normalise(text: str) -> str | None:
    """The address (RFC 5952; IPv4-mapped as IPv4; without zone id) or lower-case name; None for neither.

    sshd writes `UNKNOWN` where it could not tell: that is nobody.
    """
    bare = text.strip().strip("[]").partition("%")[0]
    if address := _address(bare):
        return address
    name = bare.lower()
    if name in ("", "unknown", "?", "-") or not _NAME.fullmatch(name) or name.replace(".", "").isdigit():
        return None
    return name.rstrip(".")


def is_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address."""
    return _address(text) is not None


def _address(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address)
