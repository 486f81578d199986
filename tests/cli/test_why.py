"""`tocsin why` and `tocsin unblock`: what a terminal says, and what is left out of this machine's lists."""

import datetime as dt
from pathlib import Path

import pytest
from msgspec.structs import replace

from tocsin.kernel.problems import BadInput
from tocsin.sift import asking, listed
from tocsin.sift.policies import Policy
from tocsin.wire import nft, rpz
from tocsin.wire.indicators import Explained, Happened, Told

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
UNTIL = NOON + dt.timedelta(days=1)
KIND = "fraud/phishing"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "edge"))
    monkeypatch.setenv("HOME", str(tmp_path))


def test_an_explanation_says_what_matters_first() -> None:
    """The answer, the facts that apply, the life, and what to do."""
    found = Explained(
        "address", "192.0.2.7", "It is shared: members' machines refuse it.", "indicator_1", "shared",
        "At least two independent members reported it.", "green", valid_until="2026-11-27T12:00:00Z",
        certainty="more likely right than not", parts=(Told("age", "last said today"),),
        events=(Happened("2026-11-20T12:00:00Z", "Shared", "Two said so."),),
    )  # fmt: skip
    lines = asking.told(found).splitlines()
    assert lines[0] == "192.0.2.7  It is shared: members' machines refuse it."
    assert "  until           2026-11-27T12:00:00Z" in lines
    assert "  from age        last said today" in lines
    assert "    2026-11-20T12:00:00Z  Shared. Two said so." in lines
    assert lines[-1] == '  → wrong? tocsin unblock 192.0.2.7 --reason "…"'
    assert not any("never shared" in line for line in lines)


def test_it_says_what_a_name_gets_here_and_by_which_rule() -> None:
    """By the policy that is given; not where this machine leaves it out, nor where nothing is shared."""
    policy = Policy(garden="help.fern.example", classes={"fraud": "garden"}, address_action="log")
    name = Explained("name", "shop.example", "x", state="shared", attack_kind=KIND)
    lines = asking.told(name, policy).splitlines()
    assert f"  listed for      {KIND}" in lines
    assert "  here            garden at help.fern.example, by the rule for fraud" in lines
    address = Explained("address", "192.0.2.7", "x", state="shared", attack_kind=KIND)
    assert "  here            log, by the default" in asking.told(address, policy).splitlines()
    assert "here" not in asking.told(replace(address, state="expired"), policy)
    asking.unblock_here("shop.example")
    assert "garden" not in asking.told(name, policy)


def test_what_is_unblocked_here_stays_so_until_it_is_undone() -> None:
    """Spelled as a list spells it; twice is once."""
    asking.unblock_here("Shop.Example.")
    asking.unblock_here("2A0B:6B80:0::1")
    asking.unblock_here("shop.example")
    assert asking.unblocked() == {"shop.example", "2a0b:6b80::1"}
    assert "not blocked, by" in asking.told(Explained("name", "shop.example", "x", state="shared"))
    asking.block_again("shop.example")
    assert asking.unblocked() == {"2a0b:6b80::1"}
    assert "was not left out" in asking.block_again("shop.example")
    with pytest.raises(BadInput):
        asking.unblock_here("what?")


def test_a_zone_without_a_name() -> None:
    """Exactly that line is gone, and nothing that only ends like it."""
    body = "".join(
        rpz.zone([(KIND, rpz.NXDOMAIN, ["a.example", "shop.example", "www.shop.example"])], 7)
    ).encode()
    left = asking.without("names.rpz", body, frozenset({"shop.example"}))
    assert [one.value for one in listed.values("names.rpz", left.decode())] == [
        "a.example",
        "www.shop.example",
    ]
    assert left.count(b"\n") == body.count(b"\n") - 1


@pytest.mark.parametrize("gone", ["192.0.2.1", "192.0.2.3", "2a0b:6b80::1"])
def test_a_set_without_an_address(gone: str) -> None:
    """First, last and alone: what is left is a set that loads."""
    addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2a0b:6b80::1"]
    body = "".join(nft.ruleset([(KIND, [(value, UNTIL) for value in addresses])], 7, NOON)).encode()
    left = asking.without("addresses.nft", body, frozenset({gone}))
    found = [one.value for one in listed.values("addresses.nft", left.decode())]
    assert found == [value for value in addresses if value != gone]
    assert b",\n}" not in left
    assert b"{\n}" not in left
