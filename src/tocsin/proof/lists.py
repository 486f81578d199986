"""Signing a list, and checking one that was fetched: offline, by the key that was pinned."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec.structs import asdict, replace

from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import NotGenuine
from tocsin.proof.signing import key_id
from tocsin.wire.lists import ListStatement


def sign_statement(private: bytes, unsigned: ListStatement) -> ListStatement:
    """The statement with its signature. `key_id` is filled in, too."""
    key = Ed25519PrivateKey.from_private_bytes(private)
    named = replace(unsigned, key_id=key_id(key.public_key().public_bytes_raw()), signature="")
    return replace(named, signature=key.sign(signed_bytes(named)).hex())


def check_list(statement: ListStatement, name: str, body: bytes, public: bytes) -> None:
    """Raises NotGenuine unless `body` is, to the byte, the list of that name that `public` signed for."""
    if statement.name != name:
        raise NotGenuine(f"the signature is for {statement.name}, not for {name}")
    if statement.key_id != key_id(public):
        raise NotGenuine(f"the list is signed by key {statement.key_id}, not by the trusted {key_id(public)}")
    try:
        signature = bytes.fromhex(statement.signature)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed_bytes(statement))
    except (InvalidSignature, ValueError):
        raise NotGenuine("the list's signature does not fit its statement") from None
    if sha256_hex(body) != statement.sha256:
        raise NotGenuine("the list is not the one that was signed")


def signed_bytes(statement: ListStatement) -> bytes:
    """The bytes that the signature covers: every field that is there, but the signature."""
    fields = asdict(statement)
    del fields["signature"]
    if not statement.since:
        del fields["since"]
    return canonical_bytes(fields)
