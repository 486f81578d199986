"""journald's own formats as log lines: `journalctl -o export` and `-o json`.

Each record becomes one line `TIME HOST PROGRAM: MESSAGE` for the matcher; its evidence is the line of the
source that holds the message (export) or the whole record (JSON). See systemd's "Journal Export Formats".
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec
import polars as pl

from tocsin.sift.blocks import Reject, See
from tocsin.sift.lines import Block
from tocsin.sift.sources import Stream

_RECORDS = 50_000
_LONGEST = 8 << 20


class Record(msgspec.Struct):
    """The fields of a journal record that matter here; one may come as text, as bytes in a list, or null."""

    realtime: Any = msgspec.field(name="__REALTIME_TIMESTAMP", default=None)
    host: Any = msgspec.field(name="_HOSTNAME", default=None)
    program: Any = msgspec.field(name="SYSLOG_IDENTIFIER", default=None)
    command: Any = msgspec.field(name="_COMM", default=None)
    pid: Any = msgspec.field(name="_PID", default=None)
    message: Any = msgspec.field(name="MESSAGE", default=None)


def json_blocks(stream: Stream, first: int, see: See, reject: Reject) -> Iterator[Block]:
    """One JSON record a line."""
    decoder = msgspec.json.Decoder(Record)
    batch = _Batch()
    for number, line in enumerate(_lines(stream, see), start=first):
        if not line.strip():
            batch.blank(number)
            continue
        try:
            text = _as_line(decoder.decode(line))
        except (msgspec.DecodeError, ValueError, OverflowError):
            text = None
        if text is None:
            reject(number, "not a journal record", line)
        else:
            batch.add(number, text, line)
        if batch.full:
            yield batch.take()
    if not batch.empty:
        yield batch.take()


def export_blocks(stream: Stream, first: int, see: See, reject: Reject) -> Iterator[Block]:
    """Records of `NAME=value` lines, or a name, eight bytes of length and the value; a blank line between."""
    batch = _Batch()
    fields: dict[bytes, bytes] = {}
    start = place = 0
    number = first - 1
    lines = _lines(stream, see)
    for line in lines:
        number += 1
        if line:
            start = start or number
            name, equals, value = line.partition(b"=")
            if not equals:
                value, used = _binary_value(lines)
                number += used
            fields[name] = value
            place = number if name == b"MESSAGE" else place
            continue
        _finish(batch, reject, fields, start, place)
        fields, start, place = {}, 0, 0
        if batch.full:
            yield batch.take()
    _finish(batch, reject, fields, start, place)
    if not batch.empty:
        yield batch.take()


class _Batch:
    """Lines on their way to a block."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.texts: list[str] = []
        self.raw: list[bytes] = []

    @property
    def full(self) -> bool:
        return len(self.texts) >= _RECORDS

    @property
    def empty(self) -> bool:
        return not self.texts

    def add(self, number: int, text: str, raw: bytes) -> None:
        self.numbers.append(number)
        self.texts.append(text)
        self.raw.append(raw)

    def blank(self, number: int) -> None:
        self.add(number, "", b"")

    def take(self) -> Block:
        block = Block(pl.Series("line", self.texts, dtype=pl.String), 1, self.numbers, self.raw)
        self.__init__()  # type: ignore[misc]
        return block


def _finish(batch: _Batch, reject: Reject, fields: dict[bytes, bytes], start: int, place: int) -> None:
    if not fields:
        return
    values = {
        name.decode("ascii", "replace"): value.decode("utf-8", "replace") for name, value in fields.items()
    }
    try:
        text = _as_line(msgspec.convert(values, Record))
    except (ValueError, OverflowError):
        text = None
    raw = b"MESSAGE=" + fields.get(b"MESSAGE", b"")
    if text is None:
        reject(start, "not a journal record", raw)
    else:
        batch.add(place or start, text, raw)


def _as_line(record: Record) -> str:
    """The record as an ISO 8601 log line. Raises ValueError when it has no time."""
    at = dt.datetime.fromtimestamp(int(_text(record.realtime)) // 1_000_000, dt.UTC)
    program = _text(record.program) or _text(record.command) or "unknown"
    host = _text(record.host) or "unknown"
    message = _text(record.message).replace("\n", " ")
    return f"{at:%Y-%m-%dT%H:%M:%S}Z {host.split(' ')[0]} {program.split(' ')[0]}: {message}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):  # bytes that are not UTF-8 come as a list of numbers
        return bytes(item & 255 for item in value if isinstance(item, int)).decode("utf-8", "replace")
    return str(value)


def _binary_value(lines: Iterator[bytes]) -> tuple[bytes, int]:
    """The value that follows a bare name: a 64-bit little-endian length, the bytes, a newline."""
    data, used = bytearray(), 0  # there may be a million lines in a value
    for line in lines:
        data += line + b"\n"
        used += 1
        if len(data) >= 8:
            length = int.from_bytes(data[:8], "little")
            if len(data) >= 8 + length + 1 or length > _LONGEST:
                return bytes(data[8 : 8 + length]), used
    return bytes(data[8:]).rstrip(b"\n"), used


def _lines(stream: Stream, see: See) -> Iterator[bytes]:
    """Lines without their ends; of one that is longer than any record, the beginning."""
    rest: list[bytes] = []
    held = 0
    while data := stream.read(1 << 20):
        see(data)
        first, *others = data.split(b"\n")
        if held <= _LONGEST:
            rest.append(first)
            held += len(first)
        if others:
            yield b"".join(rest).removesuffix(b"\r")
            *lines, last = others
            yield from (line.removesuffix(b"\r") for line in lines)
            rest, held = [last], len(last)
    if held:
        yield b"".join(rest).removesuffix(b"\r")
