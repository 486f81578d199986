"""Where hits are kept: Parquet files by day, which count only once the store's database names them.

A piece is first written aside, then moved to its place, then named in one transaction with the stretches of
evidence it came from; a file that no transaction names is swept away by the next run. So a kill at any
point loses nothing and counts nothing twice.

    clients/day=2026-11-20/a1b2.parquet   source, indicator, hour, client (UINTEGER), hits
    others/day=2026-11-20/a1b2.parquet    the same with a client of 16 bytes (IPv6 and what is no address)
    hours/day=2026-11-20/a1b2.parquet     source, indicator, hour, hits, clients: no client any more
    settled/day=2026-11-20/c3d4.parquet   the day's tallies, made from its clients and others

`source` and `indicator` are numbers of the database's tables; `hour` is its start in seconds since 1970.
"""

import datetime as dt
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tocsin.sift.hits.clients import KEY_BYTES, PERIOD
from tocsin.sift.sqlite import transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS piece (
  form TEXT NOT NULL, day INTEGER NOT NULL, name TEXT NOT NULL, is_settled INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (form, day, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS client_key (period INTEGER PRIMARY KEY, key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS indicator (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY, source_id TEXT NOT NULL UNIQUE);
"""
CLIENT_FORMS = ("clients", "others")
DAY_FORMS = ("hours", "settled")
SECONDS = 86_400
SYNCED_AT_ONCE = 16


@dataclass(frozen=True, order=True)
class Piece:
    """One file: what it holds (`form`), of which day (days since 1970), its name."""

    form: str
    day: int
    name: str


class Pieces:
    """The pieces of one store: a folder, and the database that says which of its files count.

    Pieces that are not in the folder lie with those `below`, which are read and never touched.
    """

    def __init__(self, folder: Path, db: sqlite3.Connection, below: "Pieces | None" = None) -> None:
        self.folder = folder / "hits"
        self.db = db
        self._below = below

    def path(self, piece: Piece) -> Path:
        """Where a piece lies."""
        mine = self._mine(piece)
        return self._below.path(piece) if self._below and not mine.exists() else mine

    def _mine(self, piece: Piece) -> Path:
        return self.folder / piece.form / day_folder(piece.day) / piece.name

    def paths(self, forms: Sequence[str], day: int | None = None) -> dict[str, list[str]]:
        """The files that count, by form; of one day or of all."""
        rows = self.db.execute(
            "SELECT form, day, name FROM piece WHERE ? IS NULL OR day = ? ORDER BY form, day, name",
            (day, day),
        )
        found: dict[str, list[str]] = {form: [] for form in forms}
        for row in rows:
            if row[0] in found:
                found[row[0]].append(str(self.path(Piece(*row))))
        return found

    def aside(self) -> Path:
        """An empty folder of this run's own, on the same disk."""
        folder = self.folder / "aside" / secrets.token_hex(8)
        folder.mkdir(mode=0o700, parents=True)
        return folder

    def place(self, form: str, *folders: Path, mark: str = "") -> list[Piece]:
        """Move what queries wrote below folders (`day=…/….parquet`) to its place; it does not count yet.

        `mark` begins the names of pieces that are replaced together.
        """
        files = [file for folder in folders for file in sorted(folder.glob("day=*/*.parquet"))]
        days = [day_of(file.parent.name) for file in files]
        placed = [Piece(form, day, mark + secrets.token_hex(8) + ".parquet") for day in days]
        with ThreadPoolExecutor(SYNCED_AT_ONCE) as beside:  # a disk settles many in the time of one
            list(beside.map(sync, files))
            for file, piece in zip(files, placed, strict=True):
                self._mine(piece).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                file.rename(self._mine(piece))
            list(beside.map(sync, {self._mine(piece).parent for piece in placed}))
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        return placed

    def name(self, pieces: Iterable[Piece]) -> None:
        """Let pieces count; to be called inside the transaction that says where they came from."""
        self.db.executemany(
            "INSERT INTO piece (form, day, name) VALUES (?, ?, ?)", [(p.form, p.day, p.name) for p in pieces]
        )

    def replace(self, mark: str, placed: Sequence[Piece]) -> None:
        """Let pieces count in the place of those that bear the same mark."""
        gone = self._pieces("substr(name, 1, ?) = ?", len(mark), mark)
        gone = [piece for piece in gone if piece not in placed]
        with transaction(self.db):
            self._forget(gone)
            self.name(placed)
        self._remove(gone)

    def unsettled(self) -> list[int]:
        """Days with clients that the day's tallies do not know yet."""
        rows = self.db.execute(
            "SELECT DISTINCT day FROM piece"
            " WHERE form IN ('clients', 'others') AND NOT is_settled ORDER BY day"
        )
        return [day for (day,) in rows]

    def settle(self, days: Sequence[int], placed: Sequence[Piece]) -> None:
        """These are the days' tallies; and where there are clients among them, all of that day and form."""
        replaced = {(piece.form, piece.day) for piece in placed} | {("settled", day) for day in days}
        gone = [piece for key in sorted(replaced) for piece in self._pieces("form = ? AND day = ?", *key)]
        with transaction(self.db):
            self._forget(gone)
            self.name(placed)
            self.db.executemany(
                "UPDATE piece SET is_settled = 1 WHERE day = ? AND form IN ('clients', 'others')",
                [(day,) for day in days],
            )
        self._remove(gone)

    def expire(self, before: int) -> None:
        """Forget every client of days before that one, and the keys of thirty days that lie before it whole.

        The days' tallies stay, with the clients counted by then.
        """
        gone = self._pieces("day < ? AND form IN ('clients', 'others')", before)
        days = sorted({piece.day for piece in gone})
        final = [piece for day in days for piece in self._pieces("day = ? AND form = 'settled'", day)]
        kept = [Piece("hours", piece.day, piece.name) for piece in final]
        for piece, new in zip(final, kept, strict=True):
            self._mine(new).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._mine(new).exists():  # the run before was killed between the two
                os.link(self._mine(piece), self._mine(new))
        with transaction(self.db):
            self._forget([*gone, *final])
            self.name(kept)
            self.db.execute("DELETE FROM client_key WHERE (period + 1) * ? <= ?", (PERIOD, before))
        self._remove([*gone, *final])

    def key(self, period: int) -> bytes:
        """The key for the clients of thirty days, drawn when it is first asked for."""
        self.db.execute(
            "INSERT OR IGNORE INTO client_key VALUES (?, ?)", (period, secrets.token_bytes(KEY_BYTES))
        )
        row = self.db.execute("SELECT key FROM client_key WHERE period = ?", (period,)).fetchone()
        return bytes(row[0])

    def indicators(self, values: Sequence[str]) -> dict[str, int]:
        """The numbers of values, given where they have none.

        They are safe on disk when the first pieces that need them count: that transaction waits for both.
        """
        (last,) = self.db.execute("SELECT coalesce(max(id), 0) FROM indicator").fetchone()
        self.db.execute("PRAGMA synchronous=NORMAL")
        try:
            with transaction(self.db):
                self.db.executemany(
                    "INSERT OR IGNORE INTO indicator (value) VALUES (?)", [(value,) for value in values]
                )
        finally:
            self.db.execute("PRAGMA synchronous=FULL")
        new = dict(self.db.execute("SELECT value, id FROM indicator WHERE id > ?", (last,)))
        find = "SELECT id FROM indicator WHERE value = ?"
        known = (value for value in values if value not in new)
        return new | {value: int(self.db.execute(find, (value,)).fetchone()[0]) for value in known}

    def values(self) -> dict[int, str]:
        """Every value by its number."""
        return dict(self.db.execute("SELECT id, value FROM indicator"))

    def log(self, source_id: str) -> int:
        """The number of a log."""
        self.db.execute("INSERT OR IGNORE INTO log (source_id) VALUES (?)", (source_id,))
        return int(self.db.execute("SELECT id FROM log WHERE source_id = ?", (source_id,)).fetchone()[0])

    def logs(self) -> dict[int, str]:
        """Every log by its number."""
        return dict(self.db.execute("SELECT id, source_id FROM log"))

    def sweep(self) -> None:
        """Remove what a killed run left behind."""
        shutil.rmtree(self.folder / "aside", ignore_errors=True)
        counting = {self.path(piece) for piece in self._pieces("1")}
        for file in self.folder.glob("*/day=*/*.parquet"):
            if file not in counting:
                file.unlink()

    def _pieces(self, where: str, *values: object) -> list[Piece]:
        rows = self.db.execute(f"SELECT form, day, name FROM piece WHERE {where}", values)
        return [Piece(*row) for row in rows]

    def _forget(self, pieces: Iterable[Piece]) -> None:
        self.db.executemany(
            "DELETE FROM piece WHERE form = ? AND day = ? AND name = ?",
            [(p.form, p.day, p.name) for p in pieces],
        )

    def _remove(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._mine(piece).unlink(missing_ok=True)


def day_folder(day: int) -> str:
    """`day=2026-11-20`."""
    return f"day={dt.date(1970, 1, 1) + dt.timedelta(days=day)}"


def day_of(folder: str) -> int:
    """The day that such a folder is of."""
    return (dt.date.fromisoformat(folder.removeprefix("day=")) - dt.date(1970, 1, 1)).days


def sync(path: Path) -> None:
    """Wait until a file, or what a folder names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
