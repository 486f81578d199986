"""`tocsin zone` takes a policy as options and as a file, says what each class gets, refuses the unknown."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.sift.listing import URL, Listing

from tocsin.cli.main import tocsin
from tocsin.kernel.problems import BadInput
from tocsin.sift import calling, policies

PHISH, C2, BRUTE = "fraud/phishing", "malicious-code/c2-server", "intrusion-attempts/brute-force"


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Listing:
    """An exchange with two names and an address, each of a class of its own."""
    made = Listing(names=("bad.top", "login.bank.top"), addresses=("198.51.100.7",))
    made.kinds = {"bad.top": C2, "login.bank.top": PHISH, "198.51.100.7": BRUTE}
    monkeypatch.setattr(calling, "client", made.client)
    monkeypatch.setattr(calling, "PAUSES", ())
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "edge"))
    monkeypatch.setenv("TOCSIN_KEY", "key")
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(tocsin, ["zone", "--from", URL, *words])


def leads(file: Path) -> dict[str, str]:
    """Where each name leads."""
    return dict(line.split(" CNAME ") for line in file.read_text().splitlines() if " CNAME " in line)


def test_options_override_the_file(listing: Listing, tmp_path: Path) -> None:
    """The file's rule for one class stays, the default is the option's; both are told, and why."""
    policy, names = tmp_path / "policy.toml", tmp_path / "names.rpz"
    policy.write_text('garden = "help.fern.example"\n[classes]\n"fraud/phishing" = "garden"\n')
    words = ("--names", str(names), "--policy", str(policy))
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert leads(names) == {"bad.top": ".", "login.bank.top": "help.fern.example."}
    assert "fraud/phishing                    1  garden at help.fern.example, by the rule" in done.output
    done = run(*words, "--action", "log", "--class", "malicious-code=nothing", "--json")
    assert leads(names) == {"login.bank.top": "help.fern.example."}
    told = json.loads(done.stdout)
    assert (told["count"], [(row["attack_kind"], row["rule"]) for row in told["classes"]]) == (
        1,
        [(PHISH, PHISH), (C2, "malicious-code")],
    )


def test_a_check_says_what_each_class_gets_and_writes_nothing(listing: Listing, tmp_path: Path) -> None:
    """By the lists that are kept here; nothing where none was fetched."""
    assert "No list was fetched so far." in run("--check").output
    names, addresses = tmp_path / "names.rpz", tmp_path / "addresses.nft"
    run("--names", str(names), "--addresses", str(addresses))
    before = names.read_bytes()
    rules = ("--class", "fraud/phishing=garden:help.fern.example", "--address-action", "log")
    assert run("--check", *rules).output == (
        "names.rpz: 2 values\n"
        "  fraud/phishing                    1  garden at help.fern.example, by the rule for fraud/phishing\n"
        "  malicious-code/c2-server          1  nxdomain, by the default\n"
        "addresses.nft: 1 value\n"
        "  intrusion-attempts/brute-force          1  log, by the default\n"
        "any other class of names: nxdomain, by the default\n"
        "any other class of addresses: log, by the default\n"
    )
    assert names.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--class", "phishing=log"), "there is no class 'phishing' (did you mean fraud/phishing?)"),
        (("--class", "fraud"), "--class needs CLASS=ACTION"),
        (("--action", "drop"), "there is no action 'drop' for names; known: nxdomain, garden"),
        (("--action", "garden"), "garden must name a host of yours"),
        (("--address-class", "fraud=garden"), "there is no action 'garden' for addresses; known: drop"),
    ],
)
def test_what_is_unknown_stops_before_anything_is_fetched(
    listing: Listing, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """With what is known."""
    done = run("--names", str(tmp_path / "names.rpz"), *words)
    assert isinstance(done.exception, BadInput)
    assert said in done.exception.detail
    assert (listing.asked, (tmp_path / "names.rpz").exists()) == ([], False)


def test_the_example_needs_nothing_else(tmp_path: Path) -> None:
    """And is a policy."""
    done = CliRunner().invoke(tocsin, ["zone", "--example"])
    (tmp_path / "policy.toml").write_text(done.output)
    assert policies.load(tmp_path / "policy.toml").name(PHISH).action == "garden"
