"""What the readers of exchange formats (STIX, MISP) share: a document decoded whole, its records told."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from tocsin.sift.documents import is_new
from tocsin.sift.reported import merged, of_met
from tocsin.sift.sources import read_whole
from tocsin.wire.met import Broken, Passed, Told

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Source, Stream

LARGEST = 256 << 20
BROKEN = "broken JSON"
NOBODY = "a record that names no address or name"


def begins_with(head: bytes, names: Iterable[str]) -> bool:
    """Whether a document may be meant: a first line that is an object by itself has one of the fields."""
    try:
        first = msgspec.json.decode(head.split(b"\n", 1)[0])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True  # a part of a longer document
    return not isinstance(first, dict) or any(name in first for name in names)


def decoded(run: "Run", source: "Source", stream: "Stream") -> Any:
    """The document, or its lines as a list where each is a document; None where there is nothing to read."""
    content = read_whole(stream, LARGEST)
    run.see(content)
    if not is_new(run, content):
        return None
    text = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return msgspec.json.Decoder().decode_lines(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        run.reject(source, 1, BROKEN)
        return None


def tell(run: "Run", source: "Source", number: int, thing: Any, told: Told, why: str, reader: str) -> None:
    """Tell the run of one record."""
    if isinstance(told, Broken):
        run.reject(source, number, told.reason, msgspec.json.encode(thing))
        return
    if isinstance(told, Passed):
        run.count(1)
        if told.reason:
            run.balance.reasons[told.reason] += 1
        return
    findings = merged(of_met(told, why, reader))
    if not findings:
        run.reject(source, number, NOBODY, msgspec.json.encode(thing))
        return
    text = msgspec.json.encode(thing) + b"\n"
    for finding in findings:
        run.add(source.path, finding, [number], text)
    run.count(len(findings))
