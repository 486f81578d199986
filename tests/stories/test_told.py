"""The four stories: a reporter, an officer, a coordinator, and an officer whose unit has not joined."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.stories.conftest import Exchange, keep_screenshot, sign_in

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]


def press_until(page: Page, words: str, *, key: str = "Tab", most: int = 120) -> None:
    """Press a key until what has the focus says these words, as somebody without a mouse does."""
    said = ""
    for _ in range(most):
        page.keyboard.press(key)
        said = page.evaluate(
            "(e => e.innerText || (e.labels && e.labels[0] && e.labels[0].innerText) || e.value || '')"
            "(document.activeElement)"
        )
        if words in said:
            return
    raise AssertionError(f"{words!r} is not reached by {key}; the last was {said!r}")


def test_a_reporter_sees_what_waits_and_checks_the_receipt(
    open_page: Opener, exchange: Exchange, tmp_path: Path
) -> None:
    """From the first sentence to a receipt that holds, and one that does not."""
    page = open_page()
    sign_in(page, exchange, "rosa")
    expect(page.get_by_role("heading", level=1)).to_have_text("My reports")
    expect(page.locator(".t-answer")).to_contain_text("overdue at Kent Police")
    page.goto(f"/reports/{exchange.facts['kent_report']}")
    expect(page.get_by_role("heading", name="What is held about it")).to_be_visible()
    expect(page.get_by_text("days left").first).to_be_visible()
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Download the receipt").click()
    file = tmp_path / downloaded.value.suggested_filename
    downloaded.value.save_as(file)
    page.get_by_role("link", name="Or check it on this site").click()
    page.get_by_label("Receipt file").set_input_files(file)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", name="This receipt is genuine")).to_be_visible()
    keep_screenshot(page, "receipt-genuine")
    forged = json.loads(file.read_text())
    forged["content"]["count"] += 1
    page.get_by_label("Or paste it").fill(json.dumps(forged))
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", name="This receipt does not hold")).to_be_visible()
    expect(page.get_by_text("does not fit the journal entry")).to_be_visible()


def test_an_officer_answers_by_keyboard_alone_and_takes_it_back(
    open_page: Opener, exchange: Exchange
) -> None:
    """Sign in, open the most urgent case, take it, answer it, undo it: no mouse."""
    page = open_page()
    page.goto("/sign-in")
    press_until(page, "E-mail address")
    page.keyboard.type("ada@example.org")
    press_until(page, "Password")
    page.keyboard.type(exchange.facts["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue")
    expect(page.locator(".t-answer")).to_contain_text("overdue")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{exchange.facts['late_case']}")
    press_until(page, "Take this case")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The case is yours.")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_label("How did it end?")).to_be_focused()
    page.keyboard.type("18")
    expect(page.get_by_label("What the reporters read")).not_to_have_value("")
    press_until(page, "What the reporters read")
    page.keyboard.press("End")
    page.keyboard.type(" We looked.")
    press_until(page, "The source port")
    if not page.locator(":focus").is_checked():  # what the inventory shows to be lacking is ticked already
        page.keyboard.press("Space")
    press_until(page, "Send this answer")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Answered")).to_be_visible()
    keep_screenshot(page, "case-answered")
    press_until(page, "Undo the answer")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The answer is taken back.")).to_be_visible()


def test_a_report_linked_by_mistake_is_detached_and_put_back(open_page: Opener, exchange: Exchange) -> None:
    """Two ordinary acts, each with its record."""
    officer = open_page(scripts=False)
    sign_in(officer, exchange, "olga")
    officer.goto(f"/cases/{exchange.facts['national_case']}")
    officer.get_by_text("Not right? Detach").first.click()
    officer.get_by_label("Why this report does not belong").first.fill("another tool, another day")
    officer.get_by_role("button", name="Detach this report").first.click()
    expect(officer.get_by_text("The report is detached")).to_be_visible()
    expect(officer.get_by_text("another tool, another day").first).to_be_visible()
    officer.get_by_role("button", name="Put it back").click()
    expect(officer.get_by_text("The report is back in this case.")).to_be_visible()


def test_a_case_that_was_passed_on_leaves_the_desk_in_words(open_page: Opener, exchange: Exchange) -> None:
    """Redirected, it is another unit's: its officer is back at the queue and told so."""
    officer = open_page(scripts=False)
    sign_in(officer, exchange, "olga")
    officer.goto(f"/cases/{exchange.facts['national_case']}")
    officer.get_by_role("button", name="Redirect the case").click()
    expect(officer.get_by_role("heading", name="There is a problem")).to_be_visible()
    officer.get_by_label("Unit that should have it").select_option(label="Devon & Cornwall Police")
    officer.get_by_label("Why there?").fill("the tool's maker lives there")
    officer.get_by_role("button", name="Redirect the case").click()
    expect(officer.get_by_text("Redirected to Devon & Cornwall Police.")).to_be_visible()


def test_an_answer_reaches_the_reporter_without_scripts(open_page: Opener, exchange: Exchange) -> None:
    """Neither side needs JavaScript: the words of another outcome are asked for by a button."""
    officer = open_page(scripts=False)
    sign_in(officer, exchange, "ada")
    officer.goto(f"/cases/{exchange.facts['quiet_case']}")
    officer.get_by_role("button", name="Take this case").click()
    officer.get_by_label("Words for another outcome").select_option("20")
    officer.get_by_role("button", name="Fill in its words").click()
    words = officer.get_by_label("What the reporters read")
    words.fill("Passed to the registrar that sold the name.")
    officer.get_by_role("button", name="Send this answer").click()
    expect(officer.get_by_role("heading", name="There is a problem")).to_be_visible()
    expect(words).to_have_value("Passed to the registrar that sold the name.")
    keep_screenshot(officer, "answer-incomplete")
    officer.get_by_label("Body that takes it on").fill("Nominet")
    officer.get_by_role("button", name="Send this answer").click()
    expect(officer.get_by_role("heading", name="Answered")).to_be_visible()
    reporter = open_page(scripts=False)
    sign_in(reporter, exchange, "rosa")
    reporter.goto("/reports/all?q=198.51.100.200")
    reporter.locator("[data-open]").first.click()
    expect(reporter.get_by_text("Passed to the registrar that sold the name.").first).to_be_visible()
    expect(reporter.get_by_text("DC Ada Moss").first).to_be_visible()
    keep_screenshot(reporter, "report-answered")


def test_silence_ends_by_a_one_time_link(open_page: Opener, exchange: Exchange) -> None:
    """Coordinator, link, officer without an account, answer; and the reporter is told."""
    coordinator = open_page()
    sign_in(coordinator, exchange, "iris")
    expect(coordinator.get_by_role("rowheader", name="Kent Police (not joined)")).to_be_visible()
    coordinator.get_by_role("link", name="Packet alone").first.click()
    expect(coordinator.get_by_role("heading", name="For Kent Police")).to_be_visible()
    coordinator.goto(f"/cases/{exchange.facts['kent_case']}")
    coordinator.get_by_role("button", name="Make a one-time link").click()
    address = coordinator.locator("pre code").inner_text()
    assert address.startswith(exchange.url)
    keep_screenshot(coordinator, "one-time-link-made")

    officer = open_page(width=360, height=740)
    officer.goto(address)
    expect(officer.get_by_role("heading", name="Take this case")).to_be_visible()
    keep_screenshot(officer, "one-time-link-narrow")
    officer.get_by_role("button", name="Take this case").click()
    expect(officer.get_by_role("heading", name="There is a problem")).to_be_visible()
    officer.get_by_label("Your name, rank or number").fill("DS Olive Green")
    officer.get_by_role("button", name="Take this case").click()
    expect(officer.get_by_role("heading", name="You have it, DS Olive Green")).to_be_visible()
    officer.get_by_label("How did it end?").select_option("18")
    officer.get_by_label("What the reporters read").fill("We found the machine; it was wiped a month ago.")
    officer.locator("input[name=help]").first.check()
    officer.get_by_role("button", name="Send this answer").click()
    expect(officer.get_by_role("heading", name="Thank you, DS Olive Green")).to_be_visible()
    keep_screenshot(officer, "one-time-link-answered-narrow")

    reporter = open_page()
    sign_in(reporter, exchange, "rosa")
    reporter.goto(f"/reports/{exchange.facts['kent_report']}")
    expect(reporter.get_by_text("We found the machine; it was wiped a month ago.").first).to_be_visible()
    expect(reporter.get_by_text("DS Olive Green").first).to_be_visible()


def test_a_link_that_was_never_given_opens_nothing(open_page: Opener, exchange: Exchange) -> None:
    """The same page for unknown, old, replaced and used ones."""
    page = open_page()
    answer = page.goto("/link/" + "x" * 43)
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_contain_text("not valid")
