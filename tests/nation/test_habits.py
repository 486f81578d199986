"""The comparison with 2016, in its short form: ten days of a small nation, on the exchange itself."""

import pytest
from bench.habits import desks, old, sums, world
from bench.habits.effort import Exchange, Habits

from tocsin.nation.people import Officer
from tocsin.nation.shape import Shape

SIZE = (31, 8, 5, 10)
GREEN = Officer("Olive Green", "olive@kent.example", "kent", "09:00", "17:00", (1, 2, 3, 4, 5), 60)


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> world.Nation:
    return world.make(Shape(*SIZE), tmp_path_factory.mktemp("habits") / "nation")


@pytest.mark.django_db
@pytest.mark.parametrize(("unwilling", "passing"), [(False, False), (False, True), (True, True)])
def test_nobody_meets_silence_in_ten_days(nation: world.Nation, unwilling: bool, passing: bool) -> None:
    """With the same people and hours fewer reports go unanswered, and the database has no silent one."""
    by_hand, every = world.habits_of_2016(nation)
    with_it = world.with_tocsin(nation, unwilling=unwilling, passing=passing)[0]
    print(with_it)
    assert with_it["check_finds"] == 0
    assert with_it["reports"] == every["reports"] > by_hand["reports"] > 0
    assert with_it["never_answered_percent"] < by_hand["never_answered_percent"]
    assert with_it["officer_minutes_a_report"] < every["officer_minutes_a_report"]
    assert with_it["cases"] < with_it["reports"]


def test_work_takes_the_minutes_that_it_takes(nation: world.Nation) -> None:
    """What does not fit into one day is finished on the next, and what has given up is never begun."""
    shifts = desks.sessions([GREEN], nation.shape.first_day, 3)
    begins = shifts[0].starts_at
    pile = [
        desks.Work((0.0,), 1, begins, 90.0),
        desks.Work((1.0,), 2, begins, 20.0),
        desks.Work((2.0,), 3, begins, 10.0, gives_up_at=begins),
        desks.Work((3.0,), 4, begins, 600.0),
    ]
    done = {work.number: at for work, at in desks.work_off(pile, shifts)}
    assert sorted(done) == [1, 2]
    assert (done[1] - shifts[1].starts_at).total_seconds() == 30 * 60
    assert (done[2] - shifts[1].starts_at).total_seconds() == 50 * 60


def test_a_desk_reports_by_hand_what_is_heaviest(nation: world.Nation) -> None:
    """Nobody finds the time for more than an hour a week of it."""
    chosen = old.chosen(nation.told(), Habits())
    weeks = {(told.member, told.received_at.isocalendar()[:2]) for told in chosen}
    assert len(chosen) <= 4 * len(weeks)


def test_effort_times_a_factor_leaves_investigating_as_it_is() -> None:
    """The sensitivity changes what Tocsin changes, and nothing else."""
    doubled = Exchange().times(2)
    assert (doubled.decide, doubled.investigate) == (2 * Exchange().decide, Exchange().investigate)


def test_quantiles_know_never() -> None:
    """Where half are never answered there is no median."""
    assert sums.quantiles([1.0, float("inf"), float("inf")]) == (None, None)
    assert sums.quantiles([1.0, 2.0, float("inf")]) == (2.0, None)
    assert sums.quantiles([]) == (None, None)
