"""dnstap: what a resolver answered. It tells blocks, and whom it refused; an attack it does not tell."""

from typing import TYPE_CHECKING

from tocsin.sift.sources import Unreadable
from tocsin.wire import framestream

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Source, Stream

INSTEAD = "dnstap tells blocks and no attacks: tocsin tally counts them"


def looks_like(start: bytes) -> bool:
    """A stream of frames."""
    return framestream.looks_like(start)


def read(run: "Run", source: "Source", stream: "Stream") -> None:
    """Raises Unreadable that says which command reads it."""
    raise Unreadable(INSTEAD)
