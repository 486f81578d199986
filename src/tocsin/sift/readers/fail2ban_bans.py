"""fail2ban's database of bans (SQLite): decisions already taken, so that no rule is needed for them.

Each row of its table `bans` is one record. `timeofban` is in seconds since 1970; `data` holds how many
failures led to the ban and the lines that showed them, which stay where they are.
"""

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec

from tocsin.sift.decisions import meaning
from tocsin.sift.findings import Finding
from tocsin.sift.origins import is_address, normalise
from tocsin.sift.regions import region_of
from tocsin.sift.sources import Unreadable, read_whole

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.regions import region_of
from tocsin.sift.sources import Source, Stream

MAGIC = b"SQLite format 3\0"
LARGEST = 1 << 30
NO_BAN = "a ban that cannot be read"
_ROWS = "SELECT jail, ip, timeofban, data FROM bans ORDER BY rowid"


def looks_like(start: bytes) -> bool:
    """An SQLite database."""
    return start.startswith(MAGIC)


def read(run: "Run", source: "Source", stream: "Stream") -> None:
    """Read the bans to their end. Raises Unreadable for another program's database."""
    content = read_whole(stream, LARGEST)
    run.see(content)
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.deserialize(content)
            rows = _bans(database)
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            raise Unreadable("a damaged database") from error
    if not run.seen_before([region_of(content)], len(rows)):
        for number, row in enumerate(rows, start=1):
            _take(run, source, number, row)


def _bans(database: sqlite3.Connection) -> list[tuple[Any, ...]]:
    database.text_factory = lambda value: value.decode("utf-8", "replace")
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"bans", "jails"} <= tables:
        raise Unreadable("a database, and not fail2ban's")
    rows = database.execute(_ROWS).fetchall()
    if not rows and database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise Unreadable("a damaged database")  # damage can hide rows without an error
    return rows


def _take(run: "Run", source: "Source", number: int, row: tuple[Any, ...]) -> None:
    jail, ip, banned_at, data = row
    line = msgspec.json.encode([str(jail), str(ip), str(banned_at)])
    origin = normalise(str(ip))
    if not isinstance(banned_at, int) or not 0 < banned_at < 1 << 33 or not origin or not is_address(origin):
        run.reject(source, number, NO_BAN, line)
        return
    run.count(1)
    kind, service = meaning(str(jail))
    finding = Finding(
        kind=kind,
        origin=origin,
        target=run.options.target,
        service=service,
        first=banned_at,
        last=banned_at,
        count=_failures(data),
        severity="low",
        why="banned by fail2ban",
        reader=f"fail2ban {jail}"[:120],
        assumed={"kind": "derived from the jail's name", "first_seen_at": "the time of the ban"},
    )
    run.add(source.path, finding, [number], line + b"\n")


def _failures(data: object) -> int:
    try:
        told = msgspec.json.decode(data) if isinstance(data, (str, bytes)) else {}
    except (msgspec.DecodeError, RecursionError):
        return 1
    failures = told.get("failures") if isinstance(told, dict) else None
    return failures if isinstance(failures, int) and 0 < failures < 1 << 31 else 1
