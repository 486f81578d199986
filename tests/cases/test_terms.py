"""Search: by words, names, addresses, prefixes and ids, by whoever may see what is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cases.town import NOON, Town

from tocsin.access.policy import Actor
from tocsin.cases import terms
from tocsin.cases.models import Case, Term
from tocsin.cases.papers.crime_numbers import record_crime_number
from tocsin.cases.queueing import Wish, queue
from tocsin.cases.services import Responder, assess_case
from tocsin.intake import queries as intake
from tocsin.jobs import worker
from tocsin.journal.queries import size


def found(actor: Actor, text: str) -> set[str]:
    """The titles that a search finds."""
    return {row.title for row in queue(actor, Wish(words=text), at=NOON).rows}


@pytest.fixture
def searched(town: Town) -> Town:
    """Cases with an address, a site and another address, in the index."""
    town.report(origins=("203.0.113.7",))
    town.report(origins=("203.0.113.200",), kind="fraud/phishing", names=("login.bank-example.co.uk",))
    town.report(origins=("2001:db8::7",))
    terms.rebuild()
    return town


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("203.0.113.7", {"203.0.113.7"}),
        ("203.0.113.0/24", {"203.0.113.7", "203.0.113.200"}),
        ("203.0.113.128/25", {"203.0.113.200"}),
        ("203.0.113.", {"203.0.113.7", "203.0.113.200"}),
        ("203.0.", {"203.0.113.7", "203.0.113.200"}),
        ("203.0.113.70", set()),
        ("2001:db8::/32", {"2001:db8::7"}),
        ("2001:0db8:0::0007", {"2001:db8::7"}),
        ("login.bank-example.co.uk", {"203.0.113.200"}),
        ("BANK-example.co", {"203.0.113.200"}),
        ("phish", {"203.0.113.200"}),
        ("phish 203.0.113.0/24", {"203.0.113.200"}),
        ("phish 203.0.113.7", set()),
        ("Medway", set()),
        ("ferr", {"203.0.113.7", "203.0.113.200", "2001:db8::7"}),
        ("100%_", set()),
        ("' OR 1=1 --", set()),
    ],
)
def test_a_word_a_name_and_a_prefix_find_their_cases(searched: Town, text: str, origins: set[str]) -> None:
    """All the words of a search must hold; what is no address is the beginning of a word."""
    wanted = {searched.case_of(report).title for report in reports() if report.origin in origins}
    assert found(searched.actor("olive"), text) == wanted


def reports() -> list[object]:
    from tocsin.intake.models import Report

    return list(Report.objects.all())


@pytest.mark.django_db
def test_a_report_id_and_a_case_id_find_their_case(searched: Town) -> None:
    """As they stand in a mail."""
    report = searched.report(origins=("203.0.113.7",))
    case = searched.case_of(report)
    assert found(searched.actor("olive"), report.report_id) == {case.title}
    assert found(searched.actor("olive"), report.attack_id) == {case.title}
    assert found(searched.actor("olive"), case.case_id) == {case.title}


@pytest.mark.django_db
def test_nobody_finds_what_they_may_not_see(searched: Town) -> None:
    """Another unit's officer finds nothing of it."""
    assert found(searched.actor("edna"), "203.0.113.7") == set()


@pytest.mark.django_db
def test_the_restricted_lane_is_found_by_its_id_alone(town: Town) -> None:
    """No word of it stands in the index (rule 10)."""
    case = town.case_of(town.report(lane="restricted", kind="abusive-content/violence"))
    terms.rebuild()
    assert {bytes(text) for text in Term.objects.filter(case=case).values_list("text", flat=True)} == {
        case.case_id.lower().encode()
    }


@pytest.mark.django_db
def test_what_is_decided_is_found_a_moment_later(town: Town) -> None:
    """A background task fills in what each act said; running it twice changes nothing."""
    case = town.case_of(town.report())
    worker.drain()
    assess_case(
        case, Responder.of(town.actor("olive"), case), "X-INV", "Same toolkit as Operation Heron", NOON
    )
    assert found(town.actor("olive"), "heron") == set()
    worker.drain()
    assert found(town.actor("olive"), "heron") == {case.title}
    before = sorted(Term.objects.values_list("pk", flat=True))
    terms.fill_from(0, size())
    assert sorted(Term.objects.values_list("pk", flat=True)) == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("42/12345/26", True),
        ("42/12345", True),  # the beginning of it
        ("12345", True),  # its middle, as somebody reads it out
        ("42/12346/26", False),
        ("42/12345/27", False),
    ],
)
def test_a_crime_number_finds_its_case(town: Town, text: str, is_found: bool) -> None:
    """Spelled as it was pasted or in part; a replaced one still finds it, and nobody else's search does."""
    case = town.case_of(town.report())
    olive = Responder.of(town.actor("olive"), case)
    record_crime_number(case, olive, "42/ 12345 /26", NOON)
    record_crime_number(case, olive, "42/99999/26", NOON)
    worker.drain()
    assert found(town.actor("olive"), text) == ({case.title} if is_found else set())
    assert found(town.actor("olive"), "42/99999/26") == {case.title}
    assert found(town.actor("edna"), text) == set()


@pytest.mark.django_db
def test_a_reporter_finds_the_own_reports_by_prefix_and_no_others(searched: Town) -> None:
    """The other member's report in the same case is not found, nor what only the case says."""
    mine = searched.report("ferry", origins=("203.0.113.77",))
    theirs = searched.report("medway", origins=("203.0.113.77",))
    terms.rebuild()
    own = intake.visible_to(searched.actor("max"))
    for text in ("203.0.113.77", "203.0.113.64/26", "203.0.113."):
        assert [report.pk for report in terms.own_reports(own, text)] == [theirs.pk]
    rita = terms.own_reports(intake.visible_to(searched.actor("rita")), "203.0.113.77")
    assert [report.pk for report in rita] == [mine.pk]
    assert not terms.own_reports(own, "192.0.2.0/24").exists()
    assert [r.pk for r in terms.own_reports(own, theirs.report_id)] == [theirs.pk]


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_a_prefix_finds_exactly_its_own_addresses(address: object, length: int) -> None:
    """The range of terms is the network, for every length."""
    import ipaddress

    network = ipaddress.ip_network(f"{address}/{length}", strict=False)
    first, last = terms.range_of(str(network))
    inside = [network.network_address, network.broadcast_address]
    assert all(first <= terms.address_term(one) < last for one in inside)
    for number in (int(inside[0]) - 1, int(inside[1]) + 1):
        if 0 <= number < 2**32:
            assert not first <= terms.address_term(ipaddress.IPv4Address(number)) < last


@pytest.mark.django_db
def test_a_case_that_says_less_is_found_by_less(town: Town) -> None:
    """Terms that no longer hold are taken out."""
    case = town.case_of(town.report())
    terms.fill([case.pk])
    Case.objects.filter(pk=case.pk).update(title="Something else altogether")
    terms.fill([case.pk])
    assert found(town.actor("olive"), "altogether") == {"Something else altogether"}
    assert Term.objects.filter(text=b"against").count() == 0
