"""Canonical bytes: the one spelling of a value that hashes and signatures are taken over."""

from functools import cache
from typing import Any

import msgspec
import msgspec.inspect

_encoder = msgspec.json.Encoder(order="sorted")


def canonical_bytes(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, of integers, strings, booleans, null, lists and objects.

    Agrees with RFC 8785 on this subset as long as keys are ASCII. Raises TypeError on a float, whose
    spelling differs between implementations.
    """
    if isinstance(value, msgspec.Struct):
        for name in _open_fields(type(value)):
            _refuse_floats(msgspec.to_builtins(getattr(value, name)))
        return _encoder.encode(value)
    plain = msgspec.to_builtins(value)
    _refuse_floats(plain)
    return _encoder.encode(plain)


@cache
def _open_fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields whose type alone does not rule out floats and keys that are not ASCII."""
    described = msgspec.inspect.type_info(kind)
    assert isinstance(described, msgspec.inspect.StructType)  # noqa: S101 (a struct is described as one)
    return tuple(field.name for field in described.fields if not _is_closed(field.type))


def _is_closed(kind: msgspec.inspect.Type) -> bool:
    match kind:
        case (
            msgspec.inspect.StrType()
            | msgspec.inspect.IntType()
            | msgspec.inspect.BoolType()
            | msgspec.inspect.NoneType()
            | msgspec.inspect.LiteralType()
        ):
            return True
        case msgspec.inspect.VarTupleType(item_type=item) | msgspec.inspect.ListType(item_type=item):
            return _is_closed(item)
        case msgspec.inspect.UnionType(types=members):
            return all(map(_is_closed, members))
        case msgspec.inspect.StructType(cls=cls):
            return not _open_fields(cls)
    return False


def canonical_texts(value: dict[str, str]) -> bytes:
    """`canonical_bytes` of an object of texts only, ten times as fast: there is no float to refuse."""
    return _encoder.encode(value)


_PLAIN = {str, int, bool, type(None)}  # most of what is journaled, and nothing to look into


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"a float has no canonical spelling: {value!r}")
    if isinstance(value, dict):
        for key, item in value.items():
            if not key.isascii():
                raise TypeError(f"a key must be ASCII: {key!r}")
            if type(item) not in _PLAIN:
                _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            if type(item) not in _PLAIN:
                _refuse_floats(item)
