"""Signing in through an identity provider: a real one, in a process of its own, on loopback."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from django.test import Client
from django.urls import clear_url_caches
from tests.doors.web.conftest import PASSWORD, a_person
from tests.ports import free_port

from tocsin.access import factors, leaving, services
from tocsin.access.models import Person, Unit
from tocsin.access.providers import openid_provider
from tocsin.doors.web.openid import is_strong, is_tied
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput

pytestmark = pytest.mark.django_db
BACK = "http://testserver/sign-in/from/organisation"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The provider's address."""
    port = free_port()
    script = Path(__file__).parent / "identity_provider.py"
    process = subprocess.Popen(
        [sys.executable, str(script), str(port), str(tmp_path_factory.mktemp("idp")), BACK],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()  # type: ignore[union-attr]


@pytest.fixture(autouse=True)
def tied_exchange(provider: str, settings: object) -> None:
    """The exchange knows the provider, as its environment would say."""
    app = openid_provider(
        {"TOCSIN_OIDC_URL": provider, "TOCSIN_OIDC_CLIENT": "tocsin", "TOCSIN_OIDC_SECRET": "a secret"}
    )
    settings.IDENTITY_PROVIDER = app  # type: ignore[attr-defined]
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}  # type: ignore[attr-defined]
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 60  # type: ignore[attr-defined]  # a busy machine
    clear_url_caches()


@pytest.fixture
def nora(london: Unit) -> Person:
    """Somebody with an account here, of another address than at the provider."""
    person = a_person("Nora Quist")
    services.give_role(person, "officer", unit=london)
    return person


def through_provider(client: Client, start: str) -> str:
    """Go to the provider as a browser does, sign in there, come back; gives where one is sent then."""
    there = httpx.Client(follow_redirects=False, timeout=60)
    at = start
    for _ in range(8):
        answer = there.get(at)
        if answer.status_code == 200:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', answer.text)
            form = {"login": "nora", "password": "nora"}
            if token:
                form["csrfmiddlewaretoken"] = token[1]
            answer = there.post(at, data=form, headers={"Referer": at})
        at = str(answer.next_request.url) if answer.next_request else ""
        if at.startswith(BACK):
            back = urlsplit(at)
            return str(client.get(back.path, dict(parse_qsl(back.query)))["Location"])
    raise AssertionError(f"the provider never sent us back: {at}")


def tie(client: Client) -> str:
    """From the account's page to the provider and back."""
    asked = client.post("/account/identity")
    return through_provider(client, client.get(asked["Location"])["Location"])


def test_an_account_is_tied_by_its_owner_and_signs_in_from_then_on(nora: Person) -> None:
    """Password once, to tie; afterwards the provider's word is enough, and is recorded by number alone."""
    client = Client()
    client.post("/sign-in", {"email": nora.email, "password": PASSWORD})
    assert tie(client) == "/account"
    assert is_tied(nora)
    assert Entry.objects.filter(event="access:identity:tied", subject=f"person_{nora.pk}").exists()
    fresh = Client()
    assert "Sign in through your organisation" in fresh.get("/sign-in").content.decode()
    start = fresh.get("/sign-in/with/organisation?next=/queue")["Location"]
    assert through_provider(fresh, start) == "/queue"
    assert fresh.get("/account").status_code == 200


def test_an_identity_that_nobody_tied_opens_nothing(db: None) -> None:
    """Not even where the address is that of an account: whoever runs the provider could write any."""
    person = a_person("Nora Quist")
    Person.objects.filter(pk=person.pk).update(email="nora@organisation.example")
    client = Client()
    assert through_provider(client, client.get("/sign-in/with/organisation")["Location"]) == "/sign-in"
    assert "No account here is tied to that identity" in client.get("/sign-in").content.decode()
    assert client.get("/account").status_code == 401
    assert Person.objects.count() == 1


def test_the_provider_is_no_second_factor_unless_it_says_so(nora: Person, settings: object) -> None:
    """A role that needs two waits; an account with codes is asked for one."""
    client = Client()
    client.post("/sign-in", {"email": nora.email, "password": PASSWORD})
    tie(client)
    settings.SECOND_FACTOR_ROLES = frozenset({"officer"})  # type: ignore[attr-defined]
    fresh = Client()
    through_provider(fresh, fresh.get("/sign-in/with/organisation")["Location"])
    assert fresh.get("/queue")["Location"] == "/account#second"
    assert not is_strong({"id_token": {"amr": ["pwd"]}})
    assert is_strong({"id_token": {"amr": ["pwd", "otp"]}})
    assert not is_strong({"id_token": {"amr": "mfa"}})
    from allauth.mfa.totp.internal.auth import TOTP

    TOTP.activate(nora, "JBSWY3DPEHPK3PXP")
    assert factors.held_by(nora).has_codes
    again = Client()
    assert through_provider(again, again.get("/sign-in/with/organisation")["Location"]) == "/sign-in/second"
    assert again.get("/account").status_code == 401


def test_an_account_that_is_off_is_not_let_in(nora: Person) -> None:
    """However sure the provider is."""
    client = Client()
    client.post("/sign-in", {"email": nora.email, "password": PASSWORD})
    tie(client)
    leaving.turn_off(None, nora)
    fresh = Client()
    assert through_provider(fresh, fresh.get("/sign-in/with/organisation")["Location"]) == "/sign-in"
    assert fresh.get("/account").status_code == 401


def test_an_answer_that_nobody_asked_for_opens_nothing(nora: Person) -> None:
    """A made-up code or state, a refusal: the sign-in page, with what to do."""
    for said in ({"code": "x", "state": "y"}, {"error": "access_denied"}, {}):
        answer = Client().get("/sign-in/from/organisation", said)
        assert answer["Location"] == "/sign-in", said
    assert Client().get("/sign-in/with/another").status_code == 404


def test_half_a_setting_is_told_at_the_start() -> None:
    """Not when the first person comes."""
    assert openid_provider({}) is None
    with pytest.raises(BadInput):
        openid_provider({"TOCSIN_OIDC_URL": "https://id.example"})
