"""Which reader takes a source: asked in this order, by content, before mails, plain JSON and logs.

A reader is a module with two functions and light imports (what is heavy it imports when it reads):

    looks_like(start: bytes) -> bool      whether a source that begins so (64 KiB, decompressed) is for it
    read(run, source, stream) -> None     read it to its end, telling the run what it found

Telling the run: `run.add(source.path, finding, numbers, text)` for evidence, `run.reject(source, number,
reason, raw)` for what cannot be read, and `run.count(lines)` for all lines (or records, or documents) that
were read and neither rejected nor duplicates; those that no finding took are noise.
"""

import importlib
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.rulebook import Rulebook
    from tocsin.sift.sources import Source, Stream

READERS: tuple[str, ...] = (
    "parquet",
    "dnstap",
    "fail2ban_bans",
    "fastnetmon",
    "flows",
    "shadowserver",
    "idea",
    "crowdsec_alerts",
    "stix",
    "misp",
    "columns",
    "ndjson",
)


class Reader(Protocol):
    """What a reader's module offers."""

    def looks_like(self, start: bytes) -> bool:
        """Whether a source that begins so is for this reader."""

    def read(self, run: "Run", source: "Source", stream: "Stream") -> None:
        """Read the source to its end."""


def reader_of(start: bytes, mapping: "Rulebook | None" = None) -> Reader | None:
    """The reader that takes a source which begins so; None leaves it to mails, plain JSON and logs.

    Where a mapping says what records mean, all that have its fields are read by it, whatever else they are.
    """
    if mapping:
        from tocsin.sift.readers import columns, ndjson

        for mapped in (columns, ndjson):
            if mapped.is_mapped(start, mapping):
                return mapped
    for name in READERS:
        reader = cast(Reader, importlib.import_module(f"tocsin.sift.readers.{name}"))
        if reader.looks_like(start):
            return reader
    return None
