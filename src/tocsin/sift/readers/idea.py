"""IDEA events (Warden) as files: one, a list, or one a line."""

from typing import TYPE_CHECKING

from tocsin.sift.documents import is_new
from tocsin.sift.reported import merged, of_met
from tocsin.sift.sources import read_whole
from tocsin.sift.streamlines import Fresh

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Source, Stream

_MOST_EVENTS = 1_000_000
_LARGEST = 64 << 20


def looks_like(start: bytes) -> bool:
    """Whether it is JSON that calls itself IDEA0."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") and b'"IDEA0"' in start


def read(run: "Run", source: "Source", stream: "Stream") -> None:
    """Each event becomes a finding for each of its sources and targets, or is rejected with a reason."""
    from tocsin.wire.xarf import parse, split
    from tocsin.wire.xarf_values import NotXarf

    if isinstance(parse(stream.peek().split(b"\n", 1)[0]), dict):
        lines = Fresh(run, source, stream)
        for number, line in enumerate(lines, start=lines.before + 1):
            if line.strip():
                _read_one(run, source, number, line)
        return
    content = read_whole(stream, _LARGEST)
    run.see(content)
    if not is_new(run, content):
        return
    try:
        events = split(content, most=_MOST_EVENTS)
    except NotXarf as why:
        run.reject(source, 1, str(why))
        return
    for at, text in events:
        _read_one(run, source, 1 + at, text + b"\n")


def _read_one(run: "Run", source: "Source", number: int, text: bytes) -> None:
    from tocsin.wire.idea import NotIdea, read_idea
    from tocsin.wire.xarf import parse

    try:
        findings = merged(of_met(read_idea(parse(text)), "reported as IDEA", "idea"))
    except NotIdea as why:
        run.reject(source, number, str(why), text.rstrip().replace(b"\n", b" "))
        return
    for finding in findings:
        run.add(source.path, finding, [number], text)
    run.count(len(findings))
