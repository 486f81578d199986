"""When a warning is shared, and when it is taken back."""

import datetime as dt
import ipaddress

import pytest
from django.test import override_settings
from tests.sharing.street import ATTACKER, DAY, NOON, PHISH, Street

from tocsin.access import services as access
from tocsin.access.policy import NOBODY
from tocsin.intake.models import Report
from tocsin.jobs import worker
from tocsin.journal import queries as journal
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound, NotSignedIn
from tocsin.sharing import queries, services, tasks
from tocsin.sharing.models import Approval, Assertion, Indicator, Outgoing
from tocsin.sharing.warning_lists import warning_lists

pytestmark = pytest.mark.django_db


def on_list(kind: str = "address", at: dt.datetime = NOON) -> list[str]:
    return list(queries.shared(kind, at))


def own_networks(street: Street, name: str, *networks: str) -> None:
    member = street.member(name)
    member.networks = list(networks)
    member.save()


def test_one_member_alone_shares_nothing(street: Street) -> None:
    """Not by one report, and not by many of the same member."""
    street.report("ferry")
    street.report("ferry")
    assert on_list() == []
    assert street.indicator().reason == "Only one member has reported it so far."
    assert Assertion.objects.count() == 2
    assert not Outgoing.objects.exists()


def test_two_members_share(street: Street) -> None:
    """The second independent word puts it on the list, for seven days."""
    street.report("ferry")
    street.report("medway", at=NOON + DAY)
    assert on_list(at=NOON + DAY) == [ATTACKER]
    assert street.indicator().valid_until == NOON + 8 * DAY
    assert street.indicator().reason == "At least two independent members reported it."


def test_names_are_shared_as_reported_for_thirty_days(street: Street) -> None:
    """The host, never the domain above it, and never the address that it was served from."""
    street.phish("ferry")
    street.phish("medway")
    assert on_list("name") == [PHISH]
    assert street.indicator(PHISH).valid_until == NOON + 30 * DAY
    assert on_list() == []


def test_words_too_old_are_no_second_source(street: Street) -> None:
    """A week later the first word counts no more."""
    street.report("ferry")
    street.report("medway", at=NOON + 8 * DAY)
    assert on_list(at=NOON + 8 * DAY) == []


def test_a_new_report_renews_and_silence_expires(street: Street) -> None:
    """Seven days from the last word; then it is off, and stays off until two say so again."""
    street.report("ferry")
    street.report("medway")
    street.report("medway", at=NOON + 5 * DAY)
    assert street.indicator().valid_until == NOON + 12 * DAY
    assert services.sweep(NOON + 8 * DAY) == 0
    assert on_list(at=NOON + 12 * DAY) == []  # by its end alone, before any sweep
    before = queries.list_version("address")
    assert services.sweep(NOON + 12 * DAY) == 1
    after = queries.list_version("address")
    assert (before.count, after.count, after.number > before.number) == (1, 0, True)
    assert street.indicator().state == "expired"
    assert street.indicator().reason == "Nobody has reported it again for 7 days."
    street.report("ferry", at=NOON + 20 * DAY)
    assert on_list(at=NOON + 20 * DAY) == []
    street.report("medway", at=NOON + 20 * DAY)
    assert on_list(at=NOON + 20 * DAY) == [ATTACKER]


def test_a_small_gain_of_life_is_no_new_version(street: Street) -> None:
    """Members are not told every hour that it goes on."""
    street.report("ferry")
    street.report("medway")
    number = queries.list_version("address").number
    street.report("ferry", at=NOON + dt.timedelta(hours=11))
    assert queries.list_version("address").number == number
    street.report("ferry", at=NOON + dt.timedelta(hours=12))
    assert queries.list_version("address").number == number + 1


def test_a_higher_version_of_a_report_renews_its_word(street: Street) -> None:
    """It is the same word, told again."""
    street.report("ferry")
    told = {"attack_id": "attack_" + "a" * 32}
    street.report("medway", **told)
    street.report("medway", at=NOON + DAY, count=70, **told)
    assert Assertion.objects.count() == 2
    assert street.indicator().valid_until == NOON + 8 * DAY


def test_asserting_twice_changes_nothing(street: Street) -> None:
    """A job that ran half and runs again finds its work done."""
    street.report("ferry")
    street.report("medway")
    before = list(Indicator.objects.values()), Outgoing.objects.count(), Entry.objects.count()
    services.assert_reports(Report.objects.values_list("pk", flat=True), NOON + DAY)
    assert (list(Indicator.objects.values()), Outgoing.objects.count(), Entry.objects.count()) == before


def test_a_trusted_person_shares_alone(street: Street) -> None:
    """With a reason, which the journal keeps and the list does not tell."""
    street.report("ferry")
    shared = services.approve(street.indicator(), street.trusted(), True, "seen by us too", NOON)
    assert (shared.state, shared.reason) == ("shared", "A trusted person approved it.")
    assert on_list() == [ATTACKER]
    assert queries.find("address", ATTACKER) == shared


def test_a_trusted_no_withdraws_at_once_and_holds(street: Street) -> None:
    """However many report it again, until a trusted person says yes."""
    street.report("ferry")
    street.report("medway")
    trusted = street.trusted()
    withdrawn = services.withdraw(street.indicator(), trusted, "a shared proxy", NOON)
    assert (withdrawn.state, on_list()) == ("withdrawn", [])
    assert withdrawn.reason == "A trusted person decided against it: a shared proxy"
    street.report("lakes", at=NOON + DAY)
    assert on_list(at=NOON + DAY) == []
    services.approve(street.indicator(), trusted, True, "the proxy is gone", NOON + DAY)
    assert on_list(at=NOON + DAY) == [ATTACKER]


def test_who_decides_is_checked(street: Street) -> None:
    """Nobody, a key, and a person without the role decide nothing; a decision needs a reason."""
    street.report("ferry")
    person = access.add_person("rita@example.org", "Rita", "secret")
    access.give_role(person, "reporter", member=street.member("ferry"))
    reporter = type(NOBODY).of_person(person)
    for actor, problem in ((NOBODY, NotSignedIn), (street.key("ferry"), NotAllowed), (reporter, NotAllowed)):
        with pytest.raises(problem):
            services.approve(street.indicator(), actor, True, "because")
        with pytest.raises(problem):
            services.withdraw(street.indicator(), actor, "because")
    trusted = street.trusted()
    for reason in ("", " ", "x" * 501):
        with pytest.raises(BadInput):
            services.approve(street.indicator(), trusted, True, reason)
    assert not Approval.objects.exists()


def test_a_withdrawn_report_takes_its_word_along(street: Street) -> None:
    """One of two: off the list at once. One of three: nothing changes."""
    wrong = street.report("ferry")
    street.report("medway")
    street.report("lakes")
    services.withdraw_report(wrong, "the wrong log", NOON)
    assert on_list() == [ATTACKER]
    services.withdraw_report(Report.objects.exclude(pk=wrong.pk)[0], "the wrong log, too", NOON)
    assert on_list() == []
    assert street.indicator().state == "withdrawn"
    services.assert_reports([wrong.pk], NOON)  # the job runs once more: a withdrawn word stays withdrawn
    assert on_list() == []


def test_a_members_own_network_is_never_shared(street: Street) -> None:
    """Not by two, not by a trusted person, and not any longer once a member names its range."""
    own_networks(street, "lakes", "80.94.92.0/24")
    street.report("ferry")
    street.report("medway")
    assert on_list() == []
    assert street.indicator().reason == "It lies in a member's own network, which is never shared."
    with pytest.raises(Conflict):
        services.approve(street.indicator(), street.trusted(), True, "but it attacks")
    own_networks(street, "lakes")
    street.report("medway", at=NOON)
    assert on_list() == [ATTACKER]
    own_networks(street, "lakes", "80.94.0.0/16")
    assert services.sweep(NOON) == 1
    assert (on_list(), street.indicator().state) == ([], "withdrawn")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("8.8.8.8", "stands on the warning list"),
        ("1.1.1.1", "stands on the warning list"),
        ("10.1.2.3", "stands on the warning list"),
        ("192.0.2.1", "stands on the warning list"),  # documentation, RFC 5737
        ("2001:db8::1", "stands on the warning list"),  # documentation, RFC 3849
        ("::1", "is no public address"),
        ("fd00::1", "is no public address"),
    ],
)
def test_what_must_not_be_blocked_is_held(street: Street, value: str, words: str) -> None:
    """However many say so; the reason names the list."""
    for member in ("ferry", "medway", "lakes"):
        street.report(member, value)
    assert on_list() == []
    assert words in street.indicator(value).reason
    with pytest.raises(Conflict):
        services.approve(street.indicator(value), street.trusted(), True, "really")


def test_a_name_on_a_warning_list_is_held_with_all_below_it(street: Street) -> None:
    """A phishing page on a site that everybody uses blocks nobody's site."""
    for name in ("google.com", "login.google.com", "evil.github.io"):
        street.phish("ferry", name)
        street.phish("medway", name)
        assert "warning list" in street.indicator(name).reason
    assert on_list("name") == []


@override_settings(PRETEND_PUBLIC=("192.0.2.0/24",))
def test_what_anybody_rents_waits_for_a_person(street: Street) -> None:
    """Two members are not enough on a list that asks; a trusted person's yes is, and a no ends it."""
    rented = next(
        str(ipaddress.ip_address(int.from_bytes(first[12:]) + 1))
        for first in warning_lists().asked_networks.firsts
        if first.startswith(bytes(10) + b"\xff\xff")
    )
    for name in ("ferry", "medway"):
        street.report(name, origins=(rented,))
    found = street.indicator(rented)
    assert on_list() == []
    assert (found.state, found.basis) == ("held", "asks")
    assert "where a trusted person has to say yes" in found.reason
    tess = street.trusted()
    services.approve(found, tess, is_yes=True, reason="one customer's machine", at=NOON)
    assert on_list() == [rented]
    services.approve(found, tess, is_yes=False, reason="it was cleaned up", at=NOON)
    assert on_list() == []


def test_a_range_can_pretend_to_be_public(street: Street) -> None:
    """For a demo and for tests alone; other ranges stay as they are, and so do own networks."""
    for member in ("ferry", "medway"):
        street.report(member, "192.0.2.1")
        street.report(member, "198.51.100.1")
    assert on_list() == ["192.0.2.1"]
    own_networks(street, "ferry", "192.0.2.0/28")
    services.sweep(NOON)
    assert on_list() == []


def test_evidence_that_can_be_forged_is_held(street: Street) -> None:
    """One packet without an answer may come from anywhere: two members may be fooled by the same sender."""
    for member in ("ferry", "medway"):
        street.report(member, kind="information-gathering/scanner", service="udp/53")
    assert on_list() == []
    assert street.indicator().reason.startswith("The evidence could be forged")


def test_a_suspended_members_word_counts_no_more(street: Street) -> None:
    """At the next look."""
    street.report("ferry")
    access.suspend_member(street.member("ferry"), "left")
    street.report("medway")
    assert on_list() == []


def test_lists_are_sorted_for_people(street: Street) -> None:
    """Addresses as numbers, IPv4 first."""
    values = ("80.94.92.100", "80.94.92.9", "2a0b:6b80::1", "2.61.1.1")
    for member in ("ferry", "medway"):
        for value in values:
            street.report(member, value)
    assert on_list() == ["2.61.1.1", "80.94.92.9", "80.94.92.100", "2a0b:6b80::1"]


def test_what_a_reader_may_know(street: Street) -> None:
    """Held: its reporters and trusted persons. Shared: all, and never by whom."""
    street.report("ferry")
    held = street.indicator()
    person = access.add_person("max@example.org", "Max", "secret")
    access.give_role(person, "reporter", member=street.member("medway"))
    max_ = type(NOBODY).of_person(person)
    with pytest.raises(NotFound):
        queries.indicator_view(max_, held.indicator_id)
    trusted = street.trusted()
    assert queries.indicator_view(trusted, held.indicator_id).may_approve
    street.report("medway")
    view = queries.indicator_view(max_, held.indicator_id)
    assert (view.is_shared, view.reported_by_us, view.may_withdraw) == (True, True, False)
    assert [event.words for event in view.events] == ["Shared"]
    assert "ferry" not in repr(view).lower()
    with pytest.raises(NotSignedIn):
        queries.indicator_view(NOBODY, held.indicator_id)


def test_indicators_are_found_by_report_and_by_value(street: Street) -> None:
    """What was never shared is not found by value; what was, is, even after its end."""
    first = street.report("ferry")
    nothing = street.report("ferry", severity="info")
    assert queries.indicators_of_reports([first.pk, nothing.pk]) == {first.pk: [street.indicator()]}
    assert queries.find("address", ATTACKER) is None
    street.report("medway")
    services.sweep(NOON + 30 * DAY)
    found = queries.find("address", ATTACKER)
    assert found is not None
    assert found.state == "expired"


def test_every_outward_change_has_its_entry_and_the_feed_its_own_numbers(street: Street) -> None:
    """No gap, instants of the journal, one latest version each; no word of a source in a commitment."""
    for member in ("ferry", "medway"):
        street.reports(member, [{"origins": (f"80.94.92.{last}",)} for last in range(1, 6)])
    services.withdraw(street.indicator("80.94.92.1"), street.trusted(), "a mistake", NOON)
    rows = list(Outgoing.objects.order_by("number"))
    assert [row.number for row in rows] == list(range(1, 8))  # the marking, five, one withdrawn
    instants = [row.date_added for row in rows]
    assert instants == sorted(set(instants))
    outdated = next(row for row in rows if row.indicator == street.indicator("80.94.92.1"))
    assert [row for row in rows if not row.is_latest] == [outdated]  # in whatever order the five left
    placed = list(Entry.objects.filter(event__startswith="sharing:").values_list("at", flat=True))
    assert all(placed[0] <= instant <= placed[-1] for instant in instants)
    withdrawn = journal.history([street.indicator("80.94.92.1").indicator_id])
    assert [item.event.rpartition(":")[2] for item in withdrawn] == ["shared", "refused", "withdrawn"]


def test_new_reports_are_heard_through_the_journal(street: Street) -> None:
    """The worker's job shares them, whatever else it has to do."""
    from tests.exchange import a_report, spelled

    from tocsin.intake.services import submit

    for member in ("ferry", "medway"):
        submit(street.key(member), [spelled(a_report(origins=(ATTACKER,)))])
    worker.drain()
    assert list(queries.shared("address")) == [ATTACKER]
    tasks.sweep_indicators()
    assert list(queries.shared("address")) == [ATTACKER]
