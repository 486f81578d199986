"""The network engineer's page, one indicator's page, and what warnings stopped on the pages of others."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from tests.doors.web import views_of
from tests.doors.web.conftest import a_person, signed_in
from tests.doors.web.test_pages import text_of
from tests.exchange import a_key, a_member, a_report, spelled

from tocsin.access import keys, services
from tocsin.access.models import ApiKey, Member, Person
from tocsin.access.policy import Actor
from tocsin.blocking.models import Tally
from tocsin.doors.web.pages import home_of
from tocsin.figures import networks
from tocsin.intake import services as intake
from tocsin.intake.models import Report
from tocsin.kernel.time import now
from tocsin.sharing import queries as sharing
from tocsin.sharing import services as judging
from tocsin.sharing.models import Indicator

ADDRESS = "100.128.0.7"  # any public address that no warning list has
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def pretended(settings: Any) -> None:
    """A range that counts as public here, whatever the warning lists of the day say."""
    settings.PRETEND_PUBLIC = ("100.128.0.0/16",)


def reported(member: Member, origin: str = ADDRESS) -> Report:
    """A report of that member, asserted."""
    accepted = intake.submit(a_key(member), [spelled(a_report(origins=(origin,)))])
    assert not accepted.refusals
    report = Report.objects.filter(member=member).latest("pk")
    judging.assert_reports([report.pk])
    return report


@pytest.fixture
def held(member: Member) -> Indicator:
    """What one member alone reported."""
    reported(member)
    return Indicator.objects.get(value=ADDRESS)


@pytest.fixture
def shared(held: Indicator) -> Indicator:
    """The same, reported by a second member."""
    reported(a_member("Harbour Net"))
    held.refresh_from_db()
    assert held.state == "shared", held.reason
    return held


@pytest.fixture
def trusted(db: None) -> Client:
    """Somebody whose word shares alone."""
    person = a_person("Tara Quill")
    services.give_role(person, "trusted")
    return signed_in(person)


def tally(member: Member, indicator: Indicator, hits: int) -> None:
    """So many connections stopped there in this hour."""
    hour = now().replace(minute=0, second=0, microsecond=0)
    Tally.objects.create(
        member=member, source_id="rpz.log", indicator=indicator, hour=hour, hits=hits, told_at=now()
    )


def page_of(indicator: Indicator) -> str:
    return reverse("indicator", kwargs={"indicator_id": indicator.indicator_id})


def test_nothing_shared_and_nothing_set_up_is_taught(reporter: Client) -> None:
    """The empty states name the scope, the command and when a warning appears."""
    page = text_of(reporter.get(reverse("network")))
    assert "0 names and 0 addresses are shared now; none of your machines reads them yet." in page
    for part in ("lists:read", "tocsin tally /var/log/named/rpz.log", "Nothing is shared now."):
        assert part in page


def test_what_is_shared_is_there_with_its_end(reporter: Client, shared: Indicator) -> None:
    """The number of the list, the newest values, a link to why."""
    answer = reporter.get(reverse("network"))
    assert "0 names and 1 addresses" not in text_of(answer), "one address is one address"
    assert "1 address" in text_of(answer)
    assert page_of(shared) in answer.content.decode()


@pytest.mark.parametrize(
    ("used", "sentence"),
    [
        (None, "your key to the lists was never used."),
        (dt.timedelta(minutes=1), "and your machines ask for them."),
        (dt.timedelta(hours=5), "your machines have stopped asking for them."),
    ],
)
def test_a_machine_that_stopped_asking_is_noticed(
    reporter: Client, member: Member, used: dt.timedelta | None, sentence: str
) -> None:
    """From the last use of the keys that may read lists; other keys, and others' keys, do not count."""
    keys.make_key(member, "resolver-1", ("lists:read",))
    keys.make_key(member, "edge", ("reports:write",))
    keys.make_key(a_member(), "theirs", ("lists:read",))
    ApiKey.objects.exclude(label="resolver-1").update(last_used_at=now())
    ApiKey.objects.filter(label="resolver-1").update(last_used_at=None if used is None else now() - used)
    page = text_of(reporter.get(reverse("network")))
    assert sentence in page
    assert "resolver-1" in page
    assert "edge" not in page
    assert "theirs" not in page


def test_a_log_of_ones_own_is_shown_and_nobody_elses(
    reporter: Client, member: Member, shared: Indicator
) -> None:
    """Hits by log are the member's own business."""
    tally(member, shared, 1234)
    tally(a_member(), shared, 987_654)
    page = text_of(reporter.get(reverse("network")))
    assert "rpz.log 1,234" in page
    assert "987" not in page


def test_an_address_is_looked_up_however_it_is_spelled(reporter: Client, shared: Indicator) -> None:
    """A value that was shared leads to its page; one that never was is said so, escaped."""
    assert reporter.get(reverse("network"), {"q": f" {ADDRESS} "})["Location"] == page_of(shared)
    page = reporter.get(reverse("network"), {"q": "<b>192.0.2.1"}).content.decode()
    assert "was never shared here" in page
    assert "<b>192" not in page


def test_what_is_held_is_for_who_said_it_and_the_trusted(held: Indicator, trusted: Client) -> None:
    """To another member it does not exist, on no page."""
    stranger = a_person("Sam Other")
    services.give_role(stranger, "reporter", member=a_member("Elsewhere"))
    client = signed_in(stranger)
    assert client.get(page_of(held)).status_code == 404
    assert client.get(reverse("network"), {"q": ADDRESS}).status_code == 200
    assert ADDRESS not in text_of(client.get(reverse("network")))
    assert ADDRESS in text_of(trusted.get(reverse("network")))
    assert "Not shared: nobody is asked to block this." in text_of(trusted.get(page_of(held)))


def test_a_shared_indicator_says_why_and_never_who(reporter: Client, shared: Indicator) -> None:
    """May I block this? Yes, until when, for what reason; no member's name, no number of them."""
    page = text_of(reporter.get(page_of(shared)))
    for part in ("You may block this: it is shared with every member until", "You reported it.", "Its life"):
        assert part in page
    assert "Harbour" not in page
    assert "Share it on your word" not in page, "a reporter is not asked to judge"
    assert "Withdraw it" not in page


def test_a_trusted_person_shares_and_withdraws_with_a_reason(trusted: Client, held: Indicator) -> None:
    """Without a reason nothing happens; with it the indicator goes out, and comes back."""
    approve = reverse("indicator-approve", kwargs={"indicator_id": held.indicator_id})
    assert trusted.post(approve, {"reason": " "}).status_code == 422
    held.refresh_from_db()
    assert held.state == "held"
    assert trusted.post(approve, {"reason": "seen in our own honeypot"})["Location"] == page_of(held)
    assert list(sharing.shared("address")) == [ADDRESS]
    withdraw = reverse("indicator-withdraw", kwargs={"indicator_id": held.indicator_id})
    trusted.post(withdraw, {"reason": "a customer of Harbour moved in"})
    assert list(sharing.shared("address")) == []
    assert "Withdrawn: take it off your own lists too." in text_of(trusted.get(page_of(held)))


def test_what_can_never_be_shared_is_refused_in_words(
    trusted: Client, held: Indicator, member: Member
) -> None:
    """A member's own network: the form comes back with the reason and what was typed."""
    Member.objects.filter(pk=member.pk).update(networks=[f"{ADDRESS}/32"])
    approve = reverse("indicator-approve", kwargs={"indicator_id": held.indicator_id})
    answer = trusted.post(approve, {"reason": "it is bad"})
    assert answer.status_code == 422
    assert "own network" in text_of(answer)
    assert "it is bad" in text_of(answer)


@pytest.mark.parametrize("verb", ["approve", "withdraw"])
def test_only_the_trusted_judge(reporter: Client, held: Indicator, verb: str) -> None:
    """403, and nothing changes."""
    address = reverse(f"indicator-{verb}", kwargs={"indicator_id": held.indicator_id})
    assert reporter.post(address, {"reason": "I say so"}).status_code == 403
    held.refresh_from_db()
    assert held.state == "held"


def test_a_reporter_learns_what_the_warnings_stopped(
    reporter: Client, member: Member, shared: Indicator
) -> None:
    """On the home and on the report: connections at five other networks, and nobody's name."""
    for number in range(5):
        tally(a_member(f"Blocker {number}"), shared, 8_240)
    words = "stopped 41,200 connections at 5 networks"
    home = text_of(reporter.get(reverse("reports")))
    assert "1 address or name that you reported is shared with every member." in home
    assert words in home
    report = Report.objects.get(member=member)
    page = text_of(reporter.get(reverse("report", kwargs={"report_id": report.report_id})))
    assert f"Your report {words}; 0 appeals; no other member was told who you are." in page
    assert ADDRESS in page
    assert words in text_of(reporter.get(page_of(shared))).replace("Stopped", "stopped")
    assert "Blocker" not in home + page


def test_a_single_networks_volume_is_not_told(reporter: Client, shared: Indicator) -> None:
    """41,213 at one competitor is told roughly, everywhere."""
    tally(a_member(), shared, 41_213)
    report = Report.objects.filter(member__name="Northgate Broadband").get()
    places = (
        reverse("reports"),
        page_of(shared),
        reverse("report", kwargs={"report_id": report.report_id}),
        reverse("figures"),
    )
    for address in places:
        page = text_of(reporter.get(address))
        assert "40,000 connections" in page, address
        assert "41,213" not in page, address


def test_a_case_shows_its_warnings_and_their_effect(officer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the doors hand to the page stands beside the clocks."""
    from tocsin.blocking.queries import Effect
    from tocsin.doors.web import cases
    from tocsin.figures.effects import Warned

    reading = views_of.a_reading()
    monkeypatch.setattr("tocsin.cases.queries.read_case", lambda *_, **__: reading)
    effect = Effect(41_200, 5, "stopped 41,200 connections at 5 networks", appeals=3, upheld=1)
    warned = (Warned("indicator_1", ADDRESS, "shared with every member"),)
    beside = {"effect": effect, "warned": warned, "report_pages": {"items": []}}
    monkeypatch.setattr(cases, "_more", lambda *_: beside)
    page = text_of(officer.get(reverse("case", kwargs={"case_id": "case_0000000000A1"})))
    assert (
        "Warnings from this case stopped 41,200 connections at 5 networks; 3 appeals, 1 of them upheld; "
        "no other member was told who reported it."
    ) in page
    assert "Shared with every member" in page


def test_the_page_asks_no_more_for_more(
    reporter: Client, member: Member, django_assert_max_num_queries: Any
) -> None:
    """Twenty indicators cost as many questions as one."""
    rival = a_member("Harbour Net")
    for number in range(networks.NEWEST + 2):
        for who in (member, rival):
            reported(who, f"100.128.1.{number}")
    with django_assert_max_num_queries(27):
        page = reporter.get(reverse("network")).content.decode()
    assert page.count("/indicators/") == networks.NEWEST


def test_whoever_only_looks_after_warnings_begins_with_them(trusted: Client) -> None:
    """After signing in, everybody is where their work is."""
    actor = Actor.of_person(Person.objects.get(pk=trusted.session["_auth_user_id"]))
    assert home_of(actor) == reverse("network")
