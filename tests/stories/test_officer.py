"""The officer's story: few presses for one case, one for many, and nothing that cannot be taken back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.stories.conftest import Exchange, keep_screenshot, sign_in

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]
MOST_PRESSES = 6


class Fingers:
    """Presses keys, and counts them."""

    def __init__(self, page: Page) -> None:
        self.page, self.presses = page, 0

    def press(self, *keys: str) -> None:
        """One after the other."""
        for key in keys:
            self.page.keyboard.press(key)
            self.presses += 1


def test_a_linked_case_is_taken_decided_and_answered_in_six_presses(
    open_page: Opener, exchange: Exchange
) -> None:
    """Open it, decide with the prepared reason (which takes it), answer with the prepared words."""
    page = open_page()
    sign_in(page, exchange, "ada")
    page.goto(f"/queue?q={exchange.facts['linked_case']}")
    expect(page.get_by_text("2 reports from 1 provider")).to_be_visible()
    fingers = Fingers(page)
    fingers.press("j", "Enter")
    page.wait_for_url(f"**/cases/{exchange.facts['linked_case']}")
    expect(page.get_by_role("button", name="Take this case")).to_be_visible()
    fingers.press("d")
    expect(page.get_by_label("Under investigation")).to_be_focused()
    fingers.press("Control+Enter")
    expect(page.get_by_text("Recorded: under investigation.")).to_be_visible()
    fingers.press("a")
    expect(page.get_by_label("How did it end?")).to_be_focused()
    fingers.press("Control+Enter")
    expect(page.get_by_role("heading", name="Answered")).to_be_visible()
    assert fingers.presses <= MOST_PRESSES
    happened = page.locator(".t-timeline").inner_text()
    for said in ("accepted the case", "decided: under investigation", "answered with outcome"):
        assert said in happened
    fingers.press("u")
    expect(page.get_by_text("The answer is taken back.")).to_be_visible()


def test_many_cases_are_taken_by_key_and_given_back(open_page: Opener, exchange: Exchange) -> None:
    """Chosen with x, the choice in sight; one undo for all of them."""
    page = open_page()
    sign_in(page, exchange, "ada")
    page.goto("/queue?owner=nobody")
    rows = page.locator("[data-row]").count()
    fingers = Fingers(page)
    fingers.press("j", "x")
    expect(page.get_by_text("(1 chosen)")).to_be_visible()
    if rows > 1:
        fingers.press("j", "x")
        expect(page.get_by_text("(2 chosen)")).to_be_visible()
    keep_screenshot(page, "queue-chosen")
    fingers.press("t")
    expect(page.get_by_role("heading", name="taken.")).to_be_visible()
    keep_screenshot(page, "queue-undo")
    page.keyboard.press("u")
    expect(page.get_by_role("heading", name="as before.")).to_be_visible()
    expect(page.locator("[data-row]")).to_have_count(rows)


def test_groups_below_the_threshold_are_decided_without_scripts(
    open_page: Opener, exchange: Exchange
) -> None:
    """Ticked and kept as intelligence in one press, and undone."""
    page = open_page(scripts=False, width=360, height=740)
    sign_in(page, exchange, "ada")
    page.goto("/queue/below")
    boxes = page.get_by_role("checkbox", name="Choose")
    count = boxes.count()
    assert count >= 2
    for place in range(2):
        boxes.nth(place).check()
    page.get_by_role("button", name="Keep as intelligence").click()
    expect(page.get_by_role("heading", name="2 cases decided.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Choose")).to_have_count(count - 2)
    keep_screenshot(page, "queue-below-decided-narrow")
    page.get_by_role("button", name="Undo all of it").click()
    expect(page.get_by_role("checkbox", name="Choose")).to_have_count(count)


def test_links_are_reviewed_by_key(open_page: Opener, exchange: Exchange) -> None:
    """No, undone; the reason stands above, the two cases side by side."""
    page = open_page()
    sign_in(page, exchange, "ada")
    page.goto("/links")
    pairs = page.locator("[data-row]").count()
    assert pairs >= 1
    page.keyboard.press("n")
    expect(page.get_by_text("it will not be suggested again")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("[data-row]")).to_have_count(pairs)


def test_single_keys_can_be_turned_off(open_page: Opener, exchange: Exchange) -> None:
    """For whoever speaks to the machine (WCAG 2.1.4); typing in a field never acts."""
    page = open_page()
    sign_in(page, exchange, "ada")
    page.goto("/queue")
    page.keyboard.press("/")
    expect(page.get_by_label("Words, name, address")).to_be_focused()
    page.keyboard.type("jxt")
    expect(page.get_by_label("Words, name, address")).to_have_value("jxt")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    page.get_by_label("No single keys").check()
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    expect(page.get_by_text("(none chosen yet)")).to_be_visible()
    page.keyboard.press("?")
    page.get_by_label("No single keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    expect(page.get_by_text("(1 chosen)")).to_be_visible()


def test_a_supervisor_weighs_the_units_cases(open_page: Opener, exchange: Exchange) -> None:
    """The form, its record, its undo."""
    page = open_page()
    sign_in(page, exchange, "sam")
    page.goto("/queue/weights")
    page.get_by_label("Harm").fill("40")
    page.get_by_label("Why?").fill("Victims first")
    page.get_by_role("button", name="Weigh them so").click()
    expect(page.get_by_text("Victims first")).to_be_visible()
    page.get_by_role("button", name="Undo the last change").click()
    expect(page.get_by_text("weighs its cases as before")).to_be_visible()
