"""What the REST interface answers, beyond the values of `wire.report`."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from tocsin.wire import indicators, tally
from tocsin.wire import report as wire
from tocsin.wire.lists import ListStatement


class State(msgspec.Struct, frozen=True):
    """How a report stands: the exchange's status code, and what it means in plain words."""

    code: str
    words: str
    explained: str = ""


class ReportState(msgspec.Struct, frozen=True):
    """One's own report: what was told, in its highest version, how it stands, and what blocks it made.

    `effect` says what was stopped because of it, and is empty where nothing was yet.
    """

    report_id: str
    attack_id: str
    version: int
    received_at: str
    updated_at: str
    state: State
    effect: str
    content: msgspec.Raw


class ReportPage(msgspec.Struct, frozen=True):
    """Reports by (updated_at, id). Give `cursor` back to go on, now or at any later time."""

    reports: list[ReportState]
    cursor: str | None
    more: bool


class Limits(msgspec.Struct, frozen=True):
    """How much one request may carry."""

    reports: int
    report_bytes: int
    request_bytes: int
    unpacked_bytes: int


class CharterClock(msgspec.Struct, frozen=True):
    """What the exchange promises, and by when."""

    clock_id: str
    actor: str
    what: str
    duration: float
    unit: str


class Exchange(msgspec.Struct, frozen=True):
    """Who answers here: pin `public_key` at the first contact, it is the root of trust of every receipt."""

    name: str
    public_key: str
    key_id: str
    limits: Limits
    clocks: list[CharterClock]


class InclusionProof(msgspec.Struct, frozen=True):
    """That the leaf at `seq` stands in the tree of `tree_size` entries (RFC 6962 section 2.1.1)."""

    seq: int
    tree_size: int
    leaf: str
    path: list[str]


class ConsistencyProof(msgspec.Struct, frozen=True):
    """That the tree of `new` entries extends that of `old` (RFC 6962 section 2.1.2)."""

    old: int
    new: int
    path: list[str]


class ChannelTold(msgspec.Struct, frozen=True):
    """A channel that a key may read; `number` is its last entry's."""

    channel: str
    alias: str
    title: str
    tlp: str
    number: int


class Channels(msgspec.Struct, frozen=True):
    """All of them."""

    channels: tuple[ChannelTold, ...]


class ChannelEntry(msgspec.Struct, frozen=True):
    """One entry of a channel: `object` is STIX 2.1."""

    number: int
    date_added: str
    object: dict[str, Any]


class ReaderState(msgspec.Struct, frozen=True):
    """How far one key has read one list or channel (`what`): by list, stream, TAXII, MISP, or line by line.

    `state` is `in step`, `behind`, `silent` or `never`; `owes_since` is when the first withdrawal happened
    that it has not taken, and `late` that it should have by now. What does not apply is empty; instants are
    RFC 3339. `mend` says what to do. `reading` is what it is forgotten by, 0 where it never read.
    """

    reading: int
    key: str
    way: str
    what: str
    state: str
    number: int
    current: int
    behind: int
    began_at: str = ""
    taken_at: str = ""
    read_at: str = ""
    owes_since: str = ""
    late: bool = False
    mend: str = ""


class ReaderStates(msgspec.Struct, frozen=True):
    """The own machines that read what is shared, the worst first, and all of it in a sentence."""

    sentence: str
    readers: tuple[ReaderState, ...]


class FaultDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong where: a JSON pointer into the body (RFC 6901), or the name of a parameter."""

    detail: str
    pointer: str = ""
    parameter: str = ""


class ProblemDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """Any error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""
    errors: list[FaultDocument] = []


SHAPES: tuple[Any, ...] = (
    wire.Report,
    wire.Batch,
    wire.Accepted,
    wire.Receipt,
    wire.TreeHead,
    tally.TallyBatch,
    tally.TallyAnswer,
    indicators.Explained,
    indicators.HiddenSource,
    indicators.Near,
    indicators.Objection,
    indicators.Objected,
    indicators.Seen,
    indicators.SeenBatch,
    indicators.SeenAnswer,
    ReaderState,
    ReaderStates,
    indicators.SmallSource,
    ReportState,
    ReportPage,
    Exchange,
    InclusionProof,
    ConsistencyProof,
    ListStatement,
    Channels,
    ChannelEntry,
    ProblemDocument,
)

Method = Literal["get", "post"]


def schemas(more: Sequence[Any] = ()) -> dict[str, Any]:
    """The JSON schemas of all of them and of `more`, by name, for OpenAPI's `components`."""
    shapes = (*SHAPES, *more)
    _, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    return components


def streamed(line: type[msgspec.Struct]) -> dict[str, Any]:
    """What OpenAPI should say of a route that answers line after line: the shape of one line of NDJSON."""
    extra = described(line)
    reference = {"$ref": f"#/components/schemas/{line.__name__}"}
    extra["responses"][200] = {
        "description": "lines, each of this shape, or CSV with its headings",
        "content": {
            "application/x-ndjson": {"schema": {"type": "string", "x-line": reference}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
    return extra


def as_text(*media: str) -> dict[str, Any]:
    """What OpenAPI should say of a route that answers with a text file of one of these kinds."""
    return {
        "responses": {
            200: {
                "description": "the file",
                "content": {one: {"schema": {"type": "string"}} for one in media},
            },
            "default": _content(ProblemDocument, "application/problem+json", "a problem"),
        }
    }


def described(answer: type[Any], *, body: type[msgspec.Struct] | None = None) -> dict[str, Any]:
    """What OpenAPI should say of a route whose body and answer are coded by msgspec, past ninja."""
    extra: dict[str, Any] = {
        "responses": {
            200: _content(answer, "application/json", "done"),
            "default": _content(ProblemDocument, "application/problem+json", "a problem"),
        }
    }
    if body is not None:
        extra["requestBody"] = {
            **_content(body, "application/json", "JSON, plain or gzipped"),
            "required": True,
        }
    return extra


def _content(shape: type[Any], media: str, words: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{shape.__name__}"}
    return {"description": words, "content": {media: {"schema": schema}}}
