"""Shadowserver's CSV reports as files."""

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.sift.streamlines import Fresh

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.feeds.piles import Piles
    from tocsin.sift.sources import Source, Stream

NETWORK = "a row about a network, not an address"
_MOST_PILES = 50_000


def looks_like(start: bytes) -> bool:
    """Whether the first line names the columns of such a report."""
    line = start.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
    if b"," not in line or b"timestamp" not in line.lower():
        return False
    from tocsin.sift.feeds.shadowserver import is_header

    return is_header(line.decode("utf-8", "replace"))


def read(run: "Run", source: "Source", stream: "Stream") -> None:
    """Every row is an event of some attack, or rejected with a reason; headers are no rows."""
    from tocsin.sift.feeds.piles import Piles
    from tocsin.sift.feeds.shadowserver import read_rows

    piles = Piles()
    taken = 0
    lines = Fresh(run, source, stream, headers=1)
    header = [lines.header] if lines.before else []  # what was sifted before still names the columns
    for place, raw, event in read_rows(chain(header, lines), Path(source.path).name):
        number = place + lines.before - len(header)
        if isinstance(event, str):
            run.reject(source, number, event, _one_line(raw))
        elif "/" in event.address:
            run.reject(source, number, NETWORK, _one_line(raw))
        else:
            taken += 1
            piles.add(event, number, raw)
            if len(piles) >= _MOST_PILES:
                _tell(run, source, piles)
    _tell(run, source, piles)
    run.count(taken)


def _tell(run: "Run", source: "Source", piles: "Piles") -> None:
    for finding, numbers, text in piles.flush():
        run.add(source.path, finding, numbers, text)


def _one_line(raw: bytes) -> bytes:
    """A row as it is kept: one line, whatever its quoted values hold."""
    return raw.rstrip(b"\r\n").replace(b"\n", b" ")
