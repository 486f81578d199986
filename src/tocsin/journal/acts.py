"""The one way to write: `with act() as recorded:` changes rows and appends entries in one transaction.

Entries are buffered, those of a rolled-back savepoint dropped, and the rest appended when the outermost act
ends: the head row is locked last, so that positions become visible in order (docs/decisions/0002).
"""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from tocsin.journal import chain, projections, subscriptions
from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import commitment, new_salt
from tocsin.store import locks

WhenPlaced = Callable[[chain.Placement], None]


class Misuse(RuntimeError):  # noqa: N818 (a mistake in our own code, never shown to a person)
    """An act was used in a way that could lose or misplace an entry."""


@dataclass(slots=True)
class Stamp:
    """Position and instant of an entry; filled in when the act is placed."""

    seq: int = -1
    at: dt.datetime | None = None
    stored_at: str = ""  # the instant as `store.bulk` takes it

    @property
    def placed_at(self) -> dt.datetime:
        """The instant. Raises Misuse while the act still runs."""
        if self.at is None:
            raise Misuse("an entry has no instant before its act is placed")
        return self.at


@dataclass(slots=True)
class Pending:
    """An entry that waits for its position; `content` is None where the noun keeps it itself."""

    event: str
    subject: str
    commitment: bytes
    stamp: Stamp
    salt: bytes | None = None
    content: bytes | None = None


@dataclass
class Act:
    """What one act has recorded so far. Belongs to the thread that began it, until it ends."""

    pending: list[Pending] = field(default_factory=list)
    callbacks: list[WhenPlaced] = field(default_factory=list)
    thread: int = field(default_factory=threading.get_ident)
    ended: bool = False

    def record(self, event: str, subject: str, content: dict[str, Any]) -> Stamp:
        """Append an entry with its own salt; `content` goes to the erasable `Content` table."""
        self._check()
        salt, body, stamp = new_salt(), canonical_bytes(content), Stamp()
        self.pending.append(Pending(event, subject, commitment(salt, body), stamp, salt, body))
        return stamp

    def record_committed(self, event: str, subject: str, committed: bytes) -> Stamp:
        """Append an entry whose content and salt the caller keeps."""
        self._check()
        stamp = Stamp()
        self.pending.append(Pending(event, subject, committed, stamp))
        return stamp

    def when_placed(self, callback: WhenPlaced) -> None:
        """Run `callback` once positions and instants are known, in the same transaction, head locked.

        For rows that carry a journal position or an instant by which readers follow: written here, they
        become visible in the order of their instants. It must write rows only, and record nothing.
        """
        self._check()
        self.callbacks.append(callback)

    def _check(self) -> None:
        if self.ended:
            raise Misuse("this act is over: its entries already have their positions")
        if self.thread != threading.get_ident():
            raise Misuse("an act belongs to the thread that began it")


_local = threading.local()


def current() -> Act:
    """The running act of this thread. Raises Misuse where there is none."""
    running: Act | None = getattr(_local, "act", None)
    if running is None:
        raise Misuse("this must happen inside an act: `with act() as recorded:`")
    return running


@contextmanager
def act(*, outermost: bool = False) -> Iterator[Act]:
    """Join the running act, as a savepoint, or begin one; everything commits together or not at all.

    Beginning one inside a bare `transaction.atomic` raises RuntimeError: its commit would not be ours.
    `outermost` is for who needs positions at the end: joining a running act then raises Misuse.
    """
    running: Act | None = getattr(_local, "act", None)
    if running is not None:
        if outermost:
            raise Misuse("this act cannot be part of another: it needs its positions when it ends")
        with _savepoint(running):
            yield running
        return
    fresh = Act()
    with locks.writer():
        _local.act = fresh
        try:
            with transaction.atomic(durable=True):
                yield fresh
                _place(fresh)
        finally:
            fresh.ended = True
            _local.act = None


@contextmanager
def _savepoint(running: Act) -> Iterator[None]:
    entries, callbacks = len(running.pending), len(running.callbacks)
    running._check()
    try:
        with transaction.atomic():
            yield
    except BaseException:
        del running.pending[entries:], running.callbacks[callbacks:]
        raise


def _place(finished: Act) -> None:
    finished.ended = True
    if not finished.pending and not finished.callbacks:
        return
    projections.run([(item.event, item.subject) for item in finished.pending])
    placement = chain.append(finished.pending)
    for callback in finished.callbacks:
        callback(placement)
    subscriptions.announce(placement.first_seq, [item.event for item in finished.pending])
