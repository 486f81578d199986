"""A browser, and an exchange that is served as `tocsin serve` serves it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.conftest import ROOT, missing
from tests.ports import free_port
from tests.template import lay

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENSHOTS = ROOT / "docs" / "screenshots"
PRETENDED = (
    "192.0.2.0/24,198.51.100.0/24,203.0.113.0/24"  # documentation ranges, of which the seed's attacks come
)
LARGEST_PICTURE = 150_000
SERVE = "from tocsin.doors.admin.commands import serve; serve()"


@dataclass(frozen=True)
class Exchange:
    """Where it is, and what `seed.py` said of it."""

    url: str
    facts: dict[str, Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; one a module, because Playwright's event loop must not outlive its tests."""
    if not CHROMIUM.exists():
        missing("the stories need Chromium: make system")
    if not (ROOT / "src/tocsin/site/static/vendor/tocsin.css").exists():
        missing("the stories need the stylesheet: make assets")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """An exchange with a past, on a port of its own, until the run ends."""
    port = free_port()
    home = tmp_path_factory.mktemp("exchange")
    environment = {**os.environ, "TOCSIN_HOME": str(home), "TOCSIN_PRETEND_PUBLIC": PRETENDED}
    lay(home)
    environment["TOCSIN_SECOND_FACTOR"] = "none"  # the stories of access show it
    for name in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "TOCSIN_URL"):
        environment.pop(name, None)
    seed = [sys.executable, str(Path(__file__).parent / "seed.py")]
    told = subprocess.run(seed, env=environment, check=True, capture_output=True, text=True, timeout=120)
    url = f"http://127.0.0.1:{port}"
    with (home / "serve.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVE, "--port", str(port)], env=environment, stdout=log, stderr=log
        )
        try:
            wait_for(url, server)
            yield Exchange(url, json.loads(told.stdout.splitlines()[-1]))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    """Return when the exchange answers; fail when it does not within half a minute."""
    for _ in range(150):
        try:
            urllib.request.urlopen(f"{url}/help", timeout=5).close()
            return
        except OSError:
            assert server.poll() is None, "the exchange ended before it answered"
            time.sleep(0.2)
    raise TimeoutError(url)


@pytest.fixture
def open_page(browser: Browser, exchange: Exchange) -> Iterator[Callable[..., Page]]:
    """Opens a reader's own browser: `open_page(width=360, dark=True, scripts=False)`."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one(*, width: int = 1280, height: int = 900, dark: bool = False, scripts: bool = True) -> Page:
        context = browser.new_context(
            base_url=exchange.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            locale="en-GB",
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        return page

    yield open_one
    for context in contexts:
        context.close()
    refused = [text for text in complaints if "Content Security Policy" in text]
    assert refused == [], "the pages keep their own policy"


def sign_in(page: Page, exchange: Exchange, name: str) -> None:
    """As somebody does it."""
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(f"{name}@example.org")
    page.get_by_label("Password").fill(exchange.facts["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def keep_screenshot(page: Page, name: str) -> None:
    """Keep a picture for the docs, of 150 kB at most, only where `TOCSIN_SCREENSHOTS=1` asks for it."""
    if os.environ.get("TOCSIN_SCREENSHOTS") != "1":
        return
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    size = page.viewport_size or {"width": 1280, "height": 800}
    picture = page.screenshot(
        clip={"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 760)}
    )
    assert len(picture) <= LARGEST_PICTURE, f"{name} has {len(picture)} bytes"
    (SCREENSHOTS / f"{name}.png").write_bytes(picture)
