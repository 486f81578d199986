"""Figures as they are published: small numbers suppressed, each with its meaning and how it was counted."""

import datetime as dt

import msgspec


class Cell(msgspec.Struct, frozen=True):
    """One number as the public may read it; `value` is None where it is suppressed or not known."""

    said: str
    value: int | None = None


NOTHING = Cell("–")


class Row(msgspec.Struct, frozen=True):
    """One line of a figure's table."""

    label: str
    cells: tuple[Cell, ...]


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure means.

    `definition` says what is counted, `query` how, `error` how far it may be off and what is suppressed,
    `opens_to` what stands behind it or why that may not be shown. `columns` name the cells of each row with
    their unit, such as `reports`; `label_head` is the head above the rows' labels.
    """

    name: str
    title: str
    definition: str
    query: str
    error: str
    opens_to: str
    label_head: str
    columns: tuple[str, ...]


class Figure(msgspec.Struct, frozen=True):
    """A number with its method: the answer as a sentence, the table, and the chart of the same rows.

    `svg` is drawn already, and empty where there is nothing to draw.
    """

    method: Method
    sentence: str
    rows: tuple[Row, ...] = ()
    svg: str = ""


class PublicFigures(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of one count, made at one instant over so many journal entries; it took so many seconds."""

    counted_at: dt.datetime
    journal_size: int
    took: float
    sentence: str
    figures: tuple[Figure, ...]
