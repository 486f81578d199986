"""Canonical bytes against RFC 8785 as the rfc8785 package reads it."""

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.kernel.canonical import canonical_bytes
from tocsin.wire import report as wire

keys = st.text(st.characters(max_codepoint=127), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)
)


@given(values)
@settings(max_examples=50)
def test_agrees_with_rfc_8785_on_what_the_journal_holds(value: object) -> None:
    """Integers, strings, booleans, null, lists, and objects with ASCII keys."""
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(st.builds(wire.Report))
def test_a_struct_is_spelled_as_its_plain_value(report: wire.Report) -> None:
    """Judging a struct by its type changes no byte."""
    plain = msgspec.to_builtins(report)
    if all(key.isascii() for key in report.assumed):
        assert canonical_bytes(report) == canonical_bytes(plain)
    else:
        with pytest.raises(TypeError):
            canonical_bytes(report)


class Reading(msgspec.Struct):
    """Has a float somewhere."""

    degrees: tuple[float, ...]


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        {"a": [1.5]},
        {"ключ": 1},
        Reading((0.5,)),
    ],
)
def test_what_has_no_single_spelling_is_refused(value: object) -> None:
    """Floats, and keys whose order depends on the encoding."""
    with pytest.raises(TypeError):
        canonical_bytes(value)
