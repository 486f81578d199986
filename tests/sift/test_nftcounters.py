"""Counters of nftables sets, in both ways that nft prints them."""

import json

import pytest

from tocsin.sift import nftcounters
from tocsin.sift.sources import Unreadable

TEXT = b"""table inet tocsin {
  set shared4 {
    type ipv4_addr
    flags interval,timeout
    counter
    elements = { 192.0.2.1-192.0.2.9 counter packets 4 bytes 9,
                 198.51.100.7 counter packets 3 bytes 87 timeout 7d expires 6d23h59m59s828ms,
                 198.51.100.9 counter packets 0 bytes 0 comment "a, b } c",
                 203.0.113.0/24 counter packets 5 bytes 1 }
  }

  set shared6 {
    type ipv6_addr
    elements = { 2001:db8::7 counter packets 11 bytes 12,
                 2001:db8::8 }
  }

  chain input {
    type filter hook input priority filter; policy accept;
    ip saddr @shared4 counter packets 3 bytes 87 drop
  }
}
"""


def ruleset(*elements: object) -> bytes:
    """As `nft -j list ruleset` writes it."""
    items = [
        {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
        {"set": {"family": "inet", "name": "shared4", "table": "tocsin", "elem": list(elements)}},
        {"set": {"family": "inet", "name": "shared6", "table": "tocsin"}},
        {"chain": {"family": "inet", "table": "tocsin", "name": "input"}},
    ]
    return json.dumps({"nftables": items}).encode()


def element(value: object, packets: int, **more: object) -> dict[str, object]:
    return {"elem": {"val": value, **more, "counter": {"packets": packets, "bytes": 1}}}


def test_text_and_json_say_the_same() -> None:
    """Single addresses with a counter; ranges, prefixes and elements without one are left out."""
    told = ruleset(
        element({"range": ["192.0.2.1", "192.0.2.9"]}, 4),
        element("198.51.100.7", 3, timeout=604800, expires=604799),
        element("198.51.100.9", 0),
        element({"prefix": {"addr": "203.0.113.0", "len": 24}}, 5),
        element("2001:DB8:0::7", 11),
        "2001:db8::8",
    )
    expected = {"198.51.100.7": 3, "198.51.100.9": 0, "2001:db8::7": 11}
    assert nftcounters.read(told) == nftcounters.read(TEXT) == expected


@pytest.mark.parametrize(
    "content",
    [b"{", b'{"nftables": 3}', b'{"nftables": [{"set": 1}]}', b"[]", b'{"nftables":[{"set":{"elem":5}}]}'],
)
def test_what_nft_does_not_write_is_refused(content: bytes) -> None:
    """A reason, never a trace."""
    with pytest.raises(Unreadable):
        nftcounters.read(content)


def test_only_nft_output_looks_like_it() -> None:
    """A resolver's log does not."""
    assert nftcounters.looks_like(ruleset())
    assert nftcounters.looks_like(TEXT)
    assert not nftcounters.looks_like(b"2026-11-20T01:02:03Z rpz: info: client")
