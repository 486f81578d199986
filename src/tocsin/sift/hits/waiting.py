"""What one run has read and not yet counted: relations, with the logs and the stretches they are from."""

import hashlib
import os
import platform
import re
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from tocsin.kernel.hashing import sha256_hex
from tocsin.sift.blockstore import Count, Reading
from tocsin.sift.hits.staging import Span
from tocsin.sift.regions import HEAD
from tocsin.sift.sources import STDIN
from tocsin.sift.values import Region


@dataclass(frozen=True)
class Item:
    """One relation that waits: where it is from, and the digest of its file."""

    path: str
    relation: str
    log: int
    make: str
    rows: int
    span: Span | None = None
    digest: "Digest | None" = None


@dataclass
class Waiting:
    """What is read and not yet in the store; `digests` by what is known of a file at once."""

    items: list[Item] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    digests: dict[tuple[str, int], list["Digest"]] = field(default_factory=dict)
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


class Digest:
    """The region that a whole file is (it does not grow), worked out beside what else is done with it.

    `key` is how the file begins and how long it is. Raises OSError where it cannot be opened.
    """

    def __init__(self, path: Path, beside: Executor) -> None:
        file = path.open("rb")
        head = hashlib.sha256(file.read(HEAD)).hexdigest()
        self.key = head, os.fstat(file.fileno()).st_size
        self._region = beside.submit(self._work_out, file)

    def region(self) -> Region:
        """Wait for it. Raises OSError where the file cannot be read to its end."""
        return self._region.result()

    def wait(self) -> None:
        """Wait until the file is closed, read or not."""
        self._region.exception()

    def _work_out(self, file: BufferedReader) -> Region:
        with file:
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Region(self.key[0], file.tell(), digest)
