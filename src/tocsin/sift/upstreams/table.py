"""CSV: a value in each row, and where there are such a time, an end, a label and a confidence."""

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import now
from tocsin.sift.upstreams.values import Context, Document, Left, digest_of, judged
from tocsin.wire import said
from tocsin.wire.misp_in import NotMisp, tlp_of
from tocsin.wire.observables import address_of, name_of

FIELDS = ("value", "time", "until", "tlp", "confidence")
USUAL: dict[str, tuple[str, ...]] = {
    "value": (
        "value", "indicator", "ioc", "ip", "ip_address", "dst_ip", "src_ip", "address", "domain", "hostname",
        "host", "name",
    ),
    "time": (
        "time", "timestamp", "last_seen", "last_online", "lastseen", "date", "first_seen_utc", "first_seen",
        "dateadded", "reported",
    ),
    "until": ("until", "valid_until", "expires"),
    "tlp": ("tlp",),
    "confidence": ("confidence", "confidence_level"),
}  # fmt: skip
FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y")
HINT = "say --map value=COLUMN and, where they are, time=, until=, tlp=, confidence=; 1 is the first column"


class File:
    """A CSV file; with `is_whole` it is the whole list, and what is missing is taken back."""

    def __init__(self, name: str, context: Context, body: bytes, *, is_whole: bool = False) -> None:
        self.name = f"csv {name}"
        self.context = context
        self._body, self._is_whole = body, is_whole

    def documents(self, known: Callable[[str], str]) -> Iterator[Document]:
        """The file, once a day and whenever it changed: what has no time is said anew each day."""
        at = now()
        stamp = f"{digest_of(self._body)} {at.date().isoformat()}"
        if known("file") == stamp:
            return
        made = Document("file", stamp, is_whole=self._is_whole)
        for row in rows_of(self._body, self.context.mapping):
            read_one(made, row, self.context, at)
        yield made


def rows_of(body: bytes, mapping: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Each row, by the fields that it has. Raises BadInput where no column has values."""
    text = body.decode("utf-8-sig", "replace")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("#", ";"))]
    if not lines:
        return
    commented = [line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")]
    delimiter = max(",;\t|", key=lines[0].count)
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter, skipinitialspace=True)
    first = next(reader)
    columns, is_data = columns_of(first, mapping), is_numbered(mapping)
    if columns is None and commented:  # some lists have their line of names in a comment
        names = next(csv.reader(commented[-1:], delimiter=delimiter, skipinitialspace=True), [])
        columns, is_data = columns_of(names, mapping), True
    if columns is None:
        if len(first) > 1:
            raise BadInput("no column is known to hold the values", hint=HINT)
        columns, is_data = {"value": 0}, True
    if is_data:
        yield of_row(first, columns)
    for row in reader:
        yield of_row(row, columns)


def columns_of(names: list[str], mapping: Mapping[str, str]) -> dict[str, int] | None:
    """The place of each field's column; None where there is none for the value. Raises BadInput."""
    if is_numbered(mapping):
        return {field: int(number) - 1 for field, number in mapping.items()}
    spelled = {name.strip().lower(): place for place, name in reversed(list(enumerate(names)))}
    if mapping:
        missing = [name for name in mapping.values() if name.lower() not in spelled]
        if missing:
            raise BadInput(f"there is no column {', '.join(missing)[:100]}", hint=HINT)
        return {field: spelled[name.lower()] for field, name in mapping.items()}
    found = {
        field: spelled[usual]
        for field, usuals in USUAL.items()
        if (usual := next((one for one in usuals if one in spelled), None))
    }
    return found if "value" in found else None


def is_numbered(mapping: Mapping[str, str]) -> bool:
    """Are the columns told by number? Then there is no line of names."""
    return bool(mapping) and all(number.isdigit() and int(number) > 0 for number in mapping.values())


def of_row(row: list[str], columns: Mapping[str, int]) -> dict[str, str]:
    """The fields of a row."""
    return {field: row[place].strip() if place < len(row) else "" for field, place in columns.items()}


def read_one(made: Document, row: dict[str, str], context: Context, at: dt.datetime) -> None:
    """One row, into the document."""
    found = word_of(row, context, at)
    if isinstance(found, said.Word):
        if found.valid_until is not None and found.valid_until <= at:
            made.left.append(Left("its end has passed"))
            return
        judgement = judged(found, context, at, msgspec.json.encode(row))
        if isinstance(judgement, Left):
            made.left.append(judgement)
        else:
            made.entries.append(judgement)
    else:
        made.left.append(found)


def word_of(row: dict[str, str], context: Context, at: dt.datetime) -> said.Word | Left:
    """What a row says."""
    raw, text = msgspec.json.encode(row), row.get("value", "")
    address = address_of(text)
    value = address or name_of(text)
    if value is None:
        return Left(f"neither an address nor a name: {text[:60]!r}", raw, is_malformed=True)
    kind: Literal["address", "name"] = "address" if address else "name"
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        when = instant_of(row["time"]) if row.get("time") else day
        until = instant_of(row["until"]) if row.get("until") else None
        tlp = tlp_of([f"tlp:{row['tlp'].lower().removeprefix('tlp:')}"]) if row.get("tlp") else context.tlp
        sure = confidence_of(row.get("confidence", ""))
    except (ValueError, NotMisp) as problem:
        return Left(str(problem), raw, is_malformed=True)
    number = said.number_of(context.upstream, kind, value)
    return said.Word(kind, value, number, when, tlp, context.upstream, until, sure)


def instant_of(text: str) -> dt.datetime:
    """A time of a usual form, in UTC where it says nothing else. Raises ValueError."""
    try:
        if text.isdigit() and 9 <= len(text) <= 10:
            return dt.datetime.fromtimestamp(int(text), dt.UTC)
        found = dt.datetime.fromisoformat(text.removesuffix(" UTC"))
    except (ValueError, OverflowError):
        for form in FORMS:
            try:
                found = dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC)
                break
            except ValueError:
                continue
        else:
            raise ValueError(f"no time: {text[:40]!r}") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)


def confidence_of(text: str) -> int | None:
    """0 to 100. Raises ValueError."""
    if not text:
        return None
    if not text.isdigit() or int(text) > 100:
        raise ValueError(f"confidence is a number from 0 to 100: {text[:20]!r}")
    return int(text)


def mapping_of(text: str) -> dict[str, str]:
    """`value=ip,time=seen` as a mapping of fields to columns. Raises BadInput."""
    pairs = [part.partition("=") for part in text.split(",")]
    found = {field.strip(): column.strip() for field, _, column in pairs}
    if not set(found) <= set(FIELDS) or "value" not in found or not all(found.values()):
        raise BadInput(f"not a mapping of columns: {text[:100]}", hint=HINT)
    return found


def path_name(path: Path) -> str:
    """By which a file is known from run to run."""
    return str(path.resolve())
