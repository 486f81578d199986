"""The lines of a source for readers that go row by row."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Stream

_BLOCK = 1 << 20
_LONGEST = 16 << 20


def stream_lines(run: "Run", stream: "Stream") -> Iterator[bytes]:
    """Each line with its line end; one that is longer than 16 MB comes in pieces."""
    rest = b""
    while data := stream.read(_BLOCK):
        run.see(data)
        lines = (rest + data).split(b"\n")
        rest = lines.pop()
        for line in lines:
            yield line + b"\n"
        if len(rest) > _LONGEST:
            yield rest
            rest = b""
    if rest:
        yield rest
