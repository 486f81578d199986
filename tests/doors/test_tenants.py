"""Tenants: every id of one member, tried on every route as everybody else, gives nothing away.

One member's whole life is made, with a mark in every text of it. Then everybody who has no business with it
calls every route of every door with its ids. No answer may hold a mark; no entry of the journal may follow.
"""

import datetime as dt
import time
from dataclasses import dataclass, field

import pytest
from django.core.cache import cache
from django.test import Client
from tests.cases.town import NOON, Town, build_town
from tests.doors.routes import every_route
from tests.doors.test_policy_matrix import NOTHING, signed_in

from tocsin.access import joining, keys
from tocsin.access.models import Member, Person, Role
from tocsin.access.policy import POLICY, Actor
from tocsin.cases import rooms, services
from tocsin.cases.models import Suggestion
from tocsin.inventory.models import Holding
from tocsin.journal.models import Entry
from tocsin.kernel.time import now
from tocsin.notices.models import Endpoint
from tocsin.sharing import services as sharing
from tocsin.sharing.models import Indicator

MARK = "xyzzy"  # in every text that is the member's alone
ORIGIN, TARGET = "80.94.92.31", f"mx.{MARK}.example"


@dataclass
class World:
    """The town, the ids of one member's life, and its secret texts."""

    town: Town
    ids: dict[str, list[str]] = field(default_factory=dict)
    subjects: set[str] = field(default_factory=set)


@pytest.fixture
def world(db: None, settings: object) -> World:
    """Ferry reports; Olive of Kent takes the case, judges it and invites a guest; Amy looks after Ferry."""
    cache.clear()
    town = build_town()
    Member.objects.filter(pk=town.members["ferry"].pk).update(name=f"Ferry {MARK}")
    town.members["ferry"].refresh_from_db()
    report = town.report(
        origins=(ORIGIN,), target=TARGET, severity="high", delete_at=now() + dt.timedelta(days=3)
    )
    Holding.objects.update(source_id=f"log-{MARK}")
    case = town.case_of(report)
    by = services.Responder.of(town.actor("olive"), case)
    services.accept_case(case, by, NOON)
    services.assess_case(case, by, "X-INV", f"Looked at {MARK}", NOON)
    (question, *_) = services.ask(case, by, ["still-going"], at=NOON)
    other = town.case_of(town.report(origins=("203.0.113.77",), target=TARGET))
    pair = Suggestion.objects.create(
        case=case, other=other, reason=f"alike {MARK}", strength=40, made_at=NOON
    )
    hook = Endpoint.objects.create(
        member=town.members["ferry"],
        url=f"https://{MARK}.example/",
        secret="whsec_" + MARK,
        made_by=town.people["rita"],
        made_at=NOON,
        next_at=NOON,
    )
    guest, _ = rooms.invite_guest(case, town.actor("olive"), f"Nora {MARK}", f"{MARK} Ltd", ["links"], 7)
    sharing.assert_reports([report.pk], now())
    amy = town.person("amy", "administrator", member="ferry")
    Person.objects.filter(pk=amy.pk).update(name=f"Amy {MARK}", email=f"amy@{MARK}.example")
    invitation, _ = joining.invite(
        Actor.of_person(amy), f"new@{MARK}.example", "reporter", member=town.members["ferry"]
    )
    key, _ = keys.make_key(town.members["ferry"], f"edge {MARK}", sorted(keys.MEMBER_SCOPES))
    indicators = list(Indicator.objects.values_list("indicator_id", flat=True))
    people = Person.objects.filter(pk__in=[amy.pk, town.people["rita"].pk])
    pks = [str(pk) for pk in people.values_list("pk", flat=True)]
    pks += [str(pk) for pk in Role.objects.filter(person__in=people).values_list("pk", flat=True)]
    member = town.members["ferry"]
    return World(
        town,
        {
            "case_id": [case.case_id],
            "report_id": [report.report_id],
            "indicator_id": indicators or [NOTHING["indicator_id"]],
            "pk": [*pks, str(invitation.pk)],
            "guest_id": [str(guest.pk)],
            "member_id": [member.member_id],
            "prefix": [key.prefix],
            "question_id": [question.question_id],
            "suggestion_id": [str(pair.pk)],
            "hook_id": [hook.hook_id],
        },
        {case.case_id, report.report_id, member.member_id, f"invitation_{invitation.pk}"}
        | {f"person_{person.pk}" for person in people},
    )


REACHED = {"case_id", "report_id", "guest_id", "suggestion_id", "hook_id"}

# Who has no business with it, and how they come: a role at a place, or a key of another member.
STRANGERS = {
    "another member's reporter": ("reporter", {"member": "medway"}),
    "another member's administrator": ("administrator", {"member": "medway"}),
    "another unit's officer": ("officer", {"unit": "essex"}),
    "another unit's supervisor": ("supervisor", {"unit": "essex"}),
    "the region's officer before any escalation": ("officer", {"unit": "seroc"}),
    "the coordinator, of a unit that has joined": ("coordinator", {}),
    "another member's key": ("key", {}),
    "another unit's key": ("unit key", {}),
    "the exchange's own key, in a coordinator's name": ("exchange key", {}),
    "somebody without any role": ("", {}),
    "nobody": ("nobody", {}),
}


def browser(world: World, who: str) -> Client:
    """A fresh browser of that stranger."""
    role, place = STRANGERS[who]
    if role == "nobody":
        return Client()
    if role == "key":
        _, text = keys.make_key(world.town.members["medway"], "other", sorted(keys.MEMBER_SCOPES))
        return Client(headers={"Authorization": f"Bearer {text}"})
    if role == "unit key":
        _, text = keys.make_key(world.town.unit("essex"), "other", sorted(keys.UNIT_SCOPES))
        return Client(headers={"Authorization": f"Bearer {text}"})
    if role == "exchange key":
        _, text = keys.make_key(None, "desk", sorted(keys.EXCHANGE_SCOPES))
        headers = {"Authorization": f"Bearer {text}", "On-Behalf-Of": "cora@example.org"}
        return Client(headers=headers)
    name = who.split()[1].strip("',s") + role
    if name not in world.town.people:
        if role:
            world.town.person(name, role, **place)
        else:
            world.town.people[name] = Person.objects.create_user(f"{name}@example.org", "secret", name="Bare")
    return signed_in(world.town.people[name])


def region_of(world: World) -> str:
    """The unit above Kent."""
    parent = world.town.unit("kent").parent
    assert parent is not None
    return str(parent.unit_id)


POSTED = {
    "reason": "A reason that is long enough",
    "status": "X-NFA",
    "outcome": "1",
    "words": "Some words",
    "to": "off",
    "name": "Other Name",
    "email": "other@example.org",
    "label": "other",
    "scope": "reports:read",
    "report": "",
    "person": "",
    "guest": "Nora Other",
    "organisation": "Other",
    "part": "links",
    "days": "7",
    "unit": "essex",
    "redirect_reason": "there",
    "detach_reason": "because",
}


@pytest.mark.parametrize("who", STRANGERS)
def test_no_stranger_learns_or_changes_anything_by_any_id_on_any_route(world: World, who: str) -> None:
    """Every route, every method, every id: no mark, no 500, no entry of the journal about it."""
    if "region" in who:
        STRANGERS[who] = ("officer", {"unit": region_of(world)})
    before = Entry.objects.filter(subject__in=world.subjects).count()
    leaks, tried, client = [], 0, browser(world, who)
    for route in every_route():
        if route.address.startswith(("/account/", "/sign-out")) and "{" not in route.address:
            continue  # one's own account, which has no id of anybody in it
        names = [name for name in NOTHING if f"{{{name}}}" in route.address]
        for filled in _filled(names, world):
            cache.clear()
            posted = {**POSTED, "member": world.ids["member_id"][0], "report": world.ids["report_id"][0]}
            posted["grant"] = f"reporter@{world.ids['member_id'][0]}"
            posted["person"] = world.ids["pk"][0]
            posted["q"] = MARK
            address = route.address.format(**filled)
            answer = (
                client.post(address, posted)
                if route.method == "POST"
                else client.generic(route.method, address, QUERY_STRING=f"q={ORIGIN}")
            )
            tried += 1
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            said = content.decode(errors="replace").replace(f"q={MARK}", "").replace(f'value="{MARK}"', "")
            if MARK in said or answer.status_code >= 500:
                leaks.append(f"{route}: {answer.status_code}")
            reached_case_or_report = REACHED & set(names)
            # A stranger learns no more of a real id than of an invented one.
            if reached_case_or_report and answer.status_code not in (401, 403, 404):
                leaks.append(f"{route}: {answer.status_code} where an id of another's stands in the address")
    assert leaks == []
    assert tried > 80
    assert Entry.objects.filter(subject__in=world.subjects).count() == before


def test_the_marks_are_there_for_whose_they_are(world: World) -> None:
    """A world without marks would pass the test above: each of the ways in shows one to its owner."""
    rita, olive = signed_in(world.town.people["rita"]), signed_in(world.town.people["olive"])
    amy = signed_in(world.town.people["amy"])
    report, case = world.ids["report_id"][0], world.ids["case_id"][0]
    for client, address in (
        (rita, "/reports"),
        (rita, f"/reports/{report}"),
        (rita, "/reports/all"),
        (rita, "/reports/all.csv"),
        (olive, f"/cases/{case}"),
        (amy, "/administration"),
    ):
        answer = client.get(address)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert MARK in content.decode(), address
    _, text = keys.make_key(world.town.members["ferry"], "own", ["reports:read"])
    holder = Client(headers={"Authorization": f"Bearer {text}"})
    assert MARK in holder.get(f"/api/v1/reports/{report}").content.decode()


def test_the_operator_hosts_and_does_not_read(world: World) -> None:
    """People and keys are the operator's to look after; no page shows a report, a case or a decision."""
    omar = signed_in(world.town.person("omar", "operator"))
    for route in every_route():
        if route.method != "GET" or route.address.startswith("/account"):
            continue
        names = [name for name in NOTHING if f"{{{name}}}" in route.address]
        for filled in _filled(names, world):
            cache.clear()
            answer = omar.get(route.address.format(**filled), {"q": TARGET})
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            for secret in (ORIGIN, f"Looked at {MARK}", f"log-{MARK}", f"Nora {MARK}"):
                assert secret not in content.decode(errors="replace"), route


def test_a_stale_session_does_nothing_dangerous(world: World) -> None:
    """Signed in an hour ago: roles, keys and seals wait until the person proves again who they are."""
    amy = signed_in(world.town.people["amy"])
    session = amy.session
    session["proved_at"] = time.time() - 3600
    session.save()
    before = Entry.objects.count()
    prefix, member = world.ids["prefix"][0], world.ids["member_id"][0]
    for address, posted in (
        (f"/administration/keys/{prefix}/revoke", {}),
        ("/administration/keys", {"member": member, "label": "x", "scope": "reports:read"}),
        ("/administration/invite", {"email": "a@example.org", "grant": f"reporter@{member}"}),
    ):
        answer = amy.post(address, posted)
        assert (answer.status_code, answer["Location"]) == (302, "/account/confirm"), address
    assert Entry.objects.count() == before
    assert POLICY["key.manage"].roles


def _filled(names: list[str], world: World) -> list[dict[str, str]]:
    """The addresses to try: every id of the member in its place, nothing in the other places."""
    if not names:
        return [{}]
    found = [dict(NOTHING)]
    for name in names:
        found = [{**one, name: value} for one in found for value in world.ids.get(name, [NOTHING[name]])]
    return found
