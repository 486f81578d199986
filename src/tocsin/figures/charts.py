"""Charts: Vega-Lite specifications of a figure's rows, drawn to SVG and kept by the digest of what they show.

A chart is given only what the table under it says, so a suppressed number has no length to be measured.
Colours are classes of the stylesheet, which knows light, dark and paper; the drawing stands in the page
itself, in the page's typeface, and needs no script and no request of its own.
"""

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import msgspec
import vl_convert
from django.core.cache import caches

from tocsin.figures.rules import FEW
from tocsin.figures.values import Row
from tocsin.kernel.hashing import sha256_hex

Spec = dict[str, Any]
KEPT_FOR = 30 * 86_400  # seconds
DRAWN_BY = f"vl-convert {version('vl-convert-python')}, 1"  # part of the digest: another hand draws anew
# Literal colours of the specifications, and the classes that stand in the drawing for them.
OURS, INK, QUIET = "#8a5a00", "#1d2733", "#d9d1c2"
CLASSES = {OURS: "t-chart__ours", INK: "t-chart__ink", QUIET: "t-chart__quiet"}
FONT = "Atkinson Hyperlegible, sans-serif"
WIDTH = 280  # small, because a drawing is scaled to the page: on a telephone the words must stay readable
CONFIG: Spec = {
    "background": None,
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 15,
        "labelColor": INK,
        "labelLimit": 220,
        "domain": False,
        "ticks": False,
        "grid": False,
        "title": None,
    },
    "text": {"fontSize": 15, "color": INK},
}
_colour = re.compile(rf'(fill|stroke)="({"|".join(CLASSES)})"')
_noise = re.compile(r' (?:aria-[a-z]+|role)="[^"]*"')
_size = re.compile(r' width="[\d.]+" height="[\d.]+"')


def bars(rows: Sequence[Row]) -> Spec | None:
    """Lying bars, one for each row whose first cell is a count; None where there is none."""
    values = _values(rows)
    if not values:
        return None
    place: Spec = {"y": {"field": "label", "type": "nominal", "sort": None}}
    length: Spec = {"x": {"field": "length", "type": "quantitative", "axis": None}}
    return {
        "data": {"values": values},
        "width": WIDTH,
        "height": {"step": 34},
        "layer": [
            {"mark": {"type": "bar", "height": 20, "color": OURS}, "encoding": place | length},
            {
                "mark": {"type": "text", "align": "left", "dx": 8},
                "encoding": place | length | {"text": {"field": "said"}},
            },
        ],
        "config": CONFIG,
    }


def columns(rows: Sequence[Row]) -> Spec | None:
    """Standing columns in the rows' order, for what goes by weeks; None where there is nothing."""
    values = _values(rows)
    if not any(value["length"] for value in values):
        return None
    axis = {"labelAngle": 0, "labelOverlap": True, "domain": True, "domainColor": QUIET}
    return {
        "data": {"values": values},
        "width": 400,
        "height": 150,
        "mark": {"type": "bar", "color": OURS, "width": {"band": 0.7}},
        "encoding": {
            "x": {"field": "label", "type": "nominal", "sort": None, "axis": axis},
            "y": {"field": "length", "type": "quantitative", "axis": {"format": "~s", "tickCount": 3}},
        },
        "config": CONFIG,
    }


def _values(rows: Sequence[Row]) -> list[Spec]:
    """What a chart is given: the words as told, and lengths in which no suppressed number can be read."""
    counts = [(row.label, row.cells[0]) for row in rows]
    return [
        {"label": label, "said": cell.said, "length": FEW - 1 if cell.value is None else cell.value}
        for label, cell in counts
        if cell.value is not None or cell.said.startswith("under")
    ]


def drawn(spec: Spec, title: str) -> str:
    """The chart as one `<svg>` element with its title, drawn at most once for the same content."""
    digest = sha256_hex(msgspec.json.encode((DRAWN_BY, title, spec), order="deterministic"))
    kept = caches["figures"]
    svg: str | None = kept.get(f"chart-{digest}")
    if svg is None:
        svg = dressed(vl_convert.vegalite_to_svg(spec), title)
        kept.set(f"chart-{digest}", svg, KEPT_FOR)
    return svg


def dressed(svg: str, title: str) -> str:
    """The renderer's SVG as the pages want it: classes for colours, one picture with one name, fluid width.

    The renderer names every mark for screen readers; the table under the chart says the same in order, so
    here the picture is one thing.
    """
    svg = _noise.sub("", svg)
    svg = _size.sub("", svg, count=1)
    svg = _colour.sub(lambda found: f'class="{CLASSES[found[2]]}-{found[1]}"', svg)
    name = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return svg.replace('class="marks"', f'class="t-chart" role="img" aria-label="{name}"', 1)
