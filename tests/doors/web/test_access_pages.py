"""The pages of who else reads a case: a guest longer, a room closed, a one-time link withdrawn."""

import re

import pytest
from django.test import Client
from tests.cases.town import Town, build_town
from tests.doors.test_policy_matrix import signed_in

from tocsin.cases import causes, reviewing, rooms, services
from tocsin.cases.models import Case, OneTimeLink, Suggestion
from tocsin.kernel.time import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def town() -> Town:
    """Kent has joined, Cumbria has not."""
    return build_town()


def of_kent(town: Town) -> tuple[Case, Client]:
    """A case of Kent's, and Olive's browser."""
    case = town.case_of(town.report(severity="high", received_at=now()))
    for name in ("Nora Quist", "Otto Quist"):
        rooms.invite_guest(case, town.actor("olive"), name, "Quist Forensics", ["timeline"], 1)
    return case, signed_in(town.people["olive"])


def text_of(client: Client, path: str, **posted: object) -> str:
    """The page that a press leads to."""
    answer = client.post(path, posted, follow=True)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_a_guest_reads_on_and_the_room_is_closed(town: Town) -> None:
    """By one press each; what has ended is not made to work again."""
    case, olive = of_kent(town)
    nora = case.guests.get(name="Nora Quist")
    before = nora.expires_at
    assert "may read on" in text_of(olive, f"/cases/{case.case_id}/guests/{nora.pk}/extend", days="7")
    nora.refresh_from_db()
    assert nora.expires_at > before
    assert "2 links ended" in text_of(olive, f"/cases/{case.case_id}/room/close")
    assert {guest.is_current for guest in rooms.guests_of(case)} == {False}
    assert "has ended" in text_of(olive, f"/cases/{case.case_id}/guests/{nora.pk}/extend", days="7")
    assert "0 links ended" in text_of(olive, f"/cases/{case.case_id}/room/close")


def test_a_one_time_link_is_withdrawn(town: Town) -> None:
    """On the case's page, for as long as it could be used."""
    case = town.case_of(town.report("lakes", received_at=now()))
    cora, path = signed_in(town.people["cora"]), f"/cases/{case.case_id}"
    assert "Withdraw the link" not in cora.get(path).content.decode()
    token = services.make_one_time_link(case, town.actor("cora"))
    assert "Withdraw the link" in cora.get(path).content.decode()
    assert "The link is withdrawn." in text_of(cora, f"{path}/link/withdraw")
    assert "No link was left" in text_of(cora, f"{path}/link/withdraw")
    assert OneTimeLink.objects.get().revoked_at is not None
    assert Client().get(f"/link/{token}").status_code == 404


def test_a_network_is_reviewed_by_one_press_and_taken_back_by_one(town: Town) -> None:
    """And still one pair at a time for whoever wants to."""
    for n in (1, 2, 3):
        town.report(origins=(f"203.0.113.{n}",), target=f"198.51.100.{n}", received_at=now())
    olive = signed_in(town.people["olive"])
    page = olive.get("/links").content.decode()
    assert "3 pairs of cases may belong together, in 1 question; you decide." in page
    assert page.count('<section class="t-pair"') == 1 and ": 3 cases</h2>" in page
    pairs = [str(pk) for pk in Suggestion.objects.values_list("pk", flat=True)]
    assert "They are one case now." in text_of(olive, "/links/decide", pair=pairs, said="yes")
    assert Case.objects.filter(closed_at__isnull=True).count() == 1
    text_of(olive, "/links/undo", pair=pairs)
    assert Case.objects.filter(closed_at__isnull=True).count() == 3
    text_of(olive, "/links/decide", pair=pairs[:1], said="no")
    assert len(causes.by_cause(reviewing.waiting(town.actor("olive")))) == 1
    assert olive.post("/links/decide", {"said": "no"}).status_code == 404
    assert olive.post("/links/decide", {"pair": ["x"], "said": "no"}).status_code == 404
