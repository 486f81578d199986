"""Addresses and names in the one spelling by which they are compared, whatever they came as."""

import ipaddress
import re

_label = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_name = re.compile(rf"(?=.{{3,253}}\Z)(?:{_label}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])")


def address_of(text: str) -> str | None:
    """The address in its shortest spelling (RFC 5952), or None for what is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return None
        address = address.ipv4_mapped or address
    return str(address)


def name_of(text: str) -> str | None:
    """A name that a resolver can be asked for, in lower case without final dot; None for what is none."""
    name = text.lower().removesuffix(".")
    return name if _name.fullmatch(name) else None
