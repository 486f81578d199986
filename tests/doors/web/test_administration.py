"""Whom somebody looks after, in pages of fifty, however many they are."""

import re
import time

import pytest
from django.test import Client
from django.urls import reverse
from tests.doors.web.conftest import a_person, signed_in
from tests.exchange import a_key, a_member

from tocsin.access import services
from tocsin.access.models import Member

pytestmark = pytest.mark.django_db
ADDRESS = reverse("administration")


@pytest.fixture
def operator() -> Client:
    """The operator of an exchange with sixty members, each with somebody and a key."""
    for number in range(60):
        member = a_member(f"Provider {number:02}")
        a_key(member)
        person = services.add_person(f"p{number:02}@example.org", f"Person {number:02}", None)
        services.give_role(person, "reporter", member=member)
    person = a_person("Opal Stone")
    services.give_role(person, "operator")
    client = signed_in(person)
    session = client.session
    session["second"], session["proved_at"] = True, time.time()
    session.save()
    return client


def shown(page: str, place: str) -> list[str]:
    """The names in bold of one section."""
    section = page.split(f'aria-labelledby="{place}"')[1].split("</section>")[0]
    return re.findall(r"<strong>([^<]+)</strong>", section)


def test_each_list_comes_in_pages_and_the_others_stay_where_they_are(operator: Client) -> None:
    """Fifty a page; a link to another page of one list keeps the words and the pages of the others."""
    first = operator.get(ADDRESS).content.decode()
    assert "You look after 61 people" in first
    assert (len(shown(first, "people")), len(shown(first, "members"))) == (50, 50)
    second = operator.get(ADDRESS, {"people": 2, "members": 2}).content.decode()
    assert shown(second, "people") == [f"Person {number:02}" for number in range(49, 60)]
    assert shown(second, "members") == [f"Provider {number:02}" for number in range(50, 60)]
    assert "?q=&amp;people=2&amp;members=2&amp;keys=2#keys-made" in second
    assert operator.get(ADDRESS, {"people": "99", "keys": "x"}).status_code == 200


def test_words_find_people_keys_and_members(operator: Client) -> None:
    """Whoever is on another page is found by name."""
    page = operator.get(ADDRESS, {"q": "Provider 57"}).content.decode()
    assert shown(page, "members") == ["Provider 57"]
    assert page.count("tocsin_") == 1
    assert "Nobody fits" in page
    assert shown(operator.get(ADDRESS, {"q": "p57@"}).content.decode(), "people") == ["Person 57"]


def test_a_reason_that_is_missing_is_asked_for_beside_its_member(operator: Client) -> None:
    """Although that member stands on another page."""
    member = Member.objects.get(name="Provider 57")
    answer = operator.post(reverse("member-switch", kwargs={"member_id": member.member_id}), {"to": "off"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count("Say why; the journal keeps it") == 2
    assert f'id="member-{member.member_id}"' in page
