"""Four classes, four actions at once, in real resolvers; and a firewall that drops some classes alone."""

import json
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.stories.daemons import NOERROR, NXDOMAIN, Resolver, firewall, needs
from tests.stories.primary import Primary, comes, primary, secondary
from tests.stories.test_dns import HELP, KNOT, cname
from tests.stories.test_resolvers import CHAIN, Network, network

pytestmark = [pytest.mark.database, pytest.mark.soak]

__all__ = ["network"]
PHISH, C2, MALWARE, OTHER = (
    "fraud/phishing", "malicious-code/c2-server", "malicious-code/malware-distribution", "other/other",
)  # fmt: skip
POLICY = f"""
garden = "{HELP}"
[classes]
"fraud" = "garden"
"malicious-code/malware-distribution" = "log"
"other" = "nothing"
"""
SWAPPED = f"""
action = "log"
garden = "{HELP}"
[classes]
"malicious-code/c2-server" = "nxdomain"
"malicious-code" = "nothing"
"other" = "garden"
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of the test's own, its name short enough for a daemon's socket in it (107 bytes)."""
    needs(*KNOT)
    with tempfile.TemporaryDirectory(prefix="tocsin-cls-") as name:
        yield Path(name)


def names_of(which: str) -> dict[str, str]:
    """A name of each class."""
    return {kind: f"{kind.rpartition('/')[2]}-{which}.bad-site.top" for kind in (PHISH, C2, MALWARE, OTHER)}


def share(network: Network, names: dict[str, str]) -> None:
    """Two members say so of each: three by reports, the last by TAXII, which names no class."""
    for member in ("ferry", "medway"):
        for kind, name in names.items():
            if kind != OTHER:
                network.report(member, kind=kind, origins=("198.51.100.1",), targets=("b",), names=(name,))
        say(network, member, names[OTHER])


def say(network: Network, member: str, name: str) -> None:
    """A member's word by TAXII."""
    stamp = "2026-11-20T12:00:00.000Z"
    word = {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}", "created": stamp,
        "modified": stamp, "valid_from": stamp, "pattern_type": "stix",
        "pattern": f"[domain-name:value = '{name}']",
    }  # fmt: skip
    with httpx.Client(base_url=f"{network.url}/taxii2/api/", auth=("x", network.keys[member])) as client:
        media = {"Accept": "application/taxii+json;version=2.1"}
        found = client.get("collections/", headers=media).json()["collections"]
        own = next(one["id"] for one in found if one["can_write"])
        sent = client.post(
            f"collections/{own}/objects/",
            content=json.dumps({"objects": [word]}),
            headers={**media, "Content-Type": "application/taxii+json;version=2.1"},
        )
        assert sent.status_code == 202, sent.text


@pytest.mark.parametrize(
    ("kind", "program"), [("unbound", "unbound"), ("bind", "named"), ("powerdns", "pdns_recursor")]
)
def test_four_classes_get_four_actions_at_once(
    network: Network, folder: Path, kind: str, program: str
) -> None:
    """The default refuses, one class leads to the garden, one is logged, one is left alone; then otherwise.

    Another policy begins with the next start; what both refuse is refused at every moment between.
    """
    needs(program)
    names = names_of(kind)
    with (
        primary(network.url, network.keys["harbour"], folder, [kind], POLICY) as made,
        secondary(kind, made, (*names.values(), HELP)) as resolver,
    ):
        share(network, names)
        assert comes(lambda: gets(resolver, names) == (f"{HELP}.", NXDOMAIN, "", "")), made.said.read_text()
        assert comes(lambda: OTHER in told_by(made)), made.said.read_text()
        told = told_by(made)
        assert (told[PHISH], told[MALWARE]) == (("garden", "fraud"), ("log", MALWARE))
        assert (told[C2], told[OTHER]) == (("nxdomain", ""), ("nothing", "other"))
        checked = made.tocsin("--check").stdout
        assert f"garden at {HELP}, by the rule for fraud" in checked, checked
        made.kill("process")
        made.write(SWAPPED)
        made.start()

        def is_otherwise() -> bool:
            assert resolver.rcode(names[C2]) == NXDOMAIN, "refused by both, and so at every moment"
            return gets(resolver, names) == ("", NXDOMAIN, "", f"{HELP}.")

        assert comes(is_otherwise), made.said.read_text()


def told_by(made: Primary) -> dict[str, tuple[str, str]]:
    """What `tocsin dns --json` has said of each class: its action, and by which rule."""
    steps = [json.loads(line) for line in made.steps.read_text().splitlines()]
    return {one["attack_kind"]: (one["action"], one["rule"]) for step in steps for one in step["classes"]}


def gets(resolver: Resolver, names: dict[str, str]) -> tuple[str, int, str, str]:
    """Where the phishing name leads, how the C2 server's is answered, where the two others lead."""
    for kind in (PHISH, MALWARE, OTHER):
        if resolver.rcode(names[kind]) != NOERROR:
            return "", -1, "", ""
    return (
        cname(resolver.port, names[PHISH]),
        resolver.rcode(names[C2]),
        cname(resolver.port, names[MALWARE]),
        cname(resolver.port, names[OTHER]),
    )


def test_knot_resolver_reads_a_file_of_several_actions(network: Network, folder: Path) -> None:
    """It refuses, lets pass, and leaves alone; its version 5 ignores what would lead to a garden."""
    needs("kresd")
    names, made = names_of("kresd"), Primary(network.url, network.keys["harbour"], folder)
    made.write()
    (folder / "knot-resolver-secondary").mkdir()
    file = folder / "knot-resolver-secondary" / "tocsin.rpz"
    policy = folder / "policy.toml"
    policy.write_text('[classes]\n"malicious-code/malware-distribution" = "log"\n"other" = "nothing"\n')
    words = ("--names", str(file), "--policy", str(policy))
    assert network.zone(*words)
    with secondary("knot-resolver", made, tuple(names.values())) as resolver:
        share(network, names)
        assert comes(lambda: network.zone(*words) and all(name in file.read_text() for name in shown(names)))
        for kind, rcode in ((PHISH, NXDOMAIN), (C2, NXDOMAIN), (MALWARE, NOERROR), (OTHER, NOERROR)):
            assert resolver.settles_on(names[kind], rcode), kind
        assert names[OTHER] not in file.read_text()
        assert network.zone(*words, "--class", f"fraud=garden:{HELP}")
        assert resolver.settles_on(names[PHISH], NOERROR), "so nobody should give it a garden"


def shown(names: dict[str, str]) -> list[str]:
    """What stands in the file."""
    return [name for kind, name in names.items() if kind != OTHER]


def test_a_firewall_drops_the_classes_that_the_policy_names(network: Network) -> None:
    """One class is dropped, the other is not; the file is read by `nft -c -f` first."""
    needs("nft", "ip", root=True)
    scanner, guesser, neighbour = "198.51.100.17", "198.51.100.18", "198.51.100.19"
    for member in ("ferry", "medway"):
        network.report(member, kind="information-gathering/scanner", origins=(scanner,))
        network.report(member, kind="intrusion-attempts/brute-force", origins=(guesser,))
    file = network.folder / "classes.nft"
    words = ("--addresses", str(file), "--address-class", "information-gathering=log")
    assert comes(lambda: network.zone(*words) and guesser in file.read_text())
    assert scanner not in file.read_text()
    with firewall((scanner, guesser, neighbour)) as wall:
        wall.nft("-c", "-f", str(file))
        wall.nft("-f", str(file))
        wall.nft(CHAIN)
        wall.nft("add rule inet tocsin input ip saddr @shared4 drop")
        assert wall.heard((scanner, guesser, neighbour)) == [scanner, neighbour]
