"""Warning lists and networks: found by suffix, exactly, or by range; the package's own data behind them."""

import ipaddress
import json
from pathlib import Path

import msgspec
import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.doors.admin.setup import lists_built
from tocsin.kernel.intervals import intervals
from tocsin.sharing import warning_lists
from tocsin.sharing.warning_lists import RawList, build

networks = st.integers(24, 32).flatmap(
    lambda length: st.integers(0, 1023).map(
        lambda offset: str(ipaddress.ip_network((0xC0000000 + offset, length), strict=False))
    )
)


@given(st.lists(st.tuples(networks, st.integers(0, 2)), max_size=8), st.integers(0, 1100))
@settings(max_examples=100, deadline=None)
def test_an_address_is_found_where_a_network_holds_it(told: list[tuple[str, int]], offset: int) -> None:
    """As ipaddress judges one by one; the label is that of a network which does hold it."""
    address = ipaddress.ip_address(0xC0000000 + offset)
    holding = {label for text, label in told if address in ipaddress.ip_network(text)}
    found = intervals(told).find(str(address))
    assert found in holding if holding else found is None


def test_both_kinds_of_address_live_in_one_table() -> None:
    """An IPv4-mapped range is the IPv4 range; IPv6 keeps its own."""
    table = intervals([("::ffff:192.0.2.0/120", 1), ("2001:db8::/32", 2), ("0.0.0.0/8", 3)])
    assert [table.find(text) for text in ("192.0.2.255", "2001:db8::1", "0.1.2.3", "::1")] == [1, 2, 3, None]
    assert intervals([]).find("192.0.2.1") is None


NAME, ADDRESS = ["hostname", "domain"], ["ip-src", "ip-dst"]


def written(
    name: str, kind: str, entries: list[str], fields: list[str] | None = None, *, asks: bool = False
) -> RawList:
    """A list as its authors write it."""
    return RawList(name, kind, msgspec.Raw(msgspec.json.encode(entries)), fields or [], asks)


def test_entries_stop_what_their_list_means() -> None:
    """`hostname` with all below it, `string` exactly, a leading dot all below, parts anywhere."""
    lists = build(
        [
            written("Large", "hostname", ["site.example", "both.example", "x.example"], NAME),
            written("Small", "string", ["EXACT.example", ".below.example"], NAME),
            written("Smaller", "hostname", ["both.example"], NAME),
            written("Parts", "substring", ["sandbox"], NAME),
            written("Ranges", "cidr", ["192.0.2.0/24"], ADDRESS),
            written("Hashes", "string", ["hash.example"], ["md5"]),
            written("Telephones", "regex", ["/.*/"], NAME),
        ]
    )
    found = {
        "site.example": "Large",
        "a.b.site.example": "Large",
        "mysite.example": None,
        "exact.example": "Small",
        "a.exact.example": None,
        "a.below.example": "Small",
        "www.both.example": "Smaller",  # the shorter list says more
        "my-sandbox-7.test": "Parts",
        "hash.example": None,
    }
    assert {name: lists.of_name(name) for name in found} == found
    assert (lists.of_address("192.0.2.9"), lists.of_address("192.0.3.9")) == ("Ranges", None)


@pytest.mark.parametrize("entry", ["Bücher.EXAMPLE", 'quoted\\".example', "tab\t.example"])
def test_an_entry_that_is_spelled_with_escapes_is_the_same(entry: str) -> None:
    """Hardly any is; those that are, are decoded."""
    whole = RawList("One", "hostname", msgspec.Raw(json.dumps(["plain.example", entry]).encode()), NAME)
    lists = build([whole])
    assert [lists.of_name(name) for name in ("plain.example", entry.lower(), "other.example")] == [
        "One", "One", None,
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["192.0.2.0/33", "192.0.2.0/", "2001:db8::/x", "name.example"])
def test_what_is_no_network_is_refused(text: str) -> None:
    """As ipaddress refuses it; a netmask is a length."""
    with pytest.raises(ValueError, match=r"network|address|netmask"):
        intervals([(text, 1)])
    assert intervals([("192.0.2.77/255.255.255.0", 1)]) == intervals([("192.0.2.0/24", 1)])


def test_some_lists_ask_for_a_person() -> None:
    """An entry of theirs stops all the same where it is a name; what lies below, or in a range, is asked."""
    lists = build(
        [
            written("Rented", "cidr", ["192.0.2.0/24"], ADDRESS, asks=True),
            written("Anybody's", "hostname", ["dyn.example"], NAME, asks=True),
            written("Hard", "cidr", ["192.0.2.128/25"], ADDRESS),
        ]
    )
    assert (lists.of_address("192.0.2.1"), lists.asks_of_address("192.0.2.1")) == (None, "Rented")
    assert (lists.of_address("192.0.2.200"), lists.asks_of_address("192.0.3.1")) == ("Hard", None)
    assert (lists.of_name("dyn.example"), lists.asks_of_name("dyn.example")) == ("Anybody's", None)
    assert (lists.of_name("a.dyn.example"), lists.asks_of_name("a.dyn.example")) == (None, "Anybody's")
    assert lists.asks_of_name("dyn.test") is None


def test_the_file_is_built_once_and_read_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken file is built again; nothing half written is left behind."""
    built = []

    def shipped() -> list[RawList]:
        built.append(1)
        return [written("Ranges", "cidr", ["192.0.2.0/24"], ADDRESS)]

    monkeypatch.setattr(warning_lists, "_shipped", shipped)
    with override_settings(CACHE=tmp_path / "cache"):
        for _ in range(2):
            warning_lists._read.cache_clear()
            assert warning_lists.warning_lists().of_address("192.0.2.1") == "Ranges"
        (file,) = (tmp_path / "cache").iterdir()
        file.write_bytes(file.read_bytes()[:-3])
        warning_lists._read.cache_clear()
        assert warning_lists.warning_lists().of_address("192.0.2.1") == "Ranges"
    warning_lists._read.cache_clear()
    assert len(built) == 2


def test_the_package_holds_what_we_count_on() -> None:
    """Two million names and the ranges that must never be blocked."""
    lists = warning_lists.warning_lists()
    assert lists.exact.count + lists.suffixes.count > 1_500_000
    for address in ("8.8.8.8", "9.9.9.9", "10.0.0.1", "127.0.0.1", "224.0.0.1", "2606:4700:4700::1111"):
        assert lists.of_address(address)
    for name in ("www.google.com", "co.uk", "com", "bit.ly", "a.barclays.co.uk"):
        assert lists.of_name(name), name
    asking = [one for one in warning_lists._shipped() if one.asks]
    assert len(asking) == len(warning_lists.ASKS), "each list that asks is in the package"
    for one in asking:
        value = warning_lists.entries_of(one.entries)[0].decode().partition("/")[0]
        assert lists.asks_of_address(value) if one.type != "hostname" else lists.asks_of_name(f"a.{value}")


def test_they_are_built_while_an_exchange_prepares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By another process, once: the first report after a start waits for no build."""
    for name, value in (
        ("DJANGO_SETTINGS_MODULE", "tocsin.site.settings"),
        ("TOCSIN_HOME", str(tmp_path)),
        ("TOCSIN_CACHE", str(tmp_path)),
    ):
        monkeypatch.setenv(name, value)
    with override_settings(CACHE=tmp_path):
        assert not warning_lists.is_built()
        with lists_built():
            pass
        assert warning_lists.is_built()
        (file,) = tmp_path.glob("*.bin")
        before = file.stat().st_mtime_ns
        with lists_built():
            pass
        assert file.stat().st_mtime_ns == before
