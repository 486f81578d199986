"""Three stories: a network engineer, a trusted person, and anybody who asks whether it gets better."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.stories.conftest import Exchange, sign_in

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False])
def test_a_network_engineer_asks_why_something_is_blocked(
    open_page: Callable[..., Page], exchange: Exchange, scripts: bool
) -> None:
    """From the complaint of a customer to the reason, the end, and the text that sets a resolver up."""
    page = open_page(scripts=scripts)
    sign_in(page, exchange, "rosa")
    page.get_by_role("link", name="Network", exact=True).click()
    expect(page.locator(".t-answer")).to_contain_text("1 address are shared now")
    page.get_by_label("Address or name, exactly").fill("192.0.2.44")
    page.get_by_role("button", name="Look it up").click()
    expect(page.locator(".t-answer")).to_contain_text("You may block this")
    expect(page.get_by_text("You reported it.")).to_be_visible()
    main = page.locator("main").inner_text()
    assert "Harbour" not in main
    assert "Fenland" not in main
    page.get_by_role("link", name="My network").click()
    page.get_by_text("Unbound: refuse shared names").click()
    expect(page.get_by_text('module-config: "respip validator iterator"')).to_be_visible()


def test_a_reporter_sees_what_the_report_stopped(open_page: Callable[..., Page], exchange: Exchange) -> None:
    """The number, at how many networks, the own one apart; nobody's name."""
    page = open_page()
    sign_in(page, exchange, "rosa")
    led_to = page.locator("section", has=page.get_by_role("heading", name="What my reports led to"))
    expect(led_to).to_contain_text("connections at 5 other networks")
    assert "Fenland" not in page.content()


def test_a_trusted_person_takes_a_warning_back(open_page: Callable[..., Page], exchange: Exchange) -> None:
    """Shares what one member reported, thinks again, withdraws it; each needs a reason."""
    page = open_page()
    sign_in(page, exchange, "tara")
    page.get_by_role("link", name="Network", exact=True).click()
    page.get_by_role("link", name="198.51.100.23", exact=True).click()
    expect(page.locator(".t-answer")).to_contain_text("Not shared")
    page.get_by_role("button", name="Share with every member").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why")
    page.get_by_label("Why?").fill("Our own sensors saw it guess passwords all night")
    page.get_by_role("button", name="Share with every member").click()
    expect(page.locator(".t-answer")).to_contain_text("You may block this")
    page.get_by_label("Why?").fill("It is a scanner of a university, with leave")
    page.get_by_role("button", name="Withdraw from every list").click()
    expect(page.locator(".t-answer")).to_contain_text("Withdrawn")


def test_anybody_reads_the_figures(open_page: Callable[..., Page], tmp_path: Path) -> None:
    """Without an account: numbers, a table under each chart, how it is counted, and a file."""
    page = open_page(scripts=False)
    page.goto("/")
    page.get_by_role("link", name="Figures", exact=True).click()
    expect(page.get_by_role("heading", name="Is it getting better?")).to_be_visible()
    charts = page.locator("svg.t-chart")
    assert charts.count() >= 2
    for chart in charts.all():
        assert chart.evaluate("chart => chart.nextElementSibling.querySelector('table') !== null")
    page.get_by_text("How this is counted").first.click()
    expect(page.get_by_text("A full count, no sample.").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the numbers as CSV").click()
    download.value.save_as(tmp_path / "figures.csv")
    rows = list(csv.DictReader((tmp_path / "figures.csv").read_text().splitlines()))
    assert {row["figure"] for row in rows} >= {"follow-up", "first-answer", "stopped"}


def test_a_chart_follows_the_readers_scheme(open_page: Callable[..., Page]) -> None:
    """One drawing, another bronze by night; the typeface is the page's."""
    colours = set()
    for dark in (False, True):
        page = open_page(dark=dark)
        page.goto("/figures")
        bar = page.locator(".t-chart__ours-fill").first
        colours.add(bar.evaluate("bar => getComputedStyle(bar).fill"))
    assert len(colours) == 2
