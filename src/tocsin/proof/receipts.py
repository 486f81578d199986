"""Checking a receipt offline: no network, no database, nothing but the receipt and a trusted key."""

import msgspec

from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import commitment
from tocsin.kernel.problems import BadInput, NotGenuine
from tocsin.proof import merkle, signing
from tocsin.wire.report import Receipt


def read(data: bytes) -> Receipt:
    """The receipt in `data`. Raises BadInput where it is none."""
    try:
        return msgspec.json.decode(data, type=Receipt)
    except msgspec.DecodeError as error:
        raise BadInput(f"this is no receipt: {error}") from None


def check(receipt: Receipt, trusted: bytes) -> None:
    """Raises NotGenuine, naming the part that was changed, unless every part fits.

    The content must open the entry's commitment, the entry must lead along the path to the head's root
    (RFC 6962 section 2.1.1), and the head must be signed by the key `trusted` (32 raw bytes).
    """
    content = _content_bytes(receipt)
    if commitment(_hex(receipt.salt, "salt"), content).hex() != receipt.entry.commitment:
        raise NotGenuine("the report's content does not fit the journal entry's commitment")
    if receipt.entry.subject != receipt.report_id:
        raise NotGenuine(f"the journal entry is about {receipt.entry.subject}, not about {receipt.report_id}")
    leaf = merkle.leaf_hash(canonical_bytes(receipt.entry))
    path = [_hex(step, "path") for step in receipt.path]
    try:
        root = merkle.root_from_path(leaf, receipt.entry.seq, receipt.head.tree_size, path)
    except ValueError as error:
        raise NotGenuine(f"the path from entry to tree head does not fit: {error}") from None
    if root.hex() != receipt.head.root:
        raise NotGenuine("the journal entry does not lead to the tree head's root")
    signing.check_head(receipt.head, trusted)


def _content_bytes(receipt: Receipt) -> bytes:
    try:
        content = msgspec.json.decode(receipt.content)
        if content.get("attack_id") != receipt.attack_id:
            raise NotGenuine("the receipt names another attack than its content")
        return canonical_bytes(content)
    except (AttributeError, TypeError, msgspec.DecodeError):
        raise NotGenuine("the report's content cannot be read") from None


def _hex(text: str, what: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != 32:
        raise NotGenuine(f"the {what} is not 32 bytes in hex")
    return data
