"""A warning in real resolvers and a real firewall; what they stopped reaches the reporter."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest
from click.testing import CliRunner
from tests.admin.test_kill import serving
from tests.exchange import a_report
from tests.own_exchange import OwnExchange, own_exchange
from tests.ports import free_port
from tests.stories.daemons import AAAA, NOERROR, NXDOMAIN, Resolver, bind, firewall, needs, unbound

from tocsin.cli.main import tocsin

pytestmark = [pytest.mark.database, pytest.mark.soak]

PHISH, OTHER = "secure-login.bad-site.top", "www.harbour.top"
ATTACKER, NEIGHBOUR = "198.51.100.7", "198.51.100.9"
SETTLE = """
import json
from tocsin.doors.admin.setup import prepare
prepare()
from tocsin.access import keys, services
scopes = sorted(keys.MEMBER_SCOPES)
members = {name: services.add_member(name, force_id="kent") for name in ("ferry", "medway", "harbour")}
print(json.dumps({name: keys.make_key(member, "edge", scopes)[1] for name, member in members.items()}))
"""
WITHDRAW = """
import sys
from tocsin.doors.admin.setup import prepare
prepare()
from tocsin.access import services as access
from tocsin.access.policy import Actor
from tocsin.sharing import queries, services
person = access.add_person(sys.argv[1] + "@example.org", "Tess", "bell-and-bronze-2026")
access.give_role(person, "trusted")
services.withdraw(queries.find(sys.argv[2], sys.argv[3]), Actor.of_person(person), "it was cleaned up")
"""
CHAIN = "add chain inet tocsin input { type filter hook input priority 0; }"


@dataclass
class Network:
    """A served exchange, the keys of its members, and the folder of the one who protects its network."""

    exchange: OwnExchange
    url: str
    keys: dict[str, str]
    folder: Path

    def tocsin(self, *words: str) -> str:
        """Run the edge tool as the protected network does; gives what it printed."""
        edge = {"TOCSIN_KEY": self.keys["harbour"], "TOCSIN_EDGE_HOME": str(self.folder / "edge")}
        done = CliRunner().invoke(tocsin, words, env=edge)
        assert done.exit_code == 0, done.output + repr(done.exception)
        return done.stdout

    def zone(self, *words: str) -> bool:
        """Bring the lists up to date; says whether a file was changed."""
        written = self.tocsin("zone", "--from", self.url, "--json", *words)
        return any(json.loads(line)["changed"] for line in written.splitlines())

    def zone_changes(self, *words: str) -> bool:
        """Whether the list changes within fifteen seconds."""
        ends = time.monotonic() + 15
        while time.monotonic() < ends:
            if self.zone(*words):
                return True
            time.sleep(0.1)
        return False

    def tally(self, *logs: Path) -> dict[str, int]:
        """Count and send; gives the result."""
        result: dict[str, int] = json.loads(self.tocsin("tally", *map(str, logs), "--to", self.url, "--json"))
        return result

    def report(self, member: str, **changes: object) -> str:
        """One report of a member, taken; gives its id."""
        sent = httpx.post(
            f"{self.url}/api/v1/reports",
            content=msgspec.json.encode(a_report(**changes)),
            headers={"Authorization": f"Bearer {self.keys[member]}", "Content-Type": "application/json"},
        )
        assert sent.status_code == 201, sent.text
        return str(sent.json()["receipts"][0]["report_id"])

    def effect(self, member: str, report_id: str) -> str:
        """What a member reads of its own report."""
        headers = {"Authorization": f"Bearer {self.keys[member]}"}
        answer = httpx.get(f"{self.url}/api/v1/reports/{report_id}", headers=headers)
        return str(answer.json()["effect"])

    def withdraw(self, name: str, kind: str, value: str) -> None:
        """A trusted person takes a warning back."""
        subprocess.run(
            [sys.executable, "-c", WITHDRAW, name, kind, value], env=self.exchange.environment, check=True
        )


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Two members who report, and one whose network is protected."""
    port = free_port()
    with own_exchange() as exchange:
        exchange.environment["TOCSIN_PRETEND_PUBLIC"] = "198.51.100.0/24"
        settle = [sys.executable, "-c", SETTLE]
        keys = json.loads(subprocess.check_output(settle, env=exchange.environment))
        with serving(exchange, port):
            folder = tmp_path_factory.mktemp("harbour")
            yield Network(exchange, f"http://127.0.0.1:{port}", keys, folder)


def phish(network: Network, member: str) -> str:
    return network.report(
        member, kind="fraud/phishing", origins=("198.51.100.1",), targets=("bank",), names=(PHISH,)
    )


def test_resolvers_refuse_a_shared_name_and_their_logs_reach_the_reporter(network: Network) -> None:
    """Unbound and BIND: answered while one member says so, refused from the second on, answered again."""
    needs("unbound", "unbound-control", "named", "rndc")
    zone = network.folder / "tocsin.rpz"
    assert network.zone("--names", str(zone)), "the empty zone is written"
    names = (PHISH, OTHER)
    with unbound(network.folder, zone, names) as first, bind(network.folder, zone, names) as second:
        resolvers: tuple[Resolver, ...] = (first, second)
        fresh = ("--names", str(zone), "--reload", first.reload, "--reload", second.reload)
        for resolver in resolvers:
            assert resolver.settles_on(PHISH, NOERROR)
        reporter = phish(network, "ferry")
        assert not network.zone(*fresh), "one unverified report shares nothing"
        phish(network, "medway")
        assert network.zone_changes(*fresh)
        for resolver in resolvers:
            assert resolver.settles_on(PHISH, NXDOMAIN)
            assert resolver.rcode(PHISH.upper(), AAAA) == NXDOMAIN
            assert resolver.rcode(OTHER) == NOERROR
        stopped = first.log.read_text().count(f"[tocsin] {PHISH}. rpz-nxdomain ")
        stopped += second.log.read_text().count(" rpz QNAME NXDOMAIN rewrite ")
        assert stopped >= 4, "each was asked twice"
        result = network.tally(first.log, second.log)
        assert (result["connections"], result["rejected"], result["waiting"]) == (stopped, 0, 0)
        assert network.tally(first.log, second.log)["connections"] == 0, "the same lines count once"
        said = "fewer than 5 connections" if stopped < 5 else f"{stopped} connections"
        assert network.effect("ferry", reporter) == f"stopped {said} at fewer than 5 networks"

        network.withdraw("tess", "name", PHISH)
        assert network.zone(*fresh), "a withdrawal is on the very next list"
        for resolver in resolvers:
            assert resolver.settles_on(PHISH, NOERROR)
        assert network.tally(first.log, second.log)["connections"] == 0


def test_a_firewall_drops_a_shared_address_and_its_counter_reaches_the_reporter(network: Network) -> None:
    """nftables in a namespace of its own: the listed address is not heard, its neighbour is."""
    needs("ip", "nft", root=True)
    file, reading = network.folder / "tocsin.nft", network.folder / "reading.json"
    with firewall([ATTACKER, NEIGHBOUR]) as wall:
        fresh = ("--addresses", str(file), "--reload", f"ip netns exec {wall.inside} nft -f {file}")
        assert network.zone(*fresh), "the empty set is written"
        wall.nft(CHAIN)
        wall.nft("add rule inet tocsin input ip saddr @shared4 drop")
        assert wall.heard([ATTACKER, NEIGHBOUR]) == [ATTACKER, NEIGHBOUR]
        reporter = network.report("ferry", origins=(ATTACKER,))
        network.report("medway", origins=(ATTACKER,))
        assert network.zone_changes(*fresh)
        assert wall.heard([ATTACKER] * 7 + [NEIGHBOUR]) == [NEIGHBOUR]
        reading.write_text(wall.nft("-j", "list", "ruleset"))
        assert network.tally(reading)["connections"] == 7
        reading.write_text(wall.nft("list", "ruleset"))
        assert network.tally(reading)["connections"] == 0, "the counter has not moved"
        assert network.effect("ferry", reporter) == "stopped 7 connections at fewer than 5 networks"
        network.withdraw("theo", "address", ATTACKER)
        assert network.zone(*fresh)
        assert wall.heard([ATTACKER, NEIGHBOUR]) == [ATTACKER, NEIGHBOUR]
