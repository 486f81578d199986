"""Pieces of bytes put aside during a run: in memory while they are few, then in a file of our own."""

import io
import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

from tocsin.kernel.problems import Problem

IN_MEMORY = 4 << 20
_LENGTH = 4
_GUESS = 1024  # most pieces are no longer: one read gives length and piece


class NoRoom(Problem):
    """There is no room to put aside what was found."""

    slug = "no-room"
    hint = "make room in the folder for temporary files, or name another with TMPDIR"


@contextmanager
def _room() -> Iterator[None]:
    """A full disk as a problem of the run: it must not look like a fault of the source that is being read."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        raise NoRoom(f"what was found cannot be put aside in {tempfile.gettempdir()}: {reason}") from error


class Scratch:
    """Holds pieces by their place until it is let go."""

    def __init__(self) -> None:
        self._held: io.BytesIO | None = io.BytesIO()
        self._file: BinaryIO | None = None
        self._end = self._flushed = 0

    def add(self, piece: bytes) -> int:
        """Put a piece aside; gives its place."""
        place = self._end
        out = self._held or self._file
        assert out is not None  # noqa: S101 (one of the two)
        with _room():
            out.write(len(piece).to_bytes(_LENGTH, "big") + piece)
            self._end += _LENGTH + len(piece)
            if self._held and self._end > IN_MEMORY:
                self._move_to_disk(self._held)
        return place

    def get(self, place: int) -> bytes:
        """The piece at a place."""
        start = self._read(place, _GUESS)
        length = int.from_bytes(start[:_LENGTH], "big")
        if _LENGTH + length <= len(start):
            return start[_LENGTH : _LENGTH + length]
        return self._read(place + _LENGTH, length)

    def _read(self, place: int, size: int) -> bytes:
        """Without moving the place where the next piece is written."""
        if self._held:
            return bytes(self._held.getbuffer()[place : place + size])
        assert self._file is not None  # noqa: S101 (one of the two)
        with _room():
            if self._flushed < self._end:
                self._file.flush()
                self._flushed = self._end
            return os.pread(self._file.fileno(), size, place)

    def _move_to_disk(self, held: io.BytesIO) -> None:
        file = cast(BinaryIO, tempfile.TemporaryFile(prefix="tocsin-"))  # noqa: SIM115 (closed when let go)
        weakref.finalize(self, _close, file)
        file.write(held.getbuffer())
        self._held, self._file = None, file


def _close(file: BinaryIO) -> None:
    with suppress(OSError):  # what could not be written was told when it was needed
        file.close()
