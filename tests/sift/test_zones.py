"""`tocsin zone`: a list is written when it is the exchange's word, and stays while nobody answers."""

import base64
import dataclasses
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.sift.listing import EMPTY_ZONE, FIRST_LINES, URL, Listing

from tocsin.kernel.problems import BadInput, NotGenuine, Unreachable
from tocsin.proof import signing
from tocsin.proof.lists import sign_statement
from tocsin.reference.loader import known_kinds
from tocsin.sift import asking, blockstore, calling, suricata, trust, zones
from tocsin.sift.policies import ClassCount, Policy


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Listing:
    """An exchange that lists two names and an address."""
    made = Listing(names=("bad.top", "login.bank.top"), addresses=("198.51.100.7", "2001:db8::7"))
    monkeypatch.setattr(calling, "client", made.client)
    monkeypatch.setattr(calling, "PAUSES", ())
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "edge"))
    return made


@pytest.fixture
def plan(tmp_path: Path) -> zones.Plan:
    """Both lists, each to its file."""
    return zones.Plan(URL, tmp_path / "names.rpz", tmp_path / "addresses.nft")


def run(plan: zones.Plan) -> dict[str, zones.Written]:
    return {written.list: written for written in zones.zone(plan, "key", say=lambda _: None)}


def text(path: Path | None) -> str:
    assert path is not None
    return path.read_text()


def test_a_list_is_written_once_for_every_change(listing: Listing, plan: zones.Plan) -> None:
    """The exact bytes, readable by the daemon; then 304 and no write, until the list changes."""
    first = run(plan)
    assert text(plan.names) == listing.body("names.rpz")
    assert text(plan.addresses) == listing.body("addresses.nft")
    assert {written.changed for written in first.values()} == {True}
    assert plan.names and plan.names.stat().st_mode & 0o777 == 0o644
    assert {written.changed for written in run(plan).values()} == {False}
    assert listing.asked == [200, 200, 304, 304]
    listing.names, listing.number = ("bad.top",), 2
    assert run(plan)["names.rpz"].changed
    assert "login.bank.top" not in text(plan.names)


def test_a_file_that_somebody_changed_is_put_right(listing: Listing, plan: zones.Plan) -> None:
    """Also without a new list."""
    run(plan)
    assert plan.names
    plan.names.write_text("")
    assert run(plan)["names.rpz"].changed
    assert text(plan.names) == listing.body("names.rpz")


def test_what_was_good_stays_while_the_exchange_is_away(listing: Listing, plan: zones.Plan) -> None:
    """The problem says so; the files are untouched."""
    run(plan)
    listing.is_away = True
    with pytest.raises(Unreachable) as caught:
        run(plan)
    assert "names.rpz 1 stays until 2199" in caught.value.hint
    assert text(plan.names) == listing.body("names.rpz")


def test_an_expired_list_is_emptied(listing: Listing, plan: zones.Plan) -> None:
    """Away or not: nothing stays blocked after its last value's end. The daemon can still load the file."""
    listing.expires = "2026-11-01T00:00:00Z"
    run(plan)
    assert text(plan.names) == EMPTY_ZONE
    assert text(plan.addresses) == FIRST_LINES


def test_a_first_run_without_the_exchange_writes_nothing(listing: Listing, plan: zones.Plan) -> None:
    """There is nothing that could be believed."""
    listing.is_away = True
    with pytest.raises(Unreachable):
        run(plan)
    assert plan.names and not plan.names.exists()


OTHER_KEY = signing.new_key()
SPOILED = {
    "bytes": lambda statement, body: (statement, body + b"more.top CNAME .\n"),
    "signature": lambda statement, body: (replace(statement, signature="00" * 64), body),
    "number": lambda statement, body: (replace(statement, number=9), body),
    "another key": lambda statement, body: (sign_statement(OTHER_KEY, statement), body),
    "no hex": lambda statement, body: (replace(statement, signature="x"), body),
}


@pytest.mark.parametrize("how", SPOILED)
def test_what_is_not_the_exchanges_word_is_refused(listing: Listing, plan: zones.Plan, how: str) -> None:
    """The file keeps what was good before."""
    run(plan)
    before = text(plan.names)
    listing.spoil, listing.number = SPOILED[how], 2  # type: ignore[assignment]
    with pytest.raises(NotGenuine):
        run(plan)
    assert text(plan.names) == before


def test_one_list_cannot_stand_for_another_nor_for_a_newer(listing: Listing, plan: zones.Plan) -> None:
    """Genuinely signed, and still not what was asked for."""
    listing.number = 5
    run(plan)
    listing.number = 4
    with pytest.raises(NotGenuine, match="older"):
        run(plan)
    listing.number = 6
    private = listing.private
    listing.spoil = lambda statement, body: (sign_statement(private, replace(statement, name="x")), body)
    with pytest.raises(NotGenuine, match="not for names"):
        run(plan)
    listing.spoil = lambda statement, body: (sign_statement(private, replace(statement, origin="x")), body)
    with pytest.raises(NotGenuine, match="is of x"):
        run(plan)


def test_another_key_than_the_pinned_one_is_refused(listing: Listing, plan: zones.Plan) -> None:
    """As with receipts: trust on first use, then never silently."""
    run(plan)
    listing.private = signing.new_key()
    with pytest.raises(trust.KeyChanged):
        run(plan)


def test_the_reload_runs_after_a_change_and_again_until_it_succeeds(
    listing: Listing, plan: zones.Plan, tmp_path: Path
) -> None:
    """A failed reload is owed: the next run tries it though no file changed."""
    mark = tmp_path / "loaded"
    plan = dataclasses.replace(plan, reloads=(f"cp {shlex.quote(str(plan.names))} {mark}/names",))
    with pytest.raises(zones.ReloadFailed):
        run(plan)
    mark.mkdir()
    assert not run(plan)["names.rpz"].changed
    assert (mark / "names").read_text() == listing.body("names.rpz")
    (mark / "names").unlink()
    run(plan)
    assert not (mark / "names").exists()


def test_a_folder_that_is_not_there_is_told(listing: Listing, plan: zones.Plan, tmp_path: Path) -> None:
    """By its name, without a trace."""
    with pytest.raises(BadInput, match="cannot be written"):
        run(zones.Plan(URL, tmp_path / "nowhere" / "names.rpz"))


def test_what_ever_stood_on_a_list_is_remembered(listing: Listing, plan: zones.Plan) -> None:
    """Blocks of yesterday's list are counted today."""
    run(plan)
    listing.names, listing.addresses, listing.number = ("*.wild.top",), (), 2
    run(plan)
    with blockstore.opened(URL) as store:
        assert store.listed("name") == {"bad.top": False, "login.bank.top": False, "wild.top": True}
        assert set(store.listed("address")) == {"198.51.100.7", "2001:db8::7"}


def test_suricata_has_its_datasets_and_rules(listing: Listing, tmp_path: Path) -> None:
    """Names in Base64, addresses as they are, what is unblocked left out; loaded once for every change."""
    folder, marks = tmp_path / "rules", tmp_path / "marks"
    folder.mkdir()
    plan = zones.Plan(
        URL, reloads=(f"{sys.executable} -c \"open({str(marks)!r}, 'a').write('x')\"",), suricata=folder
    )
    assert [(one.count, one.changed) for one in zones.zone(plan, "key", say=lambda _: None)] == [
        (2, True)
    ] * 2
    names = (folder / "tocsin-names.lst").read_text().split()
    assert [base64.b64decode(name).decode() for name in names] == ["bad.top", "login.bank.top"]
    assert (folder / "tocsin-addresses.lst").read_text() == "198.51.100.7\n2001:db8::7\n"
    rules = (folder / "tocsin.rules").read_text().splitlines()
    assert len({rule.partition("sid:")[2].partition(";")[0] for rule in rules}) == len(rules) == 5
    assert all(rule.count("dataset:isset") == 1 and rule.endswith(";)") for rule in rules)
    zones.zone(plan, "key", say=lambda _: None)
    assert marks.read_text() == "x"
    asking.unblock_here("bad.top")
    zones.zone(plan, "key", say=lambda _: None)
    assert (len((folder / "tocsin-names.lst").read_text().split()), marks.read_text()) == (1, "xx")
    listing.expires, listing.number = "2020-01-01T00:00:00Z", 2
    zones.zone(plan, "key", say=lambda _: None)
    assert [file.name for file in folder.iterdir()] == ["tocsin.rules"]
    assert (folder / "tocsin.rules").read_bytes() == b""


PHISH, C2, SCAN = "fraud/phishing", "malicious-code/c2-server", "information-gathering/scanner"
GARDEN = "help.provider.example"


@pytest.fixture
def classed(listing: Listing) -> Listing:
    """The same exchange, which says for which class each value is listed."""
    listing.names = ("bad.top", "login.bank.top", "new.top")
    listing.kinds = {"bad.top": C2, "login.bank.top": PHISH, "198.51.100.7": SCAN, "2001:db8::7": PHISH}
    return listing


def test_each_class_gets_what_the_policy_says(classed: Listing, plan: zones.Plan) -> None:
    """One leads to the garden, one is only logged, what no rule names gets the default; each once."""
    rules = {PHISH: "garden", "malicious-code": "log"}
    policy = Policy(garden=GARDEN, classes=rules, address_classes={SCAN: "log"})
    written = run(dataclasses.replace(plan, policy=policy))
    leads = dict(line.split(" CNAME ") for line in text(plan.names).splitlines() if "CNAME" in line)
    assert leads == {"bad.top": "rpz-passthru.", "login.bank.top": f"{GARDEN}.", "new.top": "."}
    assert ("198.51.100.7" in text(plan.addresses), "2001:db8::7" in text(plan.addresses)) == (False, True)
    assert written["names.rpz"].classes == (
        ClassCount("", 1, "nxdomain", "", ""),
        ClassCount(PHISH, 1, "garden", PHISH, GARDEN),
        ClassCount(C2, 1, "log", "malicious-code", ""),
    )
    assert [written[name].count for name in ("names.rpz", "addresses.nft")] == [3, 1]


def test_another_policy_takes_effect_without_the_exchange(classed: Listing, plan: zones.Plan) -> None:
    """By the list that is kept here, also while nobody answers; what is unblocked stays so under each."""
    run(plan)
    asking.unblock_here("login.bank.top")
    classed.is_away = True
    quiet = dataclasses.replace(plan, policy=Policy(action="log", classes={C2: "nothing"}))
    with pytest.raises(Unreachable):
        run(quiet)
    assert [line for line in text(plan.names).splitlines() if "CNAME" in line] == [
        "new.top CNAME rpz-passthru."
    ]
    told = {name: [(row.attack_kind, row.action) for row in rows] for name, rows in zones.standing(quiet)}
    assert told["names.rpz"] == [("", "log"), (C2, "nothing")]


def test_suricata_has_a_dataset_and_rules_for_each_class(classed: Listing, tmp_path: Path) -> None:
    """Each with numbers of its own; what a policy leaves out is not there, nor a class that is gone."""
    folder = tmp_path / "rules"
    folder.mkdir()
    plan = zones.Plan(URL, suricata=folder, policy=Policy(classes={C2: "nothing"}, address_action="log"))
    zones.zone(plan, "key", say=lambda _: None)
    assert {file.stem for file in folder.glob("*.lst")} == {
        "tocsin-names", "tocsin-names-fraud-phishing", "tocsin-addresses-fraud-phishing",
        "tocsin-addresses-information-gathering-scanner",
    }  # fmt: skip
    classed.addresses, classed.number = (), 2
    zones.zone(plan, "key", say=lambda _: None)
    assert {file.stem for file in folder.glob("*.lst")} == {"tocsin-names", "tocsin-names-fraud-phishing"}
    kinds = [*known_kinds(), ""]
    sets = [suricata.Dataset(kind, is_names) for kind in kinds for is_names in (True, False)]
    sids = re.findall(r"sid:(\d+);", suricata.rules_file(sets).decode())
    assert len(set(sids)) == len(sids) == 5 * len(kinds)
    assert len({one.name for one in sets}) == len(sets)
    assert max(len(one.name) for one in sets) <= 63, "Suricata refuses a longer name"


@pytest.mark.suricata
def test_suricata_takes_the_rules(classed: Listing, tmp_path: Path) -> None:
    """`suricata -T` loads every rule with its dataset, for every class that is known."""
    classed.kinds = {f"host{n}.bad.top": kind for n, kind in enumerate(known_kinds())}
    classed.kinds |= {f"198.51.100.{n}": kind for n, kind in enumerate(known_kinds())}
    classed.names = tuple(name for name in classed.kinds if name.endswith(".top"))
    classed.addresses = tuple(one for one in classed.kinds if not one.endswith(".top"))
    zones.zone(zones.Plan(URL, suricata=tmp_path), "key", say=lambda _: None)
    done = subprocess.run(
        ["suricata", "-T", "-v", "-S", str(tmp_path / suricata.RULES), "-l", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert f"{5 * len(known_kinds())} rules successfully loaded, 0 rules failed" in said
