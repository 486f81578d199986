"""Proofs from tiles: the same as from all leaves, at a bounded cost."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tocsin.journal import queries
from tocsin.journal.acts import act
from tocsin.journal.models import Entry, Tile
from tocsin.journal.tree import TreeReader
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.proof import merkle

pytestmark = pytest.mark.django_db

SIZES = [1, 2, 255, 256, 257, 300, 511, 512, 700]


@pytest.fixture
def leaves() -> Iterator[list[bytes]]:
    """700 entries in acts of uneven size, so that tiles fill inside, at and across acts."""
    for count in (1, 254, 1, 2, 200, 242):
        with act() as recorded:
            for _ in range(count):
                recorded.record_committed("test:thing:done", "thing", bytes(32))
    yield [bytes(leaf) for leaf in Entry.objects.order_by("seq").values_list("leaf", flat=True)]


def test_inclusion_is_what_all_leaves_give(leaves: list[bytes]) -> None:
    """Every place that matters, in trees around the tiles' borders."""
    for tree_size in SIZES:
        for seq in {0, tree_size // 2, tree_size - 1}:
            path = [bytes.fromhex(node) for node in queries.inclusion(seq, tree_size)]
            root = merkle.root_from_path(leaves[seq], seq, tree_size, path)
            assert root == merkle.root_from_leaves(leaves[:tree_size])


def test_consistency_is_what_all_leaves_give(leaves: list[bytes]) -> None:
    """Between every two of those sizes."""
    roots = {tree_size: merkle.root_from_leaves(leaves[:tree_size]) for tree_size in SIZES}
    for old in SIZES:
        for new in (size for size in SIZES if size >= old):
            path = [bytes.fromhex(node) for node in queries.consistency(old, new)]
            assert merkle.is_consistent(old, roots[old], new, roots[new], path)


def test_a_proof_uses_tiles_where_there_are_some(leaves: list[bytes]) -> None:
    """Two full tiles, and at most two reads for a proof: never one for every 256 entries."""
    assert sorted(Tile.objects.values_list("level", "index")) == [(1, 0), (1, 1)]
    with CaptureQueriesContext(
        connection,
    ) as captured:
        queries.inclusion(699, 700)
    assert len(captured) <= 1 + 3  # the size, the tiles, two blocks of leaves
    assert TreeReader().root(0, 512) == merkle.root_from_leaves(leaves[:512])


def test_proofs_lead_to_the_head_that_the_receipt_had(leaves: list[bytes]) -> None:
    """The first head signed over the entry, whatever came after."""
    found = queries.proofs([0, 254, 255, 699])
    assert [found[seq].head.tree_size for seq in (0, 254, 255, 699)] == [1, 255, 256, 700]


@pytest.mark.parametrize(("seq", "tree_size"), [(-1, 5), (5, 5), (0, 0), (0, 10**6)])
def test_no_proof_of_what_is_not_there(leaves: list[bytes], seq: int, tree_size: int) -> None:
    """A problem, never a wrong proof."""
    with pytest.raises(BadInput):
        queries.inclusion(seq, tree_size)


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (-1, 5), (5, 10**6)])
def test_no_consistency_with_what_is_not_there(leaves: list[bytes], old: int, new: int) -> None:
    """Nor of a tree that never was."""
    with pytest.raises(BadInput):
        queries.consistency(old, new)


def test_an_empty_journal_has_no_head() -> None:
    """Nothing was signed yet."""
    with pytest.raises(NotFound):
        queries.latest_head()
