"""Pieces of bytes put aside during a run: in memory while they are few, then in a file of our own."""

import io
import tempfile
import weakref
from typing import BinaryIO, cast

IN_MEMORY = 4 << 20
_LENGTH = 4


class Scratch:
    """Holds pieces by their place until it is let go."""

    def __init__(self) -> None:
        self._file: BinaryIO = io.BytesIO()
        self._end = 0

    def add(self, piece: bytes) -> int:
        """Put a piece aside; gives its place."""
        place = self._end
        self._file.seek(place)
        self._file.write(len(piece).to_bytes(_LENGTH, "big") + piece)
        self._end += _LENGTH + len(piece)
        if self._end > IN_MEMORY and isinstance(self._file, io.BytesIO):
            self._move_to_disk(self._file)
        return place

    def get(self, place: int) -> bytes:
        """The piece at a place."""
        self._file.seek(place)
        return self._file.read(int.from_bytes(self._file.read(_LENGTH), "big"))

    def _move_to_disk(self, held: io.BytesIO) -> None:
        file = cast(BinaryIO, tempfile.TemporaryFile(prefix="tocsin-"))  # noqa: SIM115 (closed when let go)
        weakref.finalize(self, file.close)
        file.write(held.getbuffer())
        self._file = file
