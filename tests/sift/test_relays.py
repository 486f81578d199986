"""Addresses that only passed an attack on are never its origin."""

from pathlib import Path

import pytest
from tests.sift.logs import FAILED, sift_text, syslog

from tocsin.sift.relays import relay_of


@pytest.mark.parametrize(
    ("address", "spoofable", "relay"),
    [
        ("104.16.1.1", False, "Cloudflare's delivery network"),
        ("2606:4700::1", False, "Cloudflare's delivery network"),
        ("66.249.66.1", False, "Google's crawler"),
        ("224.0.0.1", False, "multicast"),
        ("9.9.9.9", True, "a public resolver"),  # in a flood it is abused …
        ("9.9.9.9", False, None),  # … in a session somebody is there
        ("192.0.2.1", True, None),
        ("10.0.0.1", False, None),
        ("scanner.example.net", False, None),
    ],
)
def test_relays_are_known(address: str, spoofable: bool, relay: str | None) -> None:
    """Delivery networks, crawlers and mail giants always; resolvers where the origin could be forged."""
    assert relay_of(address, spoofable=spoofable) == relay


def test_a_relays_lines_are_noise_and_say_so(tmp_path: Path) -> None:
    """They accuse nobody, and are not lost from the balance."""
    text = syslog([FAILED.format(origin="104.16.1.1")] * 5 + [FAILED.format(origin="192.0.2.1")] * 3)
    sifted = sift_text(tmp_path, text)
    assert [attack.origins for attack in sifted.attacks] == [("192.0.2.1",)]
    assert (sifted.balance.observed, sifted.balance.noise) == (3, 5)
    assert sifted.balance.reasons == {"noise: the origin is Cloudflare's delivery network": 5}
