"""The walled garden's page in a browser: readable for everybody, and without a script."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from tests.stories.conftest import keep_screenshot

from tocsin.sift.primary_garden import page

pytestmark = pytest.mark.browser
HELPS = ("+44 20 7946 0000", "help@ferry.example", "https://ferry.example/help")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_gardens_page(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    """Levels A and AA and the best practices, light and dark, narrow and wide, each way to be helped."""
    for number, help_at in enumerate(HELPS):
        file = tmp_path / f"{number}.html"
        file.write_text(page("Ferry Broadband", help_at, "https://exchange.example"))
        with browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        ) as context:
            opened = context.new_page()
            opened.goto(file.as_uri())
            found = [one["id"] for one in Axe().run(opened).response["violations"]]
            assert found == []
            assert opened.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
            assert opened.get_by_role("link", name=help_at).count() == 1
            assert opened.locator("script").count() == 0
            if number == 0 and width == 1280:
                keep_screenshot(opened, f"garden-{scheme}")
