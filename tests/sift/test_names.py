"""The host names of phishing and malware reports reach the report that is sent, and nothing else does."""

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from tests.wire.xarf_samples import report

from tocsin.cli.main import tocsin
from tocsin.sift.minimise import minimise
from tocsin.sift.running import merge
from tocsin.sift.values import Attack
from tocsin.wire import xarf


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("https://Login.Bank.example:8443/a?b=c#d", ("login.bank.example",)),  # a URL only as its host
        ("http://bänk.example/", ("xn--bnk-qla.example",)),  # IDNA: what a resolver is asked for
        ("login.bank.example.", ("login.bank.example",)),  # no final dot
        ("http://192.0.2.7/a", ()),  # an address is no name
        ("http://[2001:db8::1]/a", ()),
        ("http://intranet/", ()),  # no name that another network could ask for
        ("http://[broken/", ()),
    ],
)
def test_a_url_becomes_the_name_that_a_resolver_is_asked_for(url: str, names: tuple[str, ...]) -> None:
    """Lower case, ASCII, nothing of path, port or query."""
    document = {**report("content", "phishing"), "url": url}
    assert xarf.read_xarf(document).names == names


def test_url_and_domain_are_both_told_once() -> None:
    """The order is that of the table of types."""
    document = {**report("content", "malware"), "url": "http://a.example.com/x", "domain": "b.example.com"}
    assert xarf.read_xarf(document).names == ("a.example.com", "b.example.com")
    document["domain"] = "A.example.com"
    assert xarf.read_xarf(document).names == ("a.example.com",)


def test_other_types_tell_no_names() -> None:
    """Least of all the restricted lane."""
    for category, name in (("content", "csam"), ("content", "fraud"), ("connection", "login_attack")):
        assert xarf.read_xarf(report(category, name)).names == ()


def test_names_go_from_sift_to_the_report(tmp_path: Path) -> None:
    """Two reports of one attack are merged, their names joined and sorted, and sent."""
    for number, host in enumerate(("b.example.com", "a.example.com")):
        document = {**report("content", "phishing"), "url": f"http://{host}/"}
        (tmp_path / f"{number}.json").write_text(json.dumps(document))
    result = CliRunner().invoke(tocsin, ["sift", "--json", str(tmp_path)], standalone_mode=False)
    (attack,) = [msgspec.json.decode(line, type=Attack) for line in result.stdout.splitlines()]
    assert attack.names == ("a.example.com", "b.example.com")
    again = merge(attack, msgspec.structs.replace(attack, names=("c.example.com",)))
    assert again.names == ("a.example.com", "b.example.com", "c.example.com")
    sent = minimise(again, own=(), key=b"k", source_ids={}, holdings={})
    assert sent.names == again.names
    restricted = msgspec.structs.replace(again, lane="restricted")
    assert minimise(restricted, own=(), key=b"k", source_ids={}, holdings={}).names == ()
