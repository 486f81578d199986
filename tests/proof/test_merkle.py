"""The tree agrees with RFC 6962 and with an independent implementation."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from tocsin.proof import merkle


def leaves(count: int) -> list[bytes]:
    """Leaf hashes of the entries 0, 1, 2 …"""
    return [merkle.leaf_hash(str(number).encode()) for number in range(count)]


def subtree_of(hashes: list[bytes]) -> merkle.Range:
    """Roots over any range of these leaves."""
    return lambda start, end: merkle.root_from_leaves(hashes[start:end])


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    """RFC 6962 section 2.1: MTH({}) = SHA-256()."""
    assert merkle.root_from_leaves([]) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 100])
def test_roots_agree_with_pymerkle(count: int) -> None:
    """The same entries give the same root in another implementation."""
    peer = InmemoryTree(algorithm="sha256")
    for number in range(count):
        peer.append_entry(str(number).encode())
    assert merkle.root_from_leaves(leaves(count)) == peer.get_root()


@given(st.data())
def test_every_inclusion_proof_leads_to_the_root(data: st.DataObject) -> None:
    """Any leaf of any tree is proved; another leaf by the same path is not."""
    size = data.draw(st.integers(1, 80))
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    path = merkle.inclusion_path(index, size, subtree_of(hashes))
    root = merkle.root_from_leaves(hashes)
    assert merkle.root_from_path(hashes[index], index, size, path) == root
    assert merkle.root_from_path(merkle.leaf_hash(b"other"), index, size, path) != root


@given(st.integers(1, 80), st.integers(0, 40))
def test_every_consistency_proof_holds_and_no_other(old: int, more: int) -> None:
    """A tree extends each of its earlier states, and no state that never was."""
    hashes = leaves(old + more)
    path = merkle.consistency_path(old, old + more, subtree_of(hashes))
    first, second = merkle.root_from_leaves(hashes[:old]), merkle.root_from_leaves(hashes)
    assert merkle.is_consistent(old, first, old + more, second, path)
    assert not merkle.is_consistent(old, b"\x00" * 32, old + more, second, path)
    if more:
        assert not merkle.is_consistent(old, first, old + more, b"\x00" * 32, path)


@given(st.integers(0, 600))
def test_appending_completes_the_subtrees_that_it_says(size: int) -> None:
    """Item h of what `append` returns is the root of the 2**h leaves that end here."""
    hashes = leaves(size + 1)
    frontier: merkle.Frontier = []
    for position, leaf in enumerate(hashes):
        completed = merkle.append(position, frontier, leaf)
    for height, root in enumerate(completed):
        assert root == merkle.root_from_leaves(hashes[size + 1 - 2**height :])
