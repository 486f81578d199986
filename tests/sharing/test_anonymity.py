"""The anonymity exercise: a member that reads every door guesses hardly better than by the commonest name."""

import pytest
from tests.sharing import anonymity
from tests.sharing.anonymity import NOBODY, TELLING, play
from tests.sharing.guessing import QUESTIONS, attack

from tocsin.nation.shape import Shape

pytestmark = pytest.mark.django_db

MOST_POINTS = 10  # percentage points above the base rate
OBSERVER = 3
NATION = Shape(1, providers=12, days=28, intensity=4)


def test_whoever_reads_everything_guesses_hardly_better_than_by_the_commonest_name() -> None:
    """Eleven other members; those with telling hours let their words wait. No door names any of them."""
    world = play(NATION, OBSERVER, TELLING)
    for question in QUESTIONS:
        result = attack(world.items, OBSERVER, question)
        assert result.members >= 10
        assert result.items >= 60
        assert result.gain <= MOST_POINTS, result
    others = [member for number, member in enumerate(world.members) if number != OBSERVER]
    for door, text in world.every_door():
        for member in others:
            assert member.name.encode() not in text, door
            assert member.member_id.encode() not in text, door


def test_the_attacker_is_no_straw_man() -> None:
    """Where nobody waits for a batch, the same attacker finds the last speaker far more often."""
    world = play(NATION, OBSERVER, NOBODY)
    assert attack(world.items, OBSERVER, "last").gain > MOST_POINTS


def test_a_guess_is_right_only_by_what_was_seen() -> None:
    """On features that say nothing the attacker does what the commonest name does."""
    plain = [
        anonymity.Item(
            anonymity.Seen(str(place), anonymity.FIRST, {"kind": "name", "hour": 3}),
            frozenset({place % 3, 0}),
            frozenset({0}),
        )
        for place in range(60)
    ]
    result = attack(plain, 9, "last")
    assert (result.base, result.success, result.gain) == (1.0, 1.0, 0.0)
