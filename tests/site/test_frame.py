"""What surrounds every page: headers, error pages, templates without inline code."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from tests.conftest import ROOT

from tocsin.site import headers

TEMPLATES = sorted((ROOT / "src/tocsin/site/templates").glob("*.html"))
VENDOR = ROOT / "src/tocsin/site/static/vendor"


def test_every_answer_carries_the_policy(db: None) -> None:
    """Nothing from elsewhere, nothing inline, no frame around it."""
    answer = Client().get("/help")
    assert answer["Content-Security-Policy"] == headers.POLICY
    assert "unsafe" not in headers.POLICY
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_no_template_has_inline_code_or_style(template: Path) -> None:
    """The policy would stop it, and the page would look broken."""
    text = template.read_text()
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_no_template_marks_anything_as_safe(template: Path) -> None:
    """What others wrote stays text; only our own filters make tags."""
    assert not re.search(r"\|\s*safe\b|Markup\(|autoescape", template.read_text())


def test_an_unknown_address_is_a_designed_page(db: None) -> None:
    """It says what to do, without repeating the address."""
    answer = Client().get("/no/such/<page>")
    assert answer.status_code == 404
    assert "There is no such thing, or you may not know of it" in answer.content.decode()
    assert "/no/such" not in answer.content.decode()


def test_a_form_from_elsewhere_is_refused_in_words(db: None) -> None:
    """Cross-site request forgery: 403, and what the honest reader can do."""
    answer = Client(enforce_csrf_checks=True).post("/sign-in", {"email": "a@example.org", "password": "x"})
    assert answer.status_code == 403
    assert "cookies must be allowed" in answer.content.decode()


def test_our_own_failure_is_a_page_without_a_trace(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 names nothing of the inside, and needs neither database nor session."""

    def breaks(*_: Any) -> None:
        raise RuntimeError("the secret name of a table")

    monkeypatch.setattr("tocsin.doors.web.start.public_funnel", breaks)
    answer = Client(raise_request_exception=False).get("/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "Something went wrong here" in page
    assert "secret name" not in page
    assert "Traceback" not in page
    assert render_to_string("broken.html") == page


def test_a_host_that_is_not_ours_is_refused(db: None) -> None:
    """400, designed."""
    answer = Client(raise_request_exception=False).get("/help", HTTP_HOST="evil.example")
    assert answer.status_code == 400
    assert "evil.example" not in answer.content.decode()


def test_what_a_page_weighs(db: None) -> None:
    """Stylesheet and script, compressed, leave room for the page below 150 kB."""
    if not (VENDOR / "tocsin.css.gz").exists():
        pytest.skip("the stylesheet is not built: make assets")
    script = ROOT / "src/tocsin/site/static/own/tocsin.js"
    assert (VENDOR / "tocsin.css.gz").stat().st_size + script.stat().st_size < 40_000


def test_nothing_is_named_after_what_we_may_not_use() -> None:
    """No crown, no GOV.UK logotype, no GDS Transport."""
    if not (VENDOR / "tocsin.css").exists():
        pytest.skip("the stylesheet is not built: make assets")
    css = (VENDOR / "tocsin.css").read_text().lower()
    assert "gds transport" not in css
    assert "crown" not in css
    assert not re.search(r"url\((?![\"']?(atkinson|data:))", css), "nothing is fetched from elsewhere"
