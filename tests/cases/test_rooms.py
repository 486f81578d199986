"""The case room: what a guest reads, for how long, and what is kept of it."""

import datetime as dt

import pytest
from tests.cases.town import NOON, Town

from tocsin.cases import rooms, sealing, services
from tocsin.cases.models import Case, Guest, Look
from tocsin.journal.models import Content, Entry
from tocsin.kernel.problems import BadInput, NotAllowed, NotFound
from tocsin.kernel.time import now

pytestmark = pytest.mark.django_db
WHO = ("Dr Nora Quist", "Quist Forensics")


@pytest.fixture
def case(town: Town) -> Case:
    """A case of Kent that Olive has."""
    found = town.case_of(town.report(severity="high", delete_at=NOON + dt.timedelta(days=9)))
    return services.accept_case(found, services.Responder.of(town.actor("olive"), found), NOON)


def invited(town: Town, case: Case, *parts: str, days: int = 7) -> tuple[Guest, str]:
    """A guest of Olive's."""
    return rooms.invite_guest(case, town.actor("olive"), *WHO, parts or ("timeline",), days)


@pytest.mark.parametrize("part", [part for part in rooms.PARTS if part != "members"])
def test_a_guest_reads_the_chosen_part_and_no_other(town: Town, case: Case, part: str) -> None:
    """What was not chosen is not made."""
    _, token = invited(town, case, part)
    view = rooms.look(rooms.find_guest(token))
    shown = {
        "timeline": view.timeline is not None,
        "links": view.links is not None,
        "holdings": view.holdings is not None,
        "indicators": view.indicators is not None,
        "answers": view.has_answers,
    }
    assert {name for name, is_shown in shown.items() if is_shown} == {part}


def test_a_guest_learns_no_members_name_unless_it_was_chosen(town: Town, case: Case) -> None:
    """A rival's analyst does not learn who was attacked."""
    _, bare = invited(town, case, "links", "holdings", "timeline", "indicators", "answers")
    view = rooms.look(rooms.find_guest(bare))
    assert view.links and view.holdings
    assert "Ferry" not in str(view)
    assert "198.51.100.1" not in str(view.links), "the target would say whose it is"
    assert "auth-log" not in str(view.holdings)
    _, named = invited(town, case, "links", "members")
    assert rooms.look(rooms.find_guest(named)).links[0].member_name == "Ferry"  # type: ignore[index]


def test_a_look_is_recorded_once_a_day(town: Town, case: Case) -> None:
    """And shown on the case."""
    guest, token = invited(town, case)
    for at in (NOON, NOON + dt.timedelta(hours=1), NOON + dt.timedelta(days=1)):
        rooms.look(rooms.find_guest(token), at)
    assert Look.objects.filter(guest=guest).count() == 2
    assert Entry.objects.filter(event="cases:room:looked", subject=case.case_id).count() == 2
    (view,) = rooms.guests_of(case)
    assert view.looked_on == (NOON.date(), (NOON + dt.timedelta(days=1)).date())


def test_no_guests_name_enters_the_journal(town: Town, case: Case) -> None:
    """A guest is a number there."""
    _, token = invited(town, case)
    rooms.look(rooms.find_guest(token))
    for content in Content.objects.values_list("content", flat=True):
        assert b"Quist" not in bytes(content)


@pytest.mark.parametrize("end", ["expired", "revoked", "sealed", "inviter off"])
def test_a_link_that_ended_opens_nothing(town: Town, case: Case, end: str) -> None:
    """In the same words, whatever ended it; nothing is recorded."""
    guest, token = invited(town, case, days=1)
    at = now()
    if end == "expired":
        at += dt.timedelta(days=1, seconds=1)
    elif end == "revoked":
        rooms.revoke_guest(case, town.actor("olive"), guest.pk)
        rooms.revoke_guest(case, town.actor("olive"), guest.pk)
        assert Entry.objects.filter(event="cases:room:closed").count() == 1
    elif end == "sealed":
        sealing.seal_case(case, town.actor("saul"), [], "Somebody of the unit talks too much")
    else:
        town.people["olive"].is_active = False
        town.people["olive"].save()
    with pytest.raises(rooms.RoomNotFound):
        rooms.find_guest(token, at)
    assert not Look.objects.exists()


def test_only_the_unit_that_has_the_case_invites(town: Town, case: Case) -> None:
    """And never into the restricted lane."""
    for name in ("edna", "cora", "rita"):
        with pytest.raises((NotAllowed, NotFound)):
            rooms.invite_guest(case, town.actor(name), *WHO, ("timeline",), 7)
    Case.objects.filter(pk=case.pk).update(lane="restricted")
    with pytest.raises(NotAllowed):
        invited(town, Case.objects.get(pk=case.pk))


@pytest.mark.parametrize(
    ("name", "organisation", "parts", "days"),
    [("", "B", ("timeline",), 7), ("A B", "", ("timeline",), 7), (*WHO, (), 7), (*WHO, ("all",), 7)]
    + [(*WHO, ("timeline",), days) for days in (0, 2, 365)],
)
def test_a_guest_needs_a_name_a_part_and_an_end(
    town: Town, case: Case, name: str, organisation: str, parts: tuple[str, ...], days: int
) -> None:
    """BadInput, and nobody is invited."""
    with pytest.raises(BadInput):
        rooms.invite_guest(case, town.actor("olive"), name, organisation, parts, days)
    assert not Guest.objects.exists()
