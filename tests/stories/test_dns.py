"""A hidden primary and real resolvers behind it: refused, withdrawn, killed, away, garden and log."""

import random
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.stories.daemons import NOERROR, NXDOMAIN, needs
from tests.stories.primary import Primary, comes, primary, secondary
from tests.stories.test_resolvers import OTHER, Network, network

from tocsin.sift import primary_settings
from tocsin.sift.knot import Knot, KnotRefused, OutOfStep
from tocsin.sift.sqlite import is_held

pytestmark = [pytest.mark.database, pytest.mark.soak]

__all__ = ["network"]
HELP = "help.harbour.top"
KNOT = ("knotd", "knotc", "knsupdate", "kdig")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of the test's own, its name short enough for a daemon's socket in it (107 bytes)."""
    needs(*KNOT)
    with tempfile.TemporaryDirectory(prefix="tocsin-dns-") as name:
        yield Path(name)


def share(network: Network, name: str) -> None:
    """Two members say so."""
    for member in ("ferry", "medway"):
        network.report(
            member, kind="fraud/phishing", origins=("198.51.100.1",), targets=("bank",), names=(name,)
        )


def held(of: Primary) -> str:
    """The mark of the zone, as Knot answers it to anybody with the key."""
    done = subprocess.run(
        ["knotc", "-s", str(of.folder / "knot" / "knot.sock"), "zone-read", "tocsin.rpz", "@", "SOA"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r" SOA localhost\. (list-\d+)\.", done.stdout)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("kind", "program"), [("unbound", "unbound"), ("bind", "named"), ("powerdns", "pdns_recursor")]
)
def test_a_secondary_by_the_printed_text_refuses_and_lets_go(
    network: Network, folder: Path, kind: str, program: str
) -> None:
    """Answered, refused once two members say so, answered again once it is withdrawn."""
    needs(program)
    name = f"{kind}-login.bad-site.top"
    with (
        primary(network.url, network.keys["harbour"], folder, [kind]) as made,
        secondary(kind, made, (name, OTHER)) as resolver,
    ):
        assert resolver.settles_on(name, NOERROR), made.said.read_text()
        share(network, name)
        assert resolver.settles_on(name, NXDOMAIN), made.said.read_text()
        assert resolver.rcode(OTHER) == NOERROR
        network.withdraw(kind, "name", name)
        assert resolver.settles_on(name, NOERROR), made.said.read_text()
        checked = made.tocsin("--check")
        assert (checked.returncode, "✗" in checked.stdout) == (0, False), checked.stdout


def test_another_knot_has_the_zone_by_the_printed_text(network: Network, folder: Path) -> None:
    """It passes the zone on, so what counts is what stands in it."""
    name = "knot-login.bad-site.top"

    def stands(port: int) -> bool:
        return cname(port, f"{name}.tocsin.rpz") == "."

    with (
        primary(network.url, network.keys["harbour"], folder, ["knot"]) as made,
        secondary("knot", made, ()) as passing,
    ):
        share(network, name)
        assert comes(lambda: stands(passing.port)), made.said.read_text()
        network.withdraw("knot", "name", name)
        assert comes(lambda: not stands(passing.port)), made.said.read_text()


def test_knot_resolver_reads_the_file_that_its_text_names(network: Network, folder: Path) -> None:
    """It transfers no zones, says the text; the file of `tocsin zone` is read when it changes."""
    needs("kresd")
    name, made = "kresd-login.bad-site.top", Primary(network.url, network.keys["harbour"], folder)
    made.write()
    (folder / "knot-resolver-secondary").mkdir()
    file = folder / "knot-resolver-secondary" / "tocsin.rpz"
    assert network.zone("--names", str(file))
    with secondary("knot-resolver", made, (name, OTHER)) as resolver:
        assert resolver.settles_on(name, NOERROR)
        share(network, name)
        assert network.zone_changes("--names", str(file))
        assert resolver.settles_on(name, NXDOMAIN)
        assert resolver.rcode(OTHER) == NOERROR
        network.withdraw("kresd", "name", name)
        assert network.zone("--names", str(file))
        assert resolver.settles_on(name, NOERROR)


def test_kills_on_either_side_leave_it_in_step(network: Network, folder: Path) -> None:
    """`tocsin dns` and Knot are killed by turns while names come and go; then the resolver knows all."""
    needs("unbound")
    names = [f"turn{n}.bad-site.top" for n in range(4)]
    with (
        primary(network.url, network.keys["harbour"], folder, ["unbound"]) as made,
        secondary("unbound", made, names) as resolver,
    ):
        share(network, names[0])
        assert resolver.settles_on(names[0], NXDOMAIN), made.said.read_text()
        made.kill("process")
        share(network, names[1])
        made.start()
        assert resolver.settles_on(names[1], NXDOMAIN), made.said.read_text()
        made.kill("knot")
        share(network, names[2])
        network.withdraw("turner", "name", names[0])
        assert comes(lambda: "Knot does not" in made.said.read_text())
        made.start_knot()
        assert resolver.settles_on(names[2], NXDOMAIN), made.said.read_text()
        assert resolver.settles_on(names[0], NOERROR), made.said.read_text()
        made.kill("process")
        made.kill("knot")
        share(network, names[3])
        made.start_knot()
        made.start()
        assert resolver.settles_on(names[3], NXDOMAIN), made.said.read_text()
        for name, rcode in zip(names, (NOERROR, NXDOMAIN, NXDOMAIN, NXDOMAIN), strict=True):
            assert resolver.rcode(name) == rcode


def test_a_kill_at_any_moment_leaves_it_in_step(network: Network, folder: Path) -> None:
    """`tocsin dns` and Knot by turns, while a name is on its way: in the end each is refused."""
    needs("unbound")
    names = [f"moment{n}.bad-site.top" for n in range(8)]
    with (
        primary(network.url, network.keys["harbour"], folder, ["unbound"]) as made,
        secondary("unbound", made, names) as resolver,
    ):
        assert comes(lambda: held(made).startswith("list-")), made.said.read_text()
        for n, name in enumerate(names):
            share(network, name)
            time.sleep(random.random() * 0.8)
            made.kill("knot" if n % 3 == 2 else "process")
            made.start_knot() if n % 3 == 2 else made.start()
        for name in names:
            assert resolver.settles_on(name, NXDOMAIN), made.said.read_text()


@pytest.mark.parametrize(
    ("kind", "program", "word"),
    [
        ("bind", "named", "PASSTHRU"),
        ("unbound", "unbound", "rpz-passthru"),
    ],
)
def test_garden_log_and_unblock_are_the_members_own_policy(
    network: Network, folder: Path, kind: str, program: str, word: str
) -> None:
    """The way to a host of the member's; then nothing but a line in the log; then one name left out."""
    needs(program)
    name, second = f"garden-{kind}.bad-site.top", f"shop-{kind}.bad-site.top"
    garden = f'action = "garden"\ngarden = "{HELP}"'
    with (
        primary(network.url, network.keys["harbour"], folder, [kind], garden) as made,
        secondary(kind, made, (name, second, HELP)) as resolver,
    ):
        share(network, name)
        share(network, second)
        assert comes(lambda: cname(resolver.port, name) == f"{HELP}."), made.said.read_text()
        assert resolver.rcode(name) == NOERROR
        made.kill("process")
        made.write('action = "log"')
        made.start()
        assert comes(lambda: cname(resolver.port, name) == ""), made.said.read_text()
        assert resolver.rcode(name) == NOERROR
        assert comes(lambda: word in resolver.log.read_text())
        made.kill("process")
        made.write()
        made.start()
        assert resolver.settles_on(name, NXDOMAIN), made.said.read_text()
        (folder / "edge").joinpath("unblocked").write_text(f"{name}\n198.51.100.9\n")
        assert resolver.settles_on(name, NOERROR), "this machine leaves it out"
        assert resolver.rcode(second) == NXDOMAIN
        (folder / "edge").joinpath("unblocked").write_text("")
        assert resolver.settles_on(name, NXDOMAIN)


def test_one_alone_works_in_a_folder_and_nothing_stale_is_written(network: Network, folder: Path) -> None:
    """The second is told so; `--once` says what is missing; a stale view or a wrong key changes nothing."""
    key = folder / "knot" / "update.key"
    made = Primary(network.url, network.keys["harbour"], folder)
    made.write()
    alone = made.tocsin("--once")
    assert alone.returncode == 7
    assert "start it: knotd -c" in alone.stderr
    made.start_knot()
    try:
        assert comes(lambda: made.tocsin("--once").returncode == 0), made.tocsin("--once").stderr
        assert held(made).startswith("list-")
        made.start()
        assert comes(lambda: is_held(folder / "knot" / "dns.lock"))
        assert made.tocsin("--once").returncode == 6
        made.kill("process")
        knot = Knot(primary_settings.load(made.settings))
        stale = Knot(knot.settings)
        assert knot.mark() == stale.mark()
        knot.change([], [("by-hand.top", ".")], "by.hand")
        assert knot.mark() == "by.hand"
        knot.change([], [("by-hand.top", f"{HELP}.")], "by.hand")
        assert f"CNAME {HELP}." in knot_reads(folder, "by-hand"), "it leads elsewhere from then on"
        with pytest.raises(OutOfStep):
            stale.change([], [("never.top", ".")], "stale")
        key.write_text(f"hmac-sha256:tocsin-update:{'A' * 32}\n")
        with pytest.raises(KnotRefused, match="does not know our key"):
            knot.change([], [("never.top", ".")], "wrong.key")
        assert knot.mark() == "by.hand"
        key.unlink()
        assert made.tocsin("--once").returncode == 0, (
            "a new key is made, and what was changed by hand put right"
        )
        assert held(made).startswith("list-")
    finally:
        made.kill("process")
        made.kill("knot")


def knot_reads(folder: Path, name: str) -> str:
    """What Knot's zone has of a name below top."""
    words = ["knotc", "-s", str(folder / "knot" / "knot.sock"), "zone-read", "tocsin.rpz", f"{name}.top"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def cname(port: int, name: str) -> str:
    """Where an answer leads, as dig tells it."""
    done = subprocess.run(
        ["kdig", "@127.0.0.1", "-p", str(port), name, "A", "+short", "+timeout=2", "+retry=0"],
        capture_output=True,
        text=True,
        check=False,
    )
    return next((line for line in done.stdout.splitlines() if line.endswith(".")), "")
