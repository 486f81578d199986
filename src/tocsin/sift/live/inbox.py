"""What was received and not yet read, on disk: lines in segments, mails in files; a kill loses none of it."""

import contextlib
import os
import secrets
import threading
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from tocsin.sift.hits.pieces import sync

SEGMENT = 16 << 20


class Inbox:
    """Segments on disk: written by a receiver, read and removed by the watch."""

    def __init__(self, folder: Path, limit: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder, self._limit = folder, limit
        self._lock = threading.Lock()
        numbers = [int(path.stem) for path in folder.glob("*.log")]
        self._number = max(numbers, default=0) + 1
        self._file = self._segment(self._number).open("ab", buffering=0)
        self._written = 0
        self.fault = ""

    @property
    def current(self) -> Path:
        """The segment that is written to."""
        return self._segment(self._number)

    def is_full(self) -> bool:
        """Whether the segments take more than they may."""
        return self.size() > self._limit

    def size(self) -> int:
        """Bytes that the segments take."""
        return sum(map(_size, self.segments()))

    def segments(self) -> list[Path]:
        """All that there are, the oldest first."""
        return sorted(self.folder.glob("*.log"), key=lambda path: int(path.stem))

    def write(self, lines: bytes) -> bool:
        """Add whole lines; from then on a kill cannot lose them. False where the disk takes none."""
        with self._lock:
            try:
                if self._written and self._written + len(lines) > SEGMENT:
                    following = self._segment(self._number + 1).open("ab", buffering=0)
                    self._file.close()
                    self._file, self._number, self._written = following, self._number + 1, 0
                append(self._file, lines, self._written)
                self._written += len(lines)
            except OSError as error:
                self.fault = f"what is received cannot be kept: {(error.strerror or str(error)).lower()}"
                return False
            self.fault = ""
            return True

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def _segment(self, number: int) -> Path:
        return self.folder / f"{number}.log"


class MailInbox:
    """Mails on disk, a file each, numbered in the order in which they were taken.

    A number is given and shown in one step, so that no mail turns up behind one that was read already.
    """

    def __init__(self, folder: Path, limit: int, last: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder, self._limit = folder, limit
        self._lock = threading.Lock()
        sync(folder.parent)
        for path in folder.glob("*.part"):  # nobody was told that these are kept
            path.unlink()
        found = sorted(int(path.stem) for path in folder.glob("*.eml"))
        self._sizes = {number: _size(self._path(number)) for number in found}  # in order, as long as it lasts
        self._number = max([last, *found])

    def begin(self) -> BinaryIO:
        """A file to write a mail into; it counts once it is kept. Raises OSError."""
        return (self.folder / f"{secrets.token_hex(8)}.part").open("xb")

    def keep(self, part: BinaryIO) -> None:
        """Let a mail count: from then on neither a kill nor a loss of power loses it. Raises OSError."""
        with part:
            part.flush()
            os.fsync(part.fileno())
            size = part.tell()
        with self._lock:
            Path(part.name).rename(self._path(self._number + 1))
            self._number += 1
            self._sizes[self._number] = size
        sync(self.folder)

    def discard(self, part: BinaryIO) -> None:
        """Let a mail go that was not kept."""
        with contextlib.suppress(OSError):
            part.close()
        Path(part.name).unlink(missing_ok=True)

    def mails(self, after: int = 0) -> list[tuple[int, Path]]:
        """The mails behind that number, in order."""
        with self._lock:
            return [(number, self._path(number)) for number in self._sizes if number > after]

    def remove(self, last: int) -> None:
        """Let go what was read, up to that number."""
        for number, path in self.mails():
            if number > last:
                return
            with contextlib.suppress(OSError):  # it is tried again
                path.unlink(missing_ok=True)
                with self._lock:
                    del self._sizes[number]

    def size(self, after: int = 0) -> int:
        """Bytes that the mails behind that number take."""
        with self._lock:
            return sum(size for number, size in self._sizes.items() if number > after)

    def is_full(self) -> bool:
        """Whether they take more than they may."""
        return self.size() > self._limit

    def _path(self, number: int) -> Path:
        return self.folder / f"{number}.eml"


def append(file: RawIOBase, data: bytes, end: int) -> None:
    """Write all of it behind the `end` bytes of an open file, or nothing: half would spoil the next.

    Raises OSError.
    """
    left = memoryview(data)
    try:
        while left:
            left = left[file.write(left) or 0 :]
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(file.fileno(), end)
            file.seek(end)
        raise


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # it was read, and removed
