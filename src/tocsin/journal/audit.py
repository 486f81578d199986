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
    """One pass over the entries in order, with the tiles and signed heads that they must lead to."""

    def __init__(self) -> None:
        self.size = 0
        self.frontier: merkle.Frontier = []
        self.last_at: dt.datetime | None = None
        self.heads = iter(SignedHead.objects.order_by("tree_size").iterator(2000))
        self.next_head = next(self.heads, None)
        self.last_good_head = 0
        self.made: dict[tuple[int, int], bytes] = {}

    def run(self) -> Iterator[Finding]:
        head = Head.objects.get(pk=1)
        for row in Entry.objects.order_by("seq").iterator(5000):
            yield from self.missing(row.seq)
            yield from self.entry(row)
            self.extend(bytes(row.leaf))
            yield from self.signed_heads()
        yield from self.missing(head.size)
        yield from self.unreached_heads()
        yield from self.stored_tiles()
        yield from self.ending(head)

    def missing(self, until: int) -> Iterator[Finding]:
        """Positions without an entry: named, and bridged so that the rest can be judged."""
        if self.size < until:
            last = until - 1
            name = f"entry {self.size}" if self.size == last else f"entries {self.size} to {last}"
            yield Finding(name, "missing" if self.size == last else "missing: the rows are gone")
        while self.size < until:
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

    def unreached_heads(self) -> Iterator[Finding]:
        while self.next_head is not None:
            beyond = self.next_head.tree_size
            yield Finding(
                f"tree head of size {beyond}", f"signed over entries that are gone (now {self.size})"
            )
            self.next_head = next(self.heads, None)

    def stored_tiles(self) -> Iterator[Finding]:
        stored = {(t.level, t.index): bytes(t.root) for t in Tile.objects.iterator(5000)}
        for level, index in sorted(stored.keys() | self.made.keys()):
            name, found = f"tile {level}/{index}", stored.get((level, index))
            if found is None:
                yield Finding(name, "missing")
            elif (level, index) not in self.made:
                yield Finding(name, "covers entries that are gone")
            elif found != self.made[level, index]:
                yield Finding(name, "does not follow from the entries below it")

    def ending(self, head: Head) -> Iterator[Finding]:
        if head.size != self.size:
            yield Finding("journal size", f"the head row says {head.size}, the entries make {self.size}")
        elif chain.unpack(bytes(head.frontier)) != self.frontier:
            yield Finding("frontier", "does not follow from the entries")
        if self.size and not SignedHead.objects.filter(tree_size=self.size).exists():
            yield Finding(f"tree head of size {self.size}", "missing: the newest entries are not signed for")


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
