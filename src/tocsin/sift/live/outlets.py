"""Where attacks go beside the exchange: a SIEM's file or syslog, a ticket system.

What is to be told waits in the spool, written with the attacks themselves, and leaves it when it was taken:
nothing is lost while the other side is away or this one is killed. What is told again in such a case has the
same id and version. Of an attack that grew meanwhile only the newest version waits.
"""

import socket
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from tocsin.kernel.problems import Problem
from tocsin.sift.live.ecs import ecs
from tocsin.sift.live.settings import Siem
from tocsin.sift.values import Attack

SCHEMA = """
CREATE TABLE IF NOT EXISTS outlet (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, attack_id TEXT NOT NULL, body BLOB NOT NULL,
  UNIQUE (name, attack_id));
"""
TIMEOUT = 10.0
FACILITY = 13 * 8  # "log audit" (RFC 5424, table 1)
_LEVELS = {"info": 6, "low": 5, "medium": 4, "high": 3, "critical": 2}


class Away(Problem):
    """The other side does not take what it is told."""

    slug = "outlet-away"


class Outlet(Protocol):
    """A place that is told of attacks, up to `most` at once: what it took is not told again."""

    name: str
    most: int

    def takes(self, attack: Attack) -> bool:
        """Whether this attack is for it."""

    def tell(self, attacks: Sequence[Attack]) -> None:
        """Tell it. Raises Away where it takes nothing."""


class Outlets:
    """All outlets of a watch, and what waits for them in a spool's database."""

    def __init__(self, db: sqlite3.Connection, outlets: Sequence[Outlet]) -> None:
        self._db, self._outlets = db, outlets
        db.executescript(SCHEMA)
        self.fault = ""

    def add(self, attacks: Iterable[Attack]) -> None:
        """Let these wait, within a transaction of the caller's: the newest version of each."""
        self._db.executemany(
            "INSERT INTO outlet (name, attack_id, body) VALUES (?, ?, ?)"
            " ON CONFLICT (name, attack_id) DO UPDATE SET body = excluded.body, id = excluded.id",
            [
                (outlet.name, attack.attack_id, msgspec.json.encode(attack))
                for attack in attacks
                for outlet in self._outlets
                if outlet.takes(attack)
            ],
        ) if self._outlets else None

    def waiting(self) -> int:
        """How much waits."""
        return int(self._db.execute("SELECT count(*) FROM outlet").fetchone()[0])

    def tell(self) -> None:
        """Tell every outlet what waits for it; where one is away, its part goes on waiting."""
        self.fault = ""
        for outlet in self._outlets:
            try:
                while self._tell_some(outlet):
                    pass
            except Away as problem:
                self.fault = f"{outlet.name}: {problem.detail}"

    def _tell_some(self, outlet: Outlet) -> bool:
        rows = self._db.execute(
            "SELECT id, body FROM outlet WHERE name = ? ORDER BY id LIMIT ?", (outlet.name, outlet.most)
        ).fetchall()
        if rows:
            outlet.tell([msgspec.json.decode(body, type=Attack) for _, body in rows])
            self._db.executemany("DELETE FROM outlet WHERE id = ?", [(number,) for number, _ in rows])
        return len(rows) == outlet.most


class EcsFile:
    """ECS documents, one a line, at the end of a file; a file that was moved away is made anew."""

    most = 500

    def __init__(self, path: str) -> None:
        self.name = f"ecs {path}"
        self._path = Path(path)

    def takes(self, attack: Attack) -> bool:
        """Everything that is no child-abuse material."""
        return attack.lane == "ordinary"

    def tell(self, attacks: Sequence[Attack]) -> None:
        """Append them in one write."""
        try:
            with self._path.open("ab") as out:
                out.write(b"".join(msgspec.json.encode(ecs(attack)) + b"\n" for attack in attacks))
        except OSError as error:
            raise Away((error.strerror or "cannot be written").lower()) from error


class Syslog:
    """RFC 5424 messages over UDP (RFC 5426) or TCP with counted frames (RFC 6587), each an ECS document."""

    most = 500

    def __init__(self, url: str, hostname: Callable[[], str] = socket.gethostname) -> None:
        self.name = f"syslog {url}"
        parts = urlsplit(url)
        self._is_tcp, self._address = parts.scheme == "tcp", (parts.hostname or "", parts.port or 514)
        self._host = hostname() or "-"

    def takes(self, attack: Attack) -> bool:
        """Everything that is no child-abuse material."""
        return attack.lane == "ordinary"

    def tell(self, attacks: Sequence[Attack]) -> None:
        """Send them, one message each."""
        messages = [self.message(attack) for attack in attacks]
        try:
            if self._is_tcp:
                with socket.create_connection(self._address, TIMEOUT) as sock:
                    sock.sendall(b"".join(b"%d %s" % (len(message), message) for message in messages))
                return
            family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                for message in messages:
                    sock.sendto(message, self._address)
        except OSError as error:
            raise Away((error.strerror or str(error)).lower()) from error

    def message(self, attack: Attack) -> bytes:
        """One attack as a message; its id stands in MSGID."""
        priority = FACILITY + _LEVELS[attack.severity]
        body = msgspec.json.encode(ecs(attack))
        head = f"<{priority}>1 {attack.last_seen_at} {self._host} tocsin - {attack.attack_id[:32]} - "
        return head.encode() + body


def outlets_of(settings: Sequence[Siem]) -> list[Outlet]:
    """The outlets that the settings name."""
    made: list[Outlet] = [EcsFile(one.ecs) for one in settings if one.ecs]
    made += [Syslog(one.syslog) for one in settings if one.syslog]
    return made
