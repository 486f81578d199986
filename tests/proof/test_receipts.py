"""A receipt proves itself, and every change to it is found and named."""

from typing import Any

import msgspec
import pytest

from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import commitment
from tocsin.kernel.problems import BadInput, NotGenuine
from tocsin.proof import merkle, receipts, signing
from tocsin.wire.report import Entry, Receipt

PRIVATE = bytes(range(32))
PUBLIC = signing.public_key(PRIVATE)
SALT = b"\x07" * 32
CONTENT = {"attack_id": "attack_1", "count": 3, "kind": "intrusion-attempts/brute-force"}


def receipt(position: int = 3, size: int = 11) -> Receipt:
    """A genuine receipt at `position` of a journal of `size` entries."""
    committed = commitment(SALT, canonical_bytes(CONTENT)).hex()
    entry = Entry(position, "2026-11-22T01:00:00Z", "intake:report:received", "report_1", committed)
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    leaves[position] = merkle.leaf_hash(canonical_bytes(entry))

    def subtree(start: int, end: int) -> bytes:
        return merkle.root_from_leaves(leaves[start:end])

    head = signing.sign_head(
        PRIVATE, origin="test", tree_size=size, root=subtree(0, size), at="2026-11-22T01:00:01Z"
    )
    path = tuple(step.hex() for step in merkle.inclusion_path(position, size, subtree))
    raw = msgspec.Raw(msgspec.json.encode(CONTENT))
    return Receipt("tocsin-receipt/1", "report_1", "attack_1", raw, SALT.hex(), entry, path, head)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8, 11, 64, 65])
def test_a_genuine_receipt_is_genuine(size: int) -> None:
    """At every position of trees of many sizes."""
    for position in range(size):
        receipts.check(receipts.read(msgspec.json.encode(receipt(position, size))), PUBLIC)


def changed(*path: str | int, to: Any) -> Receipt:
    """The genuine receipt with one value replaced."""
    plain = msgspec.json.decode(msgspec.json.encode(receipt()))
    place = plain
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return receipts.read(msgspec.json.encode(plain))


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("content", "count"), 4, "content"),
        (("content", "attack_id"), "attack_2", "attack"),
        (("attack_id",), "attack_2", "attack"),
        (("report_id",), "report_2", "report_2"),
        (("salt",), "08" * 32, "content"),
        (("salt",), "zz", "salt"),
        (("entry", "seq"), 2, "tree head's root"),
        (("entry", "seq"), 99, "path"),
        (("entry", "at"), "2026-11-21T01:00:00Z", "tree head's root"),
        (("entry", "event"), "intake:report:updated", "tree head's root"),
        (("entry", "commitment"), "00" * 32, "content"),
        (("path", 0), "00" * 32, "tree head's root"),
        (("path",), [], "path"),
        (("head", "root"), "00" * 32, "tree head's root"),
        (("head", "tree_size"), 12, "signature"),
        (("head", "at"), "2026-11-21T01:00:00Z", "signature"),
        (("head", "origin"), "other", "signature"),
        (("head", "key_id"), "0" * 16, "key"),
        (("head", "signature"), "00" * 64, "signature"),
        (("head", "signature"), "no hex", "signature"),
    ],
)
def test_every_change_is_found_and_named(path: tuple[str | int, ...], value: Any, named: str) -> None:
    """Whatever is changed, the check fails and says what does not fit."""
    with pytest.raises(NotGenuine, match=named):
        receipts.check(changed(*path, to=value), PUBLIC)


def test_another_key_is_not_trusted() -> None:
    """A head signed by somebody else's key is refused even though it is consistent."""
    with pytest.raises(NotGenuine, match="key"):
        receipts.check(receipt(), signing.public_key(b"\x09" * 32))


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"schema": "tocsin-receipt/9"}'])
def test_what_is_no_receipt_is_said_to_be_none(data: bytes) -> None:
    """Other files get a clear error."""
    with pytest.raises(BadInput, match="no receipt"):
        receipts.read(data)
