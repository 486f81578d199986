"""Appending to the Merkle tree: positions, leaves, tiles, head, signature."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings

from tocsin.journal import keys
from tocsin.journal.models import Content, Entry, Head, SignedHead, Tile
from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.time import now, rfc3339
from tocsin.proof import merkle, signing
from tocsin.store import bulk
from tocsin.wire import report as wire

if TYPE_CHECKING:
    from tocsin.journal.acts import Pending

TILE_HEIGHT = 8  # a tile is the root of 2**8 nodes of the level below
HEAD = "SELECT size, frontier, last_at FROM journal_head WHERE id = 1"
TICK = dt.timedelta(microseconds=1)


@dataclass
class Placement:
    """Where an act came to stand: its entries, the signed head that covers them, and their audit paths."""

    first_seq: int
    at: dt.datetime
    entries: list[wire.Entry] = field(default_factory=list)
    head: wire.TreeHead | None = None
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The tree's size after the act."""
        return self.first_seq + len(self.entries)

    @property
    def last_at(self) -> dt.datetime:
        """The act's last instant."""
        return self.at + TICK * max(len(self.entries) - 1, 0)

    def paths(self) -> list[tuple[str, ...]]:
        """The audit path of each entry up to the head, in hex, leaf upward; no table is read."""
        return merkle.inclusion_paths(self.first_seq, self.size, self._subtree)

    def _subtree(self, start: int, end: int) -> str:
        return self._root(start, end).hex()

    def _root(self, start: int, end: int) -> bytes:
        width = end - start
        if width & (width - 1) == 0:
            return self.nodes[width.bit_length() - 1, start // width]
        middle = start + merkle.largest_power_below(width)
        return merkle.node_hash(self._root(start, middle), self._root(middle, end))


def append(pending: "Sequence[Pending]") -> Placement:
    """Give every pending entry its position and instant, extend the tree, sign the new head.

    Locks the head row until commit, so it comes after everything that can wait or fail.
    """
    ((size, packed, stored_at),) = bulk.select(HEAD + bulk.for_update())
    first_at, last_at = now(), bulk.read(stored_at) if stored_at is not None else None
    if last_at is not None and first_at <= last_at:
        first_at = last_at + TICK
    placement = Placement(size, first_at)
    frontier = unpack(bytes(packed))
    remember_frontier(placement.nodes, size, frontier)
    write_entries(placement, frontier, pending)
    last_at = placement.last_at
    row = (placement.size, b"".join(frontier), bulk.spelled(last_at), 1)
    bulk.update(Head, ("size", "frontier", "last_at"), [row])
    if pending:
        placement.head = sign(placement.size, merkle.root_of(frontier), last_at)
    return placement


def write_entries(placement: Placement, frontier: merkle.Frontier, pending: "Sequence[Pending]") -> None:
    """Insert entries, contents and tiles; `frontier` is extended in place."""
    entries, contents, tiles = [], [], []
    seq, at = placement.first_seq, placement.at
    for item in pending:
        stored_at = bulk.spelled(at)
        entry = wire.Entry(
            seq, stored_at.replace(" ", "T") + "Z", item.event, item.subject, item.commitment.hex()
        )
        leaf = merkle.leaf_hash(canonical_bytes(entry))
        completed = merkle.append(seq, frontier, leaf)
        for height, node in enumerate(completed):
            placement.nodes[height, seq >> height] = node
        if len(completed) > TILE_HEIGHT:
            tiles += full_tiles(seq + 1, completed)
        placement.entries.append(entry)
        entries.append((seq, stored_at, item.event, item.subject, item.commitment, leaf))
        if item.content is not None:
            contents.append((seq, item.salt, item.content))
        item.stamp.seq, item.stamp.at, item.stamp.stored_at = seq, at, stored_at
        seq, at = seq + 1, at + TICK
    bulk.insert(Entry, ("seq", "at", "event", "subject", "commitment", "leaf"), entries)
    bulk.insert(Content, ("entry_id", "salt", "content"), contents)
    bulk.insert(Tile, ("level", "index", "root"), tiles)


def sign(size: int, root: bytes, at: dt.datetime) -> wire.TreeHead:
    """Sign the tree's head and keep it."""
    signed = signing.sign_head(
        keys.private_key(), origin=settings.ORIGIN, tree_size=size, root=root, at=rfc3339(at)
    )
    signature = bytes.fromhex(signed.signature)
    bulk.insert(
        SignedHead,
        ("tree_size", "root", "at", "key_id", "signature", "origin"),
        [(size, root, bulk.spelled(at), signed.key_id, signature, signed.origin)],
    )
    return signed


def full_tiles(size: int, completed: Sequence[bytes]) -> list[tuple[int, int, bytes]]:
    """(level, index, root) of the tiles that the leaf at position size-1 completed."""
    heights = range(TILE_HEIGHT, len(completed), TILE_HEIGHT)
    return [(h // TILE_HEIGHT, (size >> h) - 1, completed[h]) for h in heights]


def remember_frontier(nodes: dict[tuple[int, int], bytes], size: int, frontier: merkle.Frontier) -> None:
    """Put the roots of a tree's complete subtrees where their (height, index) says."""
    heights = [height for height in range(size.bit_length()) if size >> height & 1]
    for height, node in zip(reversed(heights), frontier, strict=True):
        nodes[height, (size >> height) - 1] = node


def unpack(frontier: bytes) -> merkle.Frontier:
    """The frontier's roots from their concatenation."""
    return [frontier[start : start + 32] for start in range(0, len(frontier), 32)]
