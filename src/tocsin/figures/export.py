"""The public figures as a file: one number a line, each with the instant it was counted at (RFC 4180)."""

import csv
import io

from tocsin.figures.values import NOTHING, PublicFigures
from tocsin.kernel.time import rfc3339

COLUMNS = ("figure", "row", "unit", "value", "said", "counted_at", "journal_size")


def to_csv(figures: PublicFigures) -> str:
    """All tables, header first; `value` is empty where a number is suppressed or there is none.

    Times are minutes; what a figure counts, and what it suppresses, stands on the page.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    stamp = (rfc3339(figures.counted_at), figures.journal_size)
    for figure in figures.figures:
        for row in figure.rows:
            for unit, cell in zip(figure.method.columns, row.cells, strict=True):
                if cell != NOTHING:
                    value = "" if cell.value is None else cell.value
                    writer.writerow((figure.method.name, row.label, unit, value, cell.said, *stamp))
    return out.getvalue()
