"""Cutting a stream of bytes into blocks of whole lines for the matcher."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import polars as pl

from tocsin.sift.lines import Block
from tocsin.sift.sources import Stream

BLOCK = 16 << 20  # each rule's pattern is compiled once a block: at 8 MB that took a tenth of the time
TOO_LONG = "a line of more than 16 MB"
_BOM = b"\xef\xbb\xbf"


See = Callable[[bytes], None]
Reject = Callable[[int, str, bytes], None]


@dataclass
class Place:
    """The number of the next line of a source; who takes lines moves it on."""

    line: int


def blocks(stream: Stream, first: int, see: See, reject: Reject) -> Iterator[Block]:
    """Blocks of about 16 MB, cut at newlines; `first` is the number of the first line."""
    return (make() for make in block_makers(stream, first, see, reject))


def block_makers(stream: Stream, first: int, see: See, reject: Reject) -> Iterator[Callable[[], Block]]:
    """The same blocks, each to be made by whoever has the time: in any order, on any thread."""
    place = Place(first)
    for data in cut(stream, place, see, reject):
        yield partial(_block, data, place.line)
        place.line += data.count(b"\n") + (not data.endswith(b"\n"))


def cut(stream: Stream, place: Place, see: See, reject: Reject, size: int | None = None) -> Iterator[bytes]:
    """Stretches of about `size` bytes (a block) of whole lines.

    `see` is told all bytes as they are read. A line longer than 16 MB is never held: it is rejected by
    its beginning.
    """
    size = size or BLOCK
    rest, skipping = b"", False
    while data := stream.read(max(size - len(rest), size >> 2)):
        see(data)
        end = data.rfind(b"\n") + 1
        if end and not skipping:  # nearly always: then the bytes are copied once
            yield b"".join((rest, memoryview(data)[:end]))
            rest = data[end:]
            continue
        data = rest + data if rest else data
        end = data.rfind(b"\n") + 1
        if skipping:
            after = data.find(b"\n") + 1
            data, end = (data[after:], end - after) if after else (b"", 0)
            skipping = not after
        if not end and len(data) >= BLOCK:
            reject(place.line, TOO_LONG, data[:200])
            place.line, data, skipping = place.line + 1, b"", True
        if end:
            yield data[:end]
        rest = data[end:]
    if rest and not skipping:
        yield rest


def _block(data: bytes, first: int) -> Block:
    """A block of bytes as lines: without their ends (CR and LF), invalid UTF-8 replaced, nothing lost."""
    if first == 1:
        data = data.removeprefix(_BOM)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    plain = data.isascii() and b"\0" not in data and b"\r" not in data
    if plain and data:
        return Block(_column(data), first)
    data = data.removesuffix(b"\n")
    raw = [line.rstrip(b"\r") for line in data.split(b"\n")]
    text = pl.Series("line", [line.decode("utf-8", "replace") for line in raw], dtype=pl.String)
    return Block(text, first, raw=raw)


def _column(data: bytes) -> pl.Series:
    """Lines of plain ASCII as a column: the CSV reader, its separator one that does not occur, is fastest."""
    frame = pl.read_csv(
        data,
        has_header=False,
        separator="\0",
        quote_char=None,
        new_columns=["line"],
        infer_schema=False,
        truncate_ragged_lines=True,
    )
    return frame["line"].fill_null("")
