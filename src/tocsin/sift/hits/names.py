"""Whose business a value is: what stood on the exchange's lists, or everything where there is no exchange."""

import ipaddress

from tocsin.sift.rpzlogs import Listed, normalised


class Wanted:
    """The names and addresses that are counted; all of them where no list is known (None)."""

    def __init__(self, names: dict[str, bool] | None, addresses: frozenset[str] | None) -> None:
        self.addresses = addresses
        self.names = Listed(names, (name for name, wild in (names or {}).items() if wild))

    def find(self, text: str) -> str | None:
        """The value that a refused name or address was refused by; None where it is none of ours."""
        text = normalised(text.strip())
        if not text:
            return None
        if kind_of(text) == "name":
            return self.names.named(text, is_told=True)
        address = ipaddress.ip_address(text).compressed
        return address if self.addresses is None or address in self.addresses else None


def kind_of(value: str) -> str:
    """`address` or `name`."""
    if not (value[-1:].isdigit() or ":" in value):
        return "name"
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return "name"
    return "address"
