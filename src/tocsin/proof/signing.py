"""Ed25519 signatures (RFC 8032) over canonical bytes, and the naming of keys."""

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import NotGenuine
from tocsin.wire.report import TreeHead


def new_key() -> bytes:
    """A fresh private key, 32 raw bytes."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_key(private: bytes) -> bytes:
    """The 32 raw bytes of the public key."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def key_id(public: bytes) -> str:
    """The first 16 hex digits of the SHA-256 of the raw public key."""
    return sha256_hex(public)[:16]


def sign_head(private: bytes, *, origin: str, tree_size: int, root: bytes, at: str) -> TreeHead:
    """A signed tree head over exactly these values."""
    key = Ed25519PrivateKey.from_private_bytes(private)
    name = key_id(key.public_key().public_bytes_raw())
    signature = key.sign(head_bytes(origin, tree_size, root.hex(), at, name))
    return TreeHead(origin, tree_size, root.hex(), at, name, signature.hex())


def check_head(head: TreeHead, public: bytes) -> None:
    """Raises NotGenuine where the head is not signed by `public`."""
    if head.key_id != key_id(public):
        raise NotGenuine(f"the tree head is signed by key {head.key_id}, not by the trusted {key_id(public)}")
    signed = head_bytes(head.origin, head.tree_size, head.root, head.at, head.key_id)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(head.signature), signed)
    except (InvalidSignature, ValueError):
        raise NotGenuine("the tree head's signature does not fit the head") from None


def head_bytes(origin: str, tree_size: int, root: str, at: str, key: str) -> bytes:
    """The bytes that a head's signature covers."""
    fields: dict[str, Any] = {"origin": origin, "tree_size": tree_size, "root": root, "at": at, "key_id": key}
    return canonical_bytes(fields)
