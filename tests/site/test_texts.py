"""A NUL, which PostgreSQL keeps in no text, is refused with 400 wherever it stands, and never a 500."""

import json

import pytest
from django.test import Client
from tests.api.test_units import OLIVE, V1, holder, member, opened
from tests.cases.town import Town, build_town
from tests.doors.test_policy_matrix import signed_in

from tocsin.cases.models import Decision

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def town() -> Town:
    """Kent has joined."""
    return build_town()


@pytest.mark.parametrize(
    "path",
    [
        "/cases/queue?status=%00",
        "/cases/queue?kind=hM%00&owner=a",
        "/cases?words=%00",
        "/suggestions?case_id=%00",
    ],
)
def test_in_an_address_of_the_interface(town: Town, path: str) -> None:
    """A problem document, as for any other bad parameter."""
    answer = holder(town).get(V1 + path, headers=OLIVE)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert holder(town).get(f"{V1}/cases/case_%00").status_code == 404


@pytest.mark.parametrize("path", ["/queue?q=%00", "/queue?owner=a%00b", "/links?case=%00"])
def test_in_an_address_of_a_page(town: Town, path: str) -> None:
    """A page that says so."""
    olive = signed_in(town.people["olive"])
    assert olive.get(path).status_code == 400
    assert olive.get("/cases/case_%00").status_code == 404


def test_in_a_form(town: Town) -> None:
    """Nothing is done."""
    case, olive = opened(town), signed_in(town.people["olive"])
    typed = {"status": "X-NFA", "reason": "because\0"}
    assert olive.post(f"/cases/{case.case_id}/assess", typed).status_code == 400
    assert Client().post("/blocked", {"value": "shop.example", "words": "\0"}).status_code == 400
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"status": "X-NFA", "reason": "because\0"}, ["/reason"]),
        ({"status": "\0", "reason": "\0", "a/b\0": 1}, ["/status", "/reason", "/a~1b\0"]),
    ],
)
def test_in_a_body(town: Town, body: dict[str, object], pointers: list[str]) -> None:
    """The error points at each; a backslash before the word is no NUL."""
    case, desk = opened(town), holder(town)
    address = f"{V1}/cases/{case.case_id}/assess"
    refused = desk.post(address, json.dumps(body), content_type="application/json", headers=OLIVE)
    assert refused.status_code == 400
    assert [one["pointer"] for one in refused.json()["errors"]] == pointers
    assert not Decision.objects.exists()
    told = json.dumps({"status": "X-NFA", "reason": "they sent \\u0000 as six characters"})
    done = desk.post(address, told, content_type="application/json", headers=OLIVE)
    assert done.status_code == 200, done.content
    assert Decision.objects.get().reason == "they sent \\u0000 as six characters"


def test_in_an_objection(town: Town) -> None:
    """Which has a decoder of its own."""
    body = json.dumps({"value": "shop.example", "reason": "ours\0"})
    refused = member(town).post(f"{V1}/indicators/objections", body, content_type="application/json")
    assert refused.status_code == 400
