"""The exchange's signing key."""

from functools import cache

from django.conf import settings

from tocsin.proof import signing


def private_key() -> bytes:
    """The 32 raw bytes of the Ed25519 key, made at first use and kept in the home folder."""
    return _read(str(settings.HOME.path))


def public_key() -> bytes:
    """The 32 raw bytes by which everybody checks tree heads."""
    return signing.public_key(private_key())


@cache
def _read(home: str) -> bytes:
    return bytes.fromhex(settings.HOME.secret("signing.key"))
