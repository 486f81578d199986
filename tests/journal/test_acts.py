"""The journal's one way to write."""

import pytest

from tocsin.journal.acts import act
from tocsin.journal.models import Entry, SignedHead
from tocsin.proof import merkle

pytestmark = pytest.mark.django_db


def test_entries_of_a_rolled_back_savepoint_are_dropped() -> None:
    """What did not happen is not recorded."""
    with act() as outer:
        outer.record("test:thing:done", "thing_1", {"n": 1})
        with pytest.raises(ValueError, match="no"), act() as inner:
            inner.record("test:thing:done", "thing_2", {"n": 2})
            raise ValueError("no")
        outer.record("test:thing:done", "thing_3", {"n": 3})
    assert list(Entry.objects.order_by("seq").values_list("subject", flat=True)) == ["thing_1", "thing_3"]


def test_the_signed_root_covers_every_leaf() -> None:
    """The head of each act is the RFC 6962 root over all leaves so far."""
    for number in range(5):
        with act() as recorded:
            for _ in range(100):
                recorded.record("test:thing:done", "thing", {"n": number})
    leaves = [bytes(leaf) for leaf in Entry.objects.order_by("seq").values_list("leaf", flat=True)]
    for head in SignedHead.objects.all():
        assert merkle.root_from_leaves(leaves[: head.tree_size]) == bytes(head.root)
