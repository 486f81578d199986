"""Counting beside the worker's jobs: one at a time, and no error ends it."""

import threading
from collections.abc import Callable

import pytest

from tocsin.figures import queries, tasks
from tocsin.jobs import periodic


def until_idle() -> None:
    """Wait for the thread that counts, if there is one."""
    for thread in threading.enumerate():
        if thread.name == "figures":
            thread.join(10)


@pytest.fixture
def refresh(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Puts something in the place of the count."""
    return lambda function: monkeypatch.setattr(queries, "refresh", function)


def test_the_worker_does_not_wait_for_a_count(refresh: Callable[[Callable[[], None]], None]) -> None:
    """Called again while it counts, nothing happens; afterwards it counts again."""
    go, began, counts = threading.Event(), threading.Event(), []

    def slow() -> None:
        counts.append(threading.current_thread().name)
        began.set()
        assert go.wait(10)

    refresh(slow)
    tasks.keep_fresh()
    assert began.wait(10)
    tasks.keep_fresh()
    go.set()
    until_idle()
    assert counts == ["figures"]
    tasks.keep_fresh()
    until_idle()
    assert len(counts) == 2


def test_a_count_that_fails_does_not_end_counting(
    refresh: Callable[[Callable[[], None]], None], caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the next turn tries again."""

    def broken() -> None:
        raise OSError("disk full")

    refresh(broken)
    for _ in range(2):
        tasks.keep_fresh()
        until_idle()
    assert [record.message for record in caplog.records] == [
        "the figures could not be counted; the last count stands"
    ] * 2


def test_the_worker_knows_of_it() -> None:
    """Registered when the program starts."""
    assert tasks.keep_fresh in periodic._registered
