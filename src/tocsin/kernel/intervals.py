"""Networks as sorted, disjoint intervals: thousands of CIDRs in little memory, found by bisection."""

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable

import msgspec

WIDTH = 16  # bytes of an address; IPv4 stands at its IPv4-mapped place (RFC 4291 section 2.5.5.2)
_MAPPED = 0xFFFF << 32


class Intervals(msgspec.Struct, frozen=True):
    """First and last addresses, big-endian bytes in order, and a label for each interval."""

    firsts: tuple[bytes, ...]
    lasts: tuple[bytes, ...]
    labels: tuple[int, ...]

    def find(self, address: str) -> int | None:
        """The label of the interval that holds the address, or None. Raises ValueError for no address."""
        return self.at(place(ipaddress.ip_address(address)))

    def at(self, key: bytes) -> int | None:
        """The label of the interval that holds this place, or None."""
        number = bisect_right(self.firsts, key) - 1
        return self.labels[number] if number >= 0 and key <= self.lasts[number] else None


def place(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bytes:
    """Where an address stands among all, in bytes that sort."""
    number = int(address)
    return (number | _MAPPED if address.version == 4 else number).to_bytes(WIDTH, "big")


def intervals(networks: Iterable[tuple[str, int]]) -> Intervals:
    """Intervals of labelled CIDRs or addresses; where they overlap, the widest gives the label.

    Raises ValueError for a text that is no network.
    """
    firsts: list[int] = []
    lasts: list[int] = []
    labels: list[int] = []
    end = -1
    for first, negative_last, label in sorted((*_ends(text), label) for text, label in networks):
        last = -negative_last
        if last <= end:
            continue
        begin = max(first, end + 1)
        if labels and label == labels[-1] and begin == end + 1:
            lasts[-1] = last
        else:
            firsts.append(begin)
            lasts.append(last)
            labels.append(label)
        end = last
    return Intervals(_written(firsts), _written(lasts), tuple(labels))


def _ends(text: str) -> tuple[int, int]:
    """First address, and the last one negated, so that the widest of equal beginnings sorts first."""
    base, _, told = text.partition("/")
    address = ipaddress.ip_address(base)  # a network as ipaddress makes it takes several times as long
    length: int = address.max_prefixlen
    if base != text:
        length = int(told) if told.isdecimal() else ipaddress.ip_network(text, strict=False).prefixlen
    bits = address.max_prefixlen - length
    if bits < 0:
        raise ValueError(f"{text!r} is no network")
    first = int.from_bytes(place(address), "big") >> bits << bits
    return first, -(first | (1 << bits) - 1)


def _written(numbers: Iterable[int]) -> tuple[bytes, ...]:
    return tuple(number.to_bytes(WIDTH, "big") for number in numbers)
