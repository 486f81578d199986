"""Warning lists: what is so well known or so widely used that blocking it would do harm.

The data is that of the MISP warning lists (CC0), as the package `pymispwarninglists` ships it; the search is
our own. Nearly every list of addresses or names stops, the popular sites among them: an entry is held for
ever. Some hold what attackers rent beside honest people: there a person is asked (`ASKS`).
Built once into a compact file in the cache folder (the home folder, unless TOCSIN_CACHE says otherwise), and
read when the first indicator is judged.
"""

import importlib.metadata
import importlib.resources
import os
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings

from tocsin.kernel.intervals import Intervals, intervals

PACKAGE = "pymispwarninglists"
FORMAT = 3
WIDTH = 8  # bytes of a name's hash: two of a million names meet once in ten million builds

BUCKETS = 1 << 16  # by the first two bytes of a hash
_BUCKET = struct.Struct("<II")
ADDRESS_FIELDS = frozenset({"ip-src", "ip-dst"})
TYPES = frozenset({"cidr", "hostname", "string", "substring"})  # `regex` is for mail and telephone numbers
NAME_FIELDS = frozenset({"domain", "hostname"})
# By their folders: machines that anybody rents by the hour, and names that anybody makes below another's. One
# customer's is no other's, but a provider's own may be among them: a person looks.
ASKS = frozenset(
    {
        *("amazon-aws", "google-gcp", "microsoft-azure", "microsoft-azure-china", "microsoft-azure-germany"),
        *("microsoft-azure-us-gov", "ovh-cluster", "dynamic-dns"),
    }
)


Hashed = tuple[int, list[bytes]]  # a list's number, and the hashes of its names


class RawList(msgspec.Struct):
    """One list as its authors wrote it."""

    name: str
    type: str
    entries: list[str] = msgspec.field(name="list")
    matching_attributes: list[str] = []
    asks: bool = False


class Names(msgspec.Struct, frozen=True):
    """Hashes of names, sorted, one behind the other, and for each the list that it stands on.

    `starts` says where the hashes of each first two bytes begin (and, last, where all end), as 32-bit
    numbers: some fifteen hashes of a million stand there, which one search of bytes looks through.
    """

    hashes: bytes
    labels: bytes
    starts: bytes

    def find(self, key: bytes) -> int | None:
        """The number of the list that holds the name of this hash, or None."""
        at, end = _BUCKET.unpack_from(self.starts, 4 * (key[0] << 8 | key[1]))
        while (at := self.hashes.find(key, at, end)) >= 0:
            if at % WIDTH == 0:
                return self.labels[at // WIDTH]
            at += 1  # the end of one hash and the beginning of the next
        return None


class WarningLists(msgspec.Struct, frozen=True):
    """All lists: exact names, names with all that ends in them, parts of names, and networks.

    `asked_below` are the names below which, and `asked_networks` those in which, a person is asked.
    """

    titles: tuple[str, ...]
    exact: Names
    suffixes: Names
    parts: tuple[tuple[str, int], ...]
    networks: Intervals
    asked_below: Names
    asked_networks: Intervals

    def of_address(self, address: str) -> str | None:
        """The title of a list that holds the address, or None."""
        number = self.networks.find(address)
        return None if number is None else self.titles[number]

    def of_name(self, name: str) -> str | None:
        """The title of a list that holds the name, or one that it ends in, or None."""
        if (found := self.exact.find(name_hash(name))) is not None:
            return self.titles[found]
        for ending in endings_of(name):
            if (found := self.suffixes.find(name_hash(ending))) is not None:
                return self.titles[found]
        for part, number in self.parts:
            if part in name:
                return self.titles[number]
        return None

    def asks_of_address(self, address: str) -> str | None:
        """The title of a list that holds the address and asks for a person, or None."""
        number = self.asked_networks.find(address)
        return None if number is None else self.titles[number]

    def asks_of_name(self, name: str) -> str | None:
        """The title of a list that asks for a person about what lies below an entry, or None."""
        for ending in endings_of(name.partition(".")[2]):
            if (found := self.asked_below.find(name_hash(ending))) is not None:
                return self.titles[found]
        return None


def warning_lists() -> WarningLists:
    """The lists, from the cache folder's file; built there where it is missing or of another version."""
    return _read(settings.CACHE)


def endings_of(name: str) -> Iterator[str]:
    """The name and every name above it."""
    while name:
        yield name
        name = name.partition(".")[2]


def name_hash(name: str) -> bytes:
    """The hash by which a name is found."""
    return blake2b(name.encode(), digest_size=WIDTH).digest()


def build(lists: Iterable[RawList]) -> WarningLists:
    """The compact form, one list in memory at a time.

    Of several lists that hold a name, the shortest is told: its title says most.
    """
    titles: list[str] = []
    exact: list[Hashed] = []
    suffixes: list[Hashed] = []
    parts: list[tuple[str, int]] = []
    networks: list[tuple[str, int]] = []
    below: list[Hashed] = []
    asked: list[tuple[str, int]] = []
    for number, one in enumerate(filter(_is_relevant, lists)):
        titles.append(one.name)
        entries = [entry.strip().lower() for entry in one.entries]
        if one.type == "cidr":
            (asked if one.asks else networks).extend((entry, number) for entry in entries)
        elif one.asks:  # itself it is somebody's, and stops; below it, anybody's
            below.append((number, [name_hash(entry.strip(".")) for entry in entries]))
            exact.append(below[-1])
        elif one.type == "substring":
            parts += [(entry, number) for entry in entries]
        else:
            ends = [entry for entry in entries if one.type == "hostname" or entry.startswith(".")]
            whole = [entry for entry in entries if one.type != "hostname" and not entry.startswith(".")]
            suffixes.append((number, [name_hash(entry.strip(".")) for entry in ends]))
            exact.append((number, [name_hash(entry.strip(".")) for entry in whole]))
    return WarningLists(
        tuple(titles),
        _names(exact),
        _names(suffixes),
        tuple(parts),
        intervals(networks),
        _names(below),
        intervals(asked),
    )


def _is_relevant(one: RawList) -> bool:
    wanted = ADDRESS_FIELDS if one.type == "cidr" else NAME_FIELDS
    return one.type in TYPES and not wanted.isdisjoint(one.matching_attributes)


def _names(found: list[Hashed]) -> Names:
    numbers: dict[bytes, int] = {}
    for number, hashes in sorted(found, key=lambda one: -len(one[1])):  # the shortest has the last word
        numbers.update(dict.fromkeys(hashes, number))
    keys = sorted(numbers)
    starts = [WIDTH * bisect_left(keys, first.to_bytes(2, "big")) for first in range(BUCKETS)]
    starts.append(WIDTH * len(keys))
    packed = struct.pack(f"<{BUCKETS + 1}I", *starts)
    return Names(b"".join(keys), bytes([numbers[key] for key in keys]), packed)


@cache
def _read(folder: Path) -> WarningLists:
    file = folder / f"warning-lists-{FORMAT}-{importlib.metadata.version(PACKAGE)}.bin"
    try:
        return msgspec.msgpack.decode(file.read_bytes(), type=WarningLists)
    except (FileNotFoundError, msgspec.MsgspecError):
        built = build(_shipped())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(msgspec.msgpack.encode(built))
    fresh.replace(file)
    return built


def _shipped() -> Iterator[RawList]:
    """The lists of the installed package, one in memory at a time."""
    folder: Any = importlib.resources.files(PACKAGE) / "data" / "misp-warninglists" / "lists"
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        found = msgspec.json.decode((entry / "list.json").read_bytes(), type=RawList)
        found.asks = entry.name in ASKS
        yield found
