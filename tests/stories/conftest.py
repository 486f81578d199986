"""A browser, and an exchange that it can reach."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT, missing

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SCREENSHOTS = ROOT / "docs" / "screenshots"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, one for the whole run."""
    if not CHROMIUM.exists():
        missing("the stories need Chromium: make system")
    if not (ROOT / "src/tocsin/site/static/vendor/tocsin.css").exists():
        missing("the stories need the stylesheet: make assets")
    # Playwright's own event loop makes Django believe that it is inside asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(browser: Browser, live_server: Any) -> Iterator[Any]:
    """Opens a fresh browser context: `open_page(width=360, dark=True, scripts=False)`."""
    contexts: list[BrowserContext] = []

    def open_one(*, width: int = 1280, height: int = 900, dark: bool = False, scripts: bool = True) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            locale="en-GB",
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()


def keep_screenshot(page: Page, name: str, *, full: bool = True) -> None:
    """Keep a picture for the docs, only where `TOCSIN_SCREENSHOTS=1` asks for it."""
    if os.environ.get("TOCSIN_SCREENSHOTS") != "1":
        return
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{re.sub('[^a-z0-9-]', '-', name)}.png", full_page=full)
