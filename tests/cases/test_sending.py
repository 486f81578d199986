"""The coordinator's row: packet and one-time link in one press, what was sent when, and what rises next."""

import csv
import datetime as dt
import io

import pytest
from django.test import Client
from tests.cases.town import NOON, Town

from tocsin.cases import clocks, queries
from tocsin.cases.models import OneTimeLink
from tocsin.doors.web import coordination
from tocsin.doors.web.documents import Paper, typeset

pytestmark = pytest.mark.django_db


def test_one_press_gives_a_packet_with_a_link_that_opens_the_case(
    town: Town, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document says the address; the address works; the row says what was sent, and that it was read."""
    case = town.case_of(town.report("lakes"))
    papers: list[Paper] = []
    monkeypatch.setattr(coordination, "typeset", lambda paper: papers.append(paper) or typeset(paper))
    client.force_login(town.people["cora"])
    assert "Nothing was sent yet" in client.get("/coordination").content.decode()
    made = client.post(f"/cases/{case.case_id}/send")
    assert made.content.startswith(b"%PDF-") and made["Cache-Control"] == "no-store"
    address = dict(papers[0].blocks[0].rows)["Open"]  # type: ignore[arg-type]  # rows of two
    assert case.case_id in papers[0].foot
    opened = Client().get(address)
    assert opened.status_code == 200 and "Password guessing" in opened.content.decode()
    Client().post(f"{address}/accept", {"officer": "PC Lake"})
    page = client.get("/coordination").content.decode()
    assert "Packet and link made" in page and "accepted, PC Lake" in page


def test_every_sending_stays_on_the_row_and_only_the_last_link_is_valid(town: Town, client: Client) -> None:
    """Sent again, the first is revoked, and both stand with their times."""
    case = town.case_of(town.report("lakes"))
    client.force_login(town.people["cora"])
    for _ in range(2):
        client.post(f"/cases/{case.case_id}/send")
    row = queries.coordination(town.actor("cora")).not_joined[0]
    assert [(link.state, link.with_packet) for link in row.links] == [("unused", True), ("revoked", True)]
    assert "What was sent when" in client.get("/coordination").content.decode()
    rows = list(csv.DictReader(io.StringIO(b"".join(client.get("/coordination.csv")).decode())))
    assert [(one["case_id"], one["links_made"], one["link_state"]) for one in rows] == [
        (case.case_id, "2", "unused")
    ]


def test_what_is_restricted_or_has_joined_is_not_sent_so(town: Town, client: Client) -> None:
    """No link is made where no packet may be printed, and none by who does not coordinate."""
    restricted = town.case_of(town.report("lakes", lane="restricted", kind="abusive-content/violence"))
    ours = town.case_of(town.report("ferry", origins=("203.0.113.9",)))
    client.force_login(town.people["cora"])
    assert client.post(f"/cases/{restricted.case_id}/send").status_code == 403
    assert client.post(f"/cases/{ours.case_id}/send").status_code in (404, 409)
    client.force_login(town.people["olive"])
    assert client.post(f"/cases/{ours.case_id}/send").status_code == 403
    assert not OneTimeLink.objects.exists()


def test_what_goes_a_desk_higher_next_is_told_before_it_does(town: Town, client: Client) -> None:
    """With the desk that has it, the next, and when; it moves up as clocks are swept."""
    case = town.case_of(town.report("lakes"))
    assert queries.rising(town.actor("cora")) == ()
    due_at = case.clocks.get(clock_id=clocks.ACCEPT).due_at
    clocks.sweep(due_at)
    first = queries.rising(town.actor("cora"))[0]
    assert (first.case_id, first.desk, first.next_desk) == (case.case_id, "the owner", "the supervisor")
    clocks.sweep(first.next_at + dt.timedelta(seconds=1))
    assert queries.rising(town.actor("cora"))[0].desk == "the supervisor"
    assert due_at > NOON
    client.force_login(town.people["cora"])
    assert "Each goes a desk higher" in client.get("/coordination").content.decode()
