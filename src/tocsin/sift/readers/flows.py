"""Flow records: nfdump's CSV and JSON, CSV with such columns, and nfcapd files through nfdump."""

import csv
import os
import re
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.sift.findings import Finding
from tocsin.sift.flows.floods import KIND, Flood
from tocsin.sift.flows.table import is_flow_header
from tocsin.sift.regions import Hasher
from tocsin.sift.sources import Unreadable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from tocsin.sift.engine import Run
    from tocsin.sift.flows import loading
    from tocsin.sift.sources import Source, Stream

NFCAPD = (b"\x0c\xa5", b"\xa5\x0c")  # nfdump's file magic, in either byte order
NO_NFDUMP = "an nfcapd file: reading it needs nfdump (apt install nfdump)"
NO_HEADER = "flow records without a line of names"


def looks_like(start: bytes) -> bool:
    """A flow header, nfdump's JSON, or an nfcapd file."""
    if start[:2] in NFCAPD and start[2:3] in b"\x01\x02\x03":
        return True
    text = start.lstrip(b"\xef\xbb\xbf \r\n\t")
    if text[:1] in b"[{":
        return b'"in_packets"' in text[:4096] and bool(re.search(rb'"src[46]_addr"', text[:4096]))
    return is_flow_header(_header(text))


def read(run: "Run", source: "Source", stream: "Stream") -> None:
    """Find the floods in the flows of a source."""
    from tocsin.sift.flows import loading, table

    start = stream.peek()
    hasher = Hasher()

    def see(data: bytes) -> None:
        hasher.update(data)
        run.see(data)

    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder, table.flow_table() as db:
        copied, zone = Path(folder) / "flows", str(getattr(run.clock(source).zone, "key", "UTC"))
        if start[:2] in NFCAPD:
            lines, zone = _printed(stream, Path(folder), copied, see), "UTC"
            with copied.open("rb") as printed:
                start = printed.read(1 << 16)
        else:
            lines = loading.copy(stream, copied, see)
        if run.seen_before(hasher.regions(), lines):
            return

        def reject(number: int, reason: str, raw: bytes) -> None:
            run.reject(source, number, reason, raw)

        _load(db, copied, start, lines, zone, reject)
        _tell(run, source, db, lines)


def _load(
    db: "DuckDBPyConnection", path: Path, start: bytes, lines: int, zone: str, reject: "loading.Reject"
) -> None:
    from tocsin.sift.flows import loading

    if start.lstrip()[:1] in b"[{":
        loading.load_json(db, path, start.lstrip()[:1] == b"[", zone, reject)
    elif header := _header(start):
        loading.load_csv(db, path, header, lines, zone, reject)
    else:
        raise Unreadable(NO_HEADER)


def _tell(run: "Run", source: "Source", db: "DuckDBPyConnection", lines: int) -> None:
    from tocsin.sift.flows import floods

    run.count(floods.count(db))
    for flood in floods.find(db):
        run.add(source.path, _finding(flood), flood.numbers, floods.rows(db, flood), flood.flows)


def _finding(flood: Flood) -> Finding:
    return Finding(
        kind=KIND,
        origin="",
        target=flood.target,
        service=flood.vector,
        first=flood.first,
        last=flood.last,
        count=flood.packets,
        severity=flood.severity,
        why=flood.told,
        reader="flows",
        assumed={"rates": "derived from flow records; sampling is not known"},
        spoofable=True,
        vector=flood.told,
        fingerprint=flood.fingerprint,
        sample=flood.sample,
        origin_count=flood.sources,
        measures={
            "flows": flood.flows,
            "packets": flood.packets,
            "bytes": flood.bytes,
            "peak_packets_per_second": flood.peak_packets,
            "peak_bits_per_second": flood.peak_bytes * 8,
        },
    )


def _header(start: bytes) -> list[str]:
    line = re.split(rb"[\r\n]", start.lstrip(b"\xef\xbb\xbf"), maxsplit=1)[0]
    try:
        return next(csv.reader([line[:4096].decode("utf-8", "replace").strip()]), [])
    except csv.Error:
        return []


def _printed(stream: "Stream", folder: Path, printed: Path, see: "loading.See") -> int:
    """Write an nfcapd file as CSV, in UTC; gives its lines. Raises Unreadable where nfdump cannot read it."""
    from tocsin.sift.flows import loading

    nfdump = shutil.which("nfdump")
    if nfdump is None:
        raise Unreadable(NO_NFDUMP)
    raw = folder / "nfcapd"
    with raw.open("wb") as out:
        while data := stream.read(1 << 24):
            see(data)
            out.write(data)
    command = [nfdump, "-r", str(raw), "-o", "csv"]
    utc = {**os.environ, "TZ": "UTC"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=utc) as process:  # noqa: S603 (nothing of the file's reaches the command line)
        assert process.stdout is not None  # noqa: S101 (for the type checker)
        lines = loading.clean(iter(partial(process.stdout.read, 1 << 24), b""), printed)
    if process.returncode:
        raise Unreadable("an nfcapd file that nfdump cannot read")
    return lines
