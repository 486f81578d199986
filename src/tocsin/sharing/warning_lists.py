"""Warning lists: what is so well known or so widely used that blocking it would do harm.

The data is that of the MISP warning lists (CC0), as the package `pymispwarninglists` ships it; the search is
our own. Nearly every list of addresses or names stops, the popular sites among them: an entry is held for
ever. Some hold what attackers rent beside honest people: there a person is asked (`ASKS`).
Built once into a compact file in the cache folder (the home folder, unless TOCSIN_CACHE says otherwise), and
read when the first indicator is judged. `python -m tocsin.sharing.warning_lists` builds it beforehand.
"""

import importlib.metadata
import importlib.util
import os
import struct
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from zlib import crc32

import msgspec
from django.conf import settings

from tocsin.kernel.intervals import Intervals, intervals

PACKAGE = "pymispwarninglists"
FORMAT = 4
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


Listed = tuple[int, list[bytes]]  # a list's number, and its names


class RawList(msgspec.Struct):
    """One list as its authors wrote it, its entries in the JSON in which they stand."""

    name: str
    type: str
    entries: msgspec.Raw = msgspec.field(name="list")
    matching_attributes: list[str] = []
    asks: bool = False


class Names(msgspec.Struct, frozen=True):
    """Names, each with NUL and the number of its list in a line between newlines, by their checksums.

    `starts` says where the newline before each of 65,536 buckets is, and, last, where all end, as 32-bit
    numbers: thirty of two million names stand in a bucket, which one search of bytes looks through.
    """

    lines: bytes
    starts: bytes
    count: int

    def find(self, name: bytes) -> int | None:
        """The number of the list that holds the name, or None."""
        begin, end = _BUCKET.unpack_from(self.starts, 4 * (crc32(name) >> 16))
        at = self.lines.find(b"\n%b\0" % name, begin, end)
        return self.lines[at + len(name) + 2] if at >= 0 else None


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
        if (found := self.exact.find(name.encode())) is not None:
            return self.titles[found]
        for ending in endings_of(name):
            if (found := self.suffixes.find(ending)) is not None:
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
            if (found := self.asked_below.find(ending)) is not None:
                return self.titles[found]
        return None


def warning_lists() -> WarningLists:
    """The lists, from the cache folder's file; built there where it is missing or of another version."""
    return _read(settings.CACHE)


def endings_of(name: str) -> Iterator[bytes]:
    """The name and every name above it."""
    rest = name.encode()
    while rest:
        yield rest
        rest = rest.partition(b".")[2]


def build(lists: Iterable[RawList]) -> WarningLists:
    """The compact form, one list in memory at a time.

    Of several lists that hold a name, the shortest is told: its title says most.
    """
    titles: list[str] = []
    exact: list[Listed] = []
    suffixes: list[Listed] = []
    parts: list[tuple[str, int]] = []
    networks: list[tuple[str, int]] = []
    below: list[Listed] = []
    asked: list[tuple[str, int]] = []
    for number, one in enumerate(filter(_is_relevant, lists)):
        titles.append(one.name)
        entries = entries_of(one.entries)
        if one.type == "cidr":
            (asked if one.asks else networks).extend((entry.decode(), number) for entry in entries)
        elif one.asks:  # itself it is somebody's, and stops; below it, anybody's
            below.append((number, [entry.strip(b".") for entry in entries]))
            exact.append(below[-1])
        elif one.type == "substring":
            parts += [(entry.decode(), number) for entry in entries]
        elif one.type == "hostname":
            suffixes.append((number, [entry.strip(b".") for entry in entries]))
        else:
            suffixes.append((number, [entry.strip(b".") for entry in entries if entry.startswith(b".")]))
            exact.append((number, [entry for entry in entries if not entry.startswith(b".")]))
    return WarningLists(
        tuple(titles),
        _names(exact),
        _names(suffixes),
        tuple(parts),
        intervals(networks),
        _names(below),
        intervals(asked),
    )


def entries_of(raw: msgspec.Raw) -> list[bytes]:
    """The entries of one list in lower case. Of two million strings of JSON hardly any has to be decoded."""
    told = bytes(raw)
    if told.isascii() and b"\\" not in told:
        return [entry.strip() for entry in told.lower().split(b'"')[1::2]]
    return [entry.strip().lower().encode() for entry in msgspec.json.decode(told, type=list[str])]


def _is_relevant(one: RawList) -> bool:
    wanted = ADDRESS_FIELDS if one.type == "cidr" else NAME_FIELDS
    return one.type in TYPES and not wanted.isdisjoint(one.matching_attributes)


def _names(found: list[Listed]) -> Names:
    """Sorted into their buckets in two steps of 256 each, which stay in the processor's cache."""
    firsts: list[list[bytes]] = [[] for _ in range(256)]
    for number, names in sorted(found, key=lambda one: len(one[1])):  # in a bucket, the shortest list first
        end = b"\0%c\n" % number
        for name in names:
            firsts[crc32(name) >> 24].append(name + end)
    starts, buckets = [0], [b"\n"]
    for several in firsts:
        seconds: list[list[bytes]] = [[] for _ in range(256)]
        for line in several:
            seconds[crc32(line[:-3]) >> 16 & 255].append(line)
        for lines in seconds:
            buckets.append(b"".join(lines))
            starts.append(starts[-1] + len(buckets[-1]))
    packed = struct.pack(f"<{len(starts)}I", *starts)
    return Names(b"".join(buckets), packed, sum(map(len, firsts)))


def is_built() -> bool:
    """Is this version's file in the cache folder?"""
    return _file(settings.CACHE).exists()


def _file(folder: Path) -> Path:
    asks = f"{crc32(' '.join(sorted(ASKS)).encode()):08x}"
    return folder / f"warning-lists-{FORMAT}-{asks}-{importlib.metadata.version(PACKAGE)}.bin"


@cache
def _read(folder: Path) -> WarningLists:
    file = _file(folder)
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
    """The lists of the installed package, one in memory at a time; its code, which is slow, is not run."""
    spec = importlib.util.find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec is not None else None
    if not places:
        raise ModuleNotFoundError(PACKAGE)
    folder = Path(places[0]) / "data" / "misp-warninglists" / "lists"
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        found = msgspec.json.decode((entry / "list.json").read_bytes(), type=RawList)
        found.asks = entry.name in ASKS
        yield found


if __name__ == "__main__":
    warning_lists()
