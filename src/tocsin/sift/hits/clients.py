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

ROUNDS = 3
HALF = 1 << 16
PERIOD = 30  # days for which one key is valid
AT_ONCE = 8  # periods whose round functions are joined at once: small enough for arrays as hash tables
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

    Tables `round0` to `round2` (`right_half`, `f`, both UINTEGER) hold the round functions of `count` periods
    from `first` on, one behind the other; with more than one the query's `hour` says which is meant.
    """
    period = f"((hour // {PERIOD * 86_400} - {first})::UINTEGER << 16)" if count > 1 else ""
    which = f", {period} AS p" if period else ""
    inner = f"SELECT * EXCLUDE (client), client >> 16 AS x, client & 65535 AS y{which} FROM ({query})"
    for number in range(ROUNDS):
        inner = (
            f"SELECT * EXCLUDE (x, y, right_half, f), y AS x, xor(x, f) AS y"
            f" FROM ({inner}) JOIN round{number} ON right_half = {'y | p' if period else 'y'}"
        )
    gone = "x, y, p" if period else "x, y"
    return f"SELECT * EXCLUDE ({gone}), (x << 16) | y AS client FROM ({inner})"


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
_DIGITS = " + ".join(f"(p[{n}] > 9)::INTEGER + (p[{n}] > 99)::INTEGER" for n in (1, 2, 3, 4))


def address_of(query: str) -> str:
    """The query with its text column `client` as a number (UINTEGER), for DuckDB; null where it is none."""
    is_one = f"len(p) = 4 AND length(said) = 7 + {_DIGITS}"
    number = "(p[1]::UINTEGER << 24) | (p[2]::UINTEGER << 16) | (p[3]::UINTEGER << 8) | p[4]::UINTEGER"
    parts = _PARTS.format("client")
    inner = f"SELECT * EXCLUDE (client), client AS said, {parts} AS p FROM ({query})"
    return f"SELECT * EXCLUDE (p, said), CASE WHEN {is_one} THEN {number} END AS client FROM ({inner})"


def is_other(column: str) -> str:
    """Whether a text column is no IPv4 address in its one spelling, for DuckDB; true for null."""
    parts = _PARTS.format(column)
    digits = _DIGITS.replace("p[", f"({parts})[")
    return f"coalesce(len({parts}), 0) <> 4 OR coalesce(length({column}) <> 7 + {digits}, TRUE)"
