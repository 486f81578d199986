"""What the edge tool's small databases share: transactions that are whole, and one process at a time."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tocsin.kernel.problems import Problem


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Everything in the block is written, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if db.in_transaction:  # a full disk has ended it
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def is_held(file: Path) -> bool:
    """Whether a process holds the file's lock."""
    try:
        with file.open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def alone(file: Path, busy: Problem) -> Iterator[None]:
    """Hold the file's lock (flock) until the block ends; raises `busy` where another process has it."""
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        yield
