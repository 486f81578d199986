"""Charts: nothing in the picture that is not in the table, nothing that the pages' policy forbids."""

import re
from xml.etree import ElementTree

from tocsin.figures import charts
from tocsin.figures.rules import told
from tocsin.figures.values import NOTHING, Row

ROWS = (
    Row("Received", (told(412), told(100))),
    Row("Charged", (told(2), NOTHING)),
    Row("Median", (NOTHING, told(9))),
    Row("Nobody", (told(0), told(0))),
)


def test_a_suppressed_number_has_no_length_of_its_own() -> None:
    """One and four are drawn alike, and what has no count is not drawn."""
    drawn = charts.bars(ROWS)
    assert drawn is not None
    assert [(value["label"], value["length"]) for value in drawn["data"]["values"]] == [
        ("Received", 412),
        ("Charged", 4),
        ("Nobody", 0),
    ]
    assert charts.bars((Row("One", (told(1),)),)) == charts.bars((Row("One", (told(4),)),))


def test_nothing_to_draw_is_not_drawn() -> None:
    """An empty table has no chart, and neither have weeks without a connection."""
    assert charts.bars(()) is None
    assert charts.columns((Row("9 Nov", (told(0), told(0))),)) is None


def test_the_drawing_is_one_picture_in_the_pages_colours() -> None:
    """Valid XML, one name, no literal colour of ours, no inline style, script or link; the same each time."""
    spec = charts.bars(ROWS)
    assert spec is not None
    svg = charts.drawn(spec, 'How "far" <they> come')
    root = ElementTree.fromstring(svg)
    assert (root.get("role"), root.get("aria-label")) == ("img", 'How "far" <they> come')
    assert "viewBox" in root.attrib
    assert root.get("width") is None
    assert len(re.findall(r'(?:role|aria-label)="', svg)) == 2
    assert 'class="t-chart__ours-fill"' in svg
    assert not re.search(r"#8a5a00|#1d2733|style=|<style|<script|<image|href=|url\(", svg)
    assert svg == charts.drawn(spec, 'How "far" <they> come')


def test_the_same_content_is_drawn_once(monkeypatch: object) -> None:
    """The digest of what is shown is the key, so another figure is another drawing."""
    spec = charts.columns((Row("9 Nov", (told(100), told(5))),))
    assert spec is not None
    first = charts.drawn(spec, "Stopped")
    calls: list[object] = []
    monkeypatch.setattr(charts.vl_convert, "vegalite_to_svg", lambda spec: calls.append(spec) or "<svg/>")  # type: ignore[attr-defined]
    assert charts.drawn(spec, "Stopped") == first
    assert calls == []
    assert charts.drawn(spec, "Other") != first
    assert len(calls) == 1
