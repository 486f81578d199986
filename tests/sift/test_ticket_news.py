"""What is worth a word in a ticket, and what is not."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tocsin.sift.live.settings import Rt
from tocsin.sift.live.tickets import Gone, Rt5
from tocsin.sift.values import Attack


class Desk(Rt5):
    """One that notes what it would ask of RT, and how RT's tickets stand."""

    asked: list[tuple[str, str]]
    stands: dict[str, str]

    def _call(
        self, client: Any, method: str, path: str, body: Any = None, params: Any = None
    ) -> dict[str, Any]:
        if method != "GET":
            self.asked.append((method, path))
        if (method, path) == ("POST", "/ticket"):
            self.stands[str(len(self.stands) + 1)] = "new"
            return {"id": str(len(self.stands))}
        number = path.split("/")[2] if path.startswith("/ticket/") else ""
        if method == "GET" and number:
            if number not in self.stands:
                raise Gone("gone")
            return {"Status": self.stands[number]}
        return {"items": []}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk without tickets."""
    (tmp_path / "token").write_text("a-token")
    told = Rt(url="https://rt.invalid", token_file=str(tmp_path / "token"), queue="Abuse")
    made = Desk(told, sqlite3.connect(":memory:", isolation_level=None), lambda attack: attack.attack_id)
    made.asked, made.stands = [], {}
    return made


def attack(number: int = 1, count: int = 10, severity: str = "medium") -> Attack:
    """An attack by one origin."""
    return Attack(
        attack_id=f"attack_{number}",
        kind="intrusion-attempts/brute-force",
        origins=("192.0.2.1",),
        targets=("gate",),
        service="ssh",
        first_seen_at="2026-03-05T10:00:00Z",
        last_seen_at="2026-03-05T10:00:01Z",
        count=count,
        evidence=(),
        severity=severity,  # type: ignore[arg-type]  # one of the severities
    )


def test_growing_slowly_is_no_news(desk: Desk) -> None:
    """A ticket, then a word at ten times as many or a worse severity, not every few seconds."""
    for count in (10, 11, 50, 99):
        desk.tell([attack(count=count)])
    assert desk.asked == [("POST", "/ticket")]
    desk.tell([attack(count=100)])
    desk.tell([attack(count=101, severity="high")])
    assert desk.asked[1:] == [("POST", "/ticket/1/comment")] * 2


def test_a_new_attack_opens_a_closed_ticket(desk: Desk) -> None:
    """One that is open only gets the word."""
    desk.tell([attack(1)])
    desk.tell([attack(2)])
    desk.stands["1"] = "resolved"
    desk.tell([attack(3)])
    words = [("POST", "/ticket/1/comment")] * 2
    assert desk.asked == [("POST", "/ticket"), *words, ("PUT", "/ticket/1")]


@pytest.mark.parametrize("gone", [True, False])
def test_a_ticket_that_somebody_deleted_is_made_anew(gone: bool, desk: Desk) -> None:
    """The queue does not stand still for it."""
    desk.tell([attack(1)])
    desk.stands["1"] = "deleted"
    if gone:
        desk.stands = {"9": "new"}
    desk.tell([attack(2)])
    assert desk.asked == [("POST", "/ticket")] * 2
