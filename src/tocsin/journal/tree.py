"""Reading the Merkle tree from its tiles: no proof reads more than 256 nodes a level."""

from collections.abc import Sequence

from tocsin.journal.chain import TILE_HEIGHT
from tocsin.journal.models import Entry, Tile
from tocsin.proof import merkle

WIDTH = 1 << TILE_HEIGHT


class TreeReader:
    """Roots of ranges of leaves. Keeps what it read, so that the proofs of one batch share their reads."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[int, int], list[bytes]] = {}
        self._roots: dict[tuple[int, int], bytes] = {}

    def root(self, start: int, end: int) -> bytes:
        """The root over the leaves start…end-1, a range as RFC 6962 cuts them (start divides evenly)."""
        known = self._roots.get((start, end))
        if known is None:
            known = self._roots[start, end] = self._compute(start, end)
        return known

    def leaf(self, seq: int) -> bytes:
        """The leaf hash at a position."""
        return self._nodes(0, seq, 1)[0]

    def _compute(self, start: int, end: int) -> bytes:
        width = end - start
        if width == 0:
            return merkle.empty_root()
        if width & (width - 1):
            middle = start + merkle.largest_power_below(width)
            return merkle.node_hash(self.root(start, middle), self.root(middle, end))
        level = (width.bit_length() - 1) // TILE_HEIGHT
        span = WIDTH**level
        return merkle.root_from_leaves(self._nodes(level, start // span, width // span))

    def _nodes(self, level: int, first: int, count: int) -> Sequence[bytes]:
        block, offset = divmod(first, WIDTH)
        nodes = self._blocks.get((level, block))
        if nodes is None or len(nodes) < offset + count:
            nodes = self._blocks[level, block] = _read_block(level, block)
        if len(nodes) < offset + count:
            raise LookupError(f"the journal's tree has a gap at level {level} after node {first}")
        return nodes[offset : offset + count]


def _read_block(level: int, block: int) -> list[bytes]:
    first, last = block * WIDTH, block * WIDTH + WIDTH - 1
    if level == 0:
        leaves = Entry.objects.filter(seq__range=(first, last)).order_by("seq")
        return [bytes(leaf) for leaf in leaves.values_list("leaf", flat=True)]
    tiles = Tile.objects.filter(level=level, index__range=(first, last)).order_by("index")
    return [bytes(root) for root in tiles.values_list("root", flat=True)]
