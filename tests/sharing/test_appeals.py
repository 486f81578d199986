"""Whoever is blocked is answered: by a person in time, or by the clock, and never by silence."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.test import Client
from tests.sharing.street import ATTACKER, DAY, NOON, PHISH, Street

from tocsin.access.policy import NOBODY
from tocsin.journal.models import Content, Entry
from tocsin.kernel.problems import BadInput, Conflict, NotFound, NotSignedIn
from tocsin.sharing import appealing, queries, records, services
from tocsin.sharing.models import Appeal, SourceRecord
from tocsin.sharing.tasks import sweep_indicators

pytestmark = [pytest.mark.django_db, pytest.mark.database]
MONDAY = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def listed(street: Street) -> Street:
    """An address and a name that stand on the lists since Monday noon."""
    for member in ("ferry", "medway"):
        street.report(member, at=MONDAY)
        street.phish(member, at=MONDAY)
    return street


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        (f" {ATTACKER} ", ATTACKER),
        (f"https://{PHISH}/login?a=b", PHISH),
        (f"HTTP://{PHISH.upper()}.:8443/", PHISH),
        (f"http://{ATTACKER}/x", ATTACKER),
    ],
)
def test_what_is_blocked_is_found_however_it_is_typed(listed: Street, typed: str, value: str) -> None:
    """An address, a name, or the address of a page."""
    assert appealing.listed(typed).value == value


def test_what_is_not_listed_is_said_at_once(listed: Street) -> None:
    """Nobody waits for an answer about what nobody here blocks."""
    with pytest.raises(appealing.NotListed):
        appealing.appeal("198.51.100.7", "wrong", at=MONDAY)
    with pytest.raises(BadInput):
        appealing.appeal("what?", "wrong", at=MONDAY)
    assert not Appeal.objects.exists()


def test_upheld_takes_it_off_every_list_and_counts_against_its_sources(listed: Street) -> None:
    """The list changes with the answer; the record of who said so falls."""
    token = appealing.appeal(ATTACKER, "it is our mail server", at=MONDAY)
    view = appealing.of_token(token)
    assert (view.value, view.ended_at, view.is_listed) == (ATTACKER, None, True)
    number = queries.list_version("address").number
    appealing.decide(view.appeal_id, listed.trusted(), True, "it was mended", MONDAY)
    assert list(queries.shared("address", MONDAY)) == []
    assert queries.list_version("address").number == number + 1
    done = appealing.of_token(token)
    assert (done.outcome, done.reason, done.is_listed) == ("upheld", "it was mended", False)
    records.count_anew(MONDAY)
    assert set(SourceRecord.objects.values_list("wrong", flat=True)) == {1}


def test_rejected_stays_and_says_why(listed: Street) -> None:
    """It may be appealed again, once it was answered."""
    token = appealing.appeal(ATTACKER, "it is our mail server", at=MONDAY)
    with pytest.raises(Conflict):
        appealing.appeal(ATTACKER, "it is ours, too", at=MONDAY)
    trusted, appeal_id = listed.trusted(), appealing.of_token(token).appeal_id
    with pytest.raises(BadInput):
        appealing.decide(appeal_id, trusted, False, " ", MONDAY)
    appealing.decide(appeal_id, trusted, False, "it still attacks", MONDAY)
    assert list(queries.shared("address", MONDAY)) == [ATTACKER]
    assert appealing.of_token(token).reason == "it still attacks"
    with pytest.raises(Conflict):
        appealing.decide(appeal_id, trusted, True, "after all", MONDAY)
    appealing.appeal(ATTACKER, "now it is mended", at=MONDAY + DAY)


def test_silence_upholds_when_the_clock_runs_out(listed: Street) -> None:
    """A working day, not an hour less; once, however often it is swept."""
    token = appealing.appeal(ATTACKER, "it is our mail server", at=MONDAY)
    assert appealing.of_token(token).due_at == MONDAY + DAY
    assert appealing.sweep_appeals(MONDAY + DAY - dt.timedelta(seconds=1)) == 0
    assert list(queries.shared("address", MONDAY)) == [ATTACKER]
    assert appealing.sweep_appeals(MONDAY + DAY) == 1
    assert appealing.sweep_appeals(MONDAY + DAY) == 0
    assert list(queries.shared("address", MONDAY)) == []
    assert appealing.of_token(token).outcome == "lapsed"
    assert listed.indicator().reason == appealing.LAPSED_WORDS


def test_over_a_weekend_nobody_is_late(listed: Street) -> None:
    """Friday afternoon is answered by Monday afternoon."""
    friday = MONDAY + 4 * DAY
    token = appealing.appeal(ATTACKER, "it is our mail server", at=friday)
    assert appealing.of_token(token).due_at == friday + 3 * DAY


def test_what_left_by_itself_needs_no_answer(listed: Street) -> None:
    """Expired or withdrawn meanwhile: the appeal is closed, and says so."""
    token = appealing.appeal(ATTACKER, "it is our mail server", at=MONDAY)
    services.withdraw(listed.indicator(), listed.trusted(), "a mistake", MONDAY)
    assert appealing.sweep_appeals(MONDAY) == 1
    assert appealing.of_token(token).outcome == "moot"


def test_what_was_written_is_no_part_of_the_journal_and_goes_after_a_month(listed: Street) -> None:
    """Personal data stays in its row, and not for long."""
    token = appealing.appeal(ATTACKER, "call Anna Smith", at=MONDAY)
    appealing.decide(appealing.of_token(token).appeal_id, listed.trusted(), False, "it attacks", MONDAY)
    contents = [bytes(content) for content in Content.objects.values_list("content", flat=True)]
    assert not any(b"Anna" in content for content in contents)
    assert Entry.objects.filter(event__startswith="sharing:appeal:").count() == 2
    appealing.sweep_appeals(MONDAY + 29 * DAY)
    assert appealing.of_token(token).words
    appealing.sweep_appeals(MONDAY + 30 * DAY)
    assert appealing.of_token(token).words == ""


def test_only_trusted_persons_decide(listed: Street) -> None:
    """Neither keys nor nobody."""
    token = appealing.appeal(ATTACKER, "it is our mail server", at=MONDAY)
    with pytest.raises(NotSignedIn):
        appealing.decide(appealing.of_token(token).appeal_id, NOBODY, True, "so what", MONDAY)
    with pytest.raises(NotFound):
        appealing.of_token("guessed")


def test_the_public_page_from_form_to_answer(listed: Street) -> None:
    """Without an account: the form keeps what was typed, the link shows the answer."""
    cache.clear()
    client = Client()
    assert "Send the appeal" in client.get("/blocked").content.decode()
    empty = client.post("/blocked", {"value": ATTACKER, "words": ""})
    assert empty.status_code == 422
    assert ATTACKER in empty.content.decode()
    nowhere = client.post("/blocked", {"value": "198.51.100.7", "words": "wrong"})
    assert "stands on no list" in nowhere.content.decode()
    sent = client.post("/blocked", {"value": ATTACKER, "words": "it is our mail server"})
    assert sent.status_code == 302
    assert "waits for a person" in client.get(sent.headers["Location"]).content.decode()
    trusted = listed.trusted()
    assert trusted.person is not None
    staff = Client()
    staff.force_login(trusted.person)
    listing = staff.get("/appeals").content.decode()
    assert "it is our mail server" in listing
    appeal_id = Appeal.objects.get().appeal_id
    wrong = staff.post(f"/appeals/{appeal_id}", {"answer": "upheld", "reason": ""})
    assert wrong.status_code == 422
    done = staff.post(f"/appeals/{appeal_id}", {"answer": "upheld", "reason": "mended"}, follow=True)
    assert "is off every list" in done.content.decode()
    assert "It is off every list" in client.get(sent.headers["Location"]).content.decode()


def test_one_address_does_not_flood_the_desk(listed: Street) -> None:
    """Twenty in an hour, then 429."""
    cache.clear()
    client = Client()
    codes = [client.post("/blocked", {"value": "x.example", "words": "no"}).status_code for _ in range(21)]
    assert codes == [200] * 20 + [429]


def test_the_sweep_of_the_worker_answers_them_too(listed: Street) -> None:
    """What runs every fifteen seconds upholds what nobody answered."""
    token = appealing.appeal(ATTACKER, "it is our mail server", at=NOON - 30 * DAY)
    sweep_indicators()
    assert appealing.of_token(token).ended_at is not None
