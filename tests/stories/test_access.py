"""Who gets in, and what of a case they see: joining, the seal, the room; without a script."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.stories.conftest import Exchange, keep_screenshot, sign_in

pytestmark = pytest.mark.browser


def is_accessible(page: Page) -> None:
    """axe finds nothing, and nothing sticks out."""
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_somebody_is_invited_joins_and_reports_to_work(
    open_page: Callable[..., Page], exchange: Exchange
) -> None:
    """From the administrator's page to the new colleague's own, by one link."""
    amy = open_page()
    sign_in(amy, exchange, "amy")
    amy.goto("/administration")
    amy.get_by_label("E-mail address").fill("ned@example.org")
    amy.get_by_label("As", exact=True).select_option(label="Reporter, Northgate Broadband")
    amy.get_by_role("button", name="Make the link").click()
    expect(amy.get_by_text("copy it and pass it on yourself")).to_be_visible()
    link = amy.locator("code[data-copy]").inner_text()
    is_accessible(amy)

    ned = open_page(width=360, height=740)
    ned.goto(link.replace("127.0.0.1:8000", exchange.url.split("//")[1]))
    expect(ned.get_by_text("Amy Reed invites you as reporter, Northgate Broadband.")).to_be_visible()
    is_accessible(ned)
    keep_screenshot(ned, "join-narrow")
    ned.get_by_label("Your name").fill("Ned Hale")
    ned.get_by_label("Password", exact=True).fill("three brass bells")
    ned.get_by_role("button", name="Join").click()
    expect(ned.get_by_role("heading", level=1)).to_be_visible()
    assert ned.url.endswith("/reports")
    amy.goto("/administration")
    expect(amy.get_by_text("Ned Hale", exact=True)).to_be_visible()


def test_a_case_is_sealed_and_a_guest_is_shown_a_part_of_it(
    open_page: Callable[..., Page], exchange: Exchange
) -> None:
    """The colleague sees number and clock, the guest what was chosen; the case tells both."""
    case = "/cases/{late_case}".format(**exchange.facts)
    sam = open_page(scripts=False)
    sign_in(sam, exchange, "sam")
    sam.goto(case)
    sam.get_by_text("Invite a guest").click()
    sam.get_by_label("Name", exact=True).fill("Dr Nora Quist")
    sam.get_by_label("Organisation").fill("Quist Forensics")
    sam.get_by_label("The linked reports").check()
    sam.get_by_role("button", name="Make the guest’s link").click()
    link = sam.locator("code[data-copy]").inner_text()

    guest = open_page()
    guest.goto(link.replace("127.0.0.1:8000", exchange.url.split("//")[1]))
    expect(guest.get_by_text("Dr Nora Quist, you are the guest of DI Sam Voss")).to_be_visible()
    expect(guest.get_by_role("heading", name="Linked reports")).to_be_visible()
    expect(guest.get_by_role("heading", name="What happened")).to_have_count(0)
    expect(guest.get_by_text("Southwark Fibre")).to_have_count(0)
    is_accessible(guest)
    keep_screenshot(guest, "room-light")

    sam.goto(case)
    expect(sam.get_by_text("looked on")).to_be_visible()
    sam.get_by_text("Seal this case").click()
    sam.get_by_label("Why", exact=True).fill("A witness works in this unit")
    sam.get_by_role("button", name="Seal it").click()
    expect(sam.get_by_text("The case is sealed.")).to_be_visible()

    ada = open_page()
    sign_in(ada, exchange, "ada")
    ada.goto(case)
    expect(ada.get_by_role("heading", name="This case is sealed")).to_be_visible()
    expect(ada.get_by_text("198.51.100.23")).to_have_count(0)
    is_accessible(ada)
    keep_screenshot(ada, "sealed-light")
    ada.goto("/queue")
    expect(ada.get_by_role("link", name="Sealed case")).to_be_visible()

    sam.get_by_role("button", name="Lift the seal").click()
    ada.goto(case)
    expect(ada.get_by_role("heading", name="This case is sealed")).to_have_count(0)
