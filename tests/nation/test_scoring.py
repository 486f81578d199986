"""Attacks found beside attacks that happened."""

import pytest
from tests.nation.conftest import Nation

from tocsin.nation import score, scoring
from tocsin.nation.background import Innocent
from tocsin.nation.truth import TrueAttack, Truth

GUESSING = "intrusion-attempts/brute-force"


def happened(day: int, *, origin: str = "198.18.0.1", is_recorded: bool = True) -> TrueAttack:
    """Guessing on a day of October."""
    at = f"2026-10-{day:02}"
    return TrueAttack(
        "brute-force-0001", "here", GUESSING, origin, "gate", "ssh", at, 9, f"{at}T01:00:00Z",
        f"{at}T02:00:00Z", is_recorded,
    )  # fmt: skip


def seen(
    day: int, *, origin: str = "198.18.0.1", severity: str = "low", kind: str = GUESSING
) -> scoring.Found:
    """The same as the tool tells it."""
    return scoring.Found(kind, (origin,), ("gate",), "ssh", f"2026-10-{day:02}T01:00:00Z", severity, "here")


@pytest.mark.parametrize(
    ("truth", "found", "reason"),
    [
        (happened(5), [seen(5, severity="info")], scoring.QUIET),
        (happened(5, is_recorded=False), [], scoring.LOST),
        (happened(5), [seen(6)], scoring.NEIGHBOUR),
        (happened(5), [seen(4)], scoring.NEIGHBOUR),
        (happened(5), [seen(5, kind="information-gathering/scanner")], scoring.OTHERWISE),
        (happened(5), [seen(5, origin="198.18.0.2")], scoring.UNSEEN),
        (happened(5), [], scoring.UNSEEN),
    ],
)
def test_what_is_missed_has_a_reason(truth: TrueAttack, found: list[scoring.Found], reason: str) -> None:
    """Below the threshold, lost, on another day, as another kind, or not at all."""
    whole = score(Truth([], [truth], [], {}), found)[0]
    assert whole.missed == {reason: 1}
    assert whole.sentences[1:] == [f"  1 not told: {reason}", *whole.sentences[2:]]
    assert whole.told_recall == 0
    assert whole.recall == (1 if reason == scoring.QUIET else 0)


def test_what_nobody_did_costs_precision_and_is_explained() -> None:
    """A slip is called a slip, an act on the wrong day that, and anything else what it is."""
    slip = Innocent("here", "198.51.100.7", "gate", 0, "mistyped password")
    found = [seen(5), seen(6), seen(5, origin="198.51.100.7"), seen(5, origin="198.18.9.9")]
    whole, guessing = score(Truth([], [happened(5)], [slip], {}), found)
    assert whole.wrong == {scoring.NEIGHBOUR: 1, "mistyped password": 1, scoring.NOBODY: 1}
    assert (whole.precision, whole.recall) == (0.25, 1.0)
    assert guessing == scoring.Score(GUESSING, 1, 1, 1, 4, 1, {}, whole.wrong)


def test_what_is_found_elsewhere_is_not_found_here() -> None:
    """The same origin at another provider is another attack."""
    there = scoring.found(
        "there",
        [
            b'{"kind":"intrusion-attempts/brute-force","origins":["198.18.0.1"],"targets":["gate"],'
            b'"service":"ssh","first_seen_at":"2026-10-05T01:00:00Z","severity":"low","count":3}'
        ],
    )
    whole = score(Truth([], [happened(5)], [], {}), there)[0]
    assert (whole.recall, whole.precision) == (0, 0)


def test_nearly_everything_in_a_nation_is_found(nation: Nation) -> None:
    """Of what is in the evidence all is seen, but for a clock's day; nine in ten that are told are true."""
    scores = score(nation.truth, nation.found)
    print("\n".join(line for one in scores for line in one.sentences))
    whole = scores[0]
    assert whole.true > 200
    assert whole.evidence_recall >= 0.99
    assert whole.precision >= 0.9
    assert set(whole.missed) <= {scoring.QUIET, scoring.LOST, scoring.NEIGHBOUR}
    assert scoring.NOBODY not in whole.wrong
    loud = [
        one for one in scores[1:] if one.kind.split("/")[0] in ("fraud", "malicious-code", "abusive-content")
    ]
    assert [one.told_recall for one in loud] == [1.0] * 3


def test_every_line_is_accounted_for(nation: Nation) -> None:
    """Nothing of a nation is rejected, and yesterday's file, seen again, counts for nothing."""
    assert sum(sifted.balance.rejected for sifted in nation.sifted.values()) == 0
    fresh = sum(sifted.balance.read - sifted.balance.duplicate for sifted in nation.sifted.values())
    complaints = len(list(nation.folder.rglob("*.eml"))) + len(list(nation.folder.rglob("xarf/*.json")))
    assert fresh == nation.summary.lines + complaints
    assert any(sifted.balance.duplicate for sifted in nation.sifted.values())
