"""What `tocsin dns` does with classes: each name leads where its own does; another policy needs nobody."""

from pathlib import Path

import pytest
from tests.sift.listing import URL, Listing
from tests.sift.test_primary import C2, PHISH, Paper, Street, desk, listing, paper, street, told

from tocsin.kernel.problems import Unreachable
from tocsin.sift import blockstore, policies, primary

__all__ = ["desk", "listing", "paper", "street"]

POLICY = """
garden = "help.provider.example"
[classes]
"fraud" = "garden"
"malicious-code" = "nothing"
"""


def test_a_class_decides_where_a_name_leads(desk: primary.Primary, listing: Listing) -> None:
    """The default, the garden, and nothing; one whose class changes leads elsewhere with the next change."""
    steps: list[primary.Step] = []
    desk.show = steps.append
    desk.policy = policies.Policy("nxdomain", "help.provider.example", {"fraud": "garden", C2: "nothing"})
    listing.names, listing.kinds = (
        ("bad.top", "login.bank.top", "c2.top"),
        {"login.bank.top": PHISH, "c2.top": C2},
    )
    desk.turn()
    paper = desk.knot
    assert isinstance(paper, Paper)
    assert paper.zone == {"bad.top": ".", "login.bank.top": "help.provider.example."}
    assert [(row.attack_kind, row.action, row.rule) for row in steps[0].classes] == [
        ("", "nxdomain", ""), (PHISH, "garden", "fraud"), (C2, "nothing", C2),
    ]  # fmt: skip
    listing.change(*listing.names)
    listing.kinds = {"bad.top": PHISH, "login.bank.top": C2, "c2.top": "other/other"}
    desk.turn()
    assert paper.zone == {"bad.top": "help.provider.example.", "c2.top": "."}
    assert (paper.loads, paper.changes, listing.sent) == (1, 1, ["whole", "changes"])
    assert [(row.attack_kind, row.values) for row in steps[1].classes] == [
        (PHISH, 1), (C2, 1), ("other/other", 1),
    ]  # fmt: skip


def test_another_policy_takes_effect_at_the_next_start(listing: Listing, tmp_path: Path) -> None:
    """From what is kept here, also while the exchange is away: the zone's mark is another one."""
    listing.kinds = {"bad.top": C2, "login.bank.top": PHISH}
    store = blockstore.BlockStore(URL)

    def begun(more: str) -> primary.Primary:
        """One that begins with these settings."""
        return primary.Primary(told(tmp_path, more), "key", store, lambda _: None, lambda _: None)

    first = begun("")
    first.turn()
    assert isinstance(first.knot, Paper)
    zone, mark = first.knot.zone, first.knot.held
    assert zone == {"bad.top": ".", "login.bank.top": "."}
    listing.is_away = True
    second = begun(POLICY)
    assert isinstance(second.knot, Paper)
    second.knot.zone, second.knot.held = zone, mark
    with pytest.raises(Unreachable):
        second.turn()
    assert second.knot.zone == {"login.bank.top": "help.provider.example."}
    assert second.knot.held != mark


def test_a_list_of_before_classes_is_fetched_whole_once(street: Street) -> None:
    """As soon as somebody looks, and not again where the exchange still tells none."""
    classes, street.listing.kinds = street.listing.kinds, {}
    street.change("bad.top", "login.bank.top")
    street.listing.tells_changes = False
    street.follow()
    street.open()
    street.follow()
    street.follow()
    assert street.listing.asked == [200, 200, 304, 304]
    street.open()
    street.listing.kinds, street.listing.number = classes, 3
    street.follow()
    assert set(street.list.names.values()) == {PHISH}
