"""Addresses that are never an attack's origin: they relay, fetch or answer for others.

A log behind a content delivery network shows the network's address where the attacker's should be, a
crawler fetches what somebody linked to, and a resolver in a flood is itself abused. The networks are those of
the MISP warning lists (CC0) as the package `pymispwarninglists` ships them. Lists of clouds, hosters and
research scanners are left out on purpose: attacks do come from there.
"""

import importlib.util
import socket
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from tocsin.kernel.intervals import intervals

# Whatever the evidence says, these only passed it on.
RELAYS = {
    "akamai": "Akamai's delivery network",
    "cloudflare": "Cloudflare's delivery network",
    "fastly": "Fastly's delivery network",
    "stackpath": "StackPath's delivery network",
    "googlebot": "Google's crawler",
    "openai-gptbot": "OpenAI's crawler",
    "google-gmail-sending-ips": "Google's mail servers",
    "microsoft-office365-ip": "Microsoft's mail and office services",
    "umbrella-blockpage-v4": "a block page",
    "umbrella-blockpage-v6": "a block page",
    "multicast": "multicast",
}
# Real machines, but where the origin can be forged their address says nothing.
RESOLVERS = {"public-dns-v4": "a public resolver", "public-dns-v6": "a public resolver"}


_MAPPED = bytes(10) + b"\xff\xff"  # RFC 4291 section 2.5.5.2


class _List(msgspec.Struct):
    entries: list[str] = msgspec.field(name="list")


@lru_cache(maxsize=100_000)
def relay_of(address: str, *, spoofable: bool) -> str | None:
    """What the address is when it can be no attack's origin, None when it can; names are never relays."""
    place = _place(address)
    if place is None:
        return None
    number = _networks().find(place)
    if number is not None:
        return list(RELAYS.values())[number]
    if spoofable and (number := _resolvers().find(place)) is not None:
        return list(RESOLVERS.values())[number]
    return None


class _Index:
    """Places on lists: single ones by themselves (there are 60,000 resolvers), networks as intervals."""

    def __init__(self, names: Sequence[str]) -> None:
        self._single: dict[bytes, int] = {}
        networks = []
        for number, entry in _entries(names):
            if (place := _place(entry)) is not None:
                self._single.setdefault(place, number)
            else:
                networks.append((entry, number))
        self._networks = intervals(networks)

    def find(self, place: bytes) -> int | None:
        """The number of the list that holds the place, or None."""
        if (single := self._single.get(place)) is not None:
            return single
        return self._networks.at(place)


def _place(address: str) -> bytes | None:
    """Where an address stands among all (`kernel.intervals.place`), None for a name."""
    try:
        if ":" in address:
            return socket.inet_pton(socket.AF_INET6, address)
        return _MAPPED + socket.inet_pton(socket.AF_INET, address)
    except OSError:
        return None


@cache
def _networks() -> _Index:
    return _Index(tuple(RELAYS))


@cache
def _resolvers() -> _Index:
    return _Index(tuple(RESOLVERS))


def _entries(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    # To import the package costs 0.8 s, and only its data is used.
    package = importlib.util.find_spec("pymispwarninglists")
    assert package and package.origin  # noqa: S101 (it is one of our dependencies)
    folder = Path(package.origin).parent / "data" / "misp-warninglists" / "lists"
    for number, name in enumerate(names):
        for entry in msgspec.json.decode((folder / name / "list.json").read_bytes(), type=_List).entries:
            yield number, entry
