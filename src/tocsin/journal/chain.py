"""Appending to the Merkle tree: positions, leaves, tiles, head, signature."""

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings

from tocsin.journal.models import Content, Entry, Head, SignedHead, Tile
from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.time import now, rfc3339
from tocsin.proof import merkle, signing
from tocsin.wire import report as wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tocsin.journal.acts import Pending

TILE_HEIGHT = 8  # a tile is the root of 2**8 nodes of the level below


def append(pending: "Sequence[Pending]") -> None:
    """Give every pending entry its position and instant, extend the tree, sign the new head.

    Must be the last thing in its transaction: the head row stays locked until commit.
    """
    if not pending:
        return
    head = Head.objects.select_for_update().get(pk=1)
    size, frontier = head.size, unpack(bytes(head.frontier))
    first_at = now()
    if head.last_at is not None and first_at <= head.last_at:
        first_at = head.last_at + dt.timedelta(microseconds=1)
    entries, contents, tiles = [], [], []
    for offset, item in enumerate(pending):
        seq, at = size, first_at + dt.timedelta(microseconds=offset)
        leaf = merkle.leaf_hash(entry_bytes(seq, at, item.event, item.subject, item.commitment))
        completed = merkle.append(size, frontier, leaf)
        size += 1
        tiles += full_tiles(size, completed)
        entries.append(Entry(seq, at, item.event, item.subject, item.commitment, leaf))
        if item.content is not None:
            contents.append(Content(entry_id=seq, salt=item.salt, content=item.content))
        if item.stamp is not None:
            item.stamp.seq, item.stamp.at = seq, at
    Entry.objects.bulk_create(entries)
    Content.objects.bulk_create(contents)
    Tile.objects.bulk_create(tiles)
    last_at = entries[-1].at
    Head.objects.filter(pk=1).update(size=size, frontier=b"".join(frontier), last_at=last_at)
    private = bytes.fromhex(settings.HOME.secret("signing.key"))
    signed = signing.sign_head(
        private, origin=settings.ORIGIN, tree_size=size, root=merkle.root_of(frontier), at=rfc3339(last_at)
    )
    SignedHead.objects.create(
        tree_size=size,
        root=bytes.fromhex(signed.root),
        at=last_at,
        key_id=signed.key_id,
        signature=bytes.fromhex(signed.signature),
        origin=signed.origin,
    )


def entry_bytes(seq: int, at: dt.datetime, event: str, subject: str, committed: bytes) -> bytes:
    """The canonical bytes of an entry: the leaf's data."""
    return canonical_bytes(wire.Entry(seq, rfc3339(at), event, subject, committed.hex()))


def full_tiles(size: int, completed: "Sequence[bytes]") -> list[Tile]:
    """The tiles that the leaf at position size-1 completed, one for each 8 levels of the tree."""
    heights = range(TILE_HEIGHT, len(completed), TILE_HEIGHT)
    return [Tile(level=h // TILE_HEIGHT, index=(size >> h) - 1, root=completed[h]) for h in heights]


def unpack(frontier: bytes) -> merkle.Frontier:
    """The frontier's roots from their concatenation."""
    return [frontier[start : start + 32] for start in range(0, len(frontier), 32)]
