"""Who else reads a case, by REST: seals, the glass, rooms, one-time links. Tokens are given once."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from tests.api.test_units import OLIVE, V1, holder, opened, post
from tests.cases.town import Town, build_town

from tocsin.access import keys
from tocsin.access.models import Alert, Answered
from tocsin.cases import reach, rooms, services
from tocsin.cases.models import BrokenGlass, Case, Guest, OneTimeLink, Seal
from tocsin.journal.models import Content, Entry

pytestmark = [pytest.mark.django_db, pytest.mark.database]

SAUL, SONIA = {"On-Behalf-Of": "saul@example.org"}, {"On-Behalf-Of": "sonia@example.org"}
CORA = {"On-Behalf-Of": "cora@example.org"}
WHY = "An officer of the unit is a witness in it"
GUEST = {"name": "Dr Nora Quist", "organisation": "Quist Forensics", "parts": ["timeline"], "days": 3}


@pytest.fixture
def town() -> Town:
    """Kent has two supervisors."""
    cache.clear()
    town = build_town()
    town.person("sonia", "supervisor", unit="kent")
    return town


def desk_of_the_exchange() -> Client:
    """A client with the exchange's own key."""
    _, text = keys.make_key(None, "coordination", sorted(keys.EXCHANGE_SCOPES))
    return Client(headers={"Authorization": f"Bearer {text}"})


def sealed(town: Town, desk: Client) -> Case:
    """A case that Saul sealed to himself and Olive, by the key."""
    case = opened(town)
    done = post(desk, f"/cases/{case.case_id}/seal", {"people": ["Olive@example.org"], "reason": WHY}, **SAUL)
    assert done.status_code == 200, done.content
    assert [one["name"] for one in done.json()["people"]] == ["Olive", "Saul"]
    return case


def seal_seen(desk: Client, case: Case, **who: str) -> dict[str, Any]:
    """What the key reads of the seal."""
    found = desk.get(
        f"{V1}/cases/{case.case_id}/seal", headers={k.replace("_", "-"): v for k, v in who.items()}
    )
    assert found.status_code == 200, found.content
    return dict(found.json())


def test_a_supervisor_seals_and_unseals_by_the_units_own_system(town: Town) -> None:
    """The key reads nothing of the case meanwhile, whomever it names; the clock stays to be seen."""
    desk = holder(town)
    case = sealed(town, desk)
    for who in (OLIVE, SAUL, {}):
        refused = desk.get(f"{V1}/cases/{case.case_id}", headers=who)
        assert (refused.status_code, refused.json()["type"]) == (403, "about:blank#sealed")
        assert post(desk, f"/cases/{case.case_id}/accept", **who).status_code in (403, 404)
    let_in, not_named = seal_seen(desk, case, **SAUL), seal_seen(desk, case, **SONIA)
    assert (let_in["reason"], let_in["sealed_by"], let_in["may_break"]) == (WHY, "Saul", False)
    assert (not_named["reason"], not_named["people"], not_named["may_break"]) == ("", [], True)
    assert seal_seen(desk, case)["people"] == [], "nobody is named"
    assert not_named["is_sealed"] and not_named["due"] is not None
    assert post(desk, f"/cases/{case.case_id}/unseal", **SONIA).status_code == 403
    lifted = post(desk, f"/cases/{case.case_id}/unseal", **SAUL)
    assert (lifted.status_code, lifted.json()["is_sealed"]) == (200, False)
    assert desk.get(f"{V1}/cases/{case.case_id}").status_code == 200
    told = Alert.objects.filter(words__contains="lifted the seal")
    assert {alert.person.name for alert in told} == {"Olive", "Saul"}, "it opened the case to a key"
    entries = [bytes(one) for one in Content.objects.values_list("content", flat=True)]
    assert sum(b'"by_key":"desk"' in one and b'"by":"Saul"' in one for one in entries) == 2


@pytest.mark.parametrize("who", [{}, OLIVE, CORA])
@pytest.mark.parametrize("act", ["seal", "unseal", "break-glass"])
def test_nobody_but_a_supervisor_seals_opens_or_breaks(town: Town, act: str, who: dict[str, str]) -> None:
    """Neither the key by itself nor an officer."""
    desk = holder(town)
    case = opened(town) if act == "seal" else sealed(town, desk)
    body = {"seal": {"people": [], "reason": WHY}, "unseal": None, "break-glass": {"reason": WHY}}[act]
    before = Entry.objects.count()
    assert post(desk, f"/cases/{case.case_id}/{act}", body, **who).status_code == 403
    assert Entry.objects.count() == before


def test_an_ordinary_key_seals_nothing(town: Town) -> None:
    """It takes a scope of its own: a key that could act on cases can do no more than before."""
    desk, case = holder(town, "kent", "cases:write"), opened(town)
    refused = post(desk, f"/cases/{case.case_id}/seal", {"people": [], "reason": WHY}, **SAUL)
    assert refused.status_code == 403
    assert post(desk, f"/cases/{case.case_id}/guests", GUEST, **OLIVE).status_code == 403


def test_a_seal_names_people_of_the_units_and_a_reason(town: Town) -> None:
    """Refused whole: nothing is half sealed."""
    desk, case = holder(town), opened(town)
    for body in (
        {"people": ["edna@example.org"], "reason": WHY},
        {"people": ["olive@example.org"], "reason": "because"},
    ):
        assert post(desk, f"/cases/{case.case_id}/seal", body, **SAUL).status_code == 400
    assert not Seal.objects.exists()


def test_broken_glass_opens_the_case_to_the_person_and_not_to_the_key(town: Town) -> None:
    """For four hours, on its page; whoever sealed it hears of it, and by which key it came."""
    desk = holder(town)
    case = sealed(town, desk)
    assert post(desk, f"/cases/{case.case_id}/break-glass", {"reason": "urgent"}, **SONIA).status_code == 400
    broken = post(desk, f"/cases/{case.case_id}/break-glass", {"reason": WHY}, **SONIA)
    assert broken.status_code == 200, broken.content
    assert [one["name"] for one in broken.json()["people"]] == ["Olive", "Saul", "Sonia"]
    assert broken.json()["people"][2]["until"] is not None
    assert not reach.is_sealed_from(town.actor("sonia"), case)
    assert desk.get(f"{V1}/cases/{case.case_id}", headers=SONIA).status_code == 403
    assert BrokenGlass.objects.get().person == town.people["sonia"]
    assert Alert.objects.filter(person=town.people["saul"], words__contains="broke the seal").exists()
    assert b'"by_key":"desk"' in bytes(Content.objects.get(entry__event="cases:seal:broken").content)


def test_another_unit_learns_of_no_seal(town: Town) -> None:
    """The same answer as for no case at all."""
    case, essex = sealed(town, holder(town)), holder(town, "essex")
    for path in (case.case_id, "case_0000000000A1"):
        assert essex.get(f"{V1}/cases/{path}/seal").status_code == 404
        assert post(essex, f"/cases/{path}/unseal").status_code == 404


def test_a_room_is_opened_extended_and_closed(town: Town) -> None:
    """By an officer's word; the guest's link works, lives longer, and ends."""
    case, desk = opened(town), holder(town)
    at = f"/cases/{case.case_id}/guests"
    assert post(desk, at, GUEST).status_code == 403, "somebody of the unit lets a guest in"
    made = post(desk, at, GUEST, **OLIVE)
    assert made.status_code == 200, made.content
    token = made.json()["address"].rsplit("/", 1)[1]
    assert rooms.find_guest(token).name == GUEST["name"]
    (guest,) = desk.get(V1 + at).json()["guests"]
    assert (guest["parts"], guest["is_current"]) == (["timeline"], True)
    longer = post(desk, f"{at}/{guest['pk']}/extend", {"days": 30}, **OLIVE).json()["guests"][0]
    assert longer["expires_at"] > guest["expires_at"]
    again = post(desk, f"{at}/{guest['pk']}/extend", {"days": 1}, **OLIVE).json()["guests"][0]
    assert again["expires_at"] == longer["expires_at"], "never shorter"
    assert post(desk, f"{at}/{guest['pk']}/extend", {"days": 2}, **OLIVE).status_code == 400
    post(desk, at, GUEST | {"name": "Second Guest"}, **OLIVE)
    ended = post(desk, f"{at}/{guest['pk']}/end", **OLIVE).json()["guests"]
    assert [one["is_current"] for one in ended] == [True, False]
    assert post(desk, f"{at}/{guest['pk']}/extend", {"days": 7}, **OLIVE).status_code == 409
    closed = post(desk, f"{at}/end", **OLIVE).json()["guests"]
    assert [one["is_current"] for one in closed] == [False, False]
    with pytest.raises(rooms.RoomNotFound):
        rooms.find_guest(token)


def test_no_token_is_given_twice_or_kept(town: Town) -> None:
    """Sent again under one Idempotency-Key, the act is done once, and its answer lacks the address."""
    case, desk, name = opened(town), holder(town), {"Idempotency-Key": "one"}
    first = post(desk, f"/cases/{case.case_id}/guests", GUEST, **OLIVE, **name).json()
    again = post(desk, f"/cases/{case.case_id}/guests", GUEST, **OLIVE, **name)
    assert again["Idempotency-Replayed"] == "true"
    assert first["address"] and again.json() == first | {"address": ""}
    token = first["address"].rsplit("/", 1)[1].encode()
    assert Guest.objects.count() == 1
    assert not any(token in bytes(kept) for kept in Answered.objects.values_list("body", flat=True))


def waiting(town: Town) -> Case:
    """A case of a unit that has not joined."""
    return opened(town, member="lakes")


def test_a_coordinators_desk_makes_lists_and_withdraws_links(town: Town) -> None:
    """And reads where silence is; the token is told once."""
    case, desk = waiting(town), desk_of_the_exchange()
    view = desk.get(f"{V1}/coordination", headers=CORA).json()
    assert [row["case_id"] for row in view["not_joined"]] == [case.case_id]
    assert desk.get(f"{V1}/coordination/nation", headers=CORA).json()["units"]
    assert desk.get(f"{V1}/coordination/rising", headers=CORA).json() == {"rising": []}
    packet = desk.get(f"{V1}/cases/{case.case_id}/packet", headers=CORA).json()
    assert packet["case_id"] == case.case_id
    at = f"/cases/{case.case_id}/links"
    made = post(desk, at, {"with_packet": True}, **CORA)
    assert made.status_code == 200, made.content
    token = made.json()["address"].rsplit("/", 1)[1]
    assert services.find_link(token).case == case
    (link,) = desk.get(V1 + at, headers=CORA).json()["links"]
    assert (link["state"], link["made_by"], link["with_packet"]) == ("unused", "Cora", True)
    assert token not in str(link)
    for _ in range(2):
        withdrawn = post(desk, f"{at}/withdraw", **CORA).json()["links"]
        assert [one["state"] for one in withdrawn] == ["revoked"]
    told = Content.objects.filter(entry__event__startswith="cases:link:").values_list("content", flat=True)
    assert [b'"by_key":"coordination"' in bytes(one) for one in told] == [True, True], "once each"
    with pytest.raises(services.find_link.__globals__["LinkNotFound"]):
        services.find_link(token)


def test_a_coordinators_desk_passes_a_case_on_and_takes_none(town: Town) -> None:
    """What a coordinator may do, and no more: no case is judged by the exchange."""
    case, desk = waiting(town), desk_of_the_exchange()
    at = f"/cases/{case.case_id}"
    for act, body in (
        ("accept", None),
        ("assess", {"status": "X-INV"}),
        ("seal", {"people": [], "reason": WHY}),
    ):
        assert post(desk, f"{at}/{act}", body, **CORA).status_code == 403
    moved = post(desk, f"{at}/redirect", {"unit_id": "essex", "reason": "Their provider"}, **CORA)
    assert (moved.status_code, moved.json()["unit_id"]) == (200, "essex")
    assert b'"by_key":"coordination"' in bytes(
        Content.objects.get(entry__event="cases:case:redirected").content
    )


def test_a_joined_unit_needs_no_link(town: Town) -> None:
    """A coordinator does not even see its cases."""
    joined, desk = opened(town), desk_of_the_exchange()
    assert post(desk, f"/cases/{joined.case_id}/links", **CORA).status_code == 404
    assert not OneTimeLink.objects.exists()
