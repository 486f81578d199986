"""JSON records, one a line (sensors' and applications' logs), or in one list (an export of a console).

msgspec checks every line and looks into none: that is quicker than DuckDB's reader, and nothing vanishes,
because a stretch of 1 MB that holds what it cannot take is read again with care. Only lines that hold a
rule's literal are looked into.
"""

import re
from collections import deque
from collections.abc import Sequence
from io import BytesIO
from itertools import compress
from typing import TYPE_CHECKING

import msgspec

from tocsin.sift import rulebook
from tocsin.sift.records import record_in
from tocsin.sift.regions import region_of
from tocsin.sift.sources import read_whole

if TYPE_CHECKING:
    from tocsin.sift.blocks import Place
    from tocsin.sift.engine import Run
    from tocsin.sift.recordplan import Plan
    from tocsin.sift.recordreader import RecordReader
    from tocsin.sift.rulebook import Rulebook
    from tocsin.sift.sources import Source, Stream

BROKEN = "broken JSON"
NO_RECORD = "JSON that is no record"
LARGEST_LIST = 256 << 20
_STRETCH = 1 << 20  # what stays in a processor's cache is read, digested and parsed three times as fast
_HEAD, _LATER = 1 << 20, 4 << 10  # where a source is searched for what marks its records
# What other readers know better: XARF, IDEA, journald's own JSON.
_FOREIGN = (b'"xarf_version"', b'"ReporterInfo"', b'"XARF"', b'"IDEA0"', b'"__REALTIME_TIMESTAMP"')
_LISTS = (b"Records", b"records", b"value", b"events", b"items", b"results", b"hits")
_LIST = re.compile(rb'\[\s*[\[{"]')  # `[` alone begins many a log line
_JSON = re.compile(rb'\s*(?:\{|\[\s*[\[{"])')
_BOM = b"\xef\xbb\xbf"
_ANY = msgspec.json.Decoder(msgspec.Raw)
_OBJECT = msgspec.json.Decoder(msgspec.defstruct("Object", []))  # any object: its fields are not looked at


def looks_like(start: bytes) -> bool:
    """Lines of JSON objects, or a list, or syslog that carries records of a known kind."""
    text = start.removeprefix(_BOM).lstrip()
    if not is_plain(text):
        return False
    if text[:1] == b"{" and _objects(text) > 1:
        return True
    is_json = text[:1] == b"{" or _LIST.match(text) or _objects(text)
    return bool(is_json) and any(book.marks_stand_in(text) for book in rulebook.ruleset().books)


def is_plain(start: bytes) -> bool:
    """Whether JSON that begins so is none that another reader knows better."""
    return not any(mark in start for mark in _FOREIGN)


def is_mapped(start: bytes, book: "Rulebook") -> bool:
    """Whether a source that begins so is JSON that has the fields of a mapping."""
    text = start.removeprefix(_BOM).lstrip()
    return bool(text[:1] == b"{" or _LIST.match(text)) and book.marks_stand_in(text)


def read(run: "Run", source: "Source", stream: "Stream") -> None:
    """Read the records to their end."""
    start = (source.head or stream.peek()).removeprefix(_BOM).lstrip()
    if source.is_whole and _is_list(start):
        _read_list(run, source, stream)
    else:
        _read_lines(run, source, stream)


def _read_lines(run: "Run", source: "Source", stream: "Stream") -> None:
    from tocsin.sift.blocks import Place, cut
    from tocsin.sift.recordplan import JsonFields, Plan
    from tocsin.sift.recordreader import RecordReader

    place = Place(run.skip_known(source, stream))
    plan = Plan(())
    reader = RecordReader(run, source, plan)
    books: list[Rulebook] = []
    for data in cut(stream, place, reader.see, reader.reject, _STRETCH):
        more = [book for book in run.marked(data[: _LATER if books else _HEAD]) if book not in books]
        if more:
            books += more
            plan = Plan(books)
            reader.follow(plan)
            fields = JsonFields(plan.fields)
        first = place.line
        records, numbers, read_lines = _records(data, place, reader)
        hits = _holding(records, plan) if books else []
        lines = [records[hit].removesuffix(b"\n") for hit in hits]
        reader.take(
            [first + hit for hit in hits] if numbers is None else [numbers[hit] for hit in hits],
            lines,
            fields.columns(lines) if hits else [],
            unread=read_lines - len(hits),
        )
    reader.close()


def _read_list(run: "Run", source: "Source", stream: "Stream") -> None:
    from tocsin.sift.recordplan import JsonFields, Plan
    from tocsin.sift.recordreader import RecordReader

    content = read_whole(stream, LARGEST_LIST)
    run.see(content)
    try:
        lines = [msgspec.json.format(item, indent=-1) for item in _items(content)]
    except (msgspec.DecodeError, RecursionError):
        run.reject(source, 1, BROKEN)
        return
    if run.seen_before([region_of(content)], len(lines)):
        return
    plan = Plan(run.marked(content))
    reader = RecordReader(run, source, plan)
    if plan.fields:
        reader.take(range(1, len(lines) + 1), lines, JsonFields(plan.fields).columns(lines))
    else:
        reader.take((), (), (), unread=len(lines))
    reader.close()


def _items(content: bytes) -> Sequence[msgspec.Raw]:
    """The records of a document: its list, the list in it, or itself alone."""
    document = msgspec.json.decode(content.removeprefix(_BOM), type=msgspec.Raw)
    if bytes(document[:1] if isinstance(document, bytes) else bytes(document)[:1]) == b"[":
        return msgspec.json.decode(document, type=list[msgspec.Raw])
    members = msgspec.json.decode(document, type=dict[str, msgspec.Raw])
    for name in _LISTS:
        if (inner := members.get(name.decode())) is not None and bytes(inner)[:1] == b"[":
            return msgspec.json.decode(inner, type=list[msgspec.Raw])
    return [document]


def _is_list(start: bytes) -> bool:
    """Whether a source is one document and no lines: a list, an object that holds one, or one laid out."""
    if _LIST.match(start):
        return True
    first = start.partition(b"\n")[0]
    return start[:1] == b"{" and (_begins_list(first) or not _objects(start))


def _objects(text: bytes) -> int:
    """How many of the first lines are objects, from their first byte to their last.

    A document that is laid out indents what is in it. Where text begins otherwise than JSON does, objects, or
    lines of syslog that carry one, must be at least half: a mail may quote some.
    """
    lines = [line for line in text.split(b"\n")[:50] if line.strip()]
    if text[:1] == b"{":
        return sum(line[:1] == b"{" and _is_object(line) for line in lines)
    found = sum(map(bool, map(record_in, lines)))
    return found if 2 * found >= len(lines) - 1 else 0


def _begins_list(line: bytes) -> bool:
    name = line[1:100].lstrip().removeprefix(b'"').partition(b'"')
    return name[0] in _LISTS and name[2].lstrip(b": ")[:1] == b"["


def _is_object(line: bytes) -> bool:
    line = line.strip()
    if line[:1] != b"{":
        return False
    try:
        _ANY.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _records(
    data: bytes, place: "Place", reader: "RecordReader"
) -> tuple[Sequence[bytes], Sequence[int] | None, int]:
    """The records of some lines, their numbers (None: one a line), and how many lines were not rejected."""
    if place.line == 1:
        data = data.removeprefix(_BOM)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    try:
        if not data.isascii():
            data.decode()
        lines = BytesIO(data).readlines()  # three times as fast as splitting, or only counting
        deque(map(_OBJECT.decode, lines), maxlen=0)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _one_by_one(data.removesuffix(b"\n"), place, reader)
    place.line += len(lines)
    return lines, None, len(lines)


def _one_by_one(data: bytes, place: "Place", reader: "RecordReader") -> tuple[list[bytes], list[int], int]:
    """The same for lines of which some are broken, blank, or text: a log that became JSON one day."""
    others: list[int] = []
    found: list[bytes] = []
    numbers: list[int] = []
    rejected = 0
    lines = data.split(b"\n")
    for number, line in enumerate(lines, start=place.line):
        if not line.strip():
            continue
        reason = _trouble(line)
        if reason and not _JSON.match(line):
            others.append(number - place.line)
        elif reason:
            reader.reject(number, reason, line)
            rejected += 1
        else:
            found.append(line)
            numbers.append(number)
    if others:
        reader.take_lines([place.line + at for at in others], [lines[at] for at in others])
    place.line += len(lines)
    return found, numbers, len(lines) - rejected - len(others)


def _trouble(line: bytes) -> str:
    try:
        text = line.decode("utf-8", "replace").strip()  # what is no UTF-8 may stand in a name that was tried
        _ANY.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return BROKEN
    return "" if text[:1] == "{" else NO_RECORD


def _holding(records: Sequence[bytes], plan: "Plan") -> Sequence[int]:
    """Which records hold one of the literals of the plan's rules."""
    if not plan.literals:
        return range(len(records))
    hits: list[list[int]] = []
    for literal in plan.literals:
        holds = re.compile(re.escape(literal)).search  # quicker than `in`
        hits.append(list(compress(range(len(records)), map(holds, records))))
    return hits[0] if len(hits) == 1 else sorted(set().union(*hits))
