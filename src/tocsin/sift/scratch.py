"""Pieces of bytes put aside during a run: in memory while they are few, then in a file of our own."""

import os
import tempfile
import weakref
from contextlib import suppress
from typing import BinaryIO, cast

from tocsin.kernel.problems import Problem

IN_MEMORY = 8 << 20
_LENGTH = 4
_GUESS = 1024  # most pieces are no longer: one read gives length and piece


class NoRoom(Problem):
    """There is no room to put aside what was found; raised by every use of a `Scratch`."""

    slug = "no-room"
    hint = "make room in the folder for temporary files, or name another with TMPDIR"


def _no_room(error: OSError) -> NoRoom:
    """A full disk as a problem of the run: it must not look like a fault of the source that is being read."""
    reason = (error.strerror or "it cannot be written").lower()
    return NoRoom(f"what was found cannot be put aside in {tempfile.gettempdir()}: {reason}")


class Scratch:
    """Holds pieces by their place until it is let go."""

    def __init__(self) -> None:
        self._held: dict[int, bytes] | None = {}
        self._file: BinaryIO | None = None
        self._end = self._flushed = 0

    def add(self, piece: bytes) -> int:
        """Put a piece aside; gives its place."""
        place = self._end
        self._end += _LENGTH + len(piece)
        try:
            if self._held is None:
                self._write(piece)
            else:
                self._held[place] = piece
                if self._end > IN_MEMORY:
                    self._move_to_disk(self._held)
        except OSError as error:
            raise _no_room(error) from error
        return place

    def get(self, place: int) -> bytes:
        """The piece at a place."""
        if self._held is not None:
            return self._held[place]
        start = self._read(place, _GUESS)
        length = int.from_bytes(start[:_LENGTH], "big")
        if _LENGTH + length <= len(start):
            return start[_LENGTH : _LENGTH + length]
        return self._read(place + _LENGTH, length)

    def _read(self, place: int, size: int) -> bytes:
        """Without moving the place where the next piece is written."""
        assert self._file is not None  # noqa: S101 (one of the two)
        try:
            if self._flushed < self._end:
                self._file.flush()
                self._flushed = self._end
            return os.pread(self._file.fileno(), size, place)
        except OSError as error:
            raise _no_room(error) from error

    def _write(self, piece: bytes) -> None:
        assert self._file is not None  # noqa: S101 (for the type checker)
        self._file.write(len(piece).to_bytes(_LENGTH, "big") + piece)

    def _move_to_disk(self, held: dict[int, bytes]) -> None:
        self._file = cast(BinaryIO, tempfile.TemporaryFile(prefix="tocsin-"))  # noqa: SIM115 (closed when let go)
        weakref.finalize(self, _close, self._file)
        self._held = None
        for piece in held.values():
            self._write(piece)


def _close(file: BinaryIO) -> None:
    with suppress(OSError):  # what could not be written was told when it was needed
        file.close()
