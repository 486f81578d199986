"""Where evidence comes from: files, folders, compressed copies, archives and standard input, by content."""

import os
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, cast

from tocsin.sift.shapes import BARE_HEADER, HEADER

Kind = Literal["log", "mail", "mbox", "json", "journal-json", "journal-export", "empty", "binary", "unknown"]

STDIN = "-"
GZIP_MAGIC = b"\x1f\x8b"
XZ_MAGIC = b"\xfd7zXZ\0"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZIP_MAGIC = b"PK\x03\x04"
# A log packs to a tenth or a hundredth. What unpacks to this much, this many times its size, is no log.
BOMB_BYTES, BOMB_RATIO = 256 << 20, 500
BOMB = "a decompression bomb: it unpacks to more than 500 times its size"
PEEK = 1 << 16
_CHUNK = 1 << 20

_HEADER = re.compile(HEADER.encode())
_ANY_HEADER = re.compile(f"{HEADER}|{BARE_HEADER}".encode())
_FIELD = re.compile(rb"[!-9;-~]+:(?:[ \t]|$)", re.MULTILINE)
_MAIL_FIELDS = re.compile(
    rb"^(?:return-path|received|from|to|subject|date|message-id|mime-version|content-type|delivered-to|"
    rb"x-[\w-]+|dkim-signature|authentication-results|feedback-type|envelope-to|reply-to|sender):",
    re.IGNORECASE | re.MULTILINE,
)
_JSON = re.compile(
    rb"""\{|\[\s*(?:[\[{"\]]|(?:true|false|null)\b|-?[0-9][0-9.eE+-]*\s*,)"""
)  # no log's [time]
_JOURNAL = re.compile(rb"^(?:__CURSOR|__REALTIME_TIMESTAMP|_BOOT_ID|MESSAGE|_HOSTNAME)[=\n]", re.MULTILINE)


class Unreadable(Exception):  # noqa: N818 (it is a finding about one source, never an error of the run)
    """A source that gave nothing, or stopped giving: the reason in words."""


@dataclass(frozen=True)
class Source:
    """One thing to read: a path, `-` for standard input, or a file in the zip archive `archive`.

    `first_line` is the number of its first line; `head`, where given, is the beginning that tells its format;
    `packed` is the archive, held open while its files are read.
    """

    path: str
    from_folder: bool = False
    archive: str = ""
    first_line: int = 1
    head: bytes = b""
    packed: zipfile.ZipFile | None = field(default=None, compare=False, repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether it is read from its beginning to its end, so that it can be known again."""
        return True

    @property
    def is_lines(self) -> bool:
        """Whether it is known to hold lines, whatever they look like together."""
        return False

    @property
    def is_file(self) -> bool:
        """Whether it can be read twice: a regular file, no pipe."""
        return self.path != STDIN and os.path.isfile(self.archive or self.path)  # noqa: PTH113 (Path raises where nobody may look)

    @property
    def only_copy(self) -> bytes:
        """What must be kept where it cannot be read: nothing, because it is still where it was."""
        return b""

    def open(self) -> "Stream":
        """Open for reading from the start, uncompressed. Raises Unreadable."""
        if self.from_folder and os.path.exists(self.path) and not self.is_file:  # noqa: PTH110
            raise Unreadable("not a regular file")
        try:
            return Stream(*self._raw())
        except (OSError, ValueError, AttributeError, NotImplementedError) as error:
            raise Unreadable(_reason(error)) from error
        except (RuntimeError, zipfile.BadZipFile, KeyError) as error:
            locked = "encrypted" in str(error)
            raise Unreadable("an encrypted archive" if locked else "a damaged archive") from error

    def members(self) -> Iterator["Source"]:
        """What there is to read: the files in a zip archive, or the source itself."""
        if not self.is_file or self.archive or not _begins(self.path, ZIP_MAGIC):
            yield self
            return
        try:
            packed = zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise Unreadable("a damaged archive") from None
        with packed:
            listed = packed.infolist()
            if not listed:  # an archive that holds nothing begins otherwise: its table was lost
                raise Unreadable("a damaged archive")
            found = [item for item in listed if item.file_size or not item.filename.endswith("/")]
            if sum(item.file_size for item in found) > allowed(Path(self.path).stat().st_size):
                raise Unreadable(BOMB)  # files of an archive may overlap: each alone need not look like one
            for item in found:
                yield Source(f"{self.path}/{item.filename}", archive=self.path, packed=packed)

    def changed_at(self) -> float | None:
        """When the file was last changed, as a POSIX time; None for standard input."""
        try:
            return None if self.path == STDIN else Path(self.archive or self.path).stat().st_mtime
        except (OSError, ValueError):
            return None

    def _raw(self) -> tuple[BinaryIO, int | None]:
        """Its bytes as they are stored, and how many those are where they are packed in an archive."""
        if self.path == STDIN:
            return sys.stdin.buffer, None
        if self.archive:
            packed = self.packed or zipfile.ZipFile(self.archive)
            item = packed.getinfo(self.path.removeprefix(self.archive + "/"))
            return cast(BinaryIO, packed.open(item)), item.compress_size
        return Path(self.path).open("rb"), None


class Stream:
    """Bytes of a source, unpacked (gzip, xz, Zstandard), with a look ahead and a note of what went wrong.

    `stored` says how many bytes it takes where it is packed once more, in an archive.
    """

    def __init__(self, raw: BinaryIO, stored: int | None = None) -> None:
        self._raw = raw
        self._stored = stored
        self._gunzip = None
        self._unpack: Unpacker | None = None
        self._waiting = b""
        self._ended = False
        self.packed_bytes = self._unpacked_bytes = 0
        self.trouble = ""
        start = self._read_raw(len(XZ_MAGIC))
        if start.startswith(ZIP_MAGIC):
            raise Unreadable("a zip archive inside another source: name the archive itself")
        if start.startswith(GZIP_MAGIC):
            self._gunzip = zlib.decompressobj(wbits=31)
        elif start == XZ_MAGIC or start.startswith(ZSTD_MAGIC):
            self._unpack = _unpacker(_Packed(start, self._read_raw), start)
        packed = self._gunzip or self._unpack
        self._compressed = start if self._gunzip else b""
        self._waiting = b"" if packed else start

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
        if not self._waiting and not self._gunzip and not self._unpack:
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
        if self._gunzip or self._unpack:
            part = self._inflate(max(size, _CHUNK)) if self._gunzip else self._unpacked(max(size, _CHUNK))
            self._unpacked_bytes += len(part)
            if self._unpacked_bytes > allowed(self.packed_bytes if self._stored is None else self._stored):
                self.trouble, self._ended = BOMB, True
            return part
        part = self._read_raw(size)
        self._ended = not part
        return part

    def _unpacked(self, size: int) -> bytes:
        assert self._unpack is not None  # noqa: S101 (for the type checker)
        try:
            part = self._unpack.read1(size)
        except EOFError:
            part, self.trouble = b"", "compressed file is cut short"
        except Exception as error:
            if type(error).__name__ not in ("LZMAError", "ZstdError"):  # neither is loaded for other files
                raise
            part, self.trouble = b"", "compressed file is damaged"
        self._ended = not part
        return part

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
            data = self._raw.read(size) or b""
        except (OSError, zlib.error, zipfile.BadZipFile, EOFError) as error:
            self.trouble = _reason(error) if isinstance(error, OSError) else "a damaged archive"
            return b""
        self.packed_bytes += len(data)
        return data


class Unpacker(Protocol):
    """Unpacks a stream; `read1` gives what it has, so that a fault loses nothing that came before it."""

    def read1(self, size: int) -> bytes:
        """The next bytes; none at the end. Raises EOFError when the packed bytes are cut short."""


class _Packed:
    """The packed bytes, from the first on: their beginning was read to see what they are."""

    def __init__(self, start: bytes, read: Callable[[int], bytes]) -> None:
        self._start = start
        self._read = read

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`."""
        if self._start:
            part, self._start = self._start[:size], self._start[size:] if size >= 0 else b""
            return part
        return self._read(size)


def _unpacker(packed: _Packed, start: bytes) -> Unpacker:
    if start == XZ_MAGIC:
        import lzma

        return lzma.LZMAFile(cast(BinaryIO, packed))
    return _Zstandard(packed)


class _Zstandard:
    """Unpacks Zstandard frames (RFC 8878), one after the other.

    The library's own reader does not say when the last frame was cut short. Small pieces go in, because what
    comes out of one piece cannot be bounded: 1 KiB of the worst case is 32 MiB.
    """

    _PIECE = 1024

    def __init__(self, packed: _Packed) -> None:
        import zstandard

        self._new = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj
        self._frame = self._new()
        self._packed = packed
        self._left = b""

    def read1(self, size: int) -> bytes:
        """The next bytes, about `size`; none at the end. Raises EOFError when the last frame is cut short."""
        parts, have = [], 0
        while have < size:
            if not self._left:
                self._left = self._packed.read(_CHUNK)
            if not self._left:
                if have or self._frame.eof:
                    break
                raise EOFError
            if self._frame.eof:
                self._frame = self._new()
            piece, self._left = self._left[: self._PIECE], self._left[self._PIECE :]
            parts.append(self._frame.decompress(piece))
            have += len(parts[-1])
            if self._frame.eof:
                self._left = self._frame.unused_data + self._left
        return b"".join(parts)


def allowed(packed: int) -> int:
    """To how many bytes so many may unpack before they are taken for a bomb."""
    return max(BOMB_BYTES, BOMB_RATIO * packed)


def _begins(path: str, magic: bytes) -> bool:
    try:
        with Path(path).open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError:
        return False


def find(paths: Iterable[str]) -> Iterator[Source]:
    """Every file under the paths, folders in sorted order; a path that is not there is a source too."""
    for path in paths:
        if path == STDIN or not os.path.isdir(path):  # noqa: PTH112 (Path raises where nobody may look)
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
    if _JSON.match(text):  # a bracket alone also opens the time of many a log
        return "journal-json" if b'"__REALTIME_TIMESTAMP"' in text.split(b"\n", 1)[0] else "json"
    if _JOURNAL.match(text) and b"=" in text:
        return "journal-export"
    lines = re.split(rb"\r\n|\r|\n", text[:PEEK])
    if lines[0].startswith(b"From ") and len(lines) > 1 and _FIELD.match(lines[1]):
        return "mbox"
    if _FIELD.match(lines[0]) and any(_MAIL_FIELDS.match(line) for line in lines[:60]):
        return "mail"
    zeros = start.count(0)  # a machine that lost its power leaves some in a log, and so may an attacker
    header = _ANY_HEADER if zeros * 8 < len(start) else _HEADER
    if any(map(header.match, lines)):
        return "log"
    return "binary" if zeros else "unknown"


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
