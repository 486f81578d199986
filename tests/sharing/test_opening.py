"""A source is opened by two people of different roles, with a reason, once; and the member hears of it."""

import datetime as dt
import json
import time
from typing import Any

import pytest
from django.test import Client
from tests.sharing.street import ATTACKER, DAY, NOON, Street
from tests.sharing.test_audiences import a_community

from tocsin.access import services as access
from tocsin.access.models import Alert, Person
from tocsin.access.policy import Actor
from tocsin.journal import queries as journal
from tocsin.journal.models import Content
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound
from tocsin.notices import letters
from tocsin.notices.models import Item
from tocsin.sharing import hiding, opened, opening, pseudonyms
from tocsin.sharing.models import Epoch, Opening
from tocsin.sharing.services import assert_said, withdraw
from tocsin.sharing.words import Said

pytestmark = [pytest.mark.django_db, pytest.mark.database]
WHY = "a court wants to hear whoever saw it first"
AT = NOON + DAY


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are made for epochs of now."""
    monkeypatch.setattr(pseudonyms, "now", lambda: AT)


def somebody(name: str, *roles: str, street: Street | None = None, member: str = "") -> Actor:
    """A person with these roles, of the exchange or of a member."""
    person = access.add_person(f"{name}@example.org", name.title(), "secret")
    for role in roles:
        access.give_role(person, role)
    if street is not None:
        access.give_role(person, "reporter", member=street.member(member))
    return Actor.of_person(person)


@pytest.fixture
def street_of_two(street: Street) -> Street:
    """Ferry and Medway said it; so it is shared."""
    for name in ("ferry", "medway"):
        street.report(name)
    return street


def asked(street: Street, cora: Actor, **more: object) -> tuple[Opening, str]:
    """A request for the source that is Ferry."""
    found = street.indicator()
    key = pseudonyms.key_of(pseudonyms.start_of(NOON))
    assert key is not None
    ferry = pseudonyms.pseudonym_of(key, street.member("ferry"), None)
    return opening.ask(cora, found.indicator_id, ferry, WHY, at=AT, **more), ferry  # type: ignore[arg-type]


def test_two_open_a_source_and_each_reads_the_name_once(street_of_two: Street) -> None:
    """Asked, approved by another, read by each of the two; nobody else, and nobody twice."""
    cora, omar = somebody("cora", "coordinator"), somebody("omar", "operator")
    other = somebody("tess", "trusted")
    request, _ = asked(street_of_two, cora)
    with pytest.raises(Conflict, match="not approved"):
        opening.look(cora, request.opening_id, AT)
    opening.decide(omar, request.opening_id, True, "the order was shown to me", AT)
    for one in (cora, omar):
        assert opening.look(one, request.opening_id, AT) == "ferry"
        with pytest.raises(Conflict, match="once"):
            opening.look(one, request.opening_id, AT)
    with pytest.raises(NotFound):
        opening.look(other, request.opening_id, AT)
    with pytest.raises(Conflict, match="decided already"):
        opening.decide(omar, request.opening_id, False, "I changed my mind", AT)


def test_the_journal_has_both_acts_and_the_reason_and_no_name(street_of_two: Street) -> None:
    """Everything but whose it was."""
    cora, omar = somebody("cora", "coordinator"), somebody("omar", "operator")
    request, _ = asked(street_of_two, cora)
    opening.decide(omar, request.opening_id, True, "the order was shown to me", AT)
    opening.look(cora, request.opening_id, AT)
    events = [item.event.rpartition(":")[2] for item in journal.history([request.opening_id])]
    assert events == ["asked", "approved", "told", "looked"]
    kept = b"".join(bytes(row.content) for row in Content.objects.filter(entry__subject=request.opening_id))
    assert WHY.encode() in kept
    assert b"the order was shown to me" in kept
    ferry = street_of_two.member("ferry")
    assert b"ferry" not in kept.lower()
    assert ferry.member_id.encode() not in kept


def test_the_member_hears_of_it_at_once_or_after_the_delay(street_of_two: Street) -> None:
    """Rita is told by an alert and on her page; where it would harm, after the days of the data."""
    rita = somebody("rita", street=street_of_two, member="ferry")
    mel = somebody("mel", street=street_of_two, member="medway")
    cora, omar = somebody("cora", "coordinator"), somebody("omar", "operator")
    request, _ = asked(street_of_two, cora, is_harmful=True)
    opening.decide(omar, request.opening_id, True, "yes", AT)
    later = AT + dt.timedelta(days=hiding.DEFAULTS.opening.harm_days)
    assert opening.sweep_openings(later - DAY) == 0
    assert opened.opened_of(rita) == []
    assert opening.sweep_openings(later) == 1
    assert opening.sweep_openings(later) == 0
    assert [(one.value, one.reason) for one in opened.opened_of(rita)] == [(ATTACKER, WHY)]
    assert opened.opened_of(mel) == []
    told = set(Alert.objects.filter(words__contains="was yours").values_list("person__name", flat=True))
    assert told == {"Rita"}


def test_a_mail_takes_it_along(street_of_two: Street, settings: Any) -> None:
    """Where the exchange sends mail, the member's people hear of it as they wish, with where to read."""
    settings.MAIL_IS_ON = True
    rita = somebody("rita", street=street_of_two, member="ferry")
    cora, omar = somebody("cora", "coordinator"), somebody("omar", "operator")
    request, _ = asked(street_of_two, cora)
    opening.decide(omar, request.opening_id, True, "yes", AT)
    item = Item.objects.get()
    assert (item.person, item.kind, item.about) == (rita.person, "opened", request.opening_id)
    assert WHY in item.words
    assert letters.address_of(item).endswith("/network/source")


def test_one_person_never_does_both(street_of_two: Street) -> None:
    """Not who asked, not with the same roles, and nobody who works for a member."""
    both = somebody("both", "coordinator", "operator")
    twin = somebody("twin", "coordinator", "operator")
    request, pseudonym = asked(street_of_two, both)
    with pytest.raises(NotAllowed, match="second person"):
        opening.decide(both, request.opening_id, True, "me too", AT)
    with pytest.raises(NotAllowed, match="in a role"):
        opening.decide(twin, request.opening_id, True, "me too", AT)
    spy = somebody("spy", "trusted", street=street_of_two, member="medway")
    with pytest.raises(NotAllowed, match="takes no part"):
        opening.decide(spy, request.opening_id, True, "let me see", AT)
    assert pseudonyms.sources_of(spy, street_of_two.indicator().indicator_id) == ()
    nosy = somebody("nosy", "coordinator", street=street_of_two, member="medway")
    with pytest.raises(NotAllowed):
        opening.ask(nosy, street_of_two.indicator().indicator_id, pseudonym, WHY, at=AT)
    opening.decide(somebody("tess", "trusted"), request.opening_id, False, "no need", AT)
    with pytest.raises(Conflict, match="not approved"):
        opening.look(both, request.opening_id, AT)


def test_it_is_taken_back_refused_or_over(street_of_two: Street) -> None:
    """Whoever asked takes it back before anybody decides; what nobody decides in a week is over."""
    cora, omar = somebody("cora", "coordinator"), somebody("omar", "operator")
    request, _ = asked(street_of_two, cora)
    assert asked(street_of_two, cora)[0] == request  # asked twice is once
    with pytest.raises(NotAllowed, match="whoever asked"):
        opening.withdraw(somebody("cleo", "coordinator"), request.opening_id, AT)
    opening.withdraw(cora, request.opening_id, AT)
    with pytest.raises(Conflict):
        opening.decide(omar, request.opening_id, True, "yes", AT)
    again, _ = asked(street_of_two, cora)
    week = AT + dt.timedelta(days=7)
    with pytest.raises(Conflict, match="in time"):
        opening.decide(omar, again.opening_id, True, "yes", week)
    assert opening.sweep_openings(week) == 1
    outcomes = [one.outcome_words for one in opened.openings(omar, week)]
    assert sorted(outcomes) == ["nobody decided in time", "taken back"]
    unread, _ = asked(street_of_two, cora)
    opening.decide(omar, unread.opening_id, True, "yes", AT)
    with pytest.raises(Conflict, match="in time"):
        opening.look(cora, unread.opening_id, week)


def test_a_reason_is_needed_and_a_pseudonym_that_is_there(street_of_two: Street) -> None:
    """A bad request is refused with what to do."""
    cora, found = somebody("cora", "coordinator"), street_of_two.indicator().indicator_id
    _, pseudonym = asked(street_of_two, cora)
    with pytest.raises(BadInput):
        opening.ask(cora, found, pseudonym, "  ", at=AT)
    with pytest.raises(NotFound):
        opening.ask(cora, found, "aaaaa-aaaaa", WHY, at=AT)


class TestPseudonyms:
    """Another one each week and in each audience, for nobody to compute and, after a time, to open."""

    def test_they_are_linked_by_nothing(self, street: Street) -> None:
        """Two weeks, two audiences: four names; the same twice is one."""
        ferry = street.member("ferry")
        ports = a_community(ferry)
        weeks = [pseudonyms.start_of(NOON), pseudonyms.start_of(NOON - 7 * DAY)]
        ring = [pseudonyms.key_of(week) for week in weeks]
        assert None not in ring
        assert ring[0] == pseudonyms.key_of(weeks[0])
        names = {pseudonyms.pseudonym_of(key, ferry, where) for key in ring if key for where in (None, ports)}
        assert len(names) == 4
        assert all(pseudonyms.member_of(name, weeks[0], None) in (ferry, None) for name in names)
        assert sum(pseudonyms.member_of(name, weeks[0], None) == ferry for name in names) == 1

    def test_a_judge_reads_whose_other_words_they_are(self, street_of_two: Street) -> None:
        """One source spoke of two others, one of which a person refused; the other spoke of none."""
        tess = street_of_two.trusted()
        for last in (1, 2):
            assert_said(
                street_of_two.member("ferry"), [Said("address", f"80.94.92.{last}", f"r{last}")], NOON
            )
        withdraw(street_of_two.indicator("80.94.92.1"), tess, "not so", NOON)
        found = pseudonyms.sources_of(tess, street_of_two.indicator().indicator_id)
        assert sorted((one.others, one.refused) for one in found) == [(0, 0), (2, 1)]
        assert "ferry" not in repr(found)

    def test_no_member_reads_one(self, street_of_two: Street) -> None:
        """Not on the page, and not by any key."""
        rita = somebody("rita", street=street_of_two, member="ferry")
        found = street_of_two.indicator().indicator_id
        assert pseudonyms.sources_of(rita, found) == ()
        assert pseudonyms.sources_of(street_of_two.key("ferry"), found) == ()

    def test_when_the_key_is_destroyed_nobody_opens_it(self, street_of_two: Street) -> None:
        """Half a year after the week; a request that was open then cannot be approved any more."""
        cora, omar = somebody("cora", "coordinator"), somebody("omar", "operator")
        request, _ = asked(street_of_two, cora)
        kept = hiding.DEFAULTS.pseudonym
        over = NOON + dt.timedelta(days=kept.epoch_days + kept.kept_days)
        assert pseudonyms.sweep_epochs(NOON + DAY) == 0
        assert pseudonyms.sweep_epochs(over) == 1
        assert Epoch.objects.get().key == ""
        with pytest.raises(Conflict, match="destroyed"):
            opening.decide(omar, request.opening_id, True, "yes", AT)
        assert pseudonyms.sources_of(omar, street_of_two.indicator().indicator_id) == ()

    def test_the_key_is_not_in_the_database_as_it_is(self, street_of_two: Street) -> None:
        """It is sealed: who copies the tables can compute nothing."""
        key = pseudonyms.key_of(pseudonyms.start_of(NOON))
        assert key is not None
        assert key.hex() not in Epoch.objects.get().key
        assert key not in Epoch.objects.get().key.encode()


def test_from_page_to_page(street_of_two: Street) -> None:
    """Cora asks on the indicator's page, Omar approves under Sources, both read the name there, once."""
    clients = {}
    for name, role in (("cora", "coordinator"), ("omar", "operator")):
        actor = somebody(name, role)
        client = Client()
        client.force_login(Person.objects.get(name=actor.label))
        session = client.session
        session["second"], session["proved_at"] = True, time.time()
        session.save()
        clients[name] = client
    empty = clients["omar"].get("/sources").content.decode()
    assert "No request to open a source waits." in empty
    found = street_of_two.indicator().indicator_id
    shown = clients["cora"].get(f"/indicators/{found}").content.decode()
    pseudonym = shown.split('name="pseudonym" id="')[1].split('"')[0]
    assert "ferry" not in shown.lower()
    sent = {"indicator": found, "pseudonym": pseudonym, "reason": WHY}
    assert clients["cora"].post("/sources/ask", {**sent, "reason": ""}).status_code == 422
    assert clients["cora"].post("/sources/ask", sent).status_code == 302
    opening_id = Opening.objects.get().opening_id
    assert "Take it back" in clients["cora"].get("/sources").content.decode()
    asked_page = clients["omar"].get("/sources").content.decode()
    assert WHY in asked_page
    assert "ferry" not in asked_page.lower()
    assert clients["omar"].post(f"/sources/{opening_id}/decide", {"answer": "approved"}).status_code == 422
    decision = {"answer": "approved", "reason": "shown to me"}
    assert clients["omar"].post(f"/sources/{opening_id}/decide", decision).status_code == 302
    for client in clients.values():
        page = client.post(f"/sources/{opening_id}/look").content.decode()
        assert "It is ferry." in page or "It is medway." in page
        assert client.post(f"/sources/{opening_id}/look").status_code == 422
        assert json.dumps("ferry") not in client.get("/sources").content.decode()
