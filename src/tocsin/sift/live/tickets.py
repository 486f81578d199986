"""Request Tracker 5 as an outlet: a ticket for each attacker, told of what follows, closed by the outcome.

One origin has one ticket (a flood's victim has one), however many attacks there are: a desk that gets a
ticket an attack reads none. A comment follows for each further attack, where one becomes worse, and where it
is ten times what was told; a new attack opens a ticket that was closed. What the exchange says of the
reports comes back as comments, and a ticket whose
reports were all answered is resolved. A ticket is found again by the mark in its subject, so that a kill
between making and remembering it makes no second one. REST 2 of RT 5, with a token.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.sift.live.outlets import Away
from tocsin.sift.live.settings import Rt
from tocsin.sift.values import Attack
from tocsin.wire.report import SEVERITIES

SCHEMA = """
CREATE TABLE IF NOT EXISTS rt_ticket (mark TEXT PRIMARY KEY, ticket_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rt_report (
  attack_id TEXT PRIMARY KEY, mark TEXT NOT NULL,
  told TEXT NOT NULL DEFAULT '', is_over INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS rt_report_mark ON rt_report (mark);
CREATE TABLE IF NOT EXISTS rt_said (
  attack_id TEXT PRIMARY KEY, severity TEXT NOT NULL, count INTEGER NOT NULL);
"""
TIMEOUT = 20.0
MUCH_MORE = 10  # times what was told before a comment says so
CLOSED = ("resolved", "rejected")
CURSOR = "rt-cursor"


class Gone(Away):
    """What RT is asked about is there no more."""


class Rt5:
    """The tickets of one queue; `sent_id` gives the id by which the exchange knows an attack."""

    most = 1  # what RT took is not told again, wherever the next one fails

    def __init__(self, settings: Rt, db: sqlite3.Connection, sent_id: Callable[[Attack], str]) -> None:
        self.name = f"rt {settings.url} {settings.queue}"
        self._settings, self._db, self._sent_id = settings, db, sent_id
        self._token = _token(settings)
        db.executescript(SCHEMA)

    def queue(self) -> str:
        """The name of its queue, as RT tells it. Raises Away."""
        with self._client() as client:
            return str(self._call(client, "GET", f"/queue/{quote(self._settings.queue)}").get("Name", ""))

    def takes(self, attack: Attack) -> bool:
        """Attacks of the severity that is asked for; never child-abuse material."""
        least = SEVERITIES.index(self._settings.least)
        return attack.lane == "ordinary" and SEVERITIES.index(attack.severity) >= least

    def tell(self, attacks: Sequence[Attack]) -> None:
        """Make a ticket for each new attacker, comment where there is one. Raises Away."""
        with self._client() as client:
            for attack in attacks:
                told = self._told(attack)
                if told is not None and not _is_news(attack, *told):
                    continue
                mark = mark_of(attack)
                ticket = self._ticket(client, mark)
                status = self._status(client, ticket) if ticket else ""
                if ticket is None or not status:
                    self._make(client, mark, attack)
                else:
                    self._comment(client, ticket, _words(attack))
                    if told is None and status in CLOSED:
                        self._call(client, "PUT", f"/ticket/{ticket}", {"Status": "open"})
                self._remember(attack, mark)

    def _told(self, attack: Attack) -> tuple[str, int] | None:
        """The severity and count that RT was told of an attack."""
        asked = "SELECT severity, count FROM rt_said WHERE attack_id = ?"
        row = self._db.execute(asked, (attack.attack_id,)).fetchone()
        return (str(row[0]), int(row[1])) if row else None

    def _remember(self, attack: Attack, mark: str) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO rt_report (attack_id, mark) VALUES (?, ?)", (self._sent_id(attack), mark)
        )
        self._db.execute(
            "INSERT OR REPLACE INTO rt_said VALUES (?, ?, ?)",
            (attack.attack_id, attack.severity, attack.count),
        )

    def answer(self, report_id: str, attack_id: str, state: str, explained: str, is_over: bool) -> None:
        """The exchange says how a report stands: a comment where that is news; resolved when all are over."""
        row = self._db.execute(
            "SELECT mark, told FROM rt_report WHERE attack_id = ?", (attack_id,)
        ).fetchone()
        if row is None or row[1] == state:
            return
        mark = row[0]
        with self._client() as client:
            ticket = self._ticket(client, mark)
            if ticket is None or not self._status(client, ticket):
                return
            self._comment(
                client, ticket, f"The exchange about report {report_id}: {state}. {explained}".strip()
            )
            self._db.execute(
                "UPDATE rt_report SET told = ?, is_over = ? WHERE attack_id = ?", (state, is_over, attack_id)
            )
            (left,) = self._db.execute(
                "SELECT count(*) FROM rt_report WHERE mark = ? AND NOT is_over", (mark,)
            ).fetchone()
            if not left:
                self._call(client, "PUT", f"/ticket/{ticket}", {"Status": "resolved"})

    def _make(self, client: httpx.Client, mark: str, attack: Attack) -> None:
        made = self._call(
            client,
            "POST",
            "/ticket",
            {
                "Queue": self._settings.queue,
                "Subject": f"[{mark}] {_subject(attack)}",
                "Content": _words(attack),
                "ContentType": "text/plain",
            },
        )
        self._db.execute(
            "INSERT OR REPLACE INTO rt_ticket (mark, ticket_id) VALUES (?, ?)",
            (mark, str(made.get("id", ""))),
        )

    def _ticket(self, client: httpx.Client, mark: str) -> str | None:
        """The ticket of an attacker: as remembered, or as RT has it."""
        row = self._db.execute("SELECT ticket_id FROM rt_ticket WHERE mark = ?", (mark,)).fetchone()
        if row:
            return str(row[0])
        query = f"Queue = '{self._settings.queue}' AND Subject LIKE '[{mark}]'"
        found = self._call(client, "GET", "/tickets", params={"query": query})
        items = found.get("items") or []
        if not items:
            return None
        ticket = str(items[0]["id"])
        self._db.execute("INSERT OR REPLACE INTO rt_ticket (mark, ticket_id) VALUES (?, ?)", (mark, ticket))
        return ticket

    def _status(self, client: httpx.Client, ticket: str) -> str:
        """How a ticket stands; nothing where it is there no more."""
        try:
            status = str(self._call(client, "GET", f"/ticket/{ticket}").get("Status", ""))
        except Gone:
            return ""
        return "" if status == "deleted" else status

    def _comment(self, client: httpx.Client, ticket: str, text: str) -> None:
        content = {"Content": text, "ContentType": "text/plain"}
        self._call(client, "POST", f"/ticket/{ticket}/comment", content)

    def _client(self) -> httpx.Client:
        url = self._settings.url.rstrip("/") + "/REST/2.0"
        return httpx.Client(base_url=url, headers={"Authorization": f"token {self._token}"}, timeout=TIMEOUT)

    def _call(
        self, client: httpx.Client, method: str, path: str, body: Any = None, params: Any = None
    ) -> dict[str, Any]:
        try:
            answer = client.request(method, path, json=body, params=params)
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise Gone(f"RT knows nothing of {path}")
            if answer.status_code >= 400:
                raise Away(f"RT answers {answer.status_code} to {method} {path}: {answer.text[:200]}")
            told = msgspec.json.decode(answer.content or b"{}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Away(f"RT is out of reach: {error}") from error
        except msgspec.DecodeError as error:
            raise Away("RT's answer cannot be read") from error
        return told if isinstance(told, dict) else {"messages": told}


def mark_of(attack: Attack) -> str:
    """What names an attacker in a subject: the same for all attacks of one origin, or on a flood's victim."""
    who = (
        attack.targets[0]
        if attack.vector and attack.targets
        else attack.origins[0]
        if attack.origins
        else "-"
    )
    return "tocsin-" + hashlib.sha256(who.encode()).hexdigest()[:10]


def _is_news(attack: Attack, severity: str, count: int) -> bool:
    """Whether an attack is worse than, or ten times, what was told of it."""
    is_worse = SEVERITIES.index(attack.severity) > SEVERITIES.index(severity)
    return is_worse or attack.count >= MUCH_MORE * count


def _subject(attack: Attack) -> str:
    what = attack.kind.rpartition("/")[2].replace("-", " ")
    if attack.vector:
        return f"{what} against {attack.targets[0]}"
    return f"{what} from {attack.origins[0]}" if attack.origins else what


def _words(attack: Attack) -> str:
    lines = [
        f"{attack.why} ({attack.kind}), severity {attack.severity}",
        f"{attack.count:,} times between {attack.first_seen_at} and {attack.last_seen_at}",
        f"origin: {', '.join(attack.origins[:10])}" + (" (could be forged)" if attack.spoofable else ""),
        f"target: {', '.join(attack.targets)}; service: {attack.service or '-'}",
    ]
    lines += [f"{part.line_count:,} lines of {part.path}" for part in attack.evidence[:10]]
    lines += [f"direction: {attack.direction}"] if attack.direction else []
    return "\n".join([*lines, "", f"attack: {attack.attack_id}"])


def _token(settings: Rt) -> str:
    try:
        return Path(settings.token_file).read_text().strip()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise BadInput(f"{settings.token_file}: {reason}", hint="put an RT token into that file") from error


class _State(msgspec.Struct):
    code: str
    words: str
    explained: str = ""


class _Report(msgspec.Struct):
    report_id: str
    attack_id: str
    state: _State


class _Page(msgspec.Struct):
    """Reports of ours that changed, as the exchange lists them."""

    reports: list[_Report]
    cursor: str | None = None
    more: bool = False


class Answers:
    """Reads from the exchange how reports stand, and tells the tickets."""

    def __init__(self, db: sqlite3.Connection, desks: Sequence[Rt5], every: float) -> None:
        self._db, self._desks, self._every = db, desks, every
        self._asked_at = float("-inf")

    def due(self) -> bool:
        """Whether it is time to ask."""
        return time.monotonic() - self._asked_at >= self._every

    def read(self, client: httpx.Client) -> None:
        """Everything that changed since this was last read. Raises Away."""
        self._asked_at = time.monotonic()
        row = self._db.execute("SELECT value FROM setting WHERE name = ?", (CURSOR,)).fetchone()
        cursor = str(row[0]) if row else ""
        more = True
        while more:
            try:
                answer = client.get(
                    "/reports", params={"limit": 500, **({"cursor": cursor} if cursor else {})}
                )
                answer.raise_for_status()
                page = msgspec.json.decode(answer.content, type=_Page)
            except (httpx.HTTPError, msgspec.DecodeError) as error:
                raise Away(f"the exchange does not say how reports stand: {error}") from error
            for report in page.reports:
                state = report.state
                for desk in self._desks:
                    desk.answer(
                        report.report_id, report.attack_id, state.words, state.explained,
                        is_over=state.code in OVER,
                    )  # fmt: skip
            cursor, more = page.cursor or cursor, page.more
            self._db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (CURSOR, cursor))


OVER = frozenset({"X-OUT", "X-NFA", "X-JUR", "X-DIV", "X-INT"})
