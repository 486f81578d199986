"""An officer asks, a reporter answers in one press, the officer decides, the reporter rates: by the pages."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from tests.stories.conftest import Exchange, keep_screenshot, sign_in

pytestmark = pytest.mark.browser


def is_clean(page: Page) -> None:
    """Axe finds nothing, and nothing sticks out."""
    found = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in Axe().run(page).response["violations"]]
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_asked_answered_and_rated(open_page: Callable[..., Page], exchange: Exchange, scripts: bool) -> None:
    """On a telephone's width for the reporter; with and without JavaScript, one case each."""
    case = exchange.facts["asked_cases"][int(scripts)]
    officer = open_page(scripts=scripts)
    sign_in(officer, exchange, "ada")
    officer.goto(f"/cases/{case}")
    officer.get_by_text("Ask the reporter", exact=True).click()
    officer.get_by_label("Did anybody get in?").check()
    officer.get_by_label("When was it last seen?").check()
    officer.get_by_role("button", name="Ask", exact=True).click()
    assert "Waits for an answer" in officer.content()
    if scripts:
        is_clean(officer)
        keep_screenshot(officer, "case-asked-light")

    reporter = open_page(width=360, height=740, scripts=scripts)
    sign_in(reporter, exchange, "seth")
    reporter.goto("/reports")
    reporter.locator("section:has(#questions) a").first.click()
    if scripts:
        is_clean(reporter)
        keep_screenshot(reporter, "report-questions-narrow")
    reporter.get_by_label("Day and time").fill("2026-11-10T14:05")
    reporter.get_by_role("button", name=re.compile("^Answer.*last seen")).click()
    reporter.get_by_role("button", name="Yes, into one account").click()
    reporter.get_by_text("We have become aware of").click()
    reporter.get_by_role("button", name="A breach of personal data that we hold").click()
    assert "Only you see this" in reporter.content()
    assert reporter.get_by_role("button", name="We have told the ICO", exact=True).count() == 1
    report = reporter.url
    if scripts:
        is_clean(reporter)

    officer.goto(f"/cases/{case}")
    assert "Yes, into one account" in officer.content()
    assert "ICO" not in officer.content()
    officer.get_by_text("Say how it stands, with nothing new").click()
    officer.get_by_role("button", name="The evidence is being gathered.").click()
    officer.get_by_label("No further action").check()
    officer.get_by_role("button", name="Record this decision").click()  # the words fill themselves
    assert "The victim was told why, and offered a referral" in officer.content()
    if scripts:
        is_clean(officer)

    reporter.goto(report)
    assert "There is no line of enquiry that could lead to somebody." in reporter.content()
    reporter.get_by_role("button", name="Of some use").click()
    assert "You found this answer of some use" in reporter.content()
    officer.goto(f"/cases/{case}")
    assert "Of some use" in officer.content()
    officer.get_by_role("button", name="The victim was told why, and offered a referral").click()
    assert "Done already?" not in officer.content()


def test_ones_own_clocks_stand_on_the_queue(open_page: Callable[..., Page], exchange: Exchange) -> None:
    """As due in so long, each with its law."""
    page = open_page()
    sign_in(page, exchange, "ada")
    page.goto("/queue")
    page.get_by_text("What I can act on").click()
    assert "Exchange charter" in page.locator("#my-clocks").inner_text()
    is_clean(page)
