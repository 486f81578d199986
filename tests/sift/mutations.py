"""Breaking input: bytes cut, doubled, overwritten, and values that no honest writer would write."""

import random
import re

_CUTS = (
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b'"',
    b"{",
    b": ",
    b" from ",
    b"]",
    b",",
    b"\t",
    b"\xe2\x80\xa8",
    b"\x85",
)
# What breaks arithmetic, calendars, addresses and encodings where it stands for an ordinary value.
_VALUES = (
    b"-1", b"0", b"99999999999999999999", b"9223372036854775807", b"18446744073709551616", b"1e308", b"NaN",
    b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:60Z", b"10000-01-01", b"1969-12-31 23:59:59", b"Feb 30",
    b"::ffff:0:0", b"fe80::1%eth0", b"999.999.999.999", b"localhost", b"x" * 300, b"\\ud800", b"null", b"[]",
    b"{}", b"true", b'""', b"", b"-", b"\xed\xa0\x80", b"=?utf-8?q?=FF?=",
)  # fmt: skip
_WORD = re.compile(rb"[A-Za-z0-9.:+-]+")


def mutate(content: bytes, chance: random.Random) -> bytes:
    """The content cut, doubled, overwritten or shuffled somewhere."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(data) + 1)
        length = chance.choice((1, 1, 2, 8, 64))
        match chance.randrange(8):
            case 0:
                del data[place : None if chance.random() < 0.5 else place + 200]
            case 1:
                del data[place : place + length]
            case 2:
                data[place : place + length] = chance.randbytes(length)
            case 3:
                data[place:place] = data[place : place + length]
            case 4:
                data[place:place] = chance.choice(_CUTS)
            case 5:
                data[place : place + 1] = (
                    bytes([data[place] ^ 1 << chance.randrange(8)]) if place < len(data) else b""
                )
            case _:
                if word := _WORD.search(data, place):
                    data[word.start() : word.end()] = chance.choice(_VALUES)
    return bytes(data)
