"""The public figures as a page and as a file."""

import csv
import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from tests.doors.web.test_pages import text_of

from tocsin.figures import definitions, queries
from tocsin.figures.rules import told
from tocsin.figures.values import NOTHING, Cell, Figure, PublicFigures, Row
from tocsin.kernel.time import now

AT = dt.datetime(2026, 11, 10, 12, tzinfo=dt.UTC)
ROWS = (Row("Received", (told(412), Cell("100", 100))), Row("Charged", (told(2), NOTHING)))


def a_count(**changes: object) -> PublicFigures:
    """One figure, counted at noon."""
    figure = Figure(definitions.FOLLOW_UP, "Of 412 reports, 201 were followed up.", ROWS, "<svg></svg>")
    fields = {"counted_at": AT, "journal_size": 1214, "took": 0.1, "sentence": "It is.", "figures": (figure,)}
    return PublicFigures(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A count that is at hand."""
    monkeypatch.setattr(queries, "published", a_count)


def test_the_page_says_the_number_and_how_sure_it_is(db: None, counted: None) -> None:
    """The answer first; the table; definition, query, error and what stands behind it."""
    page = text_of(Client().get(reverse("figures")))
    method = definitions.FOLLOW_UP
    for part in (method.definition, method.query, method.error, method.opens_to, "1,214 entries", "under 5"):
        assert part in page
    assert page.index("It is.") < page.index("Received")


def test_the_chart_stands_in_the_page_and_is_not_escaped(db: None, counted: None) -> None:
    """It needs no request of its own."""
    assert b"<svg></svg>" in Client().get(reverse("figures")).content


def test_the_file_has_one_number_a_line(db: None, counted: None) -> None:
    """With unit and instant; a suppressed number has words and no value."""
    answer = Client().get(reverse("figures-csv"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(answer.content.decode().splitlines()))
    assert [(row["row"], row["unit"], row["value"], row["said"]) for row in rows] == [
        ("Received", "reports", "412", "412"),
        ("Received", "% of received", "100", "100"),
        ("Charged", "reports", "", "under 5"),
    ]
    assert {row["counted_at"] for row in rows} == {"2026-11-10T12:00:00Z"}


def test_an_exchange_without_a_past_says_so(db: None) -> None:
    """Counted in place, because no worker has yet; no table of zeros, and no chart of nothing."""
    answer = Client().get(reverse("figures"))
    page = text_of(answer)
    assert "Fewer than five reports have come in" in page
    assert "No unit owes an answer past its due time." in page
    assert b"t-chart" not in answer.content


def test_a_count_is_shared_and_made_again_when_it_is_old(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages show what the worker counted; only where it stands still do they count themselves."""
    counts: list[PublicFigures] = []

    def count() -> PublicFigures:
        counts.append(a_count(counted_at=now() - age, took=took))
        return counts[-1]

    monkeypatch.setattr(queries, "public_figures", count)
    age, took = dt.timedelta(0), 0.1
    queries.refresh()
    queries.refresh()
    assert (len(counts), queries.published()) == (1, counts[0])
    age = dt.timedelta(seconds=61)
    queries.publish()
    queries.published()
    assert len(counts) == 2, "a minute old is good enough for a page"
    queries.refresh()
    assert len(counts) == 3, "and too old for the worker"
    took = 10.0
    queries.publish()
    queries.refresh()
    assert len(counts) == 4, "what takes ten seconds is not done every minute"
    age, took = dt.timedelta(seconds=601), 0.1
    queries.publish()
    queries.published()
    assert len(counts) == 6
