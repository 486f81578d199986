"""Following a log through rotation: every line once, whatever happens to the file's name meanwhile.

A place says which file (device and inode, and a hash of its beginning), how many bytes and lines of it were
read. It is kept with what was found, so that after a kill reading goes on exactly there: in the same file
under another name, in its compressed copy, and through every rotation that happened in between.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tocsin.sift.live.windows import Window
from tocsin.sift.sources import PEEK, Source, Stream, Unreadable

HEAD = 4096
GRACE = 2.0  # seconds that a renamed file is still watched
PACKED = (".gz", ".xz", ".zst", ".bz2", ".lz4", ".Z")
_OLDER = re.compile(r"[._-](?:[0-9][0-9._-]*|old|bak|prev|sav)")
SAME = 512  # bytes at its beginning by which a growing file is known not to be written anew
LONGEST = 16 << 20  # a line that has no end by then is given as it is


class Place(msgspec.Struct, frozen=True):
    """How far a file was read; `head` is the SHA-256 of its first `head_length` bytes.

    `at` is when it was opened (POSIX time): of a file that was left unread, only its age tells it again.
    """

    device: int
    inode: int
    offset: int
    lines: int
    head: str
    head_length: int
    at: float = 0.0


@dataclass
class _Open:
    """A file that is being read: as it grows, or (compressed) as it was left."""

    path: Path
    device: int
    inode: int
    stream: Stream | None
    descriptor: int
    begin: bytes
    offset: int = 0
    lines: int = 0
    rest: bytes = b""
    left_at: float | None = None
    at: float = 0.0

    def is_written_anew(self) -> bool:
        """Whether its beginning is another than it was: it was cut, and has outgrown the place since."""
        length = min(SAME, self.offset, len(self.begin))
        return self.stream is None and os.pread(self.descriptor, length, 0) != self.begin[:length]

    def read(self, size: int) -> bytes:
        """The next bytes that are there."""
        if self.stream is not None:
            return self.stream.read(size)
        return os.pread(self.descriptor, size, self.offset + len(self.rest))

    def changed(self) -> float:
        """When it was last changed (POSIX time)."""
        try:
            return (os.fstat(self.descriptor) if self.stream is None else self.path.stat()).st_mtime
        except OSError:
            return time.time()

    def close(self) -> None:
        """Let it go."""
        if self.stream is not None:
            self.stream.__exit__()
        else:
            os.close(self.descriptor)


class Followed:
    """One log by its path. `lost` counts how often its rest was gone; `fault` says why it cannot be read."""

    def __init__(self, path: str, place: Place | None = None) -> None:
        self.path = path
        self.lost = 0
        self.fault = ""
        self._open: _Open | None = None
        self._place = place
        self._is_finished = False

    @property
    def place(self) -> Place | None:
        """How far it was read; to be kept together with what was found."""
        return self._place

    def stand(self) -> None:
        """Open it where it is to be read, so that it has a place before anything is read of it."""
        if self._open is None:
            self._open_next()

    def head(self) -> bytes:
        """The beginning of the file that is being read, as far as it is there."""
        if self._open is not None and self._open.stream is None and not self._open.begin:
            self._open.begin = os.pread(self._open.descriptor, PEEK, 0)
        return self._open.begin if self._open else b""

    def backlog(self) -> int:
        """How many bytes are there and not yet read, of the file that is being read and of the log itself."""
        live = Path(self.path)
        if self._open is None:
            return _size(live)
        behind = max(_size(self._open.path) - self._open.offset, 0)
        return behind + (_size(live) if self._open.path != live else 0)

    def stands_on(self, path: Path) -> bool:
        """Whether a file is the one that is, or was last, read here, whatever it is called now.

        While it is open its inode is its own; later another file may have it, and its beginning tells.
        """
        place = self._place
        if place is None:
            return False
        if self._open is None:
            return place.offset > 0 and _is_place(path, place, by_content=False)
        try:
            status = path.stat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == (self._open.device, self._open.inode)

    def read(self, budget: int) -> Window | None:
        """The next whole lines, about `budget` bytes; None when there is nothing new."""
        while True:
            current = self._open or self._open_next()
            if current is None:
                return None
            found = self._more(current, budget)
            if found is not None:
                return found
            if self._was_cut(current):
                continue
            if not self._is_over(current):
                return None
            left = self._window(current, current.rest) if current.rest else None
            current.close()
            self._open, self._is_finished = None, True
            if left is not None:
                return left

    def close(self) -> None:
        """Stop following."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _open_next(self) -> _Open | None:
        """Open what comes next: where it was left, or the file that followed it, or the log itself."""
        place, live = self._place, Path(self.path)
        if place is None:
            return self._begin(live)
        history = list(_history(live))
        number = _find(history, place)
        if number is not None:
            if not self._is_finished:
                return self._begin(history[number], place.offset, place.lines)
            return self._begin(history[number + 1]) if number + 1 < len(history) else None
        if not place.offset:  # nothing was read of it: what was written since it was opened comes next
            since = [path for path in history if path == live or _changed(path) >= place.at + GRACE]
            return self._begin(since[0] if since else live)
        opened = self._begin(live)
        self.lost += opened is not None
        return opened

    def _begin(self, path: Path, offset: int = 0, lines: int = 0) -> _Open | None:
        try:
            status = path.stat()
            compressed = _is_compressed(path)
            stream = Source(str(path)).open() if compressed else None
            begin = stream.peek(PEEK) if stream else b""
            descriptor = -1 if compressed else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            begin = begin or os.pread(descriptor, PEEK, 0)
        except (OSError, Unreadable) as error:
            self.fault = _reason(error)
            return None
        if stream is not None:
            stream.skip(offset)
        self.fault = ""
        self._open = _Open(path, status.st_dev, status.st_ino, stream, descriptor, begin, offset, lines)
        self._open.at = self._place.at if self._place and (offset or lines) else time.time()
        self._is_finished = False
        self._stand(self._open)
        return self._open

    def _stand(self, current: _Open) -> None:
        head = current.begin[: min(HEAD, current.offset)]
        self._place = Place(
            current.device, current.inode, current.offset, current.lines,
            hashlib.sha256(head).hexdigest(), len(head), current.at,
        )  # fmt: skip

    def _more(self, current: _Open, budget: int) -> Window | None:
        """Whole lines from where the file was left."""
        while True:
            data = current.read(max(budget - len(current.rest), 1 << 16))
            if not data or current.is_written_anew():
                return None
            data = current.rest + data
            end = data.rfind(b"\n") + 1
            if not end and len(data) < LONGEST:
                current.rest = data
                continue
            end = end or len(data)
            current.rest = data[end:]
            return self._window(current, data[:end])

    def _window(self, current: _Open, content: bytes) -> Window:
        if len(current.begin) < HEAD and current.stream is None:
            current.begin = os.pread(current.descriptor, PEEK, 0)
        first = current.lines + 1
        current.offset += len(content)
        current.lines += content.count(b"\n") + (not content.endswith(b"\n"))
        if not content.endswith(b"\n"):
            current.rest = b""
        self._stand(current)
        return Window(
            path=self.path, first_line=first, head=current.begin, content=content, changed=current.changed()
        )

    def _is_over(self, current: _Open) -> bool:
        """Whether nothing will be added to the file that was read to its end."""
        if current.path != Path(self.path) or current.stream is not None:
            return True
        try:
            live = Path(self.path).stat()
        except OSError:
            return False  # moved away, and its successor not made yet: somebody may still write to it
        if (live.st_dev, live.st_ino) == (current.device, current.inode):
            return False
        # Who writes the log may go on writing to the renamed file until it is told.
        current.left_at = current.left_at or time.monotonic()
        return time.monotonic() - current.left_at >= GRACE

    def _was_cut(self, current: _Open) -> bool:
        """Whether the file was copied and cut (copytruncate); then the rest is read from the copy first."""
        place, live = self._place, Path(self.path)
        if current.stream is not None or place is None:
            return False
        size = os.fstat(current.descriptor).st_size
        if size >= current.offset + len(current.rest) and not current.is_written_anew():
            return False
        current.close()
        self._open = None
        for path in _history(live):
            if path != live and _is_copy(path, place):
                self._begin(path, place.offset, place.lines)
                return True
        self.lost += 1
        self._begin(live)
        return True


def _history(live: Path) -> Iterator[Path]:
    """The log and its rotated forms (`auth.log.1`, `auth.log-20261125.gz` …), the oldest first."""
    try:
        names = [entry for entry in live.parent.iterdir() if entry.name.startswith(live.stem)]
    except OSError:
        return
    rotated = [path for path in names if path != live and path.is_file() and is_rotated(live, path)]
    rotated.sort(key=_changed)
    yield from rotated
    if live.is_file():
        yield live


def is_rotated(live: Path, path: Path) -> bool:
    """Whether the name is the log's with a number or a date behind it, or (`app-20261125.log`) in it."""
    name = path.name
    for ending in PACKED:
        name = name.removesuffix(ending)
    if name.startswith(live.name):
        rest = name.removeprefix(live.name)
    else:
        rest = name.removeprefix(live.stem).removesuffix(live.suffix) if name.startswith(live.stem) else ""
    return bool(rest) and bool(_OLDER.fullmatch(rest))


def _find(history: list[Path], place: Place) -> int | None:
    """Which file was read so far: the very one, or else a copy of it."""
    for by_content in (False, True):
        for number, path in enumerate(history):
            if _is_place(path, place, by_content=by_content):
                return number
    return None


def _is_place(path: Path, place: Place, *, by_content: bool) -> bool:
    """Whether this is the file that was read so far: by inode, or (a copy) by its beginning and length.

    A short beginning tells a copy only where it is packed: a log that begins anew may begin alike.
    """
    try:
        status = path.stat()
        compressed = _is_compressed(path)
        if not compressed and status.st_size < place.offset:
            return False
        same = (status.st_dev, status.st_ino) == (place.device, place.inode)
        if by_content:
            if not place.offset or not (compressed or place.head_length == HEAD):
                return False
        elif not same:
            return False
        with Source(str(path)).open() as stream:
            return hashlib.sha256(stream.peek(place.head_length)).hexdigest() == place.head
    except (OSError, Unreadable):
        return False


def _is_compressed(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(6)
    return start.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")) or start == b"\xfd7zXZ\0"


def _is_copy(path: Path, place: Place) -> bool:
    """Whether a file that lies beside a cut one begins as that did, and is long enough."""
    try:
        with Source(str(path)).open() as stream:
            begins = hashlib.sha256(stream.peek(place.head_length)).hexdigest() == place.head
        return begins and (_is_compressed(path) or path.stat().st_size >= place.offset)
    except (OSError, Unreadable):
        return False


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _reason(error: OSError | Unreadable) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return (error.strerror or "cannot be read").lower() if isinstance(error, OSError) else str(error)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
