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
    first `headers` count for nothing. Iterating gives each further line with its line end (one longer than
    16 MB in pieces), and remembers what was read.
    """

    def __init__(self, run: "Run", source: "Source", stream: "Stream", headers: int = 0) -> None:
        self._run = run
        self._stream = stream
        self.header = stream.peek().split(b"\n", 1)[0] + b"\n"
        skipped, self.before = run.known.prefix(source) if source.is_file else (0, 0)
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
        for region in hasher.regions():
            self._run.known.add(region)
