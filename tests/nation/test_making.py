"""The nation as it is written: the same from the same seed, of nobody, and without its truth in it."""

import ipaddress
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.nation.conftest import SMALL, Nation

from tocsin.cases import keys
from tocsin.cli.main import tocsin
from tocsin.kernel.problems import BadInput
from tocsin.nation import making, people, places, truth
from tocsin.nation.campaigns import Planner, strikes
from tocsin.nation.shape import Shape

TINY = Shape(seed=3, providers=3, forces=2, days=2)
SPECIAL = [
    ipaddress.ip_network(text)
    for text in ("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


def test_noise_adds_what_misleads_and_changes_no_campaign(tmp_path: Path) -> None:
    """More people who mistype, more lost logs; the attackers do what they would have done."""
    for noise in (1, 16):
        making.simulate(Shape(seed=3, providers=3, forces=2, days=2, noise=noise), tmp_path / str(noise))
    quiet, loud = (truth.read(tmp_path / str(noise)) for noise in (1, 16))
    assert quiet.campaigns == loud.campaigns
    assert len(loud.innocents) > 4 * len(quiet.innocents)
    lost = [sum(not one.is_recorded for one in one_of.attacks) for one_of in (quiet, loud)]
    assert lost[0] < lost[1]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """In another process, with other hashing, in another zone; another seed gives another nation."""
    making.simulate(TINY, tmp_path / "one")
    words = ["simulate", "--seed", "3", "--providers", "3", "--forces", "2", "--days", "2", "--out"]
    subprocess.run(
        [Path(sys.executable).with_name("tocsin"), *words, str(tmp_path / "two")],
        env={**os.environ, "PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo"},
        check=True,
        capture_output=True,
    )
    assert making.digest(tmp_path / "one") == making.digest(tmp_path / "two")
    making.simulate(Shape(4, 3, 2, 2), tmp_path / "other")
    assert making.digest(tmp_path / "one") != making.digest(tmp_path / "other")


def test_the_folder_is_laid_out_as_documented(nation: Nation) -> None:
    """Members, people and traffic beside the evidence of each day; the truth in a folder of its own."""
    assert {path.name for path in nation.folder.iterdir()} == {
        "nation.json", "members.json", "units.json", "officers.json", "evidence", "traffic", "truth",
    }  # fmt: skip
    written = {
        re.sub(r"\d+\.(eml|json)$", r"N.\1", str(path.relative_to(nation.folder).as_posix()).split("/", 3)[3])
        for path in (nation.folder / "evidence").rglob("*")
        if path.is_file()
    }
    assert written >= {"auth.log", "sshd.iso.log", "sshd.5424.log", "mail/N.eml", "xarf/N.json"}
    days = {path.name for path in (nation.folder / "evidence").glob("*/*")}
    assert days == {f"day-{day:02}" for day in range(1, 8)}
    assert len(nation.members) == nation.summary.providers == 8


def test_members_know_their_networks_and_not_how_wrong_their_clocks_are(nation: Nation) -> None:
    """Nothing of the truth stands outside its folder: no campaign, no clock offset."""
    told = {
        "key", "name", "force", "networks", "time_zone", "clock_error_ms", "kept_days", "reports",
        "delay_days",
    }  # fmt: skip
    assert all(set(member) == told for member in nation.members)
    campaigns = [campaign.campaign for campaign in nation.truth.campaigns]
    for path in nation.folder.rglob("*"):
        if path.is_file() and "truth" not in path.parts and path.suffix != ".gz":
            text = path.read_text()
            assert not any(campaign in text for campaign in campaigns), path


def test_some_report_late_and_some_never(nation: Nation) -> None:
    """Habits that an exchange must live with are in every nation of five and more."""
    habits = [member["reports"] for member in nation.members]
    assert {"daily", "late", "never"} == set(habits)
    assert habits[0] == "daily"


def test_officers_answer_for_units_that_exist_and_have_limited_hours(nation: Nation) -> None:
    """Each belongs to a joined unit or is the coordinator, works eight hours, and has minutes for this."""
    officers = json.loads((nation.folder / "officers.json").read_bytes())
    joined = {
        unit["unit_id"]
        for unit in json.loads((nation.folder / "units.json").read_bytes())
        if unit["has_joined"]
    }
    assert {officer["unit_id"] for officer in officers} == joined | {""}
    assert all(0 < officer["minutes_a_day"] <= 480 for officer in officers)
    assert {member["force"] for member in nation.members} <= {
        unit["unit_id"] for unit in json.loads((nation.folder / "units.json").read_bytes())
    }


def test_every_address_and_name_is_one_that_nobody_can_own(nation: Nation) -> None:
    """Special-purpose addresses and `.example` names only, and the exchange still links by them."""
    for attack in nation.truth.attacks:
        address = ipaddress.ip_address(attack.origin)
        assert any(address in network for network in SPECIAL if network.version == address.version)
        assert keys.glues(attack.origin)
    assert all(name.endswith(".example") for one in nation.truth.campaigns for name in one.names)


def test_networks_of_members_never_meet_each_other_or_an_attacker() -> None:
    """The largest nation there can be has room for all, and no attacker sits in a member's network."""
    shape = Shape(1, 400, 43, 1)
    members = places.make(shape, people.forces(people.units(shape)))
    networks = [ipaddress.IPv4Network(member.networks[0]) for member in members]
    ends = sorted((int(one.network_address), int(one.broadcast_address)) for one in networks)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ends))
    assert all(one.subnet_of(ipaddress.IPv4Network("198.19.0.0/16")) for one in networks)
    for campaign in Planner(SMALL, members[:8]).plan():
        for origin in map(ipaddress.ip_address, campaign.origins):
            assert not any(origin in network for network in networks if network.version == origin.version)


def test_sizes_differ_as_they_do_in_a_nation(nation: Nation) -> None:
    """The largest provider has several times the log of the smallest."""
    lines = [nation.sifted[member["key"]].balance.read for member in nation.members]
    assert lines[0] > 2 * min(lines)


def test_campaigns_meet_several_providers_and_stay_within_their_days() -> None:
    """Every campaign reaches two providers at least, and no strike leaves its day or its campaign's days."""
    members = places.make(SMALL, ["kent"])
    for campaign in Planner(SMALL, members).plan():
        assert len(campaign.providers) >= 2
        for strike in strikes(campaign, SMALL, members):
            assert campaign.first_day <= strike.day <= campaign.last_day < SMALL.days
            assert 0 <= strike.start <= strike.end < 86_400
            assert strike.acts >= 1


@pytest.mark.parametrize("size", [{"providers": 0}, {"providers": 401}, {"forces": 44}, {"days": 0}])
def test_a_size_that_cannot_be_made_is_refused(size: dict[str, int]) -> None:
    """With the bounds in words."""
    with pytest.raises(BadInput, match="a nation has 1 to"):
        Shape(1, **size)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    """A nation is never written over something else."""
    (tmp_path / "mine").touch()
    with pytest.raises(BadInput, match="is not empty"):
        making.simulate(TINY, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_command_says_what_it_made(tmp_path: Path) -> None:
    """As a sentence, or as one JSON object; and from the day that was asked for."""
    words = ["simulate", "--providers", "2", "--forces", "1", "--days", "1", "--from", "2026-11-02"]
    said = CliRunner().invoke(tocsin, [*words, "--out", str(tmp_path / "a")], catch_exceptions=False)
    assert said.output.startswith("2 providers, 1 forces, ")
    told = CliRunner().invoke(tocsin, [*words, "--out", str(tmp_path / "b"), "--json"])
    assert json.loads(told.output)["providers"] == 2
    assert json.loads((tmp_path / "b" / "nation.json").read_bytes())["first_day"] == "2026-11-02"


def test_nobody_but_the_scorer_knows_the_truth() -> None:
    """No module of the tools or the exchange reads the truth, or knows where it lies."""
    source = Path(making.__file__).parent.parent
    knows = re.compile(
        r"nation\.(?:truth|scoring|campaigns)|nation import .*\b(?:truth|score|scoring|campaigns)\b|truth/"
    )
    for path in source.rglob("*.py"):
        if path.parent.name != "nation":
            assert not knows.search(path.read_text()), path
