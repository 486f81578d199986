"""Shadowserver's reports that come by mail: CSV attached, in a zip or gzip, no further than is sensible."""

import io
import zipfile
import zlib
from collections.abc import Iterator

from tocsin.sift.feeds.piles import Piles
from tocsin.sift.feeds.shadowserver import is_header, read_rows
from tocsin.sift.findings import Finding
from tocsin.wire.letters import Attachment, Letter

LARGEST = 64 << 20
TOO_LARGE = "an attachment of more than 64 MB"
DAMAGED = "an attachment that is damaged"
NETWORK = "a row about a network, not an address"
_MOST_MEMBERS = 100


def read_reports(letter: Letter) -> tuple[list[Finding], list[str]] | None:
    """The findings of all reports attached, and why rows were rejected; None where nothing of the kind is."""
    findings: list[Finding] = []
    rejected: list[str] = []
    is_any = False
    for part in letter.attachments:
        try:
            for name, content in unpacked(part):
                if is_header(content.lstrip().split(b"\n", 1)[0].decode("utf-8", "replace")):
                    is_any = True
                    _read(name, content, findings, rejected)
        except ValueError as why:
            if letter.is_from("shadowserver.org"):
                is_any = True
                rejected.append(str(why))
    return (findings, rejected) if is_any else None


def unpacked(part: Attachment) -> Iterator[tuple[str, bytes]]:
    """The text files in an attachment, by name. Raises ValueError for one that is damaged or too large."""
    name = part.name.lower()
    if part.content.startswith(b"PK\x03\x04"):
        yield from _unzipped(part.content)
    elif part.content.startswith(b"\x1f\x8b"):
        yield part.name.removesuffix(".gz"), _gunzipped(part.content)
    elif name.endswith((".csv", ".txt", ".tsv")) or part.content_type in (
        "text/csv",
        "text/comma-separated-values",
    ):
        yield part.name, part.content


def _unzipped(content: bytes) -> Iterator[tuple[str, bytes]]:
    left = LARGEST
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist()[:_MOST_MEMBERS]:
                with archive.open(member) as file:
                    data = file.read(left + 1)
                left -= len(data)
                if left < 0:
                    raise ValueError(TOO_LARGE)
                yield member.filename, data
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError):
        raise ValueError(DAMAGED) from None


def _gunzipped(content: bytes) -> bytes:
    reader = zlib.decompressobj(wbits=31)
    try:
        data = reader.decompress(content, LARGEST + 1)
    except zlib.error:
        raise ValueError(DAMAGED) from None
    if len(data) > LARGEST:
        raise ValueError(TOO_LARGE)
    return data


def _read(name: str, content: bytes, findings: list[Finding], rejected: list[str]) -> None:
    piles = Piles()
    for number, raw, event in read_rows(content.splitlines(keepends=True), name):
        if isinstance(event, str):
            rejected.append(event)
        elif "/" in event.address:
            rejected.append(NETWORK)
        else:
            piles.add(event, number, raw)
    findings += [finding for finding, _, _ in piles.flush()]
