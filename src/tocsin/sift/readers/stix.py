"""STIX 2.1 and 2.0 as evidence: bundles, TAXII envelopes, lists, one object, or one a line.

Each object is one record, numbered in its file. What counts as evidence: `tocsin.wire.stix_met`.
"""

import re
from typing import TYPE_CHECKING

from tocsin.sift.exchanged import begins_with, decoded, tell

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Source, Stream

_OBJECT = re.compile(rb'"type"\s*:\s*"bundle"|"spec_version"\s*:\s*"2|"id"\s*:\s*"[a-z-]+--[0-9a-f-]{36}"')
NO_STIX = "JSON that is no STIX"


def looks_like(start: bytes) -> bool:
    """Whether it is JSON with STIX's identifiers or versions near its beginning."""
    head = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] not in (b"{", b"[") or not _OBJECT.search(head[:8192]):
        return False
    return begins_with(head, ("type", "objects"))


def read(run: "Run", source: "Source", stream: "Stream") -> None:
    """Every object becomes findings, noise with its reason, or a rejection."""
    from tocsin.wire.stix_met import read_objects

    document = decoded(run, source, stream)
    if document is None:
        return
    if isinstance(document, dict):
        document = document.get("objects", [document])
    if not isinstance(document, list):
        run.reject(source, 1, NO_STIX)
        return
    for number, (thing, told) in enumerate(zip(document, read_objects(document), strict=True), start=1):
        tell(run, source, number, thing, told, "reported as STIX", "stix")
