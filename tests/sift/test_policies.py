"""What a class gets: the most specific rule, exactly one action for each value, and nothing unknown."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.wire.test_lists import DAY, NOON

from tocsin.kernel.problems import BadInput
from tocsin.sift import listed, policies
from tocsin.sift.policies import Policy
from tocsin.sift.primary_garden import WORDS, page
from tocsin.wire import nft, rpz

KINDS = ("fraud/phishing", "fraud/copyright", "malicious-code/c2-server", "other/other", "new-class/new-type")
RULES = ("fraud/phishing", "fraud", "malicious-code", "malicious-code/c2-server", "other", "other/other")
HOST = "help.provider.example"

kinds = st.sampled_from(KINDS)
actions = st.sampled_from([*policies.NAMES, "garden:phishing.provider.example"])
drops = st.sampled_from(list(policies.ADDRESSES))


def rules(of: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    """A table of rules by class."""
    return st.lists(st.tuples(st.sampled_from(RULES), of), max_size=5).map(dict)


some = st.tuples(actions, st.just(HOST), rules(actions), drops, rules(drops)).map(lambda told: Policy(*told))
hosts = st.sampled_from([f"{label}{n}.bad-site.top" for label in ("a", "login", "x-1") for n in range(9)])
names = st.lists(st.tuples(hosts, kinds), max_size=9).map(dict)
origins = st.sampled_from([f"80.94.92.{n}" for n in range(9)] + [f"2a06:98c0::{n}" for n in range(1, 9)])
addresses = st.lists(st.tuples(origins, kinds), max_size=9).map(dict)


def grouped(found: dict[str, str]) -> dict[str, list[str]]:
    """Values by class, as a list has them."""
    by_kind: dict[str, list[str]] = {}
    for value, kind in sorted(found.items()):
        by_kind.setdefault(kind, []).append(value)
    return dict(sorted(by_kind.items()))


@settings(deadline=None)
@given(some, names)
def test_a_policy_loses_no_name_and_gives_each_one_action(policy: Policy, found: dict[str, str]) -> None:
    """Each name leads where its class does, once; what gets nothing is left out, and nothing else."""
    groups = [(kind, rpz.NXDOMAIN, of) for kind, of in grouped(found).items()]
    text = listed.obeyed("names.rpz", "".join(rpz.zone(groups, 7)), policy)
    leads = [line.split(" CNAME ") for line in text.splitlines() if " CNAME " in line]
    wanted = {name: policy.name(kind).target for name, kind in found.items()}
    assert len(leads) == len({name for name, _ in leads})
    assert dict(leads) == {name: target for name, target in wanted.items() if target is not None}
    assert [one.value for one in listed.values("names.rpz", text)] == [name for name, _ in leads]


@settings(deadline=None)
@given(some, addresses)
def test_a_policy_loses_no_address(policy: Policy, found: dict[str, str]) -> None:
    """What is dropped stands in the sets, and nothing else does."""
    ends = NOON + DAY
    groups = [(kind, [(value, ends) for value in of]) for kind, of in grouped(found).items()]
    text = listed.obeyed("addresses.nft", "".join(nft.ruleset(groups, 7, NOON)), policy)
    standing = [one.value for one in listed.values("addresses.nft", text)]
    wanted = {value for value, kind in found.items() if policy.address(kind).action == policies.DROP}
    assert (len(standing), set(standing)) == (len(wanted), wanted)
    assert "flush set inet tocsin shared4" in text


@settings(deadline=None)
@given(some)
def test_the_most_specific_rule_wins(policy: Policy) -> None:
    """Of the class itself, of the whole class, then the default; also for a class that is unknown."""
    for kind in KINDS:
        whole = kind.partition("/")[0]
        said = policy.classes.get(kind, policy.classes.get(whole, policy.action))
        choice = policy.name(kind)
        assert choice.action == said.partition(":")[0]
        assert choice.rule in (kind, whole, "")
        assert bool(choice.host) is (choice.action == policies.GARDEN)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            '[classes]\n"fraud/fishing" = "log"',
            "there is no class 'fraud/fishing' (did you mean fraud/phishing?)",
        ),
        ('[address_classes]\n"scanner" = "log"', "there is no class 'scanner'"),
        (
            '[classes]\n"fraud" = "drop"',
            "fraud: there is no action 'drop' for names; known: nxdomain, garden",
        ),
        ('[classes]\n"fraud" = "log:x.example"', "there is no action 'log:x.example'"),
        ('[classes]\n"fraud" = "garden"', "fraud is garden, so garden must name a host"),
        ('[classes]\n"fraud" = "garden:localhost"', "so it must name a host"),
        ('garden = "help.example"', "garden is named, but action is nxdomain and no class leads there"),
        ('address_action = "nxdomain"', "no action 'nxdomain' for addresses; known: drop, log, nothing"),
        ('colour = "red"', "unknown field `colour`"),
        ("action = nxdomain", "Invalid value"),
    ],
)
def test_what_is_unknown_is_told_with_what_is_known(tmp_path: Path, more: str, said: str) -> None:
    """Before anything is written."""
    file = tmp_path / "policy.toml"
    file.write_text(more + "\n")
    with pytest.raises(BadInput) as caught:
        policies.load(file)
    assert said in caught.value.detail
    assert caught.value.hint == policies.HINT


def test_the_example_and_the_settings_of_a_primary_are_policies(tmp_path: Path) -> None:
    """Both can be given to `tocsin zone` and `tocsin why`."""
    file = tmp_path / "policy.toml"
    file.write_text(policies.example())
    assert policies.load(file).name("fraud/phishing").words == (
        f"garden at {HOST}, by the rule for fraud/phishing"
    )
    file.write_text('exchange = "https://e.example"\nlisten = ["192.0.2.1"]\n[classes]\n"fraud" = "log"\n')
    assert policies.load(file).name("fraud/copyright").rule == "fraud"


def test_a_gardens_page_says_what_its_class_does() -> None:
    """Phishing reads otherwise than malware; a whole class, and one without words of its own, have a page."""
    pages = {kind: page("Ferry", "help@ferry.example", "https://e.example", kind) for kind in WORDS}
    assert len(set(pages.values())) == len(WORDS)
    assert "passwords, card numbers" in pages["fraud/phishing"]
    assert "infected" in pages["malicious-code/c2-server"]
    general = page("Ferry", "help@ferry.example", "https://e.example")
    assert page("Ferry", "help@ferry.example", "https://e.example", "other/other") == general
    with pytest.raises(BadInput, match="no class"):
        page("Ferry", "help@ferry.example", "https://e.example", "phishing")
