"""Signing in and out."""

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from tests.doors.web.conftest import PASSWORD, a_person

from tocsin.access import services
from tocsin.access.models import Member
from tocsin.doors.web import session, throttle

SIGN_IN = "/sign-in"


def attempt(client: Client, password: str = PASSWORD, email: str = "rosa@example.org", **more: str) -> object:
    """One attempt."""
    return client.post(SIGN_IN, {"email": email, "password": password, **more})


@pytest.fixture
def rosa(member: Member) -> None:
    """An account."""
    services.give_role(a_person("Rosa Lind"), "reporter", member=member)


def test_signing_in_leads_to_ones_work_with_a_new_session(rosa: None) -> None:
    """The session's key changes, so that one planted before is worthless."""
    client = Client()
    before = client.session
    before["planted"] = "yes"
    before.save()
    client.cookies["sessionid"] = before.session_key
    answer = attempt(client)
    assert answer.status_code == 302
    assert answer["Location"] == reverse("reports")
    assert client.cookies["sessionid"].value != before.session_key


@pytest.mark.parametrize(
    ("email", "password"), [("rosa@example.org", "wrong"), ("nobody@example.org", PASSWORD), ("", "")]
)
def test_a_wrong_password_and_an_unknown_account_look_the_same(rosa: None, email: str, password: str) -> None:
    """One sentence, no hint which of the two it was; the address stays typed, the password does not."""
    answer = attempt(Client(), password, email)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count(session.WRONG) == 2, "in the summary and beside the field"
    assert f'value="{email}"' in page or not email
    assert PASSWORD not in page


def test_a_closed_account_cannot_sign_in(rosa: None) -> None:
    """The same answer as a wrong password."""
    from tocsin.access.models import Person

    Person.objects.update(is_active=False)
    assert attempt(Client()).status_code == 422


def test_guessing_is_slowed_for_that_address_and_account_alone(rosa: None) -> None:
    """After five failures even the right password waits; another address still gets in."""
    for _ in range(throttle.PAIR.failures):
        assert attempt(Client(), "wrong").status_code == 422
    answer = attempt(Client())
    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()
    assert attempt(Client(REMOTE_ADDR="192.0.2.9")).status_code == 302


def test_a_success_begins_the_count_anew(rosa: None) -> None:
    """Somebody who mistypes four times a day is never locked out."""
    for _ in range(3):
        for _ in range(throttle.PAIR.failures - 1):
            attempt(Client(), "wrong")
        assert attempt(Client()).status_code == 302


def test_guessing_at_many_accounts_is_slowed_too(db: None) -> None:
    """The address has a limit of its own, whatever account it names."""
    for number in range(throttle.ADDRESS.failures):
        throttle.count_failure("192.0.2.1", f"{number}@example.org")
    with pytest.raises(throttle.TooManyAttempts):
        throttle.check("192.0.2.1", "one-more@example.org")
    throttle.check("192.0.2.2", "one-more@example.org")


def test_the_cache_holds_no_addresses() -> None:
    """Keys are hashes."""
    throttle.count_failure("192.0.2.1", "rosa@example.org")
    assert not any("rosa" in str(key) or "192.0.2" in str(key) for key in getattr(cache, "_cache", {}))


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("/queue?group=new", "/queue?group=new"),
        ("https://evil.example/", ""),
        ("//evil.example", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_only_our_own_addresses_are_gone_on_to(address: str, kept: str) -> None:
    """A link to the sign-in page cannot send anybody elsewhere."""
    assert session.safe_next(address) == kept


def test_signing_in_goes_where_one_wanted_to_go(rosa: None) -> None:
    """The page asked for, not the front door."""
    client = Client()
    asked = client.get("/reports/report_1?x=1")
    assert 'name="next" value="/reports/report_1?x=1"' in asked.content.decode()
    assert attempt(client, next="/reports/report_1?x=1")["Location"] == "/reports/report_1?x=1"


def test_signing_out_is_an_act_and_empties_the_browsers_memory(reporter: Client) -> None:
    """A link cannot sign anybody out, and the back button shows nothing afterwards."""
    assert reporter.get(reverse("sign-out")).status_code == 405
    answer = reporter.post(reverse("sign-out"))
    assert answer["Clear-Site-Data"] == '"cache"'
    assert reporter.get(reverse("reports")).status_code == 401
