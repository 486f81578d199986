"""Where evidence comes from: files, folders, compressed copies and standard input, told apart by content."""

import os
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from tocsin.sift.shapes import BARE_HEADER, HEADER

Kind = Literal["log", "mail", "mbox", "json", "journal-json", "journal-export", "empty", "binary", "unknown"]

STDIN = "-"
GZIP_MAGIC = b"\x1f\x8b"
PEEK = 1 << 16
_CHUNK = 1 << 20

_HEADER = re.compile(HEADER.encode())
_BARE_HEADER = re.compile(BARE_HEADER.encode())
_FIELD = re.compile(rb"[!-9;-~]+:(?:[ \t]|$)", re.MULTILINE)
_MAIL_FIELDS = re.compile(
    rb"^(?:return-path|received|from|to|subject|date|message-id|mime-version|content-type|delivered-to|"
    rb"x-[\w-]+|dkim-signature|authentication-results|feedback-type|envelope-to|reply-to|sender):",
    re.IGNORECASE | re.MULTILINE,
)
_JOURNAL = re.compile(rb"^(?:__CURSOR|__REALTIME_TIMESTAMP|_BOOT_ID|MESSAGE|_HOSTNAME)[=\n]", re.MULTILINE)


class Unreadable(Exception):  # noqa: N818 (it is a finding about one source, never an error of the run)
    """A source that gave nothing, or stopped giving: the reason in words."""


@dataclass(frozen=True)
class Source:
    """One thing to read: a path, or `-` for standard input."""

    path: str
    from_folder: bool = False

    @property
    def is_file(self) -> bool:
        """Whether it can be read twice: a regular file, no pipe."""
        return self.path != STDIN and Path(self.path).is_file()

    def open(self) -> "Stream":
        """Open for reading from the start, uncompressed. Raises Unreadable."""
        if self.from_folder and Path(self.path).exists() and not self.is_file:
            raise Unreadable("not a regular file")
        try:
            raw: BinaryIO = sys.stdin.buffer if self.path == STDIN else Path(self.path).open("rb")  # noqa: SIM115 (the stream closes it)
            return Stream(raw)
        except (OSError, ValueError, AttributeError) as error:
            raise Unreadable(_reason(error)) from error

    def changed_at(self) -> float | None:
        """When the file was last changed, as a POSIX time; None for standard input."""
        try:
            return None if self.path == STDIN else Path(self.path).stat().st_mtime
        except OSError:
            return None


class Stream:
    """Bytes of a source, decompressed when they are gzip, with a look ahead and a note of what went wrong."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._gunzip = None
        self._waiting = b""
        self._ended = False
        self.trouble = ""
        start = self._read_raw(2)
        if start == GZIP_MAGIC:
            self._gunzip = zlib.decompressobj(wbits=31)
        self._compressed = start if self._gunzip else b""
        self._waiting = b"" if self._gunzip else start

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        if self._raw is not getattr(sys.stdin, "buffer", None):
            self._raw.close()

    def peek(self, size: int = PEEK) -> bytes:
        """The next bytes without taking them; fewer than `size` only at the end."""
        self._fill(size)
        return self._waiting[:size]

    def read(self, size: int) -> bytes:
        """The next bytes; fewer than `size` only at the end, none after it."""
        if not self._waiting and not self._gunzip:
            return self._next(size)
        self._fill(size)
        taken, self._waiting = self._waiting[:size], self._waiting[size:]
        return taken

    def skip(self, size: int) -> None:
        """Leave out that many bytes."""
        while size > 0 and (gone := len(self.read(min(size, _CHUNK)))):
            size -= gone

    def _fill(self, size: int) -> None:
        if len(self._waiting) >= size or self._ended:
            return
        parts, have = [self._waiting], len(self._waiting)
        while have < size and not self._ended:
            part = self._next(max(size - have, 1 << 12))
            parts.append(part)
            have += len(part)
        self._waiting = b"".join(parts)

    def _next(self, size: int) -> bytes:
        if not self._gunzip:
            part = self._read_raw(size)
            self._ended = not part
            return part
        return self._inflate(max(size, _CHUNK))

    def _inflate(self, size: int) -> bytes:
        assert self._gunzip is not None  # noqa: S101 (for the type checker)
        if self._gunzip.eof:
            self._compressed = self._gunzip.unused_data.lstrip(b"\0") or self._read_raw(_CHUNK).lstrip(b"\0")
            if not self._compressed:
                self._ended = True
                return b""
            self._gunzip = zlib.decompressobj(wbits=31)
        if not self._compressed:
            self._compressed = self._read_raw(_CHUNK)
            if not self._compressed:
                self.trouble, self._ended = "compressed file is cut short", True
                return b""
        try:
            part = self._gunzip.decompress(self._compressed, size)
        except zlib.error:
            self.trouble, self._ended = "compressed file is damaged", True
            return b""
        self._compressed = self._gunzip.unconsumed_tail
        return part

    def _read_raw(self, size: int) -> bytes:
        try:
            return self._raw.read(size) or b""
        except OSError as error:
            self.trouble = _reason(error)
            return b""


def find(paths: Iterable[str]) -> Iterator[Source]:
    """Every file under the paths, folders in sorted order; a path that is not there is a source too."""
    for path in paths:
        if path == STDIN or not Path(path).is_dir():
            yield Source(path)
            continue
        closed: list[OSError] = []
        for folder, folders, names in os.walk(path, onerror=closed.append):
            folders.sort()
            yield from (Source(str(Path(folder, name)), from_folder=True) for name in sorted(names))
        yield from (Source(str(error.filename)) for error in closed)


def recognise(start: bytes) -> Kind:
    """What a source is, by its first bytes (decompressed)."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return "empty"
    if text[:1] in b"{[":
        return "journal-json" if b'"__REALTIME_TIMESTAMP"' in text.split(b"\n", 1)[0] else "json"
    if _JOURNAL.match(text) and b"=" in text:
        return "journal-export"
    if b"\0" in start:
        return "binary"
    lines = re.split(rb"\r\n|\r|\n", text[:PEEK])
    if lines[0].startswith(b"From ") and len(lines) > 1 and _FIELD.match(lines[1]):
        return "mbox"
    if _FIELD.match(lines[0]) and any(_MAIL_FIELDS.match(line) for line in lines[:60]):
        return "mail"
    return "log" if any(_HEADER.match(line) or _BARE_HEADER.match(line) for line in lines) else "unknown"


def read_whole(stream: Stream, limit: int) -> bytes:
    """Everything that is left, as long as it is no more than `limit` bytes. Raises Unreadable."""
    content = stream.read(limit + 1)
    if len(content) > limit:
        raise Unreadable(f"a document of more than {limit >> 20} MB")
    return content


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, PermissionError):
        return "no permission to read"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "cannot be read"
