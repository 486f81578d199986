"""Zones, sets and STIX objects as text: read back by the programs that they are for."""

import datetime as dt
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from stix2validator import ValidationOptions, validate_instance
from tests.conftest import missing

from tocsin.wire import nft, rpz, stix

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
SCAN = "information-gathering/scanner"


def test_bind_reads_the_zone(tmp_path: Path) -> None:
    """named-checkzone loads it under any name, with the list's number as serial."""
    if not (check := shutil.which("named-checkzone")):
        missing("named-checkzone is not installed")
    names = ["a.example", "_x.b.example", "xn--bnk-qla.example", "x" * 63 + ".example"]
    groups = [("fraud/phishing", rpz.NXDOMAIN, names[:2]), ("other/other", rpz.PASS, names[2:])]
    zone = tmp_path / "names.rpz"
    zone.write_text("".join(rpz.zone(groups, 4_000_000_000)))
    dumped = tmp_path / "dumped"
    done = subprocess.run(
        [check, "-o", dumped, "rpz.tocsin.example", zone], capture_output=True, text=True, timeout=20
    )
    assert "loaded serial 4000000000" in done.stdout, done.stdout
    refused = {line.split()[0] for line in dumped.read_text().splitlines() if line.split()[3] == "CNAME"}
    assert refused == {f"{name}.rpz.tocsin.example." for name in names}


def test_an_empty_zone_is_a_zone() -> None:
    """SOA and NS, and nothing refused."""
    assert "".join(rpz.zone([], 0)).count("\n") == 3


def test_nftables_reads_the_sets(tmp_path: Path) -> None:
    """Loaded twice in a network namespace of its own: the second replaces the first."""
    if not shutil.which("nft") or not shutil.which("unshare"):
        missing("nft is not installed")
    later = [("192.0.2.2", NOON + 7 * DAY), ("2001:db8::1", NOON + DAY), ("192.0.2.3", NOON + DAY)]
    first, second = tmp_path / "first.nft", tmp_path / "second.nft"
    first.write_text("".join(nft.ruleset([(SCAN, [("192.0.2.1", NOON + 7 * DAY)])], 1, NOON)))
    second.write_text("".join(nft.ruleset([(SCAN, later[:1]), ("intrusions/burglary", later[1:])], 2, NOON)))
    script = f"nft -f {first} && nft -f {second} && nft -j list ruleset"
    done = subprocess.run(["unshare", "-rn", "sh", "-c", script], capture_output=True, text=True, timeout=20)
    if "not permitted" in done.stderr:
        missing("no network namespaces here")
    assert done.returncode == 0, done.stderr
    sets = {item["set"]["name"]: item["set"] for item in json.loads(done.stdout)["nftables"] if "set" in item}
    elements = {name: [one["elem"] for one in found["elem"]] for name, found in sets.items()}
    assert [one["val"] for one in elements["shared4"]] == ["192.0.2.2", "192.0.2.3"]
    assert [(one["val"], one["timeout"]) for one in elements["shared6"]] == [("2001:db8::1", 86_400)]
    assert elements["shared4"][0]["counter"] == {"packets": 0, "bytes": 0}


def test_an_empty_set_is_a_set() -> None:
    """Nothing is added, so that nothing is refused."""
    assert "add element" not in "".join(nft.ruleset([], 0, None))


@pytest.mark.parametrize(
    ("kind", "value"), [("address", "192.0.2.1"), ("address", "2001:db8::1"), ("name", "a.example")]
)
@pytest.mark.parametrize("revoked", [False, True])
@pytest.mark.parametrize("tlp", list(stix.TLP_MARKINGS))
def test_indicators_are_valid(kind: str, value: str, revoked: bool, tlp: str) -> None:
    """By stix2-validator, pattern included; revoked is there where it is true."""
    body = stix.indicator_body(
        kind,
        value,
        stix.namespace_of("exchange.example"),
        created=NOON,
        modified=NOON + DAY,
        valid_from=NOON,
        valid_until=NOON + DAY,
        tlp=tlp,
        revoked=revoked,
    )
    document = json.loads(body)
    result = validate_instance(document, ValidationOptions(version="2.1"))
    assert result.is_valid, result.errors
    assert document.get("revoked", False) is revoked
    assert document["object_marking_refs"] == [json.loads(stix.marking_body(tlp))["id"]]


def test_an_id_depends_on_exchange_and_pattern_alone() -> None:
    """Two exchanges never speak of the same object; one always does."""
    namespaces = {stix.namespace_of(origin) for origin in ("a.example", "b.example", "a.example")}
    assert len(namespaces) == 2
    assert {space.version for space in namespaces} == {5}
