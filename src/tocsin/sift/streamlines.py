"""The lines of a source for readers that go row by row: those that were not sifted before."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tocsin.sift.regions import Hasher

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Source, Stream

_BLOCK = 1 << 20
_LONGEST = 16 << 20


class Fresh:
    """The lines of a source behind what is known of it from before, which counts as duplicate.

    `header` is the first line of all, known or not; `before` is how many lines are skipped, of which the
    first `headers` count for nothing; a part of a source that goes on has them too. Iterating gives each
    further line with its line end (one longer than 16 MB in pieces), and remembers what was read.
    """

    def __init__(self, run: "Run", source: "Source", stream: "Stream", headers: int = 0) -> None:
        self._run = run
        self._stream = stream
        self._is_whole = source.is_whole
        self.header = (source.head or stream.peek()).split(b"\n", 1)[0] + b"\n"
        if not source.is_file:
            self.before = source.first_line - 1
            return
        skipped, self.before = run.known.prefix(source)
        if rows := max(self.before - headers, 0):
            run.balance.duplicate += rows
            run.balance.reasons["seen before"] += rows
        stream.skip(skipped)

    def __iter__(self) -> Iterator[bytes]:
        hasher, rest = Hasher(), b""
        while data := self._stream.read(_BLOCK):
            hasher.update(data)
            self._run.see(data)
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            for line in lines:
                yield line + b"\n"
            if len(rest) > _LONGEST:
                yield rest
                rest = b""
        if rest:
            yield rest
        for region in hasher.regions() if self._is_whole else ():
            self._run.known.add(region)
