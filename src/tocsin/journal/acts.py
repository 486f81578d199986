"""The one way to write: `with act() as recorded:` changes rows and appends entries in one transaction.

Entries are buffered, those of a rolled-back savepoint dropped, and the rest appended when the outermost act
ends: the head row is locked last, so that positions become visible in order (docs/decisions/0002).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from tocsin.journal import chain
from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import commitment, new_salt
from tocsin.store import locks


@dataclass
class Pending:
    """An entry that waits for its position; `content` is None where the noun keeps it itself."""

    event: str
    subject: str
    commitment: bytes
    salt: bytes | None = None
    content: bytes | None = None
    stamp: "Stamp | None" = None


@dataclass
class Stamp:
    """Filled in when the act is flushed: position and instant of an entry."""

    seq: int = -1
    at: Any = None


@dataclass
class Act:
    """What one act has recorded so far."""

    pending: list[Pending] = field(default_factory=list)

    def record(self, event: str, subject: str, content: dict[str, Any]) -> Stamp:
        """Append an entry with its own salt; `content` goes to the erasable `Content` table."""
        salt, body, stamp = new_salt(), canonical_bytes(content), Stamp()
        self.pending.append(Pending(event, subject, commitment(salt, body), salt, body, stamp))
        return stamp

    def record_committed(self, event: str, subject: str, committed: bytes) -> None:
        """Append an entry whose content and salt the caller keeps."""
        self.pending.append(Pending(event, subject, committed))


_local = threading.local()


@contextmanager
def act() -> Iterator[Act]:
    """Join the running act, as a savepoint, or begin one; everything commits together or not at all."""
    current: Act | None = getattr(_local, "act", None)
    if current is not None:
        mark = len(current.pending)
        try:
            with transaction.atomic():
                yield current
        except BaseException:
            del current.pending[mark:]
            raise
        return
    fresh = Act()
    with locks.writer():
        _local.act = fresh
        try:
            with transaction.atomic(durable=True):
                yield fresh
                chain.append(fresh.pending)
        finally:
            _local.act = None
