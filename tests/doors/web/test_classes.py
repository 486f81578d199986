"""The page by class of attack: what is listed, what it stopped in the own network, a policy to copy."""

import csv
import html
import io
import re
import tomllib
from typing import Any

import msgspec
from django.test import Client
from django.urls import reverse
from tests.doors.web.test_network import ADDRESS, HOUR, pretended, reported
from tests.doors.web.test_pages import text_of
from tests.exchange import a_member
from tests.sharing.street import PHISH, Street

from tocsin.access.models import Member
from tocsin.blocking.models import Tally
from tocsin.kernel.time import now
from tocsin.sharing.models import Indicator
from tocsin.sift import policies

__all__ = ["pretended"]
KIND = "intrusion-attempts/login-attempts"


def tallied(member: Member, hits: int) -> None:
    """That member's log stopped so many connections to the shared address within the last hours."""
    found = Indicator.objects.get(value=ADDRESS)
    hour = now().replace(minute=0, second=0, microsecond=0) - HOUR
    Tally.objects.create(member=member, source_id="log", indicator=found, hour=hour, hits=hits, told_at=now())


def copied(answer: Any) -> list[str]:
    """What there is to copy on the page."""
    found = re.findall(r"<code data-copy>(.*?)</code>", answer.content.decode(), re.DOTALL)
    return [html.unescape(text) for text in found]


def test_an_empty_exchange_says_how_it_begins(reporter: Client) -> None:
    """Nothing is listed, and there is a policy all the same."""
    answer = reporter.get(reverse("classes"))
    assert "Nothing is listed now." in text_of(answer)
    assert policies.fault(msgspec.convert(tomllib.loads(copied(answer)[1]), policies.Policy)) == ""


def test_each_class_has_its_numbers_and_the_own_stops(reporter: Client, member: Member) -> None:
    """Names and addresses of everybody's lists; of tallies the own ones, never another's."""
    harbour = a_member("Harbour Net")
    for one in (member, harbour):
        reported(one)
    street = Street()
    for name in ("ferry", "medway"):
        street.phish(name, at=now())
        street.phish(name, "another.bad-site.top", at=now())
    tallied(harbour, 41_200)
    page = text_of(reporter.get(reverse("classes")))
    assert "2 names and 1 address are listed now, for 2 classes of attack." in page
    assert "41,200" not in page
    assert "Stopped here" not in page
    tallied(member, 1_234)
    answer = reporter.get(reverse("classes"))
    page = text_of(answer)
    assert "1,234" in page
    assert "41,200" not in page
    rows = list(csv.DictReader(io.StringIO(reporter.get(reverse("classes-csv")).content.decode())))
    assert [(row["class"], row["names"], row["addresses"], row["stopped_in_30_days"]) for row in rows] == [
        ("fraud/phishing", "2", "0", "0"),
        (KIND, "0", "1", "1234"),
    ]
    assert PHISH not in page, "how many, not which"
    assert 'href="/network/classes"' in reporter.get(reverse("network")).content.decode()


def test_what_is_to_be_copied_is_a_policy(reporter: Client, member: Member) -> None:
    """As `tocsin zone` and `tocsin dns` read it."""
    street = Street()
    for name in ("ferry", "medway"):
        street.phish(name, at=now())
        reported(a_member(name.title()))  # of a class that no pack knows
    for_dns, for_zone, _ = copied(reporter.get(reverse("classes")))
    policy = msgspec.convert(tomllib.loads(for_zone), policies.Policy)
    assert policies.fault(policy) == ""
    assert policy.name("fraud/phishing").rule == "fraud/phishing"
    assert tomllib.loads(for_dns) == {"classes": {"fraud/phishing": "nxdomain"}}
