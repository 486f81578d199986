"""Ids that say their kind: `attack_…`, `report_…`, `case_…`."""

import datetime as dt
import secrets

from tocsin.kernel.canonical import canonical_texts
from tocsin.kernel.hashing import sha256_hex

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]  # ten bits each


def attack_id(kind: str, origin: str, target: str, service: str, day: dt.date) -> str:
    """The id of an attack: the hash of exactly its key, so that sifting twice changes nothing.

    `day` is the UTC day. The result is `attack_` and 32 hex digits (128 bits).
    """
    key = {"kind": kind, "origin": origin, "target": target, "service": service, "day": day.isoformat()}
    return "attack_" + sha256_hex(canonical_texts(key))[:32]


def new_id(kind: str) -> str:
    """A random id that can be read out on the telephone: `kind_` and 12 Crockford digits (60 bits)."""
    bits = secrets.randbits(60)
    return f"{kind}_" + "".join([_PAIRS[bits >> shift & 1023] for shift in range(0, 60, 10)])
