"""STIX 2.1 indicators that others made: sent as they are, with who says so where that is missing."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import now
from tocsin.sift.upstreams.values import NOBODYS, OLD, Context, Document, Entry, Left, digest_of
from tocsin.wire import said, stix, stix_in
from tocsin.wire.observables import address_of, name_of

INDICATOR = "indicator"
MORE = "the pattern says more than addresses and names"


class Bundle(msgspec.Struct):
    """A bundle, or a TAXII envelope."""

    objects: list[msgspec.Raw] = []


class File:
    """A bundle, an envelope, a list or one object in a file."""

    def __init__(self, path: Path, context: Context, body: bytes) -> None:
        self.name = f"stix {path.resolve()}"
        self.context = context
        self._body = body

    def documents(self, known: Callable[[str], str]) -> Iterator[Document]:
        """The file, where it changed."""
        stamp = digest_of(self._body)
        if known("file") != stamp:
            yield document("file", stamp, objects_of(self._body), self.context)


def objects_of(body: bytes) -> Sequence[msgspec.Raw]:
    """The objects in a file. Raises BadInput."""
    try:
        if body.lstrip().startswith(b"["):
            return msgspec.json.decode(body, type=list[msgspec.Raw])
        if b'"bundle"' in body[:2_000] or b'"objects"' in body:
            return msgspec.json.decode(body, type=Bundle).objects
        return [msgspec.Raw(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadInput(f"no STIX: {problem}") from None


def document(name: str, stamp: str, raws: Sequence[msgspec.Raw], context: Context) -> Document:
    """Some objects as a document; of several versions the last counts."""
    made, at = Document(name, stamp), now()
    for raw in raws:
        found = judged(bytes(raw), context, at)
        if isinstance(found, Left):
            made.left.append(found)
        else:
            made.entries.append(found)
    made.entries.sort(key=lambda entry: entry.version)
    return made


def judged(raw: bytes, context: Context, at: dt.datetime) -> Entry | Left:
    """One object as it may leave, or why it stays."""
    try:
        read = stix_in.read(raw)
        if read.stix_type != INDICATOR:
            return Left(f"{read.stix_type} is no indicator")
        claimed = stix_in.claim_of(raw)
        until = stix_in.instant_of(claimed.valid_until) if claimed.valid_until else None
    except stix_in.NotStix as problem:
        return Left(str(problem), raw, is_malformed=True)
    values = stix_in.values_of(claimed.pattern) if claimed.pattern_type == "stix" else None
    if values is None:
        return Left(MORE)
    spelled = [(kind, name_of(text) if kind == "name" else address_of(text)) for kind, text in values]
    for (_, value), (kind, text) in zip(spelled, values, strict=True):
        if value is None:
            return Left(f"no {kind}: {text[:60]!r}", raw, is_malformed=True)
    tlp = stix_in.tlp_of(claimed.object_marking_refs) or ""
    upstream = claimed.upstream or context.upstream
    if tlp in stix_in.STAYS:
        return Left(f"TLP:{tlp.upper()} does not leave this organisation")
    if not upstream and not context.is_own:
        return Left(NOBODYS, raw, is_malformed=True)
    if not claimed.revoked and until is not None and until <= at:
        return Left("its valid_until has passed")
    if not claimed.revoked and until is None and all(context.is_old(k, read.modified, at) for k, _ in values):
        return Left(OLD)
    label = context.tlp if not tlp else ""
    try:
        body = completed(raw, upstream if not claimed.upstream else "", label)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as problem:
        return Left(f"no STIX object: {problem}", raw, is_malformed=True)
    one = spelled[0] if len(spelled) == 1 else ("", "")
    return Entry(claimed.id, read.modified, body, one[0], one[1] or "", upstream, claimed.revoked)


def completed(raw: bytes, upstream: str, tlp: str) -> bytes:
    """The object with what it does not say itself; as it is where nothing is missing."""
    if not upstream and not tlp:
        return raw
    known: dict[str, Any] = msgspec.json.decode(raw)
    if upstream:
        known["extensions"] = {**known.get("extensions", {}), **said.passed_on(upstream)}
    if tlp:
        marking = f"marking-definition--{stix.TLP_MARKINGS[tlp]}"
        known["object_marking_refs"] = [*known.get("object_marking_refs", []), marking]
    return msgspec.json.encode(known)
