"""Every route against every role: the table of policy is what happens, cell by cell."""

import time
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client
from tests.cases.town import Town, build_town
from tests.doors.routes import Route, every_route

from tocsin.access import keys, services
from tocsin.access.models import Person, Role
from tocsin.access.policy import POLICY

ROUTES = every_route()
ROLES = tuple(Role.Name.values)
NOTHING = {  # ids of things that are not there: what is judged here is the door, not what stands behind it
    "case_id": "case_0000000000A1",
    "report_id": "report_000000000001",
    "indicator_id": "indicator_00000001",
    "token": "unknown",
    "provider_id": "organisation",
    "pk": "999999999",
    "guest_id": "999999999",
    "member_id": "member_000000000001",
    "unit_id": "nowhere",
    "prefix": "000000000000",
    "name": "addresses.txt",
    "status": "1",
    "collection": "none",
    "object_": "none",
    "event": "none",
    "channel": "none",
    "attribute": "none",
    "option": "metadata:1",
    "user": "me",
    "form": "crime-record",
    "kind": "pdf",
    "hook_id": "hook_0000000000A1",
    "question_id": "question_00000000A1",
    "duty_id": "999999999",
    "suggestion_id": "999999999",
    "move_id": "999999999",
    "appeal_id": "appeal_0000000000A1",
    "community_id": "community_0000000A1",
    "bulk_id": "999999999",
    "reading": "999999999",
    "filter_id": "999999999",
    "opening_id": "opening_000000000A1",
}


OF_A_PERSON = {"filter.read", "filter.save", "team.read"}  # of a unit's key in somebody's name alone


def signed_in(person: Person) -> Client:
    """The browser of somebody who has just proved who they are."""
    client = Client()
    client.force_login(person)
    session = client.session
    session["second"], session["proved_at"] = True, time.time()
    session.save()
    return client


@pytest.fixture
def town(db: None) -> Town:
    """Everybody of the town, and one of each role that it lacks."""
    cache.clear()
    town = build_town()
    town.person("amy", "administrator", member="ferry")
    town.person("omar", "operator")
    town.person("tess", "trusted")
    return town


WHO = {
    "reporter": "rita",
    "administrator": "amy",
    "officer": "olive",
    "supervisor": "saul",
    "coordinator": "cora",
    "operator": "omar",
    "trusted": "tess",
}


def called(client: Client, route: Route) -> int:
    """The status of one call."""
    return int(client.generic(route.method, route.address.format(**NOTHING)).status_code)


def test_every_route_of_every_door_has_a_line_of_the_policy() -> None:
    """Web, REST, TAXII and MISP; whoever adds one without a guard reads its name here."""
    assert {str(route) for route in ROUTES if route.action not in POLICY} == set()
    assert {route.door for route in ROUTES} == {"web", "api", "taxii", "misp"}
    assert len(ROUTES) > 80


def test_every_line_of_the_policy_guards_something() -> None:
    """A line that no route asks for is a promise that nobody keeps."""
    inside = {"case.read", "channel.write"}  # asked for in the services, too
    assert set(POLICY) - {route.action for route in ROUTES} - inside == set()


def test_every_place_in_an_address_is_tried() -> None:
    """A new kind of id needs an entry in NOTHING, or its route could not be called."""
    for route in ROUTES:
        route.address.format(**NOTHING)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_enters_what_its_column_says_and_nothing_else(town: Town, role: str) -> None:
    """403 where the table says no; anything but 401 and 403 where it says yes."""
    person = town.people[WHO[role]]
    client, wrong = signed_in(person), []
    for route in ROUTES:
        if route.door != "web" or (route.address, route.method) == ("/account/leave", "POST"):
            continue  # leaving erases the person whom the other routes are tried as
        cache.clear()
        rule = POLICY[str(route.action)]
        allowed = rule.relation == "anyone" or (role in rule.roles if rule.roles else rule.scope is None)
        status = called(client, route)
        if route.address == "/sign-out":
            client = signed_in(person)
        if (status in (401, 403)) == allowed:
            wrong.append(f"{route} ({route.action}): {status}")
        assert status < 500, f"{route}: {status}"
    assert wrong == []


def test_nobody_enters_what_is_open_and_nothing_else(town: Town) -> None:
    """401 everywhere else, on every door."""
    wrong = []
    for route in ROUTES:
        cache.clear()
        is_open = POLICY[str(route.action)].relation == "anyone"
        status = called(Client(), route)
        if (status == 401) == is_open:
            wrong.append(f"{route} ({route.action}): {status}")
    assert wrong == []


@pytest.mark.parametrize("scope", sorted(keys.SCOPES))
def test_a_key_enters_what_its_scope_opens_and_nothing_else(town: Town, scope: str) -> None:
    """On REST and TAXII, of a member or of a unit; a page it cannot open at all."""
    place = place_of(town, scope)
    made, text = keys.make_key(place, "edge", [scope])
    client = Client(headers={"Authorization": f"Bearer {text}"})
    named = {None: "cora@example.org", town.unit("kent"): "saul@example.org"}.get(place)  # type: ignore[call-overload]
    wrong = []
    for route in ROUTES:
        cache.clear()
        rule = POLICY[str(route.action)]
        if named and (place is None or route.action in OF_A_PERSON):
            client.defaults["HTTP_ON_BEHALF_OF"] = named
        status = called(client, route)
        client.defaults.pop("HTTP_ON_BEHALF_OF", None)
        if route.door == "web":
            expected = (rule.relation == "anyone" and status != 401) or (
                rule.relation != "anyone" and status == 401
            )
        else:
            within = rule.scope in made.scopes and (
                place is not None or not rule.roles or "coordinator" in rule.roles
            )
            expected = (status in (401, 403)) != (rule.relation == "anyone" or within)
        if not expected:
            wrong.append(f"{route} ({route.action}): {status}")
    assert wrong == []


def place_of(town: Town, scope: str) -> keys.Place:
    """A place whose keys may have this scope."""
    if scope in keys.EXCHANGES_OWN:
        return None
    return town.unit("kent") if scope in keys.UNIT_SCOPES else town.members["ferry"]


def test_the_exchanges_own_key_enters_nothing_without_a_coordinators_name(town: Town) -> None:
    """Not even to read; an officer's name does not help."""
    _, text = keys.make_key(None, "desk", sorted(keys.EXCHANGE_SCOPES))
    for name in ({}, {"On-Behalf-Of": "olive@example.org"}, {"On-Behalf-Of": "omar@example.org"}):
        client = Client(headers={"Authorization": f"Bearer {text}", **name})
        for route in ROUTES:
            cache.clear()
            if route.door == "api" and POLICY[str(route.action)].relation != "anyone":
                assert called(client, route) == 403, (route, name)


def test_a_suspended_members_people_and_keys_enter_nothing_that_needs_a_role(town: Town) -> None:
    """At once: the same session, the same key."""
    _, text = keys.make_key(town.members["ferry"], "edge", sorted(keys.MEMBER_SCOPES))
    services.suspend_member(town.members["ferry"], "left")
    rita = signed_in(town.people["rita"])
    holder = Client(headers={"Authorization": f"Bearer {text}"})
    for route in ROUTES:
        cache.clear()
        rule = POLICY[str(route.action)]
        if rule.relation == "anyone":
            continue
        if route.door == "web" and rule.roles:
            assert called(rita, route) == 403, route
        if route.door != "web":
            assert called(holder, route) == 401, route


@pytest.mark.parametrize("role", ["officer", "supervisor", "coordinator", "operator", "administrator"])
def test_without_a_second_factor_such_a_role_waits(town: Town, role: str, settings: object) -> None:
    """What the role opens leads to the account's page; no act is done."""
    settings.SECOND_FACTOR_ROLES = frozenset({role})  # type: ignore[attr-defined]
    client = Client()
    client.force_login(town.people[WHO[role]])
    enter: Callable[[Route], object] = lambda route: client.generic(  # noqa: E731
        route.method, route.address.format(**NOTHING)
    )
    for route in ROUTES:
        rule = POLICY[str(route.action)]
        if route.door == "web" and role in rule.roles:
            answer = enter(route)
            status, to = answer.status_code, answer.get("Location", "")  # type: ignore[attr-defined]
            assert (status == 302 and to == "/account#second") or (route.method == "POST" and status == 403)
