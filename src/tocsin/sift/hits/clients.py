"""Keyed ids in the place of clients: different clients have different ids, so that counting them stays exact.

An IPv4 address becomes 32 bits by a Feistel network of three rounds, whose round functions are tables drawn
by SHAKE256 from a key that is valid for thirty days (Luby and Rackoff, "How to construct pseudorandom
permutations", 1988: three are enough where nobody can ask for the address of an id): no two addresses share
an id. Every other client becomes 16 bytes of
HMAC-SHA256. Who has the key can go back by trying; when it is deleted nobody can.
"""

import hashlib
import hmac
import ipaddress
import struct
from collections.abc import Iterable

ROUNDS = 3
HALF = 1 << 16
PERIOD = 30  # days for which one key is valid
AT_ONCE = 8  # periods whose round functions are at hand at once: small enough for a processor's cache
KEY_BYTES = 32

Tables = tuple[tuple[int, ...], ...]


def period_of(day: int) -> int:
    """Which thirty days a day (days since 1970) belongs to."""
    return day // PERIOD


def tables(key: bytes) -> Tables:
    """The round functions, each 16 bits to 16 bits."""
    drawn = hashlib.shake_256(b"tocsin clients, IPv4\0" + key).digest(2 * HALF * ROUNDS)
    return tuple(struct.iter_unpack(f">{HALF}H", drawn))


def scramble(address: int, functions: Tables) -> int:
    """The id of one IPv4 address; the reference for `scrambled`."""
    left, right = address >> 16, address & 0xFFFF
    for function in functions:
        left, right = right, left ^ function[right]
    return left << 16 | right


def scrambled(query: str, first: int = 0, count: int = 1) -> str:
    """The query with its column `client` (UINTEGER) scrambled, for DuckDB; rows where it is null are gone.

    A table `rounds` of one row holds the round functions as lists, `f0` to `f2` (UINTEGER[]): those of
    `count` periods from `first` on, one behind the other; with more than one the query's `hour` says which is
    meant.
    """
    period = f" + ((hour // {PERIOD * 86_400} - {first}) << 16)" if count > 1 else ""
    lists = ", ".join(f"f{number}" for number in range(ROUNDS))
    inner = (
        f"SELECT * EXCLUDE (client), client >> 16 AS x, client & 65535 AS y"
        f" FROM ({query}), (SELECT {lists} FROM rounds) WHERE client IS NOT NULL"
    )
    for number in range(ROUNDS):
        drawn = f"f{number}[y{period} + 1]"
        inner = f"SELECT * EXCLUDE (x, y, f{number}), y AS x, xor(x, {drawn}) AS y FROM ({inner})"
    return f"SELECT * EXCLUDE (x, y), (x << 16) | y AS client FROM ({inner})"


def canonical(client: str) -> ipaddress.IPv4Address | str:
    """One spelling for each client: an IPv4 address, a compressed IPv6 one, anything else in lower case."""
    text = client.strip().strip("[]")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text.lower()
    if isinstance(address, ipaddress.IPv4Address):
        return address
    return address.ipv4_mapped or address.compressed


def other_id(client: str, key: bytes) -> bytes:
    """The id of a client that is no IPv4 address."""
    return hmac.digest(key, b"tocsin clients, other\0" + client.encode("utf-8", "replace"), "sha256")[:16]


# An IPv4 address as text in its one spelling, as UINTEGER; null for everything else. Spaces, signs and
# leading zeros make the text longer than its four numbers are.
_PARTS = "TRY_CAST(string_split({0}, '.') AS UTINYINT[])"


def _digits(parts: Iterable[str]) -> str:
    """How many more digits than four such numbers have."""
    return " + ".join(f"({part} > 9)::UTINYINT + ({part} > 99)::UTINYINT" for part in parts)


def address_of(query: str) -> str:
    """The query with its text column `client` as a number (UINTEGER), for DuckDB; null where it is none."""
    is_one = f"parts = 4 AND strlen(said) = 7 + {_digits('abcd')}"
    number = "(a::UINTEGER << 24) | (b::UINTEGER << 16) | (c::UINTEGER << 8) | d::UINTEGER"
    inner = f"SELECT * EXCLUDE (client), client AS said, {_PARTS.format('client')} AS p FROM ({query})"
    apart = "len(p) AS parts, p[1] AS a, p[2] AS b, p[3] AS c, p[4] AS d"
    inner = f"SELECT * EXCLUDE (p), {apart} FROM ({inner})"
    return (
        f"SELECT * EXCLUDE (said, parts, a, b, c, d), CASE WHEN {is_one} THEN {number} END AS client"
        f" FROM ({inner})"
    )


def is_other(column: str) -> str:
    """Whether a text column is no IPv4 address in its one spelling, for DuckDB; true for null."""
    parts = _PARTS.format(column)
    digits = _digits(f"({parts})[{number}]" for number in (1, 2, 3, 4))
    return f"coalesce(len({parts}), 0) <> 4 OR coalesce(strlen({column}) <> 7 + {digits}, TRUE)"
