"""Every page for every reader: axe finds nothing, nothing sticks out, nothing weighs too much."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response
from tests.stories.conftest import Exchange, keep_screenshot, sign_in

pytestmark = pytest.mark.browser

# Who reads which page; `{…}` is filled from what the exchange's past left behind.
PAGES = {
    None: {
        "start": "/",
        "sign-in": "/sign-in",
        "passkey": "/sign-in/passkey",
        "journal": "/journal",
        "help": "/help",
        "accessibility": "/accessibility",
        "figures": "/figures",
        "not-found": "/no-such-page",
    },
    "rosa": {
        "reporter-home": "/reports",
        "reporter-list": "/reports/all",
        "reporter-empty-search": "/reports/all?q=nothing-such",
        "report": "/reports/{kent_report}",
        "not-mine": "/reports/{rivals_report}",
        "account": "/account",
        "mail": "/notices",
        "network": "/network",
        "network-search": "/network?q=nothing.example",
        "resolvers": "/network/resolvers",
        "classes": "/network/classes",
        "spreading": "/network/spreading",
        "indicator": "/indicators/{shared_indicator}",
        "indicator-withdrawn": "/indicators/{withdrawn_indicator}",
    },
    "ada": {
        "queue": "/queue",
        "queue-filtered": "/queue?severity=medium&q=203.0.113.0/24",
        "queue-below": "/queue/below",
        "case": "/cases/{late_case}",
        "case-linked": "/cases/{linked_case}",
        "review": "/links",
        "form": "/cases/{linked_case}/forms/crime-record",
    },
    "olga": {"queue-of-one": "/queue", "case-many": "/cases/{national_case}"},
    "amy": {"administration-of-a-member": "/administration"},
    "omar": {
        "administration": "/administration",
        "policy": "/administration/policy",
        "resolvers-of-all": "/network/resolvers",
    },
    "sam": {
        "weights": "/queue/weights",
        "team": "/team",
        "team-late": "/team?show=late",
        "case-of-a-supervisor": "/cases/{late_case}",
        "webhooks": "/webhooks",
    },
    "tara": {"network-trusted": "/network", "indicator-held": "/indicators/{held_indicator}"},
    "iris": {
        "coordination": "/coordination",
        "withdrawal-of-all": "/indicators/{withdrawn_indicator}",
        "nation": "/coordination/nation",
        "case-coordinated": "/cases/{kent_case}",
        "packet": "/cases/{kent_case}/packet",
    },
}
WAYS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"dark": True},
    "narrow": {"width": 360, "height": 740},
    "zoomed": {"width": 640, "height": 450},  # 1280 pixels at 200 %
}
PICTURES = {
    *(
        (name, "light")
        for name in ("start", "reporter-home", "report", "queue", "case", "coordination", "packet")
    ),
    *((name, "light") for name in ("figures", "network", "indicator")),
    *((name, way) for name in ("resolvers", "indicator-withdrawn") for way in ("light", "dark")),
    *((name, "light") for name in ("account", "administration", "policy", "case-linked")),
    *((name, "light") for name in ("queue-below", "review", "weights", "team", "nation")),
    ("team", "narrow"),
    *((name, "dark") for name in ("reporter-home", "case", "figures")),
    *((name, "narrow") for name in ("start", "report", "queue")),
}
HEAVIEST = 150_000  # bytes, compressed, without fonts


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reader", PAGES, ids=str)
def test_axe_finds_nothing_and_nothing_sticks_out(
    open_page: Callable[..., Page], exchange: Exchange, reader: str | None, way: str
) -> None:
    """Levels A and AA and the best practices, and no sideways scrolling."""
    page = open_page(**WAYS[way])
    if reader is not None:
        sign_in(page, exchange, reader)
    found = []
    for name, address in PAGES[reader].items():
        page.goto(address.format(**exchange.facts))
        for violation in Axe().run(page).response["violations"]:
            found.append(f"{name}: {violation['id']}: {violation['nodes'][0]['html'][:200]}")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0:
            found.append(f"{name}: {wide} pixels too wide")
        if (name, way) in PICTURES:
            keep_screenshot(page, f"{name}-{way}")
    assert found == []


@pytest.mark.parametrize("reader", PAGES, ids=str)
def test_no_page_weighs_too_much(
    open_page: Callable[..., Page], exchange: Exchange, reader: str | None
) -> None:
    """150 kB with stylesheet and script, on a first visit."""
    page = open_page()
    sizes: list[int] = []

    def weigh(response: Response) -> None:
        if response.request.resource_type != "font" and response.status == 200:
            sizes.append(response.request.sizes()["responseBodySize"])

    if reader is not None:
        sign_in(page, exchange, reader)
    page.route("**/*", lambda route: route.continue_())  # keeps the browser's cache out of it
    page.on("requestfinished", lambda request: weigh(request.response()))
    heavy = {}
    for name, address in PAGES[reader].items():
        sizes.clear()
        page.goto(address.format(**exchange.facts), wait_until="networkidle")
        if sum(sizes) > HEAVIEST:
            heavy[name] = sum(sizes)
        assert len(sizes) >= 1 or name in ("not-found", "not-mine"), "the weighing sees what is loaded"
    assert heavy == {}
