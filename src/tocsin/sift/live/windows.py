"""A window is what a source had to say since it was last asked: whole lines, and where they stand."""

import io
from dataclasses import dataclass
from typing import BinaryIO, cast

from tocsin.sift.sources import Source, Stream


@dataclass(frozen=True)
class Window(Source):
    """Whole lines of a source. `head` is the source's own beginning, by which its format is known."""

    content: bytes = b""
    changed: float = 0.0

    @property
    def is_file(self) -> bool:
        """It cannot be read twice."""
        return False

    @property
    def is_whole(self) -> bool:
        """It is a part of a source that goes on."""
        return False

    def open(self) -> Stream:
        """Its lines."""
        return Stream(cast(BinaryIO, io.BytesIO(self.content)))

    def changed_at(self) -> float | None:
        """When its source was last changed."""
        return self.changed
