"""IDEA events (Warden) as files: one, a list, or one a line."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tocsin.sift.documents import is_new
from tocsin.sift.findings import Finding
from tocsin.sift.origins import normalise
from tocsin.sift.reported import UNKNOWN, merged, service_of, target_of
from tocsin.sift.sources import read_whole
from tocsin.sift.streamlines import Fresh

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Source, Stream
    from tocsin.wire.idea import IdeaEvent

_MOST_PAIRS = 1_000
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
        findings = merged(_findings(read_idea(parse(text))))
    except NotIdea as why:
        run.reject(source, number, str(why), text.rstrip().replace(b"\n", b" "))
        return
    for finding in findings:
        run.add(source.path, finding, [number], text)
    run.count(len(findings))


def _findings(event: "IdeaEvent") -> Iterator[Finding]:
    """Every source against every target; against nobody in particular where those are too many.

    A source that is a command-and-control server is what the other sources talk to.
    """
    servers = [source.host for source in event.sources if source.meaning]
    targets = [target.host for target in event.targets] or servers or [UNKNOWN]
    if len(event.sources) * len(targets) > _MOST_PAIRS:
        targets = [UNKNOWN]
    first, last = int(event.first_at.timestamp()), int(event.last_at.timestamp())
    shared = {"first": first, "last": last, "count": event.times, "why": "reported as IDEA", "reader": "idea"}
    for target in targets:
        for source in event.sources:
            meaning = source.meaning or event.meaning
            host = normalise(source.host)
            if host is None:
                continue
            against = UNKNOWN if source.host in servers and target in servers else target
            yield Finding(
                kind=meaning.kind,
                origin=host,
                target=target_of(against),
                service=service_of(event.service),
                severity=meaning.severity,
                assumed=event.assumed,
                spoofable=source.forgeable or meaning.kind.startswith("availability/"),
                **shared,  # type: ignore[arg-type]
            )
        if not event.sources:
            yield Finding(
                kind=event.meaning.kind,
                origin="",
                target=target_of(target),
                service=service_of(event.service),
                severity=event.meaning.severity,
                assumed=event.assumed,
                spoofable=True,
                vector=service_of(event.vector),
                **shared,  # type: ignore[arg-type]
            )
