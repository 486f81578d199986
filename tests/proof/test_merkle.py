"""The Merkle tree against RFC 6962's definition, known values, and pymerkle."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from tocsin.proof import merkle

# The inputs and roots by which implementations of Certificate Transparency are commonly compared.
LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes(range(0x60, 0x70)))
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

sizes = st.integers(1, 70)


def hashes(count: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % number) for number in range(count)]


def oracle(count: int) -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for number in range(count):
        tree.append_entry(b"%d" % number)
    return tree


def roots_over(leaves: list[bytes]) -> merkle.Callable[[int, int], bytes]:
    return lambda start, end: merkle.root_from_leaves(leaves[start:end])


@pytest.mark.parametrize(("size", "root"), list(enumerate(ROOTS, start=1)))
def test_known_roots(size: int, root: str) -> None:
    """The roots that every implementation must find."""
    assert merkle.root_from_leaves([merkle.leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == root


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    """RFC 6962 section 2.1: MTH({}) = SHA-256()."""
    assert merkle.root_of([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(size=sizes, data=st.data())
@settings(max_examples=60)
def test_roots_and_inclusion_paths_are_pymerkles(size: int, data: st.DataObject) -> None:
    """Root, path and the path's verdict agree for every leaf of every small tree."""
    index = data.draw(st.integers(0, size - 1))
    leaves, tree = hashes(size), oracle(size)
    root = merkle.root_from_leaves(leaves)
    assert root == tree.get_root(size)
    path = merkle.inclusion_path(index, size, roots_over(leaves))
    # pymerkle counts from 1 and puts the leaf itself first.
    assert path == tree.prove_inclusion(index + 1, size).path[1:]
    assert merkle.root_from_path(leaves[index], index, size, path) == root


@given(size=sizes, data=st.data())
@settings(max_examples=60)
def test_consistency_paths_hold_and_only_for_their_trees(size: int, data: st.DataObject) -> None:
    """Every earlier tree is proved by its path, and no changed root passes."""
    old = data.draw(st.integers(1, size))
    leaves, tree = hashes(size), oracle(size)
    before, after = merkle.root_from_leaves(leaves[:old]), merkle.root_from_leaves(leaves)
    path = merkle.consistency_path(old, size, roots_over(leaves))
    assert merkle.is_consistent(old, before, size, after, path)
    assert before == tree.get_root(old)
    if old < size:
        assert not merkle.is_consistent(old, bytes(32), size, after, path)
        assert not merkle.is_consistent(old, before, size, bytes(32), path)
        assert not merkle.is_consistent(old, before, size, after, [*path, bytes(32)])
        assert not merkle.is_consistent(old, before, size, after, path[:-1])


@given(size=sizes, data=st.data())
@settings(max_examples=60)
def test_the_paths_of_a_batch_are_the_single_ones(size: int, data: st.DataObject) -> None:
    """Sharing upper ends changes nothing."""
    first = data.draw(st.integers(0, size))
    subtree = roots_over(hashes(size))
    together = merkle.inclusion_paths(first, size, subtree)
    assert together == [tuple(merkle.inclusion_path(i, size, subtree)) for i in range(first, size)]


@given(size=st.integers(2, 70), data=st.data())
@settings(max_examples=60)
def test_a_changed_leaf_index_or_path_never_leads_to_the_root(size: int, data: st.DataObject) -> None:
    """An audit path proves one leaf at one place."""
    index = data.draw(st.integers(0, size - 1))
    leaves = hashes(size)
    root, path = merkle.root_from_leaves(leaves), merkle.inclusion_path(index, size, roots_over(leaves))
    assert merkle.root_from_path(bytes(32), index, size, path) != root
    place = data.draw(st.integers(0, len(path) - 1))
    assert (
        merkle.root_from_path(leaves[index], index, size, [*path[:place], bytes(32), *path[place + 1 :]])
        != root
    )
    for wrong in (path[:-1], [*path, bytes(32)]):
        with pytest.raises(ValueError, match="path is too"):
            merkle.root_from_path(leaves[index], index, size, wrong)
