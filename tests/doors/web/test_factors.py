"""Second factors by real codes, proving again before what is dangerous, and sessions."""

import base64
import hashlib
import hmac
import re
import struct
import time

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from tests.doors.web.conftest import PASSWORD, a_person, signed_in
from tests.exchange import a_member

from tocsin.access import factors, services
from tocsin.access.models import Person, Role, Unit
from tocsin.journal.models import Entry

pytestmark = pytest.mark.django_db


def code_of(secret: str, at: float) -> str:
    """RFC 6238, written here once more, so that it is not our own code that judges itself."""
    counter = struct.pack(">Q", int(at) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06}"


def test_the_oracle_knows_the_vectors_of_the_standard() -> None:
    """RFC 6238 appendix B, SHA-1, the last six digits of its eight."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert [code_of(secret, at) for at in (59, 1111111109, 2000000000)] == ["287082", "081804", "279037"]


@pytest.fixture
def olive(london: Unit) -> Person:
    """An officer, whose role needs a second factor here."""
    person = a_person("Olive Green")
    services.give_role(person, "officer", unit=london)
    return person


@pytest.fixture(autouse=True)
def officers_need_two(settings: object) -> None:
    """As by default."""
    settings.SECOND_FACTOR_ROLES = frozenset({"officer", "supervisor"})  # type: ignore[attr-defined]


def by_password(email: str = "olive@example.org") -> tuple[Client, object]:
    """A browser in which somebody has typed the password."""
    client = Client()
    return client, client.post("/sign-in", {"email": email, "password": PASSWORD})


def set_up(client: Client) -> tuple[str, list[str]]:
    """Turn codes on as a person does; gives secret and recovery codes."""
    page = client.get("/account/codes").content.decode()
    found = re.search(r'<code class="t-mono">([A-Z2-7 ]+)</code>', page)
    assert found is not None, page[:500]
    secret = found[1].replace(" ", "")
    assert "<svg" in page
    # The step before the present one, so that the present code is still good for signing in.
    shown = client.post("/account/codes", {"code": code_of(secret, time.time() - 30)}).content.decode()
    codes = re.search(r"<code data-copy>(.*?)</code>", shown, re.DOTALL)
    assert codes is not None, shown
    return secret, codes[1].split()


def test_an_officer_without_second_factor_is_led_to_set_one_up_and_then_works(olive: Person) -> None:
    """No dead end: the account's page, the app, the queue."""
    client, answer = by_password()
    assert answer["Location"] == reverse("account")
    assert client.get("/queue")["Location"] == "/account#second"
    assert "Your role waits for this" in client.get("/account").content.decode()
    set_up(client)
    assert client.get("/queue").status_code == 200


def test_after_the_password_comes_the_code_and_each_code_is_good_once(olive: Person) -> None:
    """Wrong, used and old codes open nothing; the session is nobody's until then."""
    first, _ = by_password()
    secret, _ = set_up(first)
    client, answer = by_password()
    assert answer["Location"] == "/sign-in/second"
    assert client.get("/account").status_code == 401
    assert client.post("/sign-in/second", {"code": "000000"}).status_code == 422
    assert client.post("/sign-in/second", {"code": code_of(secret, time.time() - 300)}).status_code == 422
    code = code_of(secret, time.time())
    assert client.post("/sign-in/second", {"code": f"{code[:3]} {code[3:]}"}).status_code == 302
    assert client.get("/queue").status_code == 200
    again, _ = by_password()
    assert again.post("/sign-in/second", {"code": code}).status_code == 422


def test_a_recovery_code_lets_in_once(olive: Person) -> None:
    """Ten of them; nine are left."""
    first, _ = by_password()
    _, spare = set_up(first)
    assert len(spare) == 10
    for status in (302, 422):
        client, _ = by_password()
        assert client.post("/sign-in/second", {"code": spare[0]}).status_code == status
    assert factors.held_by(olive).recovery_left == 9


def test_guessing_codes_is_slowed(olive: Person) -> None:
    """Ten wrong ones, and even the right one waits, with Retry-After."""
    first, _ = by_password()
    secret, _ = set_up(first)
    client, _ = by_password()
    for _ in range(10):
        client.post("/sign-in/second", {"code": "000000"})
    answer = client.post("/sign-in/second", {"code": code_of(secret, time.time())})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


def test_the_secret_is_kept_encrypted(olive: Person) -> None:
    """Whoever reads the table has no codes."""
    client, _ = by_password()
    secret, spare = set_up(client)
    kept = str(list(olive.authenticator_set.values_list("data", flat=True)))
    assert secret not in kept
    assert not any(code in kept for code in spare)


def test_the_half_of_a_sign_in_ends_after_ten_minutes(olive: Person) -> None:
    """A password typed an hour ago is no beginning."""
    first, _ = by_password()
    secret, _ = set_up(first)
    client, _ = by_password()
    session = client.session
    session["halfway"] = {**session["halfway"], "at": time.time() - 601}
    session.save()
    answer = client.post("/sign-in/second", {"code": code_of(secret, time.time())})
    assert answer["Location"] == "/sign-in"


def test_what_is_dangerous_asks_again_and_loses_nothing_typed(olive: Person, london: Unit) -> None:
    """An hour after signing in: confirm, then one press does what was filled in."""
    client, _ = by_password()
    secret, _ = set_up(client)
    services.give_role(olive, "supervisor", unit=london)
    session = client.session
    session["proved_at"] = time.time() - 3600
    session.save()
    asked = client.post("/administration/invite", {"email": "new@example.org", "grant": "officer@mps"})
    assert asked["Location"] == "/account/confirm"
    assert client.post("/account/confirm", {"password": PASSWORD}).status_code == 422, (
        "the password is not enough"
    )
    page = client.post("/account/confirm", {"code": code_of(secret, time.time())}).content.decode()
    assert 'action="/administration/invite"' in page
    assert 'value="new@example.org"' in page
    made = client.post("/administration/invite", {"email": "new@example.org", "grant": "officer@mps"})
    assert "/join/" in made.content.decode()


def test_without_a_second_factor_the_password_proves(db: None) -> None:
    """A reporter, whose role needs none."""
    services.give_role(a_person("Rita Hall"), "reporter", member=a_member())
    client, _ = by_password("rita@example.org")
    session = client.session
    session["proved_at"] = 0
    session.save()
    assert client.get("/account/leave")["Location"] == "/account/confirm"
    assert client.post("/account/confirm", {"password": "wrong"}).status_code == 422
    assert client.post("/account/confirm", {"password": PASSWORD})["Location"] == "/account/leave"
    assert client.get("/account/leave").status_code == 200


def test_sessions_are_listed_and_ended(olive: Person) -> None:
    """One's own alone; the ended browser is asked to sign in."""
    here, _ = by_password()
    there, _ = by_password()
    assert UserSession.objects.filter(user=olive).count() == 2
    assert "This one" in here.get("/account").content.decode()
    here.post("/account/sessions/end", {})
    assert there.get("/account").status_code == 401
    assert here.get("/account").status_code == 200
    other = a_person("Other Person")
    foreign, _ = by_password("other@example.org")
    pk = UserSession.objects.get(user=other).pk
    here.post("/account/sessions/end", {"session": str(pk)})
    assert foreign.get("/account").status_code == 200


def test_a_new_password_ends_every_other_session(olive: Person) -> None:
    """And needs the old one."""
    here, _ = by_password()
    there, _ = by_password()
    new = "entirely other words"
    assert here.post("/account/password", {"password": "x", "password_new": new}).status_code == 422
    assert here.post("/account/password", {"password": PASSWORD, "password_new": "short"}).status_code == 422
    assert here.post("/account/password", {"password": PASSWORD, "password_new": new}).status_code == 302
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 401
    assert Person.objects.get(pk=olive.pk).check_password(new)


def test_turning_codes_off_makes_the_role_wait_again(olive: Person) -> None:
    """At once, in the same session; recorded."""
    client, _ = by_password()
    set_up(client)
    assert client.post("/account/codes/off").status_code == 302
    assert client.get("/queue").status_code == 302
    assert Entry.objects.filter(event="access:factor:removed").count() == 1


def test_an_account_turned_off_is_out_at_once(olive: Person) -> None:
    """Its open page answers with the sign-in form."""
    from tocsin.access import leaving

    client, _ = by_password()
    leaving.turn_off(None, olive)
    assert client.get("/account").status_code == 401


def test_an_invitation_becomes_an_account_in_the_browser(london: Unit) -> None:
    """Page, weak password refused, joined, signed in; the second use finds nothing."""
    saul = a_person("Saul Hay")
    services.give_role(saul, "supervisor", unit=london)
    boss = signed_in(saul)
    session = boss.session
    session["second"], session["proved_at"] = True, time.time()
    session.save()
    page = boss.post("/administration/invite", {"email": "olga@example.org", "grant": "officer@mps"})
    token = re.search(r"/join/([\w-]+)", page.content.decode())[1]  # type: ignore[index]
    assert page["Cache-Control"] == "no-store"
    client = Client()
    shown = client.get(f"/join/{token}").content.decode()
    assert "Saul Hay invites you as officer, Metropolitan Police" in shown
    weak = client.post(f"/join/{token}", {"name": "DC Olga Moss", "password": "password1234"})
    assert weak.status_code == 422
    joined = client.post(f"/join/{token}", {"name": "DC Olga Moss", "password": PASSWORD})
    assert joined.status_code == 302
    assert client.get("/account").status_code == 200
    assert Role.objects.filter(person__email="olga@example.org", name="officer").exists()
    assert Client().get(f"/join/{token}").status_code == 404


def test_guessing_at_links_is_slowed(db: None) -> None:
    """Thirty that are none, and the address waits, on every door that takes links."""
    client = Client()
    for number in range(30):
        assert client.get(f"/room/{number}").status_code == 404
    for address in ("/room/x", "/join/x", "/link/x"):
        answer = client.get(address)
        assert answer.status_code == 429, address
        assert answer["Retry-After"] == "900"
    assert Client(REMOTE_ADDR="192.0.2.77").get("/room/x").status_code == 404


def test_a_key_that_asks_without_end_is_told_to_wait(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """429 as a problem document, with Retry-After; so is an address that sends keys that are none."""
    from tests.exchange import key_text

    from tocsin.access import limits

    monkeypatch.setattr(limits, "KEY", limits.Limit(3, 60))
    holder = Client(headers={"Authorization": f"Bearer {key_text()}"})
    statuses = [holder.get("/api/v1/reports").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    answer = holder.get("/api/v1/reports")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Retry-After"] == "60"
    assert answer.json()["type"] == "about:blank#too-many-requests"
    cache.clear()
    guesser = Client(headers={"Authorization": "Bearer tocsin_x"}, REMOTE_ADDR="192.0.2.8")
    monkeypatch.setattr(limits, "UNKNOWN_KEY", limits.Limit(2, 60))
    assert [guesser.get("/api/v1/reports").status_code for _ in range(3)] == [401, 401, 429]
