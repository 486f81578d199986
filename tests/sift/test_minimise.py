"""What leaves a provider names no own customer and carries no raw line."""

import ipaddress

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tocsin.sift.minimise import minimise, networks
from tocsin.sift.values import Attack, EvidenceLines

OWN = ("192.0.2.0/24", "2001:db8:10::/48")
KEY = b"\x01" * 32


def attack(origin: str, target: str) -> Attack:
    """An attack of a plain kind between two names."""
    return Attack(
        attack_id="attack_local",
        kind="intrusion-attempts/brute-force",
        origins=(origin,),
        targets=(target,),
        service="ssh",
        first_seen_at="2026-11-22T01:00:00Z",
        last_seen_at="2026-11-22T02:00:00Z",
        count=9,
        severity="low",
        evidence=(EvidenceLines("/home/amy/auth.log", (1, 2), 2, "00" * 32),),
    )


def sent(origin: str, target: str, key: bytes = KEY) -> bytes:
    """The bytes that would leave."""
    report = minimise(
        attack(origin, target),
        own=networks(OWN),
        key=key,
        source_ids={"/home/amy/auth.log": "portal-login"},
        holdings={},
    )
    return msgspec.json.encode(report)


inside = st.one_of(
    st.ip_addresses(network="192.0.2.0/24").map(str), st.ip_addresses(network="2001:db8:10::/48").map(str)
)
outside = st.ip_addresses(v=4).map(str).filter(lambda a: not a.startswith("192.0.2."))


@given(inside, outside)
def test_no_address_of_an_own_customer_leaves(own: str, other: str) -> None:
    """As origin or as target, it is a token; the other side stays readable."""
    for origin, target in ((own, other), (other, own)):
        body = sent(origin, target).decode()
        assert f'"{own}"' not in body
        assert f'"{other}"' in body
        assert "attack_local" not in body


@given(inside, outside)
def test_a_token_cannot_be_guessed_without_the_key(own: str, other: str) -> None:
    """Two members give the same customer different tokens and different ids."""
    assert sent(own, other) != sent(own, other, key=b"\x02" * 32)


def test_paths_stay_at_home() -> None:
    """A path can name a person; the log's type does not."""
    assert b"amy" not in sent("203.0.113.7", "shell1")


def test_the_id_is_unchanged_where_nothing_was_hidden() -> None:
    """Strangers' addresses keep the id that `tocsin sift` shows."""
    assert b'"attack_local"' in sent("203.0.113.7", "shell1")


def test_networks_are_read_leniently() -> None:
    """A host address with a prefix length names its network."""
    assert networks(["192.0.2.9/24"]) == [ipaddress.ip_network("192.0.2.0/24")]
