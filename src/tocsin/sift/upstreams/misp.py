"""MISP events: a feed by URL, a folder of its files, or one file."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import now
from tocsin.sift.upstreams.fetching import Fetcher
from tocsin.sift.upstreams.values import Context, Document, Left, digest_of, judged
from tocsin.wire import misp_in

MANIFEST = "manifest.json"


class Described(msgspec.Struct):
    """What a manifest tells of an event, as far as it is needed."""

    timestamp: int | str = ""


_manifest = msgspec.json.Decoder(dict[str, Described])


class Feed:
    """A feed: its manifest says which events changed, and only these are read."""

    def __init__(self, place: str, context: Context, fetcher: Fetcher) -> None:
        self.name = f"misp {place}"
        self.context = context
        self._fetch = fetcher

    def documents(self, known: Callable[[str], str]) -> Iterator[Document]:
        """One for each event that is new or has another timestamp than before."""
        try:
            told = _manifest.decode(self._fetch(MANIFEST))
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise BadInput(f"its manifest cannot be read: {problem}", hint="is this a MISP feed?") from None
        for event, described in told.items():
            try:
                number = str(uuid.UUID(event))
            except ValueError:
                reason = f"the manifest names an event without a UUID: {event[:60]!r}"
                yield Document(event, "", left=[Left(reason, event.encode(), True)], is_broken=True)
                continue
            if known(number) == str(described.timestamp):
                continue
            try:
                body = self._fetch(f"{number}.json")
            except BadInput as problem:
                yield Document(number, "", left=[Left(problem.detail, b"", True)], is_broken=True)
                continue
            yield document(number, str(described.timestamp), body, self.context)


class File:
    """One event in a file."""

    def __init__(self, path: Path, context: Context, body: bytes) -> None:
        self.name = f"misp {path.resolve()}"
        self.context = context
        self._body = body

    def documents(self, known: Callable[[str], str]) -> Iterator[Document]:
        """The event, where the file changed."""
        stamp = digest_of(self._body)
        if known("event") != stamp:
            yield document("event", stamp, self._body, self.context)


def document(name: str, stamp: str, body: bytes, context: Context) -> Document:
    """One event: what it said before and says no longer is over."""
    made, at = Document(name, stamp, is_whole=True), now()
    try:
        event = misp_in.event_of(body)
    except misp_in.NotMisp as problem:
        made.left.append(Left(str(problem), body, is_malformed=True))
        made.is_broken = True
        return made
    for raw in event.raws():
        read_one(made, event, raw, context, at)
    return made


def read_one(
    made: Document, event: misp_in.Event, raw: msgspec.Raw, context: Context, at: dt.datetime
) -> None:
    """One attribute, into the document."""
    found = misp_in.read(event, raw, at)
    if isinstance(found, misp_in.Refused):
        kept = alone(event, found.raw) if found.is_malformed else b""
        made.left.append(Left(found.reason, kept, found.is_malformed))
        return
    word = replace(found, tlp=found.tlp or context.tlp, upstream=found.upstream or context.upstream)
    judgement = judged(word, context, at, alone(event, bytes(raw)))
    if isinstance(judgement, Left):
        made.left.append(judgement)
    else:
        made.entries.append(judgement)


def alone(event: misp_in.Event, raw: bytes) -> bytes:
    """An event with that attribute alone, from which it can be read again."""
    try:
        attribute = msgspec.Raw(msgspec.json.encode(msgspec.json.decode(raw)))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return raw
    return msgspec.json.encode({"Event": msgspec.structs.replace(event, attributes=[attribute], objects=[])})
