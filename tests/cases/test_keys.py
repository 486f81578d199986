"""What two reports have in common, as a table: what acts, what only suggests, and what says nothing."""

import datetime as dt
from typing import Any

import pytest
from django.db.models import Count
from tests.cases.town import NOON, Town

from tocsin.cases.hints import hints_of, registered
from tocsin.cases.keys import keys_of
from tocsin.cases.linking import link_reports
from tocsin.cases.models import Hint, Suggestion

GUESSING, PHISHING, FLOOD = "intrusion-attempts/brute-force", "fraud/phishing", "availability/ddos"
DAY = dt.timedelta(days=1)


def told(**more: Any) -> dict[str, Any]:
    """A report as keys and hints read it."""
    plain: dict[str, Any] = {
        "member_id": "ferry", "lane": "ordinary", "kind": GUESSING, "severity": "low",
        "origins": ("203.0.113.7",), "target": "mx1", "first_seen_at": NOON, "is_flood": False, "names": (),
    }  # fmt: skip
    return plain | more


def flood(fingerprint: str, **more: Any) -> dict[str, Any]:
    """A flood with its shape."""
    plain = {"kind": FLOOD, "is_flood": True, "origins": ("203.0.113.7",), "fingerprint": fingerprint}
    return told(**plain) | more


SITE = {"kind": PHISHING, "names": ("Login.Northbank-secure.example",), "origins": ("203.0.113.7",)}

# what one report says, what the other does, what acts on both, what only suggests
TABLE = [
    # the origin, whoever reports it, and whatever the kind
    (told(), told(member_id="medway", kind=PHISHING), "shares the origin 203.0.113.7", ""),
    # the same network and kind on the day after, but not two days after, nor of another kind
    (told(), told(origins=("203.0.113.9",), first_seen_at=NOON + DAY), "", "from the same network"),
    (told(), told(origins=("203.0.113.9",), first_seen_at=NOON + 2 * DAY), "", ""),
    (told(), told(origins=("203.0.113.9",), kind=PHISHING), "", ""),
    (told(origins=("2001:db8:1:2::3",)), told(origins=("2001:db8:1:9::1",)), "", "2001:db8:1::/48"),
    # the same site from another host; the same domain from another host
    (told(**SITE), told(**SITE | {"origins": ("198.51.100.3",)}), "the same site", "the same domain"),
    (
        told(**SITE),
        told(**SITE | {"origins": ("198.51.100.3",), "names": ("pay.northbank-secure.example",)}),
        "",
        "the same domain, northbank-secure.example",
    ),
    # hosts on which everybody keeps pages, and names that hosts give to their customers
    (
        told(names=("bit.ly",)),
        told(names=("bit.ly",), origins=("198.51.100.3",)),
        "",
        "",
    ),
    (
        told(names=("bank-login.github.io",)),
        told(names=("weather.github.io",), origins=("198.51.100.3",)),
        "",
        "",
    ),
    # floods: the shape of it and never an origin; a member's own target again
    (flood("tcp-syn len=32-63"), flood("tcp-syn len=32-63", member_id="medway"), "", "the same shape"),
    (flood("tcp-syn len=32-63"), flood("udp src=53", member_id="medway"), "", ""),
    (flood("tcp-syn len=32-63"), flood("udp src=53"), "the same target", ""),
    # lanes never meet, by whatever
    (told(**SITE), told(**SITE, lane="restricted"), "", ""),
    # below the threshold nothing but the group of the day
    (told(severity="info"), told(severity="low"), "", ""),
    (told(severity="info"), told(severity="info", origins=("203.0.113.9",)), "", ""),
]


@pytest.mark.parametrize(("one", "other", "acts", "suggests"), TABLE)
def test_what_two_reports_have_in_common(
    one: dict[str, Any], other: dict[str, Any], acts: str, suggests: str
) -> None:
    """The reason says what it is; nothing in common gives none."""
    keys = shared(keys_of, one, other, without="fingerprint")
    hints = shared(hints_of, one, other, without="member_id target")
    assert (acts in keys) if acts else not keys
    assert (suggests in hints) if suggests else not hints


def shared(read: Any, one: dict[str, Any], other: dict[str, Any], *, without: str) -> str:
    """The reasons that both give, in words; whatever acts is stronger than whatever suggests."""
    first, second = (
        read(**{name: value for name, value in report.items() if name not in without.split()})
        for report in (one, other)
    )
    both = {key.text for key in first} & {key.text for key in second}
    assert all((key.strength >= 60) == (read is keys_of) for key in (*first, *second))
    return "; ".join(key.reason for key in second if key.text in both)


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("login.bank.example", "bank.example"),
        ("bank.example", "bank.example"),
        ("a.b.bank.co.uk", "bank.co.uk"),
        ("a.b.github.io", "b.github.io"),
        ("github.io", None),
        ("203.0.113.7", None),
        ("2001:db8::1", None),
    ],
)
def test_the_domain_that_somebody_registered(name: str, domain: str | None) -> None:
    """One label below a registry, or below a host that names its customers so."""
    assert registered(name) == domain


@pytest.mark.django_db
def test_what_is_weak_suggests_and_joins_nothing(town: Town) -> None:
    """Two cases stay two; the suggestion says why; linking again adds none."""
    first, second = town.report("ferry"), town.report("medway", origins=("203.0.113.9",))
    assert town.case_of(first) != town.case_of(second)
    link_reports([first.pk, second.pk], NOON)
    suggestion = Suggestion.objects.get()
    assert (suggestion.case, suggestion.other) == (town.case_of(first), town.case_of(second))
    assert "203.0.113.0/24" in suggestion.reason and suggestion.strength == 40


@pytest.mark.django_db
def test_what_many_cases_share_is_a_hub_and_suggests_nothing_more(town: Town) -> None:
    """A network of which every address attacks is a hoster's, not one attacker's."""
    for host in range(1, 12):
        town.report(origins=(f"203.0.113.{host}",))
    assert Suggestion.objects.count() == 4 * 5 // 2
    shared = Hint.objects.values("text").annotate(cases=Count("pk"))
    assert {row["cases"] for row in shared} == {6}, "a hub is known by one case too many, and grows no more"
