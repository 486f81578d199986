"""Stretches of evidence seen before: a rotated, grown or compressed copy counts once (DESIGN 11.4)."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tocsin.sift.sources import Source, Stream
from tocsin.sift.values import Region

HEAD = 4096
_CHUNK = 1 << 20


class Known:
    """The regions that were sifted before, found again by their first bytes."""

    def __init__(self, regions: Iterable[Region] = ()) -> None:
        self._by_head: defaultdict[str, list[Region]] = defaultdict(list)
        self._short: set[int] = set()
        self.added: list[Region] = []
        for region in regions:
            self._remember(region)

    def add(self, region: Region) -> None:
        """Remember a region sifted in this run."""
        if region.length:
            self._remember(region)
            self.added.append(region)

    def has_bytes(self, content: bytes) -> bool:
        """Whether exactly these bytes were sifted before; remembers them if not."""
        region = region_of(content)
        if any(known == region for known in self._by_head[region.head]):
            return True
        self.add(region)
        return False

    def begun(self, head: str) -> Sequence[Region]:
        """The regions that begin so."""
        return self._by_head[head]

    def has_all(self, regions: Iterable[Region]) -> bool:
        """Whether every one of these was sifted before; not so for none."""
        found = [region in self._by_head[region.head] for region in regions]
        return bool(found) and all(found)

    def prefix(self, source: Source, *, in_lines: bool = True) -> tuple[int, int]:
        """How many bytes and lines at the start of a file are known, region after region.

        Where it is not `in_lines`, a region may end anywhere.
        """
        skipped_bytes = skipped_lines = 0
        while found := self._first(source, skipped_bytes, in_lines=in_lines):
            skipped_bytes += found[0]
            skipped_lines += found[1]
        return skipped_bytes, skipped_lines

    def _first(self, source: Source, offset: int, *, in_lines: bool) -> tuple[int, int] | None:
        with source.open() as stream:
            stream.skip(offset)
            candidates = self._candidates(stream.peek(HEAD))
            return _longest(stream, candidates, in_lines=in_lines) if candidates else None

    def _candidates(self, start: bytes) -> dict[int, set[str]]:
        heads = {hashlib.sha256(start).hexdigest()} if len(start) == HEAD else set()
        heads |= {
            hashlib.sha256(start[:length]).hexdigest() for length in self._short if length <= len(start)
        }
        candidates: defaultdict[int, set[str]] = defaultdict(set)
        for head in heads:
            for region in self._by_head.get(head, ()):
                candidates[region.length].add(region.sha256)
        return candidates

    def _remember(self, region: Region) -> None:
        if region not in self._by_head[region.head]:
            self._by_head[region.head].append(region)
        if region.length < HEAD:
            self._short.add(region.length)


class Hasher:
    """The regions of what is being read: one to its last newline, one for a line that was cut off there."""

    def __init__(self) -> None:
        self._all, self._rest = Digest(), Digest()
        self._lines: Region | None = None

    def update(self, data: bytes) -> None:
        """Take the next bytes. A line without an end is hashed and not held, however long it is."""
        end = data.rfind(b"\n") + 1
        if end:
            self._all.update(memoryview(data)[:end])
            self._lines, self._rest = None, Digest()
            data = data[end:]
        if data:
            if not self._rest.length:
                self._lines = self._all.region()
            self._all.update(data)
            self._rest.update(data)

    def regions(self) -> list[Region]:
        """What was read, as regions that follow one another."""
        whole = self._lines or self._all.region()
        return [region for region in (whole, self._rest.region()) if region.length]


class Digest:
    """The region that is being read: its first bytes, its length and its digest."""

    def __init__(self) -> None:
        self._head = b""
        self.length = 0
        self._hash = hashlib.sha256()

    def update(self, data: bytes | memoryview) -> None:
        """Take the next bytes."""
        if len(self._head) < HEAD:
            self._head += data[: HEAD - len(self._head)]
        self.length += len(data)
        self._hash.update(data)

    def region(self) -> Region:
        """All that was taken."""
        return Region(hashlib.sha256(self._head).hexdigest(), self.length, self._hash.hexdigest())


def region_of(content: bytes) -> Region:
    """The region that is exactly these bytes."""
    return Region(
        hashlib.sha256(content[:HEAD]).hexdigest(), len(content), hashlib.sha256(content).hexdigest()
    )


def _longest(stream: Stream, candidates: dict[int, set[str]], *, in_lines: bool) -> tuple[int, int] | None:
    """The longest candidate that the stream begins with and that ends where a line does, and its lines."""
    digest, length, newlines = hashlib.sha256(), 0, 0
    found = None
    for end in sorted(candidates):
        last = b""
        while length < end and (data := stream.read(min(_CHUNK, end - length))):
            digest.update(data)
            length, newlines, last = length + len(data), newlines + data.count(b"\n"), data[-1:]
        if length < end:
            break
        is_end = last == b"\n" or not in_lines or not stream.peek(1)
        if digest.hexdigest() in candidates[end] and is_end:
            found = (length, newlines + (last != b"\n"))
    return found
