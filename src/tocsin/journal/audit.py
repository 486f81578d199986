"""Checking the whole journal against its own hashes and signatures, naming what was tampered with."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import F

from tocsin.journal import chain, keys
from tocsin.journal.models import Content, Entry, Head, SignedHead, Tile
from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import commitment
from tocsin.kernel.problems import NotGenuine
from tocsin.kernel.time import rfc3339
from tocsin.proof import merkle, signing
from tocsin.wire import report as wire


@dataclass(frozen=True)
class Finding:
    """One thing that does not fit: `what` names it (entry 17, tile 1/0, head of size 40), `why` says how."""

    what: str
    why: str


WIDEST_GAP = 1_000_000
Check = Callable[[], Iterator[Finding]]
_further: list[Check] = []


def also(check: Check) -> Check:
    """Let a noun that keeps its own contents add its check; registered in `AppConfig.ready()`."""
    if check not in _further:
        _further.append(check)
    return check


def audit() -> list[Finding]:
    """Everything that does not fit, in the journal and in what nouns keep for it; empty when all is well."""
    findings = [*_Walk().run(), *check_contents()]
    for check in _further:
        findings += check()
    return findings


class _Walk:
    """One pass over the entries in order, with the tiles and signed heads that they must lead to.

    Judges the journal as it was when the pass began, so that it may go on growing meanwhile.
    """

    def __init__(self) -> None:
        self.end = Head.objects.get(pk=1)
        self.size = 0
        self.frontier: merkle.Frontier = []
        self.last_at: dt.datetime | None = None
        self.heads = (
            SignedHead.objects.filter(tree_size__lte=self.end.size).order_by("tree_size").iterator(2000)
        )
        self.next_head = next(self.heads, None)
        self.last_good_head = 0
        self.made: dict[tuple[int, int], bytes] = {}

    def run(self) -> Iterator[Finding]:
        for row in Entry.objects.filter(seq__lt=self.end.size).order_by("seq").iterator(5000):
            yield from self.missing(row.seq)
            if self.size < row.seq:
                return
            yield from self.entry(row)
            self.extend(bytes(row.leaf))
            yield from self.signed_heads()
        yield from self.missing(self.end.size)
        if self.size < self.end.size:
            return
        yield from self.stored_tiles()
        yield from self.ending()
        yield from self.beyond()

    def missing(self, until: int) -> Iterator[Finding]:
        """Positions without an entry: named, and bridged so that the rest can be judged, unless too wide."""
        first = self.size
        if first < until:
            last = until - 1
            name = f"entry {self.size}" if self.size == last else f"entries {self.size} to {last}"
            yield Finding(name, "missing" if self.size == last else "missing: the rows are gone")
        while self.size < until <= first + WIDEST_GAP:
            self.extend(bytes(32))
            yield from self.signed_heads()

    def entry(self, row: Entry) -> Iterator[Finding]:
        name = f"entry {row.seq}"
        value = wire.Entry(row.seq, rfc3339(row.at), row.event, row.subject, bytes(row.commitment).hex())
        if merkle.leaf_hash(canonical_bytes(value)) != bytes(row.leaf):
            yield Finding(name, "its fields do not fit its leaf hash: the row was changed or moved")
        if self.last_at is not None and row.at <= self.last_at:
            yield Finding(name, "its instant is not later than the entry before: reordered")
        self.last_at = row.at

    def extend(self, leaf: bytes) -> None:
        completed = merkle.append(self.size, self.frontier, leaf)
        self.size += 1
        for level, index, root in chain.full_tiles(self.size, completed):
            self.made[level, index] = root

    def signed_heads(self) -> Iterator[Finding]:
        while self.next_head is not None and self.next_head.tree_size <= self.size:
            yield from self.signed_head(self.next_head)
            self.next_head = next(self.heads, None)

    def signed_head(self, row: SignedHead) -> Iterator[Finding]:
        name = f"tree head of size {row.tree_size}"
        try:
            signing.check_head(_wire_head(row), keys.public_key())
        except NotGenuine as problem:
            yield Finding(name, problem.detail)
        if bytes(row.root) == merkle.root_of(self.frontier):
            self.last_good_head = row.tree_size
        else:
            since = self.last_good_head
            yield Finding(
                name,
                f"its root does not follow from the entries: look between {since} and {row.tree_size - 1}",
            )

    def stored_tiles(self) -> Iterator[Finding]:
        stored = {(t.level, t.index): bytes(t.root) for t in Tile.objects.iterator(5000) if self.covers(t)}
        for level, index in sorted(stored.keys() | self.made.keys()):
            name, found = f"tile {level}/{index}", stored.get((level, index))
            if found is None:
                yield Finding(name, "missing")
            elif found != self.made[level, index]:
                yield Finding(name, "does not follow from the entries below it")

    def covers(self, tile: Tile) -> bool:
        return _end_of(tile) <= self.end.size

    def ending(self) -> Iterator[Finding]:
        if chain.unpack(bytes(self.end.frontier)) != self.frontier:
            yield Finding("frontier", "does not follow from the entries")
        if self.size and not SignedHead.objects.filter(tree_size=self.size).exists():
            yield Finding(f"tree head of size {self.size}", "missing: the newest entries are not signed for")

    def beyond(self) -> Iterator[Finding]:
        """What lies behind the journal's end. The end is read last: it only ever grows."""
        heads = list(
            SignedHead.objects.filter(tree_size__gt=self.end.size).values_list("tree_size", flat=True)
        )
        entries = list(Entry.objects.filter(seq__gte=self.end.size).values_list("seq", flat=True))
        tiles = [tile for tile in Tile.objects.iterator(5000) if not self.covers(tile)]
        end = Head.objects.get(pk=1).size
        why = f"lies behind the journal's end: it has {end} entries"
        yield from (Finding(f"tree head of size {size}", why) for size in sorted(heads) if size > end)
        yield from (Finding(f"entry {seq}", why) for seq in sorted(entries) if seq >= end)
        yield from (Finding(f"tile {tile.level}/{tile.index}", why) for tile in tiles if _end_of(tile) > end)


def _end_of(tile: Tile) -> int:
    """The position behind the last leaf that a tile covers."""
    return int((tile.index + 1) << (chain.TILE_HEIGHT * tile.level))


def check_contents() -> Iterator[Finding]:
    """Contents that do not open their entry's commitment. An erased content is no finding."""
    rows = Content.objects.order_by("entry_id").annotate(committed=F("entry__commitment"))
    for row in rows.iterator(5000):
        name = f"content of entry {row.entry_id}"
        if not opens(bytes(row.committed), bytes(row.salt), bytes(row.content)):
            yield Finding(name, "does not fit the entry's commitment: it was changed")


def opens(committed: bytes, salt: bytes, content: bytes) -> bool:
    """Does this content, with this salt, open the commitment?"""
    return len(salt) == 32 and commitment(salt, content) == committed


def _wire_head(row: SignedHead) -> wire.TreeHead:
    origin = row.origin or settings.ORIGIN
    root, signature = bytes(row.root).hex(), bytes(row.signature).hex()
    return wire.TreeHead(origin, row.tree_size, root, rfc3339(row.at), row.key_id, signature)
