"""The statement that goes with a list: what it is, which number, and whose word that is."""

import msgspec

SIGNATURE_HEADER = "Tocsin-Signature"


class ListStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed statement about one list.

    `name` is the list's file name, `number` grows with every change, `date` is the instant of that change and
    `expires` that at which its last value does (RFC 3339, UTC); `count` values stand on it; `sha256` is the
    digest of the list's bytes. The signature is Ed25519 (RFC 8032) over the canonical bytes of all other
    fields; `key_id` is the first 16 hex digits of the SHA-256 of the raw public key.
    """

    origin: str
    name: str
    number: int
    date: str
    expires: str
    count: int
    sha256: str
    key_id: str
    signature: str = ""
