"""MISP events as evidence: one, a list, or the answer to a search of events or attributes.

Each attribute outside of an object, and each object, is one record, numbered in its file. What counts as
evidence: `tocsin.wire.misp_met`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tocsin.sift.exchanged import begins_with, decoded, tell

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Source, Stream

_IN_EVENTS = (b'"Attribute"', b'"Orgc"', b'"threat_level_id"', b'"object_relation"')
NO_MISP = "JSON that is no MISP event"


def looks_like(start: bytes) -> bool:
    """Whether it is JSON with an event of MISP near its beginning, or with attributes of one.

    Windows calls its events so, too: what tells MISP's is what stands in them.
    """
    head = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] not in (b"{", b"["):
        return False
    is_event = b'"Event"' in head and any(word in head for word in _IN_EVENTS)
    is_event |= b'"Attribute"' in head and b'"category"' in head and b'"to_ids"' in head
    return is_event and begins_with(head, ("Event", "response", "Attribute", "Object"))


def read(run: "Run", source: "Source", stream: "Stream") -> None:
    """Every record becomes findings, noise with its reason, or a rejection."""
    from tocsin.wire.misp_met import read_event

    document = decoded(run, source, stream)
    if document is None:
        return
    number = 0
    for event in _events(document):
        if event is None:
            number += 1
            run.reject(source, number, NO_MISP)
            continue
        for thing, told in read_event(event):
            number += 1
            tell(run, source, number, thing, told, "reported in MISP", "misp")
    if not number:
        run.reject(source, 1, NO_MISP if not _is_empty(document) else "an event of MISP that holds nothing")


def _events(document: Any) -> Iterator[dict[str, Any] | None]:
    """The events in a document of any of the shapes in which MISP writes them; None for what is none."""
    if isinstance(document, dict) and "response" in document:
        document = document["response"]
    for one in document if isinstance(document, list) else [document]:
        event = one.get("Event", one) if isinstance(one, dict) else None
        yield event if isinstance(event, dict) else None


def _is_empty(document: Any) -> bool:
    return any(event is not None and ("info" in event or "uuid" in event) for event in _events(document))
