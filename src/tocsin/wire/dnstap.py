"""dnstap: what a resolver says of each question and answer (dnstap.info), as far as blocks are told by it.

Of the protocol buffer a few fields are read, by number; others, known or not, are passed over, so that newer
writers are read as well. What the DNS message itself tells of being the resolver's own answer is read from
its bytes (RFC 1035 section 4.1).
"""

import struct
from typing import NamedTuple

CONTENT = b"protobuf:dnstap.Dnstap"
CLIENT_QUERY, CLIENT_RESPONSE = 5, 6
STOPPED = frozenset({1, 2, 4, 6})  # Policy.Action: NXDOMAIN, NODATA, DROP, LOCAL_DATA; not PASS, TRUNCATE
DROP = 4
BLOCKED = frozenset({15, 16, 17, 18})  # RFC 8914: blocked, censored, filtered, prohibited
_AUTHORITATIVE = 0x0400
_OPT, _SOA, _EXTENDED_ERROR = 41, 6, 15
_LONGEST_NAME = 255

Value = int | bytes


class BrokenTap(ValueError):  # noqa: N818 (it is about what was read)
    """What is no dnstap message, or holds no DNS message: the reason in words."""


class Policy(NamedTuple):
    """What a policy did: an action (0 where none is told) by a rule, in words of a zone file or empty."""

    action: int
    rule: str


class Message(NamedTuple):
    """One message: its type, who asked (4 or 16 bytes, or none), when (POSIX seconds, or 0), and the bytes.

    `dns` is the response where there is one, else the question.
    """

    kind: int
    client: bytes
    at: int
    dns: bytes
    policy: Policy | None


def read(data: bytes) -> Message | None:
    """One frame's message; None where it holds another kind of thing. Raises BrokenTap."""
    outer = _fields(data)
    inside = outer.get(14)
    if outer.get(15, 1) != 1 or inside is None:
        return None
    found = _fields(_bytes(inside))
    kind = found.get(1)
    if not isinstance(kind, int):
        raise BrokenTap("a message without a type")
    told = _bytes(found.get(15, b""))
    return Message(
        kind,
        _bytes(found.get(4, b"")),
        _int(found.get(12) or found.get(8, 0)),
        _bytes(found.get(14) or found.get(10, b"")),
        _policy(told) if told else None,
    )


def question(dns: bytes) -> bytes:
    """The name that is asked for, as it is spelled on the wire. Raises BrokenTap."""
    if len(dns) < 12 or dns[4:6] == b"\0\0":
        raise BrokenTap("a DNS message without a question")
    return dns[12 : _after_name(dns, 12)]


def name_of(wire: bytes) -> str:
    """A name on the wire (without compression) as lower-case text without its final dot. Raises BrokenTap.

    A dot inside of a label is written with a backslash, as zone files do.
    """
    labels, place = [], 0
    while place < len(wire) and (length := wire[place]):
        label = wire[place + 1 : place + 1 + length]
        if length > 63 or len(label) < length:
            raise BrokenTap("a name that is broken")
        labels.append(label.decode("latin-1").lower().replace(".", "\\."))
        place += 1 + length
    return ".".join(labels)


def is_own_answer(dns: bytes) -> bool:
    """Whether a resolver answered out of a policy or data of its own, and asked nobody. Raises BrokenTap.

    Unbound and Knot Resolver say so by the AA flag, which no answer of others keeps; BIND adds the SOA of the
    policy's zone in the additional section, where no other answer has one.
    """
    (flags,) = struct.unpack_from(">H", dns, 2)
    return bool(flags & _AUTHORITATIVE) or any(kind == _SOA for kind, _ in _additional(dns))


def is_said_to_be_blocked(dns: bytes) -> bool:
    """Whether an extended error (RFC 8914) says that the answer was blocked. Raises BrokenTap."""
    for kind, data in _additional(dns):
        place = 0
        while kind == _OPT and len(data) - place >= 4:
            code, length = struct.unpack_from(">HH", data, place)
            if code == _EXTENDED_ERROR and int.from_bytes(data[place + 4 : place + 6]) in BLOCKED:
                return True
            place += 4 + length
    return False


def may_be_block(dns: bytes) -> bool:
    """Whether a response shows one of the two. Raises BrokenTap."""
    question(dns)
    return is_own_answer(dns) or is_said_to_be_blocked(dns)


def _policy(data: bytes) -> Policy:
    found = _fields(data)
    rule = _bytes(found.get(2, b""))
    try:
        return Policy(_int(found.get(3, 0)), name_of(rule))
    except BrokenTap:  # a writer that spells it as a zone file does
        return Policy(_int(found.get(3, 0)), rule.decode("latin-1").lower().removesuffix("."))


def _additional(dns: bytes) -> list[tuple[int, bytes]]:
    """The types and data of the records in the additional section."""
    _, _, questions, answers, authorities, additional = struct.unpack_from(">6H", dns)
    place = 12
    for _ in range(questions):
        place = _after_name(dns, place) + 4
    records = []
    for number in range(answers + authorities + additional):
        place = _after_name(dns, place)
        if len(dns) - place < 10:
            raise BrokenTap("a DNS message that is cut short")
        kind, _, _, length = struct.unpack_from(">HHIH", dns, place)
        place += 10
        if number >= answers + authorities:
            records.append((kind, dns[place : place + length]))
        place += length
    return records


def _after_name(dns: bytes, place: int) -> int:
    """Where a name ends that begins there; a pointer (RFC 1035 section 4.1.4) ends it."""
    start = place
    while place < len(dns) and place - start <= _LONGEST_NAME:
        length = dns[place]
        if length == 0:
            return place + 1
        if length >= 0xC0:
            return place + 2
        if length > 63:
            break
        place += 1 + length
    raise BrokenTap("a name that is broken")


def _fields(data: bytes) -> dict[int, Value]:
    """The fields of a protocol buffer by number, the last where one is given twice; numbers, and bytes."""
    found: dict[int, Value] = {}
    place, size = 0, len(data)
    while place < size:
        tag = data[place]
        place += 1
        if tag > 0x7F:
            tag, place = _varint(data, place - 1)
        number, form = tag >> 3, tag & 7
        if form == 0:
            if place < size and data[place] < 0x80:
                found[number] = data[place]
                place += 1
            else:
                found[number], place = _varint(data, place)
            continue
        if form == 2:
            length, place = _varint(data, place)
        elif form in (1, 5):
            length = 8 if form == 1 else 4
        else:
            raise BrokenTap("no dnstap message")
        if number == 0 or length > size - place:
            raise BrokenTap("no dnstap message")
        found[number] = data[place : place + length]
        place += length
    return found


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number of up to 64 bits, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            break
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place
    raise BrokenTap("no dnstap message")


def _bytes(value: Value) -> bytes:
    if isinstance(value, int):
        raise BrokenTap("no dnstap message")
    return value


def _int(value: Value) -> int:
    if isinstance(value, bytes):
        raise BrokenTap("no dnstap message")
    return value
