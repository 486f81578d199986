"""For which class of attack something is listed: what most say whose words may be read there."""

import pytest
from tests.exchange import a_key
from tests.sharing.street import ATTACKER, DAY, NOON, Street
from tests.sharing.test_audiences import a_community, said

from tocsin.access.models import Member
from tocsin.access.policy import Actor
from tocsin.sharing import lists, queries, rules, services
from tocsin.sharing.models import Indicator, Standing

pytestmark = [pytest.mark.django_db, pytest.mark.database]

SCAN, BRUTE, EXPLOIT = (
    "information-gathering/scanner",
    "intrusion-attempts/brute-force",
    "intrusion-attempts/exploit",
)


def listed(street: Street) -> dict[str, str]:
    """What stands on everybody's list of addresses, and for which class."""
    return {one.value: one.attack_kind for one in queries.shared_until("address", NOON)}


def test_most_members_decide_and_then_whoever_spoke_last() -> None:
    """However often one of them says it; words that name no class count for none."""
    word = rules.Word
    scans = [word(1, NOON, attack_kind=SCAN), word(1, NOON + DAY, attack_kind=SCAN)]
    assert rules.class_said([*scans, word(2, NOON, attack_kind=BRUTE)]) == SCAN
    assert rules.class_said([*scans, *(word(n, NOON, attack_kind=BRUTE) for n in (2, 3))]) == BRUTE
    assert rules.class_said([word(1, NOON), word(2, NOON, attack_kind=BRUTE)]) == BRUTE
    assert rules.class_said([word(1, NOON)]) == "other/other"


def test_it_stays_while_it_is_shared(street: Street) -> None:
    """A change would tell when, and of what, somebody spoke again; the same number is the same bytes."""
    street.report("ferry", kind=BRUTE)
    street.report("medway", kind=BRUTE)
    assert listed(street) == {ATTACKER: BRUTE}
    before = lists.written(lists.NamedList("addresses.txt", lists.LISTS["addresses.txt"]))
    for member in ("harbour", "lock", "weir"):
        street.report(member, kind=SCAN)
    assert listed(street) == {ATTACKER: BRUTE}
    tess = street.trusted()
    services.withdraw(street.indicator(), tess, "not quite", NOON)
    services.approve(street.indicator(), tess, True, "a scanner", NOON)
    assert listed(street) == {ATTACKER: SCAN}
    after = lists.written(lists.NamedList("addresses.txt", lists.LISTS["addresses.txt"]))
    assert (after.number > before.number, after.body != before.body) == (True, True)


def test_a_community_has_its_own_and_lifts_nobodys(street: Street) -> None:
    """A report to everybody that is held changes nothing there; what was said there names nothing outside."""
    ferry, medway = street.member("ferry"), street.member("medway")
    ports = a_community(ferry, medway)
    street.report("ferry", kind=EXPLOIT)
    services.assert_said(medway, [said(community=ports.pk)], NOON)
    assert [one.attack_kind for one in queries.shared_until("address", NOON, ports)] == [EXPLOIT]
    for origin in range(2):  # held: one member's word, whatever the kind
        street.report("ferry", kind=(SCAN, BRUTE)[origin])
    assert street.indicator().state == Indicator.State.HELD
    assert Standing.objects.get().attack_kind == EXPLOIT
    street.report("harbour", kind=SCAN)
    street.report("weir", kind=SCAN)
    assert listed(street) == {ATTACKER: SCAN}
    assert [one.attack_kind for one in queries.shared_until("address", NOON, ports)] == [EXPLOIT]


def test_words_that_wait_or_were_taken_back_name_no_class(street: Street) -> None:
    """A small source's kind is not told before its words are, nor one that was a mistake."""
    Member.objects.filter(pk=street.member("ferry").pk).update(is_small_source=True)
    street.report("ferry", kind=EXPLOIT)
    wrong = street.report("lock", kind=SCAN)
    services.withdraw_report(wrong, "a mistake", NOON)
    for member in ("medway", "harbour"):
        services.assert_said(street.member(member), [said()], NOON)
    assert listed(street) == {ATTACKER: "other/other"}


def test_what_is_held_shows_its_reporter_the_own_class_alone(street: Street) -> None:
    """Another's would tell that there is another."""
    street.report("ferry", kind=BRUTE)
    Indicator.objects.update(attack_kind=SCAN)  # as a report of somebody whose evidence could be forged does
    found = street.indicator()
    view = queries.indicator_view(a_key(street.member("ferry"), ("lists:read",)), found.indicator_id)
    assert view.attack_kind == BRUTE
    trusted: Actor = street.trusted()
    assert queries.indicator_view(trusted, found.indicator_id).attack_kind == SCAN
