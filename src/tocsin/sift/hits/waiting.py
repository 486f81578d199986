"""What one run has read and not yet counted: relations, with the logs and the stretches they are from."""

import hashlib
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tocsin.kernel.hashing import sha256_hex
from tocsin.sift.blockstore import Count, Reading
from tocsin.sift.hits.staging import Span
from tocsin.sift.regions import HEAD
from tocsin.sift.sources import STDIN
from tocsin.sift.values import Region

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Item:
    """One relation that waits: where it is from, and the region that it is."""

    path: str
    relation: str
    log: int
    make: str
    rows: int
    span: Span | None = None
    region: Region | None = None


@dataclass
class Waiting:
    """What is read and not yet in the store."""

    items: list[Item] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)


def joined(spans: Sequence[Span | None]) -> Span | None:
    """One span for all; None where one is not known."""
    known = [span for span in spans if span]
    if len(known) < len(spans):
        return None
    return Span(
        min(span.first for span in known), max(span.last for span in known), sum(span.rows for span in known)
    )


def bare(relation: str) -> str:
    """A relation that is a query, without its brackets."""
    return relation.removeprefix("(").removesuffix(")")


def source_id(path: str, machine: str | None) -> str:
    """A name for a log that outlives its rotation and gives neither its path nor its machine away.

    Exports that lie in one folder are one log: they are pieces of what one collector wrote.
    """
    if path not in {STDIN, "nftables"}:
        whole = Path(path).absolute()
        stem = re.sub(r"(?:[.-]\d+)?(?:\.(?:gz|xz|zst))?$", "", whole.name)
        path = str(whole.parent / stem)
        if re.search(r"\.(?:csv|tsv|json|ndjson|jsonl|parquet)$", stem):
            path = str(whole.parent / "*")
    return "source_" + sha256_hex(f"{machine or platform.node()} {path}".encode())[:16]


def whole_region(path: Path) -> Region:
    """A whole file as one region: it does not grow at its end."""
    digest, head, length = hashlib.sha256(), b"", 0
    with path.open("rb") as file:
        while data := file.read(_CHUNK):
            head = head or data[:HEAD]
            digest.update(data)
            length += len(data)
    return Region(hashlib.sha256(head).hexdigest(), length, digest.hexdigest())
