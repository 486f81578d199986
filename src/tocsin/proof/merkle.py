"""The Merkle tree of RFC 6962 section 2.1: roots, audit paths, consistency proofs, and their checks.

Hashes are 32 raw bytes. A frontier is the list of the roots of the complete subtrees that make up a tree of
a given size, largest first: it is all that is needed to append.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeVar

Frontier = list[bytes]


def leaf_hash(entry: bytes) -> bytes:
    """MTH({d}) = SHA-256(0x00 || d)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def empty_root() -> bytes:
    """The root of the tree without entries: SHA-256 of nothing."""
    return sha256(b"").digest()


def append(size: int, frontier: Frontier, leaf: bytes) -> list[bytes]:
    """Add one leaf hash to `frontier`, which belongs to a tree of `size` leaves, in place.

    Returns the roots of the subtrees that this leaf completed: item h covers 2**h leaves, item 0 is the leaf.
    """
    completed = [leaf]
    while size & 1:
        completed.append(node_hash(frontier.pop(), completed[-1]))
        size >>= 1
    frontier.append(completed[-1])
    return completed


def root_of(frontier: Frontier) -> bytes:
    """The tree's root: the frontier folded from the right."""
    if not frontier:
        return empty_root()
    node = frontier[-1]
    for left in reversed(frontier[:-1]):
        node = node_hash(left, node)
    return node


def root_from_leaves(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, from nothing."""
    frontier: Frontier = []
    for size, leaf in enumerate(leaves):
        append(size, frontier, leaf)
    return root_of(frontier)


Node = TypeVar("Node")  # 32 bytes, or their spelling


def largest_power_below(n: int) -> int:
    """The largest power of two smaller than `n`, for n > 1."""
    return 1 << ((n - 1).bit_length() - 1)


def inclusion_path(index: int, size: int, subtree: Callable[[int, int], Node]) -> list[Node]:
    """PATH(m, D[n]) of RFC 6962 section 2.1.1, leaf upward.

    `subtree(start, end)` gives the root over the leaves start…end-1, whatever its size.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path: list[Node] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + largest_power_below(end - start)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return path[::-1]


def inclusion_paths(first: int, size: int, subtree: Callable[[int, int], Node]) -> list[tuple[Node, ...]]:
    """The audit paths of the leaves first…size-1, in order: as `inclusion_path`, sharing their upper ends."""
    paths: list[tuple[Node, ...]] = []

    def descend(start: int, end: int, above: tuple[Node, ...]) -> None:
        if end <= first:
            return
        if end - start == 1:
            paths.append(above)
            return
        middle = start + largest_power_below(end - start)
        if first < middle:
            descend(start, middle, (subtree(middle, end), *above))
        descend(middle, end, (subtree(start, middle), *above))

    if size:
        descend(0, size, ())
    return paths


def consistency_path(old: int, new: int, subtree: Callable[[int, int], Node]) -> list[Node]:
    """PROOF(m, D[n]) of RFC 6962 section 2.1.2, for 0 < old <= new."""
    if not 0 < old <= new:
        raise ValueError(f"no proof from {old} to {new}")
    path: list[Node] = []
    start, end, whole = 0, new, True
    while old != end - start:
        half = largest_power_below(end - start)
        if old <= half:
            path.append(subtree(start + half, end))
            end = start + half
        else:
            path.append(subtree(start, start + half))
            start += half
            old -= half
            whole = False
    if not whole:
        path.append(subtree(start, end))
    return path[::-1]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that an audit path leads to (RFC 9162 section 2.1.3.2); ValueError on a wrong length."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    node, at, last = leaf, index, size - 1
    for sibling in path:
        if last == 0:
            raise ValueError("the path is too long")
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        at >>= 1
        last >>= 1
    if last:
        raise ValueError("the path is too short")
    return node


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Does the tree `new` extend the tree `old`? (RFC 9162 section 2.1.4.2)"""
    if old == new:
        return old_root == new_root and not path
    if not 0 < old < new:
        return old == 0 and not path
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at >>= 1
        last >>= 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            second = node_hash(second, step)
        at >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == new_root
