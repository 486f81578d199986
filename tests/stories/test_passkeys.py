"""Passkeys with the browser's own ceremony: Chromium, and a virtual authenticator instead of a finger."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.stories.conftest import Exchange, keep_screenshot, sign_in

pytestmark = pytest.mark.browser


def with_authenticator(page: Page) -> Any:
    """A platform authenticator that verifies its user (WebAuthn level 3, section 12)."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def test_a_passkey_is_made_signs_in_proves_and_is_removed(
    open_page: Callable[..., Page], exchange: Exchange
) -> None:
    """The whole life of one, without the password after the first sign-in."""
    page = open_page()
    port = exchange.url.rsplit(":", 1)[1]
    here = f"http://localhost:{port}"  # a passkey belongs to a name, never to an address
    with_authenticator(page)
    page.goto(f"{here}/sign-in")
    page.get_by_label("E-mail address").fill("tara@example.org")
    page.get_by_label("Password").fill(exchange.facts["password"])
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{here}/account/passkeys")
    assert Axe().run(page).response["violations"] == []
    page.get_by_label("Name of the passkey").fill("test laptop")
    page.get_by_role("button", name="Make a passkey").click()
    page.wait_for_url(f"{here}/account")
    expect(page.get_by_text("test laptop")).to_be_visible()
    keep_screenshot(page, "account-light")

    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{here}/sign-in/passkey")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto(f"{here}/account")
    expect(page.get_by_text("You are Tara Quill")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{here}/sign-in")
    page.get_by_label("E-mail address").fill("tara@example.org")
    page.get_by_label("Password").fill(exchange.facts["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{here}/sign-in/second")  # the password alone is not enough any more
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)

    page.goto(f"{here}/account")
    page.get_by_role("button", name="Remove passkey test laptop").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()


def test_a_device_without_the_passkey_is_told_so(open_page: Callable[..., Page], exchange: Exchange) -> None:
    """The page says what to do, and nobody is signed in."""
    page = open_page()
    session = with_authenticator(page)
    port = exchange.url.rsplit(":", 1)[1]
    page.goto(f"http://localhost:{port}/sign-in/passkey")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("Nothing was shown.")).to_be_visible(timeout=20_000)
    session.detach()


def test_without_scripts_the_password_still_works(open_page: Callable[..., Page], exchange: Exchange) -> None:
    """The ceremony's page says why it cannot, and leads back."""
    page = open_page(scripts=False)
    page.goto("/sign-in/passkey")
    expect(page.get_by_text("A passkey needs JavaScript")).to_be_visible()
    page.get_by_role("link", name="Other ways to sign in").click()
    sign_in(page, exchange, "rosa")
