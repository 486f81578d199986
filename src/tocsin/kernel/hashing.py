"""Hashes and keyed tokens."""

import hashlib
import hmac
import secrets


def sha256(data: bytes) -> bytes:
    """The 32-byte SHA-256 digest (FIPS 180-4)."""
    return hashlib.sha256(data).digest()


def sha256_hex(data: bytes) -> str:
    """The SHA-256 digest as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def new_salt() -> bytes:
    """A fresh 256-bit salt."""
    return secrets.token_bytes(32)


def commitment(salt: bytes, content: bytes) -> bytes:
    """SHA-256 over a 32-byte salt and the content: says nothing once the salt is erased."""
    if len(salt) != 32:
        raise ValueError("a salt has 32 bytes")
    return sha256(salt + content)


def keyed_token(key: bytes, value: str) -> str:
    """A stand-in for an own customer's address, `token:` and 32 hex digits (HMAC-SHA-256, RFC 2104).

    Only the holder of `key` can say which address it stands for.
    """
    return "token:" + hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]
