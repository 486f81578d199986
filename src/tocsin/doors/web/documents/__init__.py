"""Documents for paper: plain values typeset by Typst into PDF.

What is typeset comes to the template as data (JSON) and is never read as markup: a hostile log line stays a
line. The same values give the same bytes.
"""

from importlib import resources
from typing import Literal

import msgspec
import typst

TEMPLATE = resources.files(__name__).joinpath("paper.typ").read_bytes()


class Block(msgspec.Struct, frozen=True):
    """A part with a heading: `fields` are rows of label and value, a `table` has `heads` above its rows."""

    title: str
    kind: Literal["fields", "table"]
    rows: tuple[tuple[str, ...], ...]
    heads: tuple[str, ...] = ()
    empty: str = ""  # what stands there where it has no rows


class Paper(msgspec.Struct, frozen=True):
    """A document: `foot` stands on every page, `lead` is its first sentence, `caveat` what it is not."""

    title: str
    kicker: str
    lead: str
    foot: str
    blocks: tuple[Block, ...]
    caveat: str = ""


def typeset(paper: Paper) -> bytes:
    """The PDF."""
    data = msgspec.json.encode(paper).decode()
    made: bytes = typst.compile(TEMPLATE, format="pdf", sys_inputs={"data": data}, ignore_system_fonts=True)
    return made
