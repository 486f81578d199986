"""The id of an attack is exactly the hash of its key."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from tocsin.kernel.canonical import canonical_bytes, canonical_texts
from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.ids import attack_id

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(st.text(alphabet="abcxyz_", min_size=1), TEXT))
def test_the_fast_spelling_is_the_canonical_one(value: dict[str, str]) -> None:
    """An object of texts has one spelling, whichever way it is written."""
    assert canonical_texts(value) == canonical_bytes(value)


@given(TEXT, TEXT, TEXT, TEXT, st.dates())
def test_an_id_is_the_hash_of_its_key(
    kind: str, origin: str, target: str, service: str, day: dt.date
) -> None:
    """Anyone can work it out from what the attack says."""
    key = {"kind": kind, "origin": origin, "target": target, "service": service, "day": day.isoformat()}
    assert attack_id(kind, origin, target, service, day) == "attack_" + sha256_hex(canonical_bytes(key))[:32]
