"""The journal's one way to write."""

import ast
import datetime as dt
import threading
from pathlib import Path

import pytest
from django.db import transaction
from tests.jobs import tasks

from tocsin.jobs import worker
from tocsin.journal import acts, subscriptions
from tocsin.journal.acts import Misuse, act
from tocsin.journal.models import Content, Entry, Head, SignedHead
from tocsin.journal.queries import entries, history, size
from tocsin.proof import merkle

pytestmark = pytest.mark.django_db

SOURCE = Path(acts.__file__).parent.parent


def test_entries_of_a_rolled_back_savepoint_are_dropped() -> None:
    """What did not happen is not recorded."""
    with act() as outer:
        outer.record("test:thing:done", "thing_1", {"n": 1})
        with pytest.raises(ValueError, match="no"), act() as inner:
            inner.record("test:thing:done", "thing_2", {"n": 2})
            inner.when_placed(lambda _: pytest.fail("called for what did not happen"))
            raise ValueError("no")
        outer.record("test:thing:done", "thing_3", {"n": 3})
    assert list(Entry.objects.order_by("seq").values_list("subject", flat=True)) == ["thing_1", "thing_3"]


def test_a_failed_act_leaves_nothing() -> None:
    """Neither entry nor position is used up."""
    with pytest.raises(ValueError, match="no"), act() as recorded:
        recorded.record("test:thing:done", "thing_1", {})
        raise ValueError("no")
    assert not Entry.objects.exists()
    assert size() == 0


def test_an_act_that_records_nothing_signs_nothing() -> None:
    """No entry, no head."""
    with act():
        pass
    assert not SignedHead.objects.exists()


def test_the_signed_root_covers_every_leaf() -> None:
    """The head of each act is the RFC 6962 root over all leaves so far."""
    for number in range(5):
        with act() as recorded:
            for _ in range(100):
                recorded.record("test:thing:done", "thing", {"n": number})
    leaves = [bytes(leaf) for leaf in Entry.objects.order_by("seq").values_list("leaf", flat=True)]
    for head in SignedHead.objects.all():
        assert merkle.root_from_leaves(leaves[: head.tree_size]) == bytes(head.root)


def test_instants_increase_even_when_the_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock set back, or two acts in one microsecond, never give two entries one instant."""
    stuck = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    monkeypatch.setattr("tocsin.journal.chain.now", lambda: stuck)
    for _ in range(3):
        with act() as recorded:
            recorded.record("test:thing:done", "thing", {})
            recorded.record("test:thing:done", "thing", {})
    instants = list(Entry.objects.order_by("seq").values_list("at", flat=True))
    assert instants == [stuck + dt.timedelta(microseconds=n) for n in range(6)]
    assert Head.objects.get().last_at == instants[-1]


def test_a_stamp_tells_position_and_instant() -> None:
    """Filled in when the act is placed, and not before."""
    with act() as recorded:
        stamp = recorded.record("test:thing:done", "thing", {})
        with pytest.raises(Misuse):
            _ = stamp.placed_at
    entry = Entry.objects.get()
    assert (stamp.seq, stamp.placed_at) == (entry.seq, entry.at)


def test_recording_outside_an_act_is_loud() -> None:
    """Afterwards, from another thread, or without an act at all."""
    with act() as recorded:
        seen: list[BaseException] = []

        def elsewhere() -> None:
            try:
                recorded.record("test:thing:done", "thing", {})
            except Misuse as misuse:
                seen.append(misuse)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert len(seen) == 1
    with pytest.raises(Misuse):
        recorded.record("test:thing:done", "thing", {})
    with pytest.raises(Misuse):
        acts.current()


def test_an_act_inside_a_bare_transaction_is_loud() -> None:
    """Its entries would be placed before the transaction around it is known to commit."""
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic(), act() as recorded:
        recorded.record("test:thing:done", "thing", {})


def test_an_act_that_needs_its_positions_joins_no_other() -> None:
    """`outermost` is loud inside another act."""
    with act(), pytest.raises(Misuse), act(outermost=True):
        pass


def test_who_subscribed_hears_once_an_act_with_the_span_of_its_entries() -> None:
    """One job an act and task, none where nothing matches."""
    tasks.ran.clear()
    subscriptions.subscribe("test:case:", tasks.note)
    subscriptions.subscribe("test:report:received", tasks.note)
    try:
        with act() as recorded:
            for event in ("test:other:done", "test:case:opened", "test:other:done", "test:report:received"):
                recorded.record(event, "thing", {})
        with act() as recorded:
            recorded.record("test:report:receivedly", "thing", {})
            recorded.record("test:other:done", "thing", {})
    finally:
        subscriptions.unsubscribe(tasks.note)
    assert worker.drain() == 2
    assert tasks.ran == [(1, 3), (4, 4)]
    assert [entry.seq for entry in entries(0, 3, "test:case:")] == [1]


def test_a_job_of_a_failed_act_is_never_run() -> None:
    """It commits with the entries or not at all."""
    subscriptions.subscribe("test:", tasks.note)
    try:
        with pytest.raises(ValueError, match="no"), act() as outer, act():
            outer.record("test:thing:done", "thing", {})
            raise ValueError("no")
    finally:
        subscriptions.unsubscribe(tasks.note)
    assert worker.drain() == 0


def test_a_history_is_the_timeline_of_its_subjects() -> None:
    """Oldest first, with what is still kept; erased contents are None."""
    with act() as recorded:
        recorded.record("test:case:opened", "case_1", {"by": "rule"})
        recorded.record("test:case:opened", "case_2", {})
        recorded.record("test:case:owned", "case_1", {"unit": "mps"})
    Content.objects.filter(entry_id=0).delete()
    told = [(item.seq, item.event, item.content) for item in history(["case_1"])]
    assert told == [(0, "test:case:opened", None), (2, "test:case:owned", {"unit": "mps"})]


def test_nothing_but_acts_opens_a_transaction() -> None:
    """In the whole code base `atomic` is named in one module: everybody else says `act()`."""
    named = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr == "atomic")
        or (isinstance(node, ast.ImportFrom) and any(alias.name == "atomic" for alias in node.names))
    }
    assert named == {"journal/acts.py"}
